"""Checkout: reviewing, placing and paying an order whose cart may have changed meanwhile."""

from collections.abc import Callable
from datetime import timedelta
from typing import Any

import pytest

from tapcard.clock import utcnow
from tapcard.db import db
from tapcard.gateways.base import GatewayError
from tapcard.gateways.sandbox import SandboxGateway
from tapcard.models import (
    Cart,
    OptionKind,
    Order,
    OrderStatus,
    Payment,
    PaymentStatus,
    Product,
    ProductOption,
)
from tapcard.services.cart import editing
from tapcard.services.cart.editing import LineRequest
from tapcard.services.orders.replacement import reservations_for
from tests import purchases
from tests.conftest import FormClient
from tests.pages import error_of, forms_on, words_of
from tests.shop.conftest import GUEST, fill, form_of, give_details, number_of, order_now, press, the_order

# --- what changed -----------------------------------------------------------------------------------------------------


@pytest.mark.parametrize(
    "total", ["2400", "2400 EUR", "1 GBP", "0 GBP", "-1 GBP", "2400.0 GBP", "NaN GBP", "", f"{'9' * 40} GBP", None]
)
def test_a_total_other_than_the_one_shown_is_refused(guest: FormClient, bottle: Product, total: str | None) -> None:
    """H26, H27"""
    fill(guest, bottle)
    give_details(guest, **GUEST)
    answer = order_now(guest, total=total)
    assert answer.location == "/checkout/review"
    assert "The price has changed" in guest.get("/checkout/review").text
    assert number_of(Order) == 0


def test_an_outdated_page_does_not_order_products_added_since(
    guest: FormClient, bottle: Product, product: Product
) -> None:
    """H27"""
    cart = fill(guest, bottle)
    give_details(guest, **GUEST)
    data = form_of(guest.get("/checkout/review"), "/checkout/place", terms="y", gateway="sandbox")
    editing.add(cart, LineRequest(product, 5), purchases.context(), reservations_for)
    db.session.commit()
    assert guest.post("/checkout/place", data=data, csrf=False).location == "/checkout/review"
    assert number_of(Order) == 0
    order_now(guest)
    assert the_order().total_amount == 7400


def test_changes_are_shown_and_accepted_by_a_button(
    guest: FormClient, bottle: Product, product: Product, create_product: Callable[..., Product]
) -> None:
    gone = create_product("Last one", stock=1)
    fill(guest, bottle, quantity=8)
    cart = db.session.scalars(db.select(Cart)).one()
    for each in (product, gone):
        editing.add(cart, LineRequest(each, 1), purchases.context(), reservations_for)
    db.session.commit()
    give_details(guest, **GUEST)
    bottle.stock, product.unit_amount, gone.is_active = 3, 1500, False
    db.session.commit()
    for path in ("/checkout", "/checkout/review"):
        page = guest.get(path)
        words = words_of(page.text)
        for sentence in ("Steel bottle: only 3 left.", "now costs £15.00 instead of £10.00", "Last one is no longer"):
            assert sentence in words
        asks = any(form.action == "/checkout/changes" for form in forms_on(page.text))
        assert asks == (path == "/checkout/review"), "what is being typed in the first step must not be lost"
    assert all(form.action != "/checkout/place" for form in forms_on(page.text))
    assert guest.post("/checkout/place", data={"terms": "y", "gateway": "sandbox", "total": "8700"}).status_code == 302
    assert number_of(Order) == 0
    guest.post("/checkout/changes")
    order_now(guest)
    assert the_order().total_amount == 3 * 2400 + 1500


def test_a_line_with_invalid_options_cannot_be_ordered(
    guest: FormClient, bottle: Product, create_option: Callable[..., ProductOption]
) -> None:
    option = create_option(bottle, "note", OptionKind.TEXT)
    fill(guest, bottle)
    give_details(guest, **GUEST)
    option.is_required = True
    db.session.commit()
    page = guest.get("/checkout/review").text
    assert "Steel bottle: “Note” is now required. Choose again" in words_of(page)
    assert {"/checkout/place", "/checkout/changes"}.isdisjoint(form.action for form in forms_on(page))
    guest.post("/checkout/place", data={"terms": "y", "gateway": "sandbox", "total": "2400"})
    guest.post("/checkout/changes")
    assert number_of(Order) == 0
    option.is_required = False
    db.session.commit()
    order_now(guest)
    assert the_order().total_amount == 2400


def test_an_expired_code_shows_a_message_and_is_removed(
    guest: FormClient, bottle: Product, create_promotion: Callable[..., Any]
) -> None:
    promotion = create_promotion()
    fill(guest, bottle).promotion = promotion
    db.session.commit()
    give_details(guest, **GUEST)
    assert "£21.60" in words_of(guest.get("/checkout/review").text)
    promotion.ends_at = utcnow() - timedelta(days=1)
    db.session.commit()
    for path in ("/checkout", "/checkout/review"):
        assert "Your promotion code no longer applies" in words_of(guest.get(path).text)
    guest.post("/checkout/changes")
    order_now(guest)
    assert the_order().total_amount == 2400


# --- paying -----------------------------------------------------------------------------------------------------------


def test_terms_and_payment_method_are_required(guest: FormClient, bottle: Product) -> None:
    fill(guest, bottle)
    give_details(guest, **GUEST)
    for changes, field in (
        ({"terms": None}, "terms"),
        ({"gateway": "bank"}, "gateway"),
        ({"gateway": None}, "gateway"),
    ):
        answer = order_now(guest, **changes)  # type: ignore[arg-type]
        assert answer.status_code == 422
        assert error_of(answer.text, field)
    assert number_of(Order) == 0


def test_a_free_order_is_paid_at_once(guest: FormClient, bottle: Product, create_promotion: Any) -> None:
    fill(guest, bottle).promotion = create_promotion(percent=10_000)
    db.session.commit()
    give_details(guest, **GUEST)
    assert "gateway" not in form_of(guest.get("/checkout/review"), "/checkout/place")
    assert order_now(guest, None).location == f"/orders/{the_order().number}"
    assert (the_order().status, number_of(Payment)) == (OrderStatus.PAID, 0)


def test_the_order_is_kept_when_the_gateway_does_not_respond(
    guest: FormClient, bottle: Product, monkeypatch: pytest.MonkeyPatch
) -> None:
    def fail(*_args: object) -> None:
        raise GatewayError("no answer")

    fill(guest, bottle)
    give_details(guest, **GUEST)
    with monkeypatch.context() as patch:
        patch.setattr(SandboxGateway, "start", fail)
        answer = order_now(guest)
    page = guest.get(answer.location)
    assert "This payment method isn&#39;t responding." in page.text
    number = the_order().number
    paying = guest.post(f"/orders/{number}/pay", data=form_of(page, f"/orders/{number}/pay"), csrf=False)
    press(guest, paying)
    assert (the_order().status, number_of(Order)) == (OrderStatus.PAID, 1)
    assert sorted(db.session.scalars(db.select(Payment.status))) == [PaymentStatus.FAILED, PaymentStatus.SUCCEEDED]


def test_ordering_requires_an_available_payment_method(guest: FormClient, bottle: Product, set_setting: Any) -> None:
    set_setting("hidden_gateways", "sandbox, offline")
    fill(guest, bottle)
    give_details(guest, **GUEST)
    page = guest.get("/checkout/review")
    assert "We can't take payments at the moment" in words_of(page.text)
    assert guest.post("/checkout/place", data={"terms": "y", "total": "2400", "gateway": "offline"}).status_code == 422
    assert number_of(Order) == 0


def test_placing_orders_is_throttled(guest: FormClient, bottle: Product) -> None:
    fill(guest, bottle)
    give_details(guest, **GUEST)
    answers = [order_now(guest, total="1").status_code for _time in range(61)]
    assert (answers[0], answers[-1]) == (302, 429)
