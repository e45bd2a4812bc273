"""Shop settings that staff can change: defaults in code, changed values in the database."""

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
MAX_WORD_LENGTH = 30


@dataclass(frozen=True)
class ShopSettings:
    """All settings with their defaults, which suit an empty installation."""

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
    card_amount: int = 2400  # price of a card without its own price, while no card product exists
    activation_amount: int = 1000
    activation_tax_rate: int = 0  # hundredths of a percent, included
    tax_word: str = "VAT"  # what the tax is called, like GST or Sales tax
    order_minutes: int = 60  # minutes until an unpaid order expires
    offline_days: int = 7  # days until an order with offline payment expires
    hidden_gateways: str = ""  # codes, separated by commas
    offline_text: str = ""  # instructions for offline payment: account, address, opening hours
    whatsapp_number: str = ""  # like +447700900123; if set, the contact page offers a chat
    whatsapp_text: str = ""  # prefilled text of that chat
    newsletter_consent: str = ""  # what subscribers agree to; empty for the default sentence


@dataclass(frozen=True)
class MenuPage:
    """A page written by staff, as shown in a menu."""

    slug: str
    title: str
    menu: PageMenu


class UnknownSetting(DomainError):
    """No setting has that name, or the value is not valid for it."""


SETTING_TYPES = {field.name: field.type for field in dataclasses.fields(ShopSettings)}


def load() -> ShopSettings:
    """Return all settings by one query. Invalid rows are ignored, because every page needs the settings."""
    rows = db.session.execute(select(Setting.name, Setting.value))
    return ShopSettings(**{name: value for name, value in rows if is_valid(name, value)})


def load_with_menu() -> tuple[ShopSettings, list[MenuPage]]:
    """Return all settings and the pages linked from menus, in their order, by one query."""
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
    """Set one setting; raises `UnknownSetting` for an unknown name or an invalid value."""
    if not is_valid(name, value):
        raise UnknownSetting(_("“%(name)s” isn't a setting, or this value isn't valid for it."), name=name)
    row = db.session.get(Setting, name)
    if row is None:
        db.session.add(Setting(name=name, value=value))
    else:
        row.value = value


def is_valid(name: str, value: Any) -> bool:
    """Return whether a value has the type of its setting and passes its check."""
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


def _is_word(value: str) -> bool:
    return value == value.strip() and 0 < len(value) <= MAX_WORD_LENGTH and value.isprintable()


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
    "tax_word": _is_word,
    "whatsapp_number": _is_phone,
    "whatsapp_text": _is_short,
    "newsletter_consent": _is_short,
}
