"""How templates write instants, money and places: in the shop's zone and language."""

import enum
from datetime import date, datetime
from zoneinfo import ZoneInfo

from babel import Locale
from babel.dates import format_date, format_datetime, format_timedelta
from flask import Flask, g
from flask_babel import gettext

from .. import phones, settings
from ..clock import utcnow
from ..models import Card
from ..money import Money
from ..services.cards import labels as card_labels
from ..services.catalogue import labels as catalogue_labels
from ..services.orders import labels as order_labels
from ..services.payments import labels as payment_labels
from ..services.profiles import contacts
from ..settings import MenuPage, ShopSettings

LABELS = {**order_labels.LABELS, **payment_labels.LABELS, **card_labels.LABELS, **catalogue_labels.LABELS}


def init_app(app: Flask) -> None:
    """Teach the templates to write."""
    app.context_processor(lambda: {"shop": shop()})
    for name, function in {
        "date": write_date,
        "datetime": write_datetime,
        "ago": write_ago,
        "money": write_money,
        "minor": write_minor,
        "country": country_name,
        "label": label,
        "phone": phones.display,
        "mail_link": contacts.mail_link,
    }.items():
        app.jinja_env.filters[name] = function


def shop() -> ShopSettings:
    """The shop's settings, read once a request."""
    if "shop" not in g:
        g.shop, g.menu_pages = (ShopSettings(), []) if g.get("is_plain") else settings.load_with_menu()
    return g.shop


def menu_pages() -> list[MenuPage]:
    """The pages of the shop that menus link to, read with the settings."""
    shop()
    return g.get("menu_pages", [])


def local(instant: datetime) -> datetime:
    """An instant on the shop's clock."""
    return instant.astimezone(ZoneInfo(shop().time_zone))


def write_date(value: date | datetime) -> str:
    """20 Nov 2026."""
    return format_date(local(value) if isinstance(value, datetime) else value, "d MMM y", locale=shop().locale)


def write_datetime(value: datetime) -> str:
    """20 Nov 2026, 14:05."""
    return format_datetime(local(value), "d MMM y, HH:mm", locale=shop().locale)


def write_ago(value: datetime) -> str:
    """2 minutes ago; past a week, the date."""
    passed = value - utcnow()
    if abs(passed.days) >= 7:
        return write_date(value)
    return format_timedelta(passed, add_direction=True, locale=shop().locale)


def write_money(value: Money | None) -> str:
    """£24.00."""
    return "" if value is None else value.format(shop().locale)


def write_minor(amount: int) -> str:
    """An amount in minor units of the shop's currency: £24.00."""
    return write_money(Money(amount, shop().currency))


def country_name(code: str) -> str:
    """The name of a country by its two letters; empty when unknown."""
    return str(Locale.parse(shop().locale).territories.get(code, "")) if code else ""


def label_or_value(value: enum.StrEnum) -> str:
    """Return the label of a state, or the value of any other enum in words."""
    return label(value) if type(value) in LABELS else value.value.replace("_", " ").capitalize()


def label(state: enum.StrEnum | Card) -> str:
    """Return the translated label of a state, or of the state a card is in; raises `KeyError` for any other enum."""
    return gettext(card_labels.label_of_card(state) if isinstance(state, Card) else LABELS[type(state)][state])
