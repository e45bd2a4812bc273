"""Display currencies: a rate makes sense or is refused, and a converted price is rounded once."""

from decimal import Decimal

import pytest
from flask import Flask

from tapcard.db import db
from tapcard.models import DisplayRate
from tapcard.money import Money
from tapcard.services.catalogue import exchange_rates
from tapcard.services.catalogue.exchange_rates import RateRefused


@pytest.mark.parametrize(
    ("amount", "currency", "rate", "about"),
    [
        (1000, "EUR", "1.17", 1170),
        (1, "EUR", "0.5", 1),  # a half goes up
        (999, "JPY", "190.25", 1901),  # no minor unit
        (1000, "KWD", "0.4", 4000),  # three places
        (0, "EUR", "1.17", 0),
    ],
)
def test_a_price_is_converted_and_rounded_once(amount: int, currency: str, rate: str, about: int) -> None:
    assert exchange_rates.convert(Money(amount, "GBP"), currency, {currency: Decimal(rate)}) == Money(about, currency)


def test_without_a_rate_there_is_nothing_to_show() -> None:
    assert exchange_rates.convert(Money(1000, "GBP"), "EUR", {}) is None


@pytest.mark.parametrize("rate", ["", "0", "-1", "x", "NaN", "Infinity", "1e30", "0.000000001", "1 000"])
def test_a_rate_that_makes_no_sense_is_refused(app: Flask, rate: str) -> None:
    with pytest.raises(RateRefused):
        exchange_rates.keep("EUR", rate, "GBP")
    assert db.session.query(DisplayRate).count() == 0


@pytest.mark.parametrize("currency", ["", "EU", "XYZ", "GBP", "gbp", "€", "'; --"])
def test_a_currency_that_is_unknown_or_the_shops_own_is_refused(app: Flask, currency: str) -> None:
    with pytest.raises(RateRefused):
        exchange_rates.keep(currency, "1.2", "GBP")


def test_a_rate_is_kept_changed_and_removed(app: Flask) -> None:
    exchange_rates.keep("eur", "1,17", "GBP")
    exchange_rates.keep("EUR", "1.2", "GBP")
    exchange_rates.keep("NGN", "1935.5", "GBP")
    db.session.commit()
    assert exchange_rates.load("GBP") == {"EUR": Decimal("1.2"), "NGN": Decimal("1935.5")}
    assert exchange_rates.load("EUR") == {"NGN": Decimal("1935.5")}, "the shop's own currency is none to choose"
    exchange_rates.remove("EUR")
    exchange_rates.remove("USD")
    db.session.commit()
    assert exchange_rates.load("GBP") == {"NGN": Decimal("1935.5")}
