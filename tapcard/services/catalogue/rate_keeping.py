"""Rates that prices are shown by in other currencies, as staff keep them; nothing is charged by them."""

from datetime import datetime
from decimal import Decimal

import sqlalchemy as sa
from babel import Locale
from babel.core import get_global
from babel.numbers import get_currency_name, get_territory_currencies
from sqlalchemy import select

from ...db import db, insert
from ...errors import DomainError
from ...errors import mark as _
from ...models import DisplayRate, User
from ..core import audit, rows


class BadRate(DomainError):
    """The shop cannot show prices like that."""

    status = 422
    field = "currency"


def listed() -> list[DisplayRate]:
    """All rates by currency."""
    return list(db.session.scalars(select(DisplayRate).order_by(DisplayRate.currency)))


def currencies(locale: str, own: str) -> list[tuple[str, str]]:
    """Codes and names of the currencies people pay with today, but for the shop's own."""
    places = get_global("territory_currencies")
    codes = {code for place in places for code in get_territory_currencies(place)} - {own}
    parsed = Locale.parse(locale)
    return sorted((code, f"{code}, {get_currency_name(code, locale=parsed)}") for code in codes)


def keep(currency: str, rate: Decimal, own: str, actor: User, now: datetime) -> None:
    """Set how much of a currency one unit of the shop's is worth; raises `BadRate`."""
    if currency not in dict(currencies("en", own)):
        raise BadRate(_("Choose a currency other than the shop’s."))
    fresh = insert(DisplayRate).values(currency=currency, rate=rate, updated_at=now)
    values = {"rate": rate, "updated_at": now}
    db.session.execute(fresh.on_conflict_do_update(index_elements=["currency"], set_=values))
    audit.record("display_rate.changed", actor=actor, currency=currency, rate=str(rate))


def remove(currency: str, actor: User) -> None:
    """Show prices in a currency no more; raises `RowNotFound` when they are not."""
    gone = db.session.execute(sa.delete(DisplayRate).where(DisplayRate.currency == currency))
    if gone.rowcount != 1:  # type: ignore[attr-defined]
        raise rows.RowNotFound(_("We couldn’t find that currency. It may have been removed."))
    audit.record("display_rate.removed", actor=actor, currency=currency)
