"""Cards of an order: who sees their claim codes, claiming them, and lists, files and sheets of codes."""

import csv
import io
import re
from collections.abc import Callable

import pytest
import sqlalchemy as sa

from tapcard.clock import utcnow
from tapcard.db import db
from tapcard.keys import Keys
from tapcard.models import Card, Design, DesignStatus, Order, OrderStatus, ProductionStatus, User, WebSession
from tapcard.services.accounts import credentials
from tapcard.services.cards import cards, claims
from tapcard.services.orders import fulfillment, production, transitions
from tapcard.web import sessions
from tests import purchases
from tests.conftest import PASSWORD, FormClient, login
from tests.pages import form_to, forms_on, words_of
from tests.test_statements import MAX_QUERIES, second_request_queries

WAYS = ("", ".csv", "/sheet")


@pytest.fixture
def order(ada: User, design: Design) -> Order:
    """Create an order of five cards, paid by Ada."""
    return purchases.order_cards(ada, 5, design)


@pytest.fixture
def adas(client: FormClient, ada: User) -> FormClient:
    """Return Ada's browser."""
    login(client, ada)
    return client


def path_of(order: Order, rest: str = "/codes") -> str:
    return f"/orders/{order.number}{rest}"


def knows(client: FormClient, *known: Order) -> FormClient:
    """Return a browser that placed these orders, or opened them by their links."""
    with client.session_transaction() as session:
        session[sessions.ORDERS] = [order.id for order in known]
    return client


def codes_of(order: Order, keys: Keys) -> dict[str, str]:
    return {card.token: claims.read_claim_code(card, keys) or "" for card in fulfillment.unclaimed_cards(order)}


# --- access -----------------------------------------------------------------------------------------------------------


@pytest.mark.parametrize("way", WAYS)
def test_only_the_buyer_sees_the_codes(
    adas: FormClient, new_client: Callable[[], FormClient], order: Order, cleo: User, ben: User, olu: User,
    keys: Keys, way: str,
) -> None:  # fmt: skip
    path, codes = path_of(order) + way, codes_of(order, keys)
    answer = adas.get(path)
    assert answer.status_code == 200
    assert answer.headers["Cache-Control"] == "no-store"
    assert all(token in answer.text and code in answer.text for token, code in codes.items())
    for user in (cleo, ben, olu):
        client = new_client()
        login(client, user)
        for known in ((), (order,)):
            assert knows(client, *known).get(path).status_code == 404
    stranger = new_client()
    assert stranger.get(path).location == f"/log-in?next={path}"
    nowhere = f"/orders/TC-2222-2222/codes{way}"
    assert stranger.get(nowhere).location == f"/log-in?next={nowhere}", "it looks the same"
    # a forwarded link of an email opens the order, but not the codes
    assert knows(new_client(), order).get(path).location == f"/log-in?next={path}"


def test_a_guest_sees_the_codes_until_the_buyer_can_log_in(
    new_client: Callable[[], FormClient], cleo: User, keys: Keys
) -> None:
    order = purchases.order_cards(None, 2)
    assert order.user is not None
    code = next(iter(codes_of(order, keys).values()))
    path, guest, stranger = path_of(order), knows(new_client(), order), new_client()
    page = guest.get(path)
    assert code in page.text
    assert "Claim card" not in page.text
    assert "log in or sign up" in page.text
    assert stranger.get(path).status_code == 302
    assert guest.post(path_of(order, "/claim")).location.startswith("/log-in")
    order.user.password_hash = credentials.hash_password(PASSWORD)
    order.user.verified_at = utcnow()
    db.session.commit()
    assert guest.get(path).location == f"/log-in?next={path}"


def test_a_user_cannot_claim_from_an_order_only_known_to_their_browser(client: FormClient, cleo: User) -> None:
    order = purchases.order_cards(None, 2)
    login(client, cleo)
    knows(client, order)
    assert client.get(path_of(order)).status_code == 200
    assert client.post(path_of(order, "/claim")).status_code == 404
    assert len(fulfillment.unclaimed_cards(order)) == 2


def test_an_order_without_paid_cards_has_no_codes(adas: FormClient, order: Order, ada: User) -> None:
    goods = purchases.create_order(ada, purchases.seeds.create_product())
    purchases.pay(goods)
    waiting = purchases.order_cards(ada, 1, is_paid=False)
    for each in (goods, waiting):
        answer = adas.get(path_of(each))
        assert (answer.status_code, "has no claim codes" in words_of(answer.text)) == (404, True)
    order.status = OrderStatus.REFUNDED
    for way in WAYS:
        assert adas.get(path_of(order) + way).status_code == 404
    assert adas.post(path_of(order, "/claim")).status_code == 404


# --- claiming ---------------------------------------------------------------------------------------------------------


def test_the_buyer_claims_one_card_and_then_all_others(adas: FormClient, order: Order, ada: User, keys: Keys) -> None:
    codes = codes_of(order, keys)
    first = next(iter(codes))
    forms = [form for form in forms_on(adas.get(path_of(order)).text) if form.action == path_of(order, "/claim")]
    assert [form.values.get("token") for form in forms] == [None, *codes]
    one = next(form for form in forms if form.values.get("token") == first)
    answer = adas.post(one.action, data=one.values)
    assert answer.location == f"/cards/{first}"
    assert adas.post(one.action, data=one.values).location == f"/cards/{first}", "pressed twice"
    page = adas.get(path_of(order))
    assert codes[first] not in page.text
    assert words_of(page.text).count("Claimed by you") == 1
    every = form_to(page.text, path_of(order, "/claim"))
    answer = adas.get(adas.post(every.action, data=every.values).location)
    assert "claimed 4 cards." in answer.text
    assert "All cards in this order have been claimed." in answer.text
    assert {cards.get_by_token(token).owner_id for token in codes} == {ada.id}  # type: ignore[union-attr]
    assert "No claim codes left" in adas.get(path_of(order, "/codes/sheet")).text
    assert "already been claimed" in adas.get(adas.post(every.action, data=every.values).location).text
    assert not any(code in adas.get(path_of(order) + way).text for code in codes.values() for way in WAYS)


@pytest.mark.parametrize("token", ["", "NOSUCH22", "ADASCARD", "\0", "x" * 3000])
def test_only_a_card_of_the_order_can_be_claimed(adas: FormClient, order: Order, card: Card, token: str) -> None:
    assert adas.post(path_of(order, "/claim"), data={"token": token}).status_code == 404
    assert len(fulfillment.unclaimed_cards(order)) == 5


def test_a_code_works_once_and_reveals_nothing_about_its_user(
    adas: FormClient, new_client: Callable[[], FormClient], order: Order, cleo: User, keys: Keys, create_user
) -> None:
    token, code = next(iter(codes_of(order, keys).items()))
    cleos, dans = new_client(), new_client()
    login(cleos, cleo)
    assert cleos.post(f"/activate/{token}", data={"code": code}).location == f"/cards/{token}"
    login(dans, create_user("dan@example.com"))
    assert dans.post(f"/activate/{token}", data={"code": code}).status_code == 409
    page = adas.get(path_of(order)).text
    assert "Claimed by someone else" in page
    assert code not in page
    assert not any(each in page for each in ("Cleo", "cleo@example.com", "Nemo"))
    assert adas.post(path_of(order, "/claim"), data={"token": token}).status_code == 409
    assert "claimed 4 cards." in adas.get(adas.post(path_of(order, "/claim")).location).text
    assert cards.get_by_token(token).owner_id == cleo.id  # type: ignore[union-attr]


# --- lists and sheets -------------------------------------------------------------------------------------------------


def test_the_csv_file_lists_every_card_and_escapes_formulas(
    adas: FormClient, ada: User, create_design, keys: Keys
) -> None:
    order = purchases.order_cards(ada, 3, create_design("=HYPERLINK(1)"))
    codes = codes_of(order, keys)
    fulfillment.claim_cards(order, ada, next(iter(codes)))
    answer = adas.get(path_of(order, "/codes.csv"))
    assert answer.headers["Content-Disposition"] == f'attachment; filename="cards-{order.number}.csv"'
    header, *rows = csv.reader(io.StringIO(answer.text.removeprefix("\ufeff")))
    assert header == ["Card", "Address", "Claim code", "Status", "Design"]
    first, *others = codes
    design = "'=HYPERLINK(1)"
    assert rows == [
        [first, f"http://localhost/t/{first}", "", "Claimed by you", design],
        *([each, f"http://localhost/t/{each}", codes[each], "Unclaimed", design] for each in others),
    ]


def test_many_cards_need_no_more_statements_and_are_paginated(adas: FormClient, ada: User) -> None:
    few, many = purchases.order_cards(ada, 2), purchases.order_cards(ada, 500)
    for way in WAYS:
        asked = [len(second_request_queries(adas, path_of(each) + way)) for each in (few, many)]
        assert asked[0] == asked[1] <= MAX_QUERIES, way
    assert adas.get(path_of(many, "/codes/sheet")).text.count("<title>QR code for card") == 500
    assert adas.get(path_of(many)).text.count("<title>QR code for card") == 24
    last = adas.get(path_of(many) + "?page=21").text
    assert last.count("<title>QR code for card") == 20
    assert "Page 21 of 21" in last
    assert [adas.get(f"{path_of(many)}?page={odd}").status_code for odd in ("0", "22", "x", "-1", "")] == [404] * 5


def test_the_order_page_shows_the_production_status_of_cards(
    adas: FormClient, order: Order, ben: User, design: Design
) -> None:
    [line] = order.lines
    design.status = DesignStatus.REQUESTED
    assert "Artwork: Awaiting approval" in adas.get(path_of(order)).text
    design.status, design.why_rejected = DesignStatus.REJECTED, "The text is too near to the edge."
    assert "Reason: The text is too near to the edge." in adas.get(path_of(order)).text
    design.status = DesignStatus.APPROVED
    for status, words in {
        ProductionStatus.QUEUED: "Queued",
        ProductionStatus.PRINTED: "Printed",
        ProductionStatus.ADHERED: "Encoded and assembled",
        ProductionStatus.PACKED: "Packed",
    }.items():
        production.set_status(line, status, ben)
        assert words in words_of(adas.get(path_of(order)).text)
    transitions.ship(order, ben, utcnow(), carrier="Royal Mail", tracking_number="RM123")
    assert re.search(r"Shipped.*Royal Mail RM123", words_of(adas.get(path_of(order)).text))
    transitions.deliver(order, ben, utcnow())
    assert "Delivered" in words_of(adas.get(path_of(order)).text)


# --- arriving soon ----------------------------------------------------------------------------------------------------


def test_the_dashboard_shows_ordered_cards_until_delivery(
    adas: FormClient, new_client: Callable[[], FormClient], order: Order, ben: User, cleo: User
) -> None:
    """H25"""
    page = adas.get("/dashboard").text
    assert "Arriving soon" in page
    assert re.search(rf"5 × .*{order.number} · Ordered on .* Queued", words_of(page))
    assert f'href="{path_of(order)}"' in page
    other = new_client()
    login(other, cleo)
    assert "Arriving soon" not in other.get("/dashboard").text
    transitions.ship(order, ben, utcnow())
    assert "Shipped" in adas.get("/dashboard").text
    transitions.deliver(order, ben, utcnow())
    assert "Arriving soon" not in adas.get("/dashboard").text


def test_orders_add_no_statements_to_the_dashboard(adas: FormClient, ada: User) -> None:
    before = len(second_request_queries(adas, "/dashboard"))
    for _number in range(4):
        purchases.order_cards(ada, 2)
    assert len(second_request_queries(adas, "/dashboard")) == before <= MAX_QUERIES


def test_viewing_codes_creates_nothing(client: FormClient, order: Order) -> None:
    """H12"""
    tokens = sa.select(sa.func.count()).select_from(Card)
    before = db.session.scalar(tokens)
    knows(client, order).get(path_of(order))
    assert db.session.scalar(tokens) == before
    assert db.session.scalar(sa.select(sa.func.count()).select_from(WebSession)) == 1
