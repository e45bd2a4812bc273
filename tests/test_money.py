"""Money: whole minor units, currencies, rounding and allocation."""

import pytest
from hypothesis import given
from hypothesis import strategies as st

from tapcard.money import Money, allocate, apply_rate, included_tax, parse

AMOUNTS = st.integers(0, 10**12)


@pytest.mark.parametrize("amount", [19.99, "1999", True, None])
def test_money_accepts_only_whole_units(amount: object) -> None:
    """H42"""
    with pytest.raises(TypeError):
        Money(amount, "GBP")  # type: ignore[arg-type]


def test_different_currencies_cannot_be_added() -> None:
    with pytest.raises(ValueError):
        Money(1, "GBP") + Money(1, "EUR")
    with pytest.raises(ValueError):
        Money(1, "GBP") - Money(1, "EUR")


@pytest.mark.parametrize(
    ("amount", "currency", "text"),
    [(1999, "GBP", "£19.99"), (1999, "JPY", "JP¥1,999"), (1999, "KWD", "KWD1.999"), (-50, "GBP", "-£0.50")],
)
def test_money_is_formatted_with_the_exponent_of_its_currency(amount: int, currency: str, text: str) -> None:
    assert Money(amount, currency).format("en_GB") == text


@pytest.mark.parametrize(("amount", "rate", "part"), [(5, 1000, 1), (4, 1000, 0), (15, 1000, 2), (1999, 2000, 400)])
def test_half_a_unit_is_rounded_up(amount: int, rate: int, part: int) -> None:
    assert apply_rate(amount, rate) == part


@pytest.mark.parametrize(("price", "rate", "tax"), [(4250, 2000, 708), (1200, 2000, 200), (3, 10000, 2), (99, 0, 0)])
def test_included_tax_is_computed_from_the_gross_price(price: int, rate: int, tax: int) -> None:
    assert included_tax(price, rate) == tax


@given(st.integers(0, 10**9 - 1), st.sampled_from(["JPY", "GBP", "KWD"]))
def test_a_plain_amount_can_be_parsed_again(amount: int, currency: str) -> None:
    money = Money(amount, currency)
    assert parse(money.plain(), currency) == money
    assert parse(f" {money.plain().replace('.', ',')} ", currency) == money
    assert parse(f"{money.plain()}1", currency) != money


@given(st.lists(AMOUNTS, max_size=30), st.data())
def test_allocated_parts_add_up_and_never_exceed_their_weights(weights: list[int], data: st.DataObject) -> None:
    amount = data.draw(st.integers(0, sum(weights)))
    parts = allocate(amount, weights)
    assert sum(parts) == amount
    assert all(0 <= part <= weight for part, weight in zip(parts, weights, strict=True))


@given(st.lists(st.integers(1, 10**6), min_size=1, max_size=10), st.integers(0, 10**6))
def test_allocated_parts_differ_from_exact_shares_by_less_than_one(weights: list[int], amount: int) -> None:
    for part, weight in zip(allocate(amount, weights), weights, strict=True):
        assert abs(part - amount * weight / sum(weights)) < 1
