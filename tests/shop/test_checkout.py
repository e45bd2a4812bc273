"""Checkout: entering details, reviewing, placing and paying an order, repeated requests and changed carts."""

from collections.abc import Callable
from datetime import timedelta
from typing import Any

import pytest

from tapcard import seeds
from tapcard.clock import utcnow
from tapcard.db import db
from tapcard.gateways import sandbox
from tapcard.gateways.base import GatewayError
from tapcard.gateways.sandbox import SandboxGateway
from tapcard.models import (
    Address,
    Cart,
    ClaimPolicy,
    DeliveryKind,
    OptionKind,
    Order,
    OrderStatus,
    Payment,
    PaymentStatus,
    Product,
    ProductOption,
    Promotion,
    SandboxCharge,
    User,
)
from tapcard.services.cart import carts, editing
from tapcard.services.cart.editing import LineRequest
from tapcard.services.orders.replacement import reservations_for
from tests import purchases as buying
from tests.conftest import FormClient
from tests.pages import error_of, forms_on, words_of
from tests.shop.conftest import GUEST, fill, form_of, give_details, order_now, press, sign_in, the_order


def number_of(model: type[Any]) -> int:
    return db.session.scalar(db.select(db.func.count()).select_from(model)) or 0


# --- complete checkouts -----------------------------------------------------------------------------------------------


def test_a_missing_required_state_shows_an_error_next_to_its_field(guest: FormClient, bottle: Product) -> None:
    fill(guest, bottle)
    assert "County, state or region optional" in words_of(guest.get("/checkout").text)
    american = {**GUEST, "country": "US", "postal_code": "94105", "city": "San Francisco"}
    answer = give_details(guest, **{**american, "line1": ""})
    assert answer.status_code == 422
    assert error_of(answer.text, "region") == "Enter the state."
    assert error_of(answer.text, "line1"), "all at once"
    assert '<label class="form-label" for="region">State</label>' in answer.text
    assert forms_on(answer.text)[-1].values["city"] == "San Francisco"
    assert give_details(guest, **american, region="California").status_code == 302
    assert "California" in words_of(guest.get("/checkout/review").text)


def test_delivery_is_to_be_agreed_without_delivery_methods(guest: FormClient, bottle: Product) -> None:
    fill(guest, bottle)
    assert "To be agreed" in words_of(guest.get("/checkout").text)
    assert give_details(guest, **GUEST).location == "/checkout/review"
    words = words_of(guest.get("/checkout/review").text)
    assert "We'll contact you to arrange delivery." in words
    assert "Delivery To be agreed" in words
    order_now(guest)
    assert the_order().is_delivery_open


def test_a_guest_orders_and_pays(
    guest: FormClient, bottle: Product, create_delivery_method: Callable[..., Any]
) -> None:
    create_delivery_method()
    cart = fill(guest, bottle, quantity=2)
    assert give_details(guest, **GUEST, note="Ring twice").location == "/checkout/review"
    review = words_of(guest.get("/checkout/review").text)
    for words in (
        "Steel bottle",
        "2 × £24.00",
        "Gus Lind",
        "1 High Street",
        "Standard delivery",
        "£51.50",
        "Ring twice",
    ):
        assert words in review
    paying = order_now(guest)
    back = press(guest, paying)
    order = the_order()
    assert back.location == f"/orders/{order.number}"
    page = words_of(guest.get(back.location).text)
    for words in (order.number, "Paid", "Payment received", "Steel bottle", "£51.50", "1 High Street", "N1 9GU"):
        assert words in page
    assert (order.status, order.total_amount, order.email, order.phone) == (
        OrderStatus.PAID, 5150, "gus@example.com", None
    )  # fmt: skip
    assert "None" not in page
    db.session.refresh(cart)
    assert cart.lines == []


def test_a_user_chooses_a_saved_address_and_saves_another(
    client: FormClient, ada: User, bottle: Product, create_delivery_method: Callable[..., Any]
) -> None:
    create_delivery_method()
    saved = seeds.create_address(ada)
    fill(sign_in(client, ada), bottle, user=ada)
    page = client.get("/checkout")
    assert "ada@example.com" in words_of(page.text)
    form = form_of(page, "/checkout")
    assert "email" not in form
    assert (form["address"], form["first_name"]) == (str(saved.id), "Ada")
    give_details(client)
    assert "1 High Street" in client.get("/checkout/review").text
    typed = {"address": "new", "line1": "2 Low Road", "city": "Leeds", "postal_code": "ls1 4ap", "save_address": "y"}
    for _time in range(2):  # submitting the step again saves it once
        give_details(client, **typed)
        typed = {}
    order_now(client)
    assert (number_of(Address), the_order().address["line1"], the_order().address["postal_code"]) == (
        2, "2 Low Road", "LS1 4AP"
    )  # fmt: skip
    assert (the_order().email, the_order().user_id) == ("ada@example.com", ada.id)


def test_entered_details_are_prefilled_and_names_are_unchanged(
    guest: FormClient, bottle: Product, create_delivery_method: Callable[..., Any]
) -> None:
    """H39"""
    create_delivery_method()
    fill(guest, bottle)
    give_details(guest, **{**GUEST, "first_name": "Mary Ann", "last_name": "O'Brien"}, phone="020 7946 0000")
    form = form_of(guest.get("/checkout"), "/checkout")
    assert (form["first_name"], form["last_name"], form["line1"]) == ("Mary Ann", "O'Brien", "1 High Street")
    assert form["name"] == ""
    assert "O&#39;Brien" in guest.get("/checkout/review").text
    order_now(guest)
    order = the_order()
    assert (order.full_name, order.address["name"], order.phone) == (
        "Mary Ann O'Brien",
        "Mary Ann O'Brien",
        "+442079460000",
    )


def test_a_delivery_method_must_serve_the_country_and_have_a_location(
    guest: FormClient, bottle: Product, create_delivery_method: Callable[..., Any]
) -> None:
    home = create_delivery_method("Post", countries=["GB"])
    abroad = create_delivery_method("Air", countries=["FR"], amount=1200)
    drop = create_delivery_method("Drop off", DeliveryKind.TO_BE_AGREED, countries=["NG"], locations=["Abk", "Sagamu"])
    shop = create_delivery_method("Collect", DeliveryKind.PICKUP)
    closed = create_delivery_method("Former", is_active=False)
    ids = {each: str(method.id) for each, method in
           {"home": home, "abroad": abroad, "drop": drop, "shop": shop, "closed": closed}.items()}  # fmt: skip
    fill(guest, bottle)
    french = {**GUEST, "country": "FR", "postal_code": "75001", "city": "Paris"}
    for method in (ids["home"], ids["closed"], "999999", "9" * 30, "-1", "x", ""):
        answer = give_details(guest, **{**french, "delivery_method": method})
        assert answer.status_code == 422, method
        assert error_of(answer.text, "delivery_method")
        assert forms_on(answer.text)[-1].values["line1"] == "1 High Street"
    assert give_details(guest, **{**french, "delivery_method": ids["abroad"]}).status_code == 302
    assert "£36.00" in words_of(guest.get("/checkout/review").text)
    nigeria = {**GUEST, "country": "NG", "region": "Ogun", "postal_code": "", "delivery_method": ids["drop"]}
    for place in ("", "Lagos"):
        answer = give_details(guest, **nigeria, **{f"location_{ids['drop']}": place})
        assert error_of(answer.text, f"location_{ids['drop']}") == "Choose a delivery location."
    assert give_details(guest, **nigeria, **{f"location_{ids['drop']}": "Abk"}).status_code == 302
    assert "To be agreed" in words_of(guest.get("/checkout/review").text)
    collected = {"email": "gus@example.com", "first_name": "Gus", "last_name": "Lind", "delivery_method": ids["shop"]}
    assert give_details(guest, **collected, line1="", city="", postal_code="").status_code == 302
    order_now(guest)
    assert (the_order().address, the_order().delivery_name, the_order().total_amount) == ({}, "Collect", 2400)


def test_a_country_without_delivery_shows_an_error_at_the_country(
    guest: FormClient, bottle: Product, create_delivery_method: Callable[..., Any]
) -> None:
    create_delivery_method(countries=["GB"])
    fill(guest, bottle)
    answer = give_details(guest, **{**GUEST, "country": "FR", "postal_code": "75001"})
    assert error_of(answer.text, "country").startswith("We don't deliver")


@pytest.mark.parametrize(
    ("changes", "field"),
    [
        ({"email": "gus"}, "email"), ({"email": ""}, "email"), ({"first_name": ""}, "first_name"),
        ({"last_name": "see www.example.com"}, "last_name"), ({"phone": "12"}, "phone"), ({"line1": ""}, "line1"),
        ({"city": " "}, "city"), ({"postal_code": "1"}, "postal_code"), ({"postal_code": None}, "postal_code"),
        ({"country": "XX"}, "country"), ({"country": ""}, "country"), ({"note": "x" * 501}, "note"),
    ],
)  # fmt: skip
def test_invalid_details_show_errors_next_to_their_fields(
    guest: FormClient, bottle: Product, changes: dict[str, Any], field: str
) -> None:
    fill(guest, bottle)
    answer = give_details(guest, **{**GUEST, **changes})
    assert answer.status_code == 422
    assert error_of(answer.text, field)
    assert guest.get("/checkout/review").location == "/checkout", "nothing of it was kept"


def test_an_address_of_another_user_is_refused(client: FormClient, ada: User, cleo: User, bottle: Product) -> None:
    """H36"""
    hers, own = seeds.create_address(cleo), seeds.create_address(ada)
    fill(sign_in(client, ada), bottle, user=ada)
    for address in (hers.id, own.id + 1000):
        answer = give_details(client, address=str(address))
        assert answer.status_code == 422
        assert "find that address." in answer.text


# --- empty carts and orders without delivery --------------------------------------------------------------------------


def test_an_empty_cart_redirects_to_the_cart_with_a_message(guest: FormClient, bottle: Product) -> None:
    """H43"""
    for method, path in (("GET", "/checkout"), ("POST", "/checkout"), ("GET", "/checkout/review"),
                         ("POST", "/checkout/changes"), ("POST", "/checkout/place")):  # fmt: skip
        answer = guest.open(path, method=method)
        assert answer.status_code == 302, path
        assert answer.location in ("/cart", "/"), path
        assert "Your cart is empty." in guest.get("/find-order").text
    fill(guest, bottle)
    for answer in (guest.get("/checkout/review"), guest.post("/checkout/place", data={"terms": "y"})):
        assert answer.location == "/checkout"
    assert number_of(Order) == 0


def test_an_activation_requires_login_and_no_address(
    client: FormClient, guest: FormClient, ada: User, create_card: Callable[..., Any], create_delivery_method: Any
) -> None:
    create_delivery_method()
    card = create_card(token="PAYME234", policy=ClaimPolicy.PAY)
    for browser, user in ((guest, None), (sign_in(client, ada), ada)):
        from_cart = fill(browser, user=user)
        editing.add_activation(from_cart, card, buying.context(), reservations_for)
        db.session.commit()
    assert guest.get("/checkout").location == "/log-in?next=/checkout"
    assert "line1" not in form_of(client.get("/checkout"), "/checkout")
    give_details(client)
    press(client, order_now(client))
    assert (the_order().status, the_order().total_amount) == (OrderStatus.DELIVERED, 1000)
    db.session.refresh(card)
    assert card.owner_id == ada.id


# --- repeated requests ------------------------------------------------------------------------------------------------


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
    editing.add(cart, LineRequest(product, 1), buying.context(), reservations_for)
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
    editing.add(cart, LineRequest(bottle, 2), buying.context(), reservations_for)
    db.session.commit()
    assert "£72.00" in words_of(guest.get("/checkout/review").text)
    order_now(guest)
    assert sorted(db.session.scalars(db.select(Order.total_amount))) == [2400, 7200]


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
    editing.add(cart, LineRequest(product, 5), buying.context(), reservations_for)
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
        editing.add(cart, LineRequest(each, 1), buying.context(), reservations_for)
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
