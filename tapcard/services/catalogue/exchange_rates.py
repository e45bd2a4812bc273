"""Exchange rates: prices are also shown in other currencies, as a guide; nothing is ever charged in them."""

from collections.abc import Mapping
from datetime import datetime
from decimal import ROUND_HALF_UP, Decimal

import sqlalchemy as sa
from babel import Locale
from babel.core import get_global
from babel.numbers import get_currency_name, get_currency_precision, get_territory_currencies
from sqlalchemy import select

from ...db import db, execute_update, insert
from ...errors import DomainError
from ...errors import mark as _
from ...models import DisplayRate, User
from ...money import Money
from ..core import audit, rows


class InvalidRate(DomainError):
    """The shop cannot show prices in this currency."""

    status = 422
    field = "currency"


def load(shop_currency: str) -> dict[str, Decimal]:
    """Return the rates from the shop's currency into others, by currency code; executes one statement."""
    rates = db.session.execute(select(DisplayRate.currency, DisplayRate.rate).order_by(DisplayRate.currency))
    return {code: Decimal(rate) for code, rate in rates if code != shop_currency}


def convert(price: Money, currency: str, rates: Mapping[str, Decimal]) -> Money | None:
    """Return the approximate price in another currency, a half rounded up; None if there is no rate."""
    rate = rates.get(currency)
    if rate is None:
        return None
    units = Decimal(price.amount).scaleb(-get_currency_precision(price.currency)) * rate
    minor = units.scaleb(get_currency_precision(currency))
    return Money(int(minor.quantize(Decimal(1), ROUND_HALF_UP)), currency)


# --- for staff --------------------------------------------------------------------------------------------------------


def list_rates() -> list[DisplayRate]:
    """Return all rates, by currency."""
    return list(db.session.scalars(select(DisplayRate).order_by(DisplayRate.currency)))


def currencies(locale: str, shop_currency: str) -> list[tuple[str, str]]:
    """Return codes and names of the currencies in use today, except the shop's own."""
    territories = get_global("territory_currencies")
    codes = {code for territory in territories for code in get_territory_currencies(territory)} - {shop_currency}
    parsed = Locale.parse(locale)
    return sorted((code, f"{code}, {get_currency_name(code, locale=parsed)}") for code in codes)


def set_rate(currency: str, rate: Decimal, shop_currency: str, actor: User, now: datetime) -> None:
    """Store how much of a currency one unit of the shop's is worth; raise `InvalidRate`."""
    if currency not in dict(currencies("en", shop_currency)):
        raise InvalidRate(_("Choose a currency other than the shop's."))
    statement = insert(DisplayRate).values(currency=currency, rate=rate, updated_at=now)
    values = {"rate": rate, "updated_at": now}
    db.session.execute(statement.on_conflict_do_update(index_elements=["currency"], set_=values))
    audit.record("display_rate.changed", actor=actor, currency=currency, rate=str(rate))


def remove_rate(currency: str, actor: User) -> None:
    """Stop showing prices in a currency; raise `RowNotFound`."""
    if execute_update(sa.delete(DisplayRate).where(DisplayRate.currency == currency)) != 1:
        raise rows.RowNotFound(_("We couldn't find that currency. It may have been removed."))
    audit.record("display_rate.removed", actor=actor, currency=currency)
