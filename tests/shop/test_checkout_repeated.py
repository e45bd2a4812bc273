"""Checkout: requests that are repeated, and orders that are placed again."""

from collections.abc import Callable

import pytest

from tapcard.db import db
from tapcard.gateways import sandbox
from tapcard.gateways.base import GatewayError
from tapcard.gateways.sandbox import SandboxGateway
from tapcard.models import (
    Order,
    OrderStatus,
    Payment,
    PaymentStatus,
    Product,
    Promotion,
    SandboxCharge,
)
from tapcard.services.cart import carts, editing
from tapcard.services.cart.editing import LineRequest
from tapcard.services.orders.replacement import reservations_for
from tests import purchases
from tests.conftest import FormClient
from tests.pages import words_of
from tests.shop.conftest import GUEST, fill, form_of, give_details, number_of, order_now, press, the_order


def test_submitting_from_two_tabs_creates_one_order_and_one_payment(guest: FormClient, bottle: Product) -> None:
    """H35"""
    fill(guest, bottle)
    give_details(guest, **GUEST)
    page = guest.get("/checkout/review")
    data = form_of(page, "/checkout/place", terms="y", gateway="sandbox")
    answers = [guest.post("/checkout/place", data=data, csrf=False) for _time in range(3)]
    assert len({answer.location for answer in answers}) == 1
    assert (number_of(Order), number_of(Payment), bottle.stock) == (1, 1, 9)
    press(guest, answers[0])
    after = guest.post("/checkout/place", data=data, csrf=False)  # the other tab, after the payment
    assert after.status_code == 302
    assert (number_of(Order), number_of(Payment), bottle.stock) == (1, 1, 9)


def test_submitting_after_paying_in_another_tab_redirects_to_the_order(guest: FormClient, bottle: Product) -> None:
    fill(guest, bottle)
    give_details(guest, **GUEST)
    data = form_of(guest.get("/checkout/review"), "/checkout/place", terms="y", gateway="sandbox")
    press(guest, guest.post("/checkout/place", data=data, csrf=False))
    after = guest.post("/checkout/place", data=data, csrf=False)
    assert after.location == f"/orders/{the_order().number}"
    assert "already placed this order." in guest.get(after.location).text


def test_a_changed_unpaid_order_is_placed_again_with_the_same_code(
    guest: FormClient, bottle: Product, create_promotion: Callable[..., Promotion]
) -> None:
    promotion = create_promotion(most_uses=1, most_uses_each=1)
    bottle.stock = 1
    cart = fill(guest, bottle)
    cart.promotion = promotion
    db.session.commit()
    give_details(guest, **GUEST)
    order_now(guest)  # and the browser goes back from the gateway's page
    give_details(guest, **GUEST, note="Ring twice")
    paying = order_now(guest)
    assert "/billing/sandbox/" in paying.location
    first, second = db.session.scalars(db.select(Order).order_by(Order.id))
    assert (first.status, second.status, second.note) == (OrderStatus.CANCELED, OrderStatus.PENDING, "Ring twice")
    assert [each.status for each in db.session.scalars(db.select(Payment).order_by(Payment.id))] == [
        PaymentStatus.CANCELED,
        PaymentStatus.PENDING,
    ]
    assert (promotion.use_count, bottle.stock) == (1, 0)
    press(guest, paying)
    assert second.status is OrderStatus.PAID


def test_a_cart_that_was_just_paid_is_not_ordered_again(guest: FormClient, bottle: Product) -> None:
    fill(guest, bottle)
    give_details(guest, **GUEST)
    order_now(guest)
    db.session.commit()
    sandbox.change(SandboxCharge.reference.is_not(None), sandbox.PAID)  # and the shop has not been notified
    give_details(guest, **GUEST, note="Ring twice")
    answer = order_now(guest)
    order = the_order()
    assert (answer.location, order.status) == (f"/orders/{order.number}", OrderStatus.PAID)
    assert "has just been paid" in guest.get(answer.location).text


def test_the_former_order_stays_when_its_payment_cannot_be_closed(
    guest: FormClient, bottle: Product, monkeypatch: pytest.MonkeyPatch
) -> None:
    fill(guest, bottle)
    give_details(guest, **GUEST)
    order_now(guest)

    def silent(_self: SandboxGateway, _reference: str) -> None:
        raise GatewayError

    monkeypatch.setattr(SandboxGateway, "close", silent)
    give_details(guest, **GUEST, note="Ring twice")
    assert order_now(guest).location == "/checkout/review"
    assert "previous payment is still" in guest.get("/checkout/review").text
    assert the_order().status is OrderStatus.PENDING


def test_an_order_with_offline_payment_empties_the_cart_and_stays_open(
    guest: FormClient, bottle: Product, product: Product
) -> None:
    cart = fill(guest, bottle)
    give_details(guest, **GUEST)
    order_now(guest, gateway="offline")
    first = the_order()
    assert carts.piece_count(user_id=None, cart_id=cart.id) == 0
    editing.add(cart, LineRequest(product, 1), purchases.context(), reservations_for)
    db.session.commit()
    give_details(guest, **GUEST)
    order_now(guest, gateway="offline")
    assert first.status is OrderStatus.PENDING
    assert sorted(db.session.scalars(db.select(Order.total_amount))) == [1000, 2400]


def test_choosing_offline_payment_again_sends_no_email_and_keeps_the_deadline(
    guest: FormClient, bottle: Product, outbox: Callable[[], list[str]]
) -> None:
    fill(guest, bottle)
    give_details(guest, **GUEST)
    order_now(guest, gateway="offline")
    order = the_order()
    until, told = order.expires_at, outbox().count("mail.order_to_owner")
    for gateway in ("sandbox", "offline"):
        guest.post(f"/orders/{order.number}/pay", data={"gateway": gateway})
    assert (order.expires_at, outbox().count("mail.order_to_owner")) == (until, told)


def test_a_second_order_is_priced_in_full_while_the_first_is_unpaid(guest: FormClient, bottle: Product) -> None:
    """H34"""
    cart = fill(guest, bottle)
    give_details(guest, **GUEST)
    order_now(guest)
    editing.add(cart, LineRequest(bottle, 2), purchases.context(), reservations_for)
    db.session.commit()
    assert "£72.00" in words_of(guest.get("/checkout/review").text)
    order_now(guest)
    assert sorted(db.session.scalars(db.select(Order.total_amount))) == [2400, 7200]
