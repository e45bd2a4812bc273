"""Placing an order: what is written and reserved, refusals, and repeated requests."""

import re
from collections.abc import Callable
from datetime import timedelta
from typing import Any

import pytest

from tapcard.clock import utcnow
from tapcard.db import db
from tapcard.keys import Keys
from tapcard.models import (
    Card,
    CardHold,
    ClaimPolicy,
    DeliveryKind,
    Order,
    OrderStatus,
    Product,
    Promotion,
    User,
)
from tapcard.services.cart import carts, editing
from tapcard.services.orders import placement, transitions
from tapcard.services.orders.placement import CartChanged, EmptyCart, PriceChanged
from tapcard.services.orders.replacement import reservations_for
from tests import purchases
from tests.purchases import buyer, create_cart, create_order, fill, place

HOUR = timedelta(hours=1)


def number_of_orders() -> int:
    return db.session.scalar(db.select(db.func.count()).select_from(Order)) or 0


def test_an_order_keeps_products_as_they_were_sold(
    ada: User, bottle: Product, create_delivery_method: Callable[..., Any]
) -> None:
    """H32"""
    method = create_delivery_method()
    order = create_order(ada, bottle, quantity=2, method=method, note="Ring twice")
    bottle.name, bottle.unit_amount, bottle.is_active, method.name = "Renamed", 1, False, "Other"
    db.session.commit()
    [line] = order.lines
    assert (line.title, line.unit_amount, line.line_amount, line.tax_rate) == ("Steel bottle", 2400, 4800, 2000)
    assert (order.subtotal_amount, order.delivery_amount, order.total_amount) == (4800, 350, 5150)
    assert (order.tax_amount, order.delivery_name, order.note) == (858, "Standard delivery", "Ring twice")
    assert order.address["city"] == "London"


def test_an_order_records_that_its_delivery_is_to_be_agreed(
    ada: User, bottle: Product, pay_card: Card, create_delivery_method: Callable[..., Any]
) -> None:
    agreed, flat = create_delivery_method("Drop off", DeliveryKind.TO_BE_AGREED), create_delivery_method()
    assert purchases.create_order(ada, bottle, method=agreed).is_delivery_open
    assert purchases.create_order(ada, bottle).is_delivery_open, "there was none to choose"
    assert not purchases.create_order(ada, bottle, method=flat).is_delivery_open
    cart = carts.get_or_create(ada)
    editing.clear(cart)
    editing.add_activation(cart, pay_card, purchases.context(), reservations_for)
    db.session.commit()
    assert not purchases.place(cart).is_delivery_open, "nothing is sent"


def test_order_numbers_are_readable_and_not_sequential(ada: User, product: Product) -> None:
    """H03"""
    numbers = {create_order(ada, product).number for _time in range(3)}
    assert len(numbers) == 3
    for number in numbers:
        assert re.fullmatch(r"TC-[2-9A-HJKMNP-TV-Z]{4}-[2-9A-HJKMNP-TV-Z]{4}", number)


def test_stock_is_reserved_when_an_order_is_placed(ada: User, bottle: Product) -> None:
    cart = create_cart(ada, bottle, quantity=4)
    assert bottle.stock == 10
    place(cart)
    db.session.commit()
    assert bottle.stock == 6


def test_an_empty_cart_cannot_be_ordered(ada: User) -> None:
    """H43"""
    with pytest.raises(EmptyCart):
        place(create_cart(ada), expected_total=0)


def test_a_total_that_the_buyer_did_not_see_is_refused(ada: User, product: Product) -> None:
    """H27"""
    cart = create_cart(ada, product)
    seen = purchases.checkout_total(cart, buyer(ada))
    fill(cart, product)
    for total in (seen, 0, -1, 1):
        with pytest.raises(PriceChanged):
            place(cart, expected_total=total)
        db.session.rollback()
    assert place(cart).total_amount == 2 * seen


def test_a_changed_item_stops_the_order(ada: User, bottle: Product) -> None:
    cart = create_cart(ada, bottle, quantity=8)
    bottle.stock = 5
    db.session.commit()
    with pytest.raises(CartChanged):
        place(cart)
    db.session.rollback()
    bottle.stock, bottle.unit_amount = 10, 2500
    db.session.commit()
    with pytest.raises(CartChanged):
        place(cart)


def test_a_refused_order_reserves_nothing(ada: User, bottle: Product, create_promotion: Callable[..., Any]) -> None:
    promotion = create_promotion(most_uses_each=1)
    cart = create_cart(ada, bottle)
    cart.promotion = promotion
    db.session.commit()
    with pytest.raises(PriceChanged):
        place(cart, expected_total=7)
    db.session.rollback()
    assert (bottle.stock, promotion.use_count, number_of_orders()) == (10, 0, 0)


def test_a_repeated_request_returns_the_same_order(
    ada: User, bottle: Product, create_promotion: Callable[..., Any]
) -> None:
    """H35"""
    promotion = create_promotion(most_uses_each=1)
    cart = create_cart(ada, bottle, quantity=10)
    cart.promotion = promotion
    db.session.commit()
    total = purchases.checkout_total(cart, buyer(ada))
    first, second = (place(cart, expected_total=total).number for _time in range(2))
    db.session.commit()
    assert (first, number_of_orders(), bottle.stock, promotion.use_count) == (second, 1, 0, 1)


def test_a_repeated_request_during_a_payment_returns_the_same_order(ada: User, bottle: Product) -> None:
    cart = create_cart(ada, bottle, quantity=10)
    order = place(cart)
    db.session.commit()
    purchases.start_payment(order)
    assert place(cart).id == order.id


@pytest.mark.parametrize("change", ["quantity", "address", "note"])
def test_a_new_order_cancels_the_former_one(ada: User, bottle: Product, change: str) -> None:
    cart = create_cart(ada, bottle, quantity=6)
    first = place(cart)
    db.session.commit()
    values: dict[str, Any] = {"note": {"note": "Ring"}, "address": {"address": {**purchases.ADDRESS, "city": "Leeds"}}}
    if change == "quantity":
        editing.change_quantity(purchases.load_cart(cart), cart.lines[0].id, 9, purchases.context(), reservations_for)
        db.session.commit()
    second = place(cart, buyer(ada, **values.get(change, {})))
    db.session.commit()
    assert (first.status, second.status) == (OrderStatus.CANCELED, OrderStatus.PENDING)
    assert bottle.stock == 10 - second.lines[0].quantity


def test_an_order_with_an_open_payment_is_not_canceled_by_another(ada: User, bottle: Product) -> None:
    cart = create_cart(ada, bottle, quantity=3)
    first = place(cart)
    db.session.commit()
    purchases.start_payment(first)
    second = place(cart, buyer(ada, note="another"))
    db.session.commit()
    assert (first.status, second.status, bottle.stock) == (OrderStatus.PENDING, OrderStatus.PENDING, 4)


def test_a_second_order_of_a_guest_is_priced_separately(bottle: Product, product: Product) -> None:
    """H34"""
    assert [create_order(None, cart_product).total_amount for cart_product in (bottle, product)] == [2400, 1000]


def test_placing_an_order_releases_the_promotion_uses_of_expired_orders(
    product: Product, create_promotion: Callable[..., Promotion]
) -> None:
    promotion = create_promotion(most_uses=1)
    orders = []
    for email in ("gus@example.com", "nora@example.com"):
        cart = purchases.create_cart(None, product)
        cart.promotion = promotion
        db.session.commit()
        order = purchases.place(cart, purchases.buyer(email=email), expected_total=900)
        order.expires_at = utcnow() - timedelta(minutes=1)  # and no worker runs
        db.session.commit()
        orders.append(order)
    db.session.refresh(promotion)
    assert [order.status for order in orders] == [OrderStatus.EXPIRED, OrderStatus.PENDING]
    assert promotion.use_count == 1


@pytest.fixture
def pay_card(create_card: Callable[..., Card]) -> Card:
    return create_card(policy=ClaimPolicy.PAY)


def activation_order(user: User, card: Card) -> Order:
    cart = create_cart(user)
    editing.add_activation(cart, card, purchases.context(), reservations_for)
    db.session.commit()
    order = place(cart)
    db.session.commit()
    return order


def test_a_card_in_an_unpaid_order_is_held(pay_card: Card, ada: User, cleo: User, keys: Keys) -> None:
    cart = create_cart(cleo)
    editing.add_activation(cart, pay_card, purchases.context(), reservations_for)
    db.session.commit()
    order = activation_order(ada, pay_card)
    with pytest.raises(CartChanged):
        place(cart)
    db.session.rollback()
    with pytest.raises(editing.CannotActivate):
        editing.add_activation(create_cart(cleo), pay_card, purchases.context(), reservations_for)
    db.session.rollback()
    transitions.cancel(order, ada, keys, utcnow())
    db.session.commit()
    assert db.session.get(CardHold, pay_card.id) is None
    assert place(cart).status is OrderStatus.PENDING


def test_a_hold_on_a_card_expires(pay_card: Card, ada: User, cleo: User) -> None:
    order = activation_order(ada, pay_card)
    order.expires_at = utcnow() - HOUR
    db.session.get_one(CardHold, pay_card.id).expires_at = order.expires_at
    db.session.commit()
    assert activation_order(cleo, pay_card).status is OrderStatus.PENDING


def test_ordering_an_activation_requires_an_account(pay_card: Card) -> None:
    cart = create_cart(None)
    editing.add_activation(cart, pay_card, purchases.context(), reservations_for)
    db.session.commit()
    with pytest.raises(placement.NeedsAccount):
        place(cart)
