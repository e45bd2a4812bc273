"""Display currencies: prices shown in another currency for orientation; nothing is ever charged by them."""

from collections.abc import Mapping
from decimal import ROUND_HALF_UP, Decimal, InvalidOperation

from babel.numbers import get_currency_precision, list_currencies
from sqlalchemy import select

from ...clock import utcnow
from ...db import db
from ...errors import DomainError
from ...errors import mark as _
from ...models import DisplayRate
from ...money import Money

MOST_RATE = Decimal(1_000_000_000)
STEP = Decimal("0.00000001")  # what the column holds


class RateRefused(DomainError):
    """No price could be shown by this rate."""

    status = 422


def load(currency: str) -> dict[str, Decimal]:
    """The rates from the shop's currency into others, by their codes: one statement."""
    rows = db.session.execute(select(DisplayRate.currency, DisplayRate.rate).order_by(DisplayRate.currency))
    return {code: Decimal(rate) for code, rate in rows if code != currency}


def convert(price: Money, currency: str, rates: Mapping[str, Decimal]) -> Money | None:
    """About what a price is in another currency, a half rounded up; None where there is no rate."""
    rate = rates.get(currency)
    if rate is None:
        return None
    units = Decimal(price.amount).scaleb(-get_currency_precision(price.currency)) * rate
    minor = units.scaleb(get_currency_precision(currency))
    return Money(int(minor.quantize(Decimal(1), ROUND_HALF_UP)), currency)


def keep(currency: str, rate: str, shop_currency: str) -> DisplayRate:
    """Set what one unit of the shop's currency is worth in another; raises `RateRefused`."""
    code, worth = currency.strip().upper(), _rate_of(rate)
    if code not in list_currencies():
        raise RateRefused(_("We do not know this currency. Use its three letters, like EUR."), field="currency")
    if code == shop_currency:
        raise RateRefused(_("This is the shop's own currency."), field="currency")
    row = db.session.get(DisplayRate, code)
    if row is None:
        row = DisplayRate(currency=code, rate=worth)
        db.session.add(row)
    row.rate, row.updated_at = worth, utcnow()
    return row


def remove(currency: str) -> None:
    """Stop showing prices in a currency."""
    row = db.session.get(DisplayRate, currency)
    if row is not None:
        db.session.delete(row)


def _rate_of(typed: str) -> Decimal:
    try:
        rate = Decimal(typed.strip().replace(",", ".")).quantize(STEP)
    except InvalidOperation:
        rate = Decimal(0)
    if not (rate.is_finite() and 0 < rate <= MOST_RATE):
        raise RateRefused(_("Type the rate as a number above 0, like 1.17."), field="rate")
    return rate
