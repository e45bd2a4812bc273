"""Exchange rates: unknown currencies are rejected, and a converted price is rounded once."""

from decimal import Decimal

import pytest
from flask import Flask

from tapcard.clock import utcnow
from tapcard.db import db
from tapcard.models import User
from tapcard.money import Money
from tapcard.services.catalogue import exchange_rates
from tapcard.services.catalogue.exchange_rates import InvalidRate
from tapcard.services.core import rows


@pytest.mark.parametrize(
    ("amount", "currency", "rate", "about"),
    [
        (1000, "EUR", "1.17", 1170),
        (1, "EUR", "0.5", 1),  # a half is rounded up
        (999, "JPY", "190.25", 1901),  # no minor unit
        (1000, "KWD", "0.4", 4000),  # three decimal places
        (0, "EUR", "1.17", 0),
    ],
)
def test_a_price_is_converted_and_rounded_once(amount: int, currency: str, rate: str, about: int) -> None:
    assert exchange_rates.convert(Money(amount, "GBP"), currency, {currency: Decimal(rate)}) == Money(about, currency)


def test_without_a_rate_no_price_is_shown() -> None:
    assert exchange_rates.convert(Money(1000, "GBP"), "EUR", {}) is None


@pytest.mark.parametrize("currency", ["", "EU", "XYZ", "GBP", "gbp", "€", "'; --"])
def test_an_unknown_currency_or_the_shops_own_is_rejected(app: Flask, ben: User, currency: str) -> None:
    with pytest.raises(InvalidRate):
        exchange_rates.set_rate(currency, Decimal("1.2"), "GBP", ben, utcnow())


def test_a_rate_is_set_changed_and_removed(app: Flask, ben: User) -> None:
    for currency, rate in (("EUR", "1.17"), ("EUR", "1.2"), ("NGN", "1935.5")):
        exchange_rates.set_rate(currency, Decimal(rate), "GBP", ben, utcnow())
    db.session.commit()
    assert exchange_rates.load("GBP") == {"EUR": Decimal("1.2"), "NGN": Decimal("1935.5")}
    assert exchange_rates.load("EUR") == {"NGN": Decimal("1935.5")}, "the shop's own currency is not offered"
    exchange_rates.remove_rate("EUR", ben)
    with pytest.raises(rows.RowNotFound):
        exchange_rates.remove_rate("USD", ben)
    db.session.commit()
    assert exchange_rates.load("GBP") == {"NGN": Decimal("1935.5")}
