"""Orders of a buyer: access, history, reordering and delivery with a price agreed later."""

import re
from collections.abc import Callable

import pytest

from tapcard.clock import utcnow
from tapcard.db import db
from tapcard.keys import Keys
from tapcard.models import (
    CartLine,
    DeliveryKind,
    DeliveryMethod,
    Design,
    LinkPurpose,
    Order,
    OrderStatus,
    Product,
    ProductOption,
    User,
)
from tapcard.services.accounts import email_links
from tapcard.services.orders import queries
from tests import purchases
from tests.conftest import FormClient
from tests.pages import form_to, words_of
from tests.purchases import create_order
from tests.shop.conftest import (
    GUEST,
    fill,
    give_details,
    order_now,
    path_of,
    pay_by,
    press,
    sign_in,
    the_order,
)
from tests.statements import queries as recorded_queries
from tests.statements import statements

# --- access -----------------------------------------------------------------------------------------------------------


def test_a_stranger_cannot_open_an_order(
    client: FormClient, new_client: Callable[[], FormClient], guests_order: Order, cleo: User
) -> None:
    """H36"""
    sign_in(client, cleo)
    for browser in (client, new_client()):
        for what in ("", "/cancel", "/receipt"):
            assert browser.get(path_of(guests_order, what)).status_code == 404
        for what in ("/pay", "/cancel", "/again"):
            assert browser.post(path_of(guests_order, what), data={"gateway": "offline"}).status_code == 404
        assert guests_order.number not in browser.get("/orders").text
    assert client.post(path_of(guests_order, "/attach")).status_code == 404
    assert (guests_order.status, guests_order.user_id == cleo.id) == (OrderStatus.PENDING, False)


def test_a_guest_finds_the_orders_of_this_browser_from_every_page(
    new_client: Callable[[], FormClient], guest: FormClient, guests_order: Order, ada: User
) -> None:
    stranger, to_orders = new_client(), 'href="/orders"'
    for path in ("/", "/find-order", "/no/such/page"):
        assert (to_orders in guest.get(path).text, to_orders in stranger.get(path).text) == (True, False), path
    assert guest.get("/find-order").text.partition("</main>")[0].count(to_orders) == 1
    assert 'href="/find-order"' in stranger.get("/orders").text.partition("</main>")[0]
    sign_in(guest, ada)
    assert to_orders not in guest.get("/").text.partition("<footer")[2], "the menu of the account has it"


def test_the_emailed_link_opens_an_order_without_attaching_it(
    client: FormClient,
    new_client: Callable[[], FormClient],
    guests_order: Order,
    cleo: User,
    product: Product,
    keys: Keys,
) -> None:
    """H29"""
    owner, token = guests_order.user_id, queries.link_token(guests_order, keys)
    cart = fill(sign_in(client, cleo), product, user=cleo)
    for browser in (client, new_client()):
        assert browser.get(f"/orders/link/{token}").location == path_of(guests_order)
        assert browser.get(path_of(guests_order)).status_code == 200
        assert guests_order.number in browser.get("/orders").text
    db.session.refresh(cart)
    assert (guests_order.user_id, len(cart.lines)) == (owner, 1)
    assert client.post(path_of(guests_order, "/attach")).status_code == 409
    other = "0" if token[-1] != "0" else "1"
    for forged in (f"{token[:-1]}{other}", f"{guests_order.number}-", guests_order.number, "x" * 300, "é"):
        assert new_client().get(f"/orders/link/{forged}").status_code == 404


def test_an_order_is_attached_by_its_button_or_by_verifying_the_address(
    guest: FormClient, client: FormClient, ada: User, bottle: Product, keys: Keys
) -> None:
    fill(guest, bottle)
    give_details(guest, **{**GUEST, "email": "ada@example.com"})
    order_now(guest)
    order = the_order()
    assert order.user_id is None
    sign_in(client, ada)
    assert order.number not in client.get("/orders").text
    client.get(f"/orders/link/{queries.link_token(order, keys)}")
    assert form_to(client.get(path_of(order)).text, path_of(order, "/attach"))
    assert client.post(path_of(order, "/attach")).status_code == 302
    assert order.user_id == ada.id
    order.user_id, ada.verified_at = None, None
    token = email_links.issue_link(ada, LinkPurpose.VERIFY_EMAIL, ada.email, utcnow())
    db.session.commit()
    assert client.post(path_of(order, "/attach")).status_code == 409
    client.post(f"/verify/{token}")
    assert order.user_id == ada.id


def test_finding_an_order_reveals_nothing_and_emails_its_link(
    client: FormClient, guests_order: Order, outbox: Callable[[], list[str]]
) -> None:
    answers = {}
    for number, email in (("TC-2222-2222", "gus@example.com"), (guests_order.number, "cleo@example.com"),
                          ("é\0", "x"), (guests_order.number.lower(), " Gus@Example.com")):  # fmt: skip
        assert "mail.order_link" not in outbox()
        answer = client.post("/find-order", data={"number": number, "email": email})
        answers[number] = (answer.status_code, answer.location, words_of(client.get("/find-order/sent").text))
    del answers["é\0"]  # an invalid number shows an error
    assert len(set(answers.values())) == 1
    assert outbox().count("mail.order_link") == 1
    sent = [
        client.post("/find-order", data={"number": "TC-2222-2222", "email": "gus@example.com"}) for _time in range(6)
    ]
    assert sent[-1].status_code == 429


# --- history ----------------------------------------------------------------------------------------------------------


def shown(client: FormClient, order: Order) -> list[str]:
    """Return the text of the history, page and receipt of an order."""
    return [words_of(client.get(path).text) for path in ("/orders", path_of(order), path_of(order, "/receipt"))]


def test_the_history_shows_products_as_they_were_sold(client: FormClient, ada: User, bottle: Product) -> None:
    """H32"""
    order = create_order(ada, bottle, quantity=2)
    purchases.pay(order)
    bottle.name, bottle.unit_amount, bottle.is_active = "Renamed", 1, False
    db.session.commit()
    sign_in(client, ada)
    for words in shown(client, order):
        assert "Steel bottle" in words
        assert "£48.00" in words
        assert "Renamed" not in words


def test_designs_of_one_card_are_distinguished_on_all_pages(
    client: FormClient, ada: User, create_design: Callable[..., Design]
) -> None:
    lake, ember = create_design("Lake at dusk"), create_design("Ember ridge")
    order = purchases.order_designs(ada, lake, ember)
    purchases.order_designs(ada, lake)
    tokens = {line.design_name: line.cards[0].token for line in order.lines}
    lake.name = ember.name = "Renamed"
    db.session.commit()
    sign_in(client, ada)
    for words in shown(client, order):
        assert "Design: Lake at dusk" in words
        assert "Design: Ember ridge" in words
        assert "Renamed" not in words
    assert "Metal card · Lake at dusk" in words_of(client.get("/orders").text), "an order of one line, folded"
    for path in ("/codes", "/codes/sheet", "/codes.csv"):
        page = client.get(path_of(order, path)).text
        words = words_of(page) if path != "/codes.csv" else page
        assert "Renamed" not in words
        for name, token in tokens.items():
            assert name in words
            assert token in words
    assert "Renamed" not in words_of(client.get("/dashboard").text)


def test_the_history_has_pages_and_a_fixed_number_of_statements(
    client: FormClient, ada: User, product: Product, bottle: Product
) -> None:
    sign_in(client, ada)
    bottle.stock = None
    db.session.commit()
    found = []
    for number in (2, 23):
        for _time in range(number):
            purchases.pay(create_order(ada, product, bottle))
        path = path_of(db.session.scalars(queries.orders_of_user(ada)).first() or the_order())
        for page in ("/orders", path):
            client.get(page)
            with statements(all_of_them=True) as asked:
                assert client.get(page).status_code == 200
            found.append(len(recorded_queries(asked)))
    assert max(found) <= 12
    assert found[:2] == found[2:]
    assert client.get("/orders").text.count('class="head"') == 20
    assert client.get("/orders?page=2").text.count('class="head"') == 5
    for page in ("3", "0", "-1", "x", "9" * 30):
        assert client.get(f"/orders?page={page}").status_code == 404


def test_only_a_paid_order_has_a_receipt(guest: FormClient, guests_order: Order) -> None:
    assert guest.get(path_of(guests_order, "/receipt")).status_code == 404
    press(guest, pay_by(guest, guests_order, "sandbox"))
    page = guest.get(path_of(guests_order, "/receipt")).text
    assert re.findall(r'<table class="([^"]+)"', page) == ["table tc-num tc-stacked"], "rows stack on a phone"
    assert "tc-scroll" not in page
    words = words_of(page)
    for each in (guests_order.number, "Steel bottle", "£24.00", "VAT included", "£4.00", "1 High Street"):
        assert each in words


def test_the_order_history_can_expand_the_lines_of_each_order(guest: FormClient, guests_order: Order) -> None:
    page = guest.get("/orders").text
    details = re.search(r'<details class="tc-more">(.*?)</details>', page, re.DOTALL)
    assert details is not None
    summary, lines = details[1].split("</summary>")
    assert "<summary>" in summary
    assert guests_order.lines[0].title in words_of(lines)


# --- buying again -----------------------------------------------------------------------------------------------------


def test_a_capped_reorder_shows_a_message(client: FormClient, ada: User, bottle: Product, product: Product) -> None:
    sign_in(client, ada)
    order = purchases.create_order(ada, bottle, quantity=4)
    purchases.pay(order)
    bottle.stock = 3
    client.post(path_of(order, "/again"))
    assert "Steel bottle: only 3 left. All of them are in your cart." in words_of(client.get("/cart").text)
    order = purchases.create_order(ada, product, quantity=60)
    purchases.pay(order)
    for _time in range(2):
        client.post(path_of(order, "/again"))
    assert f"{product.name}: you can order up to 99 at a time." in words_of(client.get("/cart").text)


def test_a_reorder_adds_available_lines_and_explains_the_others(
    client: FormClient, ada: User, product: Product, bottle: Product, create_option: Callable[..., ProductOption]
) -> None:
    create_option(product)
    cart = fill(sign_in(client, ada), product, user=ada, answers={"inscription": "For O'Brien"})
    fill(client, bottle, user=ada)
    order = purchases.place(cart)
    db.session.commit()
    purchases.pay(order)
    product.unit_amount, bottle.is_active = 1200, False
    db.session.commit()
    assert client.post(path_of(order, "/again")).status_code == 302
    [line] = db.session.scalars(db.select(CartLine))
    assert (line.product_id, line.options, line.shown_amount) == (product.id, {"inscription": "For O'Brien"}, 1200)
    words = words_of(client.get("/orders").text)
    assert "Steel bottle: This product isn't available at the moment." in words
    product.options.clear()
    db.session.commit()
    assert client.post(path_of(order, "/again")).location == path_of(order)
    assert "options have changed" in client.get(path_of(order)).text


# --- delivery with a price agreed later -------------------------------------------------------------------------------


@pytest.mark.parametrize("is_named", [True, False])
def test_delivery_to_be_agreed_is_never_called_free(
    client: FormClient, new_client: Callable[[], FormClient], ada: User, olu: User, bottle: Product,
    create_delivery_method: Callable[..., DeliveryMethod], is_named: bool,
) -> None:  # fmt: skip
    """Check the order's own delivery terms, which later changes of the delivery method do not affect."""
    method = create_delivery_method("Drop off", DeliveryKind.TO_BE_AGREED, locations=["Abk"]) if is_named else None
    order = purchases.create_order(ada, bottle, method=method, location="Abk" if is_named else "")
    if method is not None:
        method.kind = DeliveryKind.FLAT
    purchases.pay(order)
    sign_in(client, ada)
    for path in (path_of(order), path_of(order, "/receipt"), "/orders"):
        words = words_of(client.get(path).text)
        assert "To be agreed" in words, path
        assert "free" not in words, path
    desk = sign_in(new_client(), olu)
    words = words_of(desk.get(f"/admin/orders/{order.number}").text)
    assert f"{'Drop off' if is_named else 'Delivery'} To be agreed" in words
    assert "£0.00" not in words
