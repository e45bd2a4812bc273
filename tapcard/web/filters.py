"""Template filters for dates, money, countries and labels, in the shop's time zone and language."""

import enum
from collections.abc import Mapping
from datetime import date, datetime
from typing import Any
from zoneinfo import ZoneInfo

from babel.dates import format_date, format_datetime, format_timedelta
from flask import Flask, g
from flask_babel import gettext

from .. import countries, mail, phones, registry, settings
from ..address_format import address_lines
from ..clock import utcnow
from ..models import Address, Card
from ..money import Money
from ..services.accounts import labels as account_labels
from ..services.cards import labels as card_labels
from ..services.catalogue import labels as catalogue_labels
from ..services.content import labels as content_labels
from ..services.orders import labels as order_labels
from ..services.payments import labels as payment_labels
from ..services.profiles import contacts
from ..settings import MenuPage, ShopSettings

LABELS = {
    **account_labels.LABELS,
    **card_labels.LABELS,
    **catalogue_labels.LABELS,
    **content_labels.LABELS,
    **order_labels.LABELS,
    **payment_labels.LABELS,
}


def init_app(app: Flask) -> None:
    """Register the template filters and the settings of the shop."""
    app.context_processor(lambda: {"shop": shop()})
    for name, function in {
        "date": write_date,
        "datetime": write_datetime,
        "ago": write_ago,
        "money": write_money,
        "minor": write_minor,
        "country": country_name,
        "address_lines": write_address,
        "label": label,
        "payment_method": payment_method,
        "email_kind": email_kind,
        "phone": phones.display,
        "mail_link": contacts.mail_link,
    }.items():
        app.jinja_env.filters[name] = function


def shop() -> ShopSettings:
    """Return the shop's settings, read once per request."""
    if "shop" not in g:
        g.shop, g.menu_pages = (ShopSettings(), []) if g.get("is_plain") else settings.load_with_menu()
    return g.shop


def menu_pages() -> list[MenuPage]:
    """Return the pages linked from menus, which are read together with the settings."""
    shop()
    return g.get("menu_pages", [])


def local(instant: datetime) -> datetime:
    """Convert an instant to the shop's time zone."""
    return instant.astimezone(ZoneInfo(shop().time_zone))


def write_date(value: date | datetime) -> str:
    """Format a date, like 20 Nov 2026."""
    return format_date(local(value) if isinstance(value, datetime) else value, "d MMM y", locale=shop().locale)


def write_datetime(value: datetime) -> str:
    """Format a date and time, like 20 Nov 2026, 14:05."""
    return format_datetime(local(value), "d MMM y, HH:mm", locale=shop().locale)


def write_ago(value: datetime) -> str:
    """Format an instant relative to now, like 2 minutes ago; as a date after a week."""
    passed = value - utcnow()
    if abs(passed.days) >= 7:
        return write_date(value)
    return format_timedelta(passed, add_direction=True, locale=shop().locale)


def write_money(value: Money | None) -> str:
    """Format an amount of money, like £24.00."""
    return "" if value is None else value.format(shop().locale)


def write_minor(amount: int) -> str:
    """Format an amount in minor units of the shop's currency, like £24.00."""
    return write_money(Money(amount, shop().currency))


def country_name(code: str) -> str:
    """Return the name of a country from its two-letter code; empty when unknown."""
    return countries.country_name(code, shop().locale)


def write_address(address: Address | Mapping[str, Any]) -> list[str]:
    """Return the lines of a saved address, or of the delivery address of an order."""
    parts = address.parts if isinstance(address, Address) else address
    return address_lines(parts, shop().locale)


def label_or_value(value: enum.StrEnum) -> str:
    """Return the label of a state, or the value of any other enum in words."""
    return label(value) if type(value) in LABELS else value.value.replace("_", " ").capitalize()


def label(state: enum.StrEnum | Card) -> str:
    """Return the translated label of a state, or of the state a card is in; raises `KeyError` for any other enum."""
    return gettext(card_labels.label_of_card(state) if isinstance(state, Card) else LABELS[type(state)][state])


def payment_method(gateway: str) -> str:
    """Return the translated label of a payment method by the code of its gateway."""
    return gettext(payment_labels.label_of_gateway(gateway))


def email_kind(kind: str) -> str:
    """Return the translated label of a kind of email; the words of its name for other outbox messages."""
    return gettext(mail.LABELS[kind]) if kind in mail.LABELS else words_of_name(kind)


def audit_action(tag: str) -> str:
    """Return the translated label of an action in the audit log; the words of its tag if it has none."""
    return gettext(registry.audit_actions[tag]) if tag in registry.audit_actions else words_of_name(tag)


def audit_object(table: str) -> str:
    """Return the translated label of what an action was about; the words of the table's name if it has none."""
    return gettext(registry.audit_objects[table]) if table in registry.audit_objects else words_of_name(table or "–")


def words_of_name(name: str) -> str:
    """Return an internal name such as `card.claimed` as words: "Card claimed"."""
    text = name.replace(".", " ").replace("_", " ")
    return text[:1].upper() + text[1:]
