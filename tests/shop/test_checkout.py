"""Checkout: entering details, delivery, empty carts and orders without delivery."""

from collections.abc import Callable
from typing import Any

import pytest

from tapcard import seeds
from tapcard.db import db
from tapcard.models import (
    Address,
    ClaimPolicy,
    DeliveryKind,
    Order,
    OrderStatus,
    Product,
    User,
)
from tapcard.services.cart import editing
from tapcard.services.orders.replacement import reservations_for
from tests import purchases
from tests.conftest import FormClient
from tests.pages import error_of, forms_on, words_of
from tests.shop.conftest import GUEST, fill, form_of, give_details, number_of, order_now, press, sign_in, the_order

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
        editing.add_activation(from_cart, card, purchases.context(), reservations_for)
        db.session.commit()
    assert guest.get("/checkout").location == "/log-in?next=/checkout"
    assert "line1" not in form_of(client.get("/checkout"), "/checkout")
    give_details(client)
    press(client, order_now(client))
    assert (the_order().status, the_order().total_amount) == (OrderStatus.DELIVERED, 1000)
    db.session.refresh(card)
    assert card.owner_id == ada.id
