"""Totals: exact to the minor unit, never negative, the same for cart, checkout, order and email."""

from typing import Any

import pytest
from hypothesis import given
from hypothesis import strategies as st

from tapcard.models import DeliveryKind, DeliveryMethod, Promotion
from tapcard.money import apply_rate
from tapcard.services.cart.pricing import Item, Totals, after_discount, compute_totals


def standard(**values: Any) -> DeliveryMethod:
    """Return a delivery method that costs 10% below 50.00 and is free from there."""
    defaults = {"name": "Standard", "kind": DeliveryKind.PERCENT, "percent": 1000, "amount": 0}
    return DeliveryMethod(**{**defaults, "free_from_amount": 5000, **values})


ITEMS = st.lists(
    st.builds(
        Item,
        unit_amount=st.integers(0, 10**7),
        quantity=st.integers(1, 500),
        tax_rate=st.sampled_from([0, 500, 750, 2000, 10000]),
        ships=st.booleans(),
        is_promoted=st.booleans(),
    ),
    min_size=1,
    max_size=12,
)
PROMOTIONS = st.one_of(
    st.none(),
    st.builds(lambda percent: Promotion(code="X", percent=percent), st.integers(1, 10000)),
    st.builds(lambda amount: Promotion(code="X", amount=amount), st.integers(1, 10**8)),
)
METHODS = st.one_of(
    st.none(),
    st.builds(
        lambda kind, amount, percent, free: DeliveryMethod(
            name="X", kind=kind, amount=amount, percent=percent, free_from_amount=free
        ),
        st.sampled_from(DeliveryKind),
        st.integers(0, 10**6),
        st.integers(0, 10000),
        st.one_of(st.none(), st.integers(0, 10**7)),
    ),
)


@given(ITEMS, PROMOTIONS, METHODS, st.integers(0, 10**9), st.sampled_from(["GBP", "JPY", "KWD"]))
def test_lines_add_up_to_the_total_and_nothing_is_negative(
    items: list[Item], promotion: Promotion | None, method: DeliveryMethod | None, credit: int, currency: str
) -> None:
    totals = compute_totals(items, currency, promotion=promotion, method=method, credit=credit)
    lines = sum(priced.item.amount - priced.discount for priced in totals.items)
    assert lines + totals.delivery_amount - totals.credit_amount == totals.total_amount
    assert totals.total.currency == currency
    amounts = (
        *(totals.subtotal_amount, totals.discount_amount, totals.delivery_amount, totals.credit_amount),
        *(totals.tax_amount, totals.total_amount),
    )
    assert all(type(amount) is int and amount >= 0 for amount in amounts)
    assert all(0 <= priced.discount <= priced.item.amount for priced in totals.items)
    assert all(priced.discount == 0 for priced in totals.items if not priced.item.is_promoted)
    assert totals.tax_amount <= lines + totals.delivery_amount
    assert totals.tax_amount == sum(priced.tax for priced in totals.items)


@given(ITEMS, PROMOTIONS)
def test_free_delivery_depends_on_the_subtotal_before_the_promotion(
    items: list[Item], promotion: Promotion | None
) -> None:
    plain, reduced = (
        compute_totals(items, "GBP", method=standard()),
        compute_totals(items, "GBP", promotion=promotion, method=standard()),
    )
    assert plain.delivery_amount == reduced.delivery_amount
    assert plain.until_free_delivery == reduced.until_free_delivery


@given(st.integers(0, 10**7), st.integers(0, 100))
def test_a_products_own_discount_rounds_a_half_up(price: int, percent: int) -> None:
    class Discounted:
        discount_percent = percent

    left = after_discount(price, Discounted())  # type: ignore[arg-type]
    exact = price * (100 - percent)
    assert left * 100 - 50 <= exact < left * 100 + 50


def of(*amounts: int, **values: Any) -> list[Item]:
    return [Item(amount, 1, is_promoted=True, **values) for amount in amounts]


def test_the_totals_of_an_example_cart() -> None:
    totals = compute_totals(
        [Item(2400, 1, 2000, is_promoted=True), Item(1850, 1, 2000, is_promoted=True)],
        "GBP",
        promotion=Promotion(code="WELCOME10", percent=1000),
        method=standard(),
    )
    assert totals == Totals(
        currency="GBP",
        items=totals.items,
        subtotal_amount=4250,
        discount_amount=425,
        delivery_amount=425,
        credit_amount=0,
        tax_amount=708,
        until_free_delivery=750,
    )
    assert totals.total_amount == 4250


@pytest.mark.parametrize(
    ("subtotal", "delivery", "until_free"), [(4999, 500, 1), (5000, 0, 0), (5001, 0, 0), (0, 0, 5000), (5, 1, 4995)]
)
def test_delivery_is_free_from_its_threshold(subtotal: int, delivery: int, until_free: int) -> None:
    totals = compute_totals(of(subtotal), "GBP", method=standard())
    assert (totals.delivery_amount, totals.until_free_delivery) == (delivery, until_free)


def test_items_that_are_not_shipped_have_no_delivery_cost() -> None:
    totals = compute_totals(of(1000, ships=False), "GBP", method=standard())
    assert (totals.delivery_amount, totals.until_free_delivery, totals.ships) == (0, None, False)


def test_pickup_is_free_and_agreed_delivery_is_marked_as_open() -> None:
    assert compute_totals(of(1000), "GBP", method=standard(kind=DeliveryKind.PICKUP)).total_amount == 1000
    agreed = compute_totals(of(1000), "GBP", method=standard(kind=DeliveryKind.TO_BE_AGREED))
    assert (agreed.total_amount, agreed.is_delivery_open) == (1000, True)


def test_a_fixed_discount_never_exceeds_the_promoted_items() -> None:
    items = [Item(300, 1, is_promoted=True), Item(5000, 1)]
    totals = compute_totals(items, "GBP", promotion=Promotion(code="X", amount=500))
    assert (totals.discount_amount, totals.total_amount) == (300, 5000)


def test_credit_pays_for_delivery_too_and_no_more_than_is_due() -> None:
    assert compute_totals(of(1000), "GBP", method=standard(), credit=5000).total_amount == 0
    assert compute_totals(of(1000), "GBP", method=standard(), credit=5000).credit_amount == 1100
    assert compute_totals(of(1000), "GBP", credit=300).total_amount == 700


def test_the_discount_shown_is_the_discount_charged() -> None:
    """H26"""
    totals = compute_totals(of(999, 999, 999), "GBP", promotion=Promotion(code="X", percent=3333))
    assert totals.discount_amount == apply_rate(2997, 3333) == sum(priced.discount for priced in totals.items)
    assert totals.total_amount == 2997 - totals.discount_amount
