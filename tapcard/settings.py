"""Shop settings that staff may change: typed defaults here, changed values as rows."""

import dataclasses
import re
from collections.abc import Callable
from dataclasses import dataclass
from typing import Any
from zoneinfo import ZoneInfo, ZoneInfoNotFoundError

import phonenumbers
import sqlalchemy as sa
from babel import Locale, UnknownLocaleError
from babel.numbers import list_currencies
from sqlalchemy import select

from .db import db
from .errors import DomainError
from .errors import mark as _
from .models import PageMenu, Setting, ShopPage

MAX_TEXT_LENGTH = 500


@dataclass(frozen=True)
class ShopSettings:
    """Every setting with its default; an empty installation works."""

    shop_name: str = "tapcard"
    slogan: str = "Tap once. Share everything."
    currency: str = "GBP"
    locale: str = "en_GB"
    country: str = "GB"
    time_zone: str = "Europe/London"
    brand_color: str = "#0091ca"
    ink_color: str = "#13294b"
    owner_email: str = ""
    support_email: str = ""
    card_amount: int = 2400  # of a design without a price, as long as no product is a card; else the product's counts
    activation_amount: int = 1000
    activation_tax_rate: int = 0  # hundredths of a percent, included
    order_minutes: int = 60  # an order waits so long for its payment
    offline_days: int = 7  # and so long for one outside the web
    hidden_gateways: str = ""  # codes, separated by commas
    offline_text: str = ""  # how to pay outside the web: account, address, hours
    whatsapp_number: str = ""  # like +447700900123; with one, the contact page offers a chat
    whatsapp_text: str = ""  # what stands in that chat already
    newsletter_consent: str = ""  # what subscribers agree to; empty: the usual sentence


@dataclass(frozen=True)
class MenuPage:
    """A page that staff wrote, as a menu needs it."""

    slug: str
    title: str
    menu: PageMenu


class UnknownSetting(DomainError):
    """There is no setting of that name, or no page could work with the value."""


SETTING_TYPES = {field.name: field.type for field in dataclasses.fields(ShopSettings)}


def load() -> ShopSettings:
    """Read all settings: one query. A row that makes no sense counts as none, because every page needs these."""
    rows = db.session.execute(select(Setting.name, Setting.value))
    return ShopSettings(**{name: value for name, value in rows if is_valid(name, value)})


def load_with_menu() -> tuple[ShopSettings, list[MenuPage]]:
    """Read all settings and the pages that menus link to, in their order, still by one query."""
    no_text, no_number = sa.cast(sa.null(), sa.String(120)), sa.cast(sa.null(), sa.Integer)
    no_value = sa.cast(sa.null(), Setting.value.type)
    of_settings = select(Setting.name, Setting.value, no_text.label("title"), no_text.label("menu"), no_number)
    of_pages = select(
        ShopPage.slug, no_value, ShopPage.title, sa.cast(ShopPage.menu, sa.String(120)), ShopPage.position
    ).where(ShopPage.is_published, ShopPage.menu != PageMenu.NONE)
    rows = db.session.execute(sa.union_all(of_settings, of_pages)).all()
    values = {name: value for name, value, title, *_rest in rows if title is None and is_valid(name, value)}
    pages = sorted((row for row in rows if row[2] is not None), key=lambda row: (row[4], row[2], row[0]))
    return ShopSettings(**values), [MenuPage(row[0], row[2], PageMenu(row[3].lower())) for row in pages]


def update(name: str, value: Any) -> None:
    """Set one setting; raise `UnknownSetting` when there is no such name or the value is not sound."""
    if not is_valid(name, value):
        raise UnknownSetting(_("“%(name)s” isn't a setting, or this value isn't valid for it."), name=name)
    row = db.session.get(Setting, name)
    if row is None:
        db.session.add(Setting(name=name, value=value))
    else:
        row.value = value


def is_valid(name: str, value: Any) -> bool:
    """Whether a value has its setting's type and makes sense as what it stands for."""
    if name not in SETTING_TYPES or type(value) is not SETTING_TYPES[name]:
        return False
    check = CHECKS.get(name)
    return check is None or check(value)


def _is_zone(value: str) -> bool:
    try:
        ZoneInfo(value)
    except (ZoneInfoNotFoundError, ValueError, OSError):
        return False
    return True


def _is_locale(value: str) -> bool:
    try:
        Locale.parse(value)
    except (UnknownLocaleError, ValueError):
        return False
    return True


def _is_amount(value: int) -> bool:
    return 0 <= value < 2**31


def _is_color(value: str) -> bool:
    return re.fullmatch(r"#[0-9a-fA-F]{6}", value) is not None


def _is_phone(value: str) -> bool:
    if not value:
        return True
    try:
        number = phonenumbers.parse(value, None)
    except phonenumbers.NumberParseException:
        return False
    is_plain = phonenumbers.format_number(number, phonenumbers.PhoneNumberFormat.E164) == value
    return is_plain and phonenumbers.is_valid_number(number)


def _is_short(value: str) -> bool:
    return len(value) <= MAX_TEXT_LENGTH


CHECKS: dict[str, Callable[[Any], bool]] = {
    "currency": lambda value: value in list_currencies(),
    "locale": _is_locale,
    "country": lambda value: re.fullmatch(r"[A-Z]{2}", value) is not None,
    "time_zone": _is_zone,
    "brand_color": _is_color,
    "ink_color": _is_color,
    "card_amount": _is_amount,
    "activation_amount": _is_amount,
    "whatsapp_number": _is_phone,
    "whatsapp_text": _is_short,
    "newsletter_consent": _is_short,
}
