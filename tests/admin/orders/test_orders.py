"""Orders in the back office: found, paid at the counter, made, packed, sent; each step once, by whoever may."""

import re
from collections.abc import Callable
from datetime import timedelta
from typing import Any

import pytest
import sqlalchemy as sa
from flask import Flask

from tapcard import files, money, settings
from tapcard import outbox as promises
from tapcard.clock import utcnow
from tapcard.db import db
from tapcard.gateways import sandbox
from tapcard.gateways.sandbox import SandboxGateway
from tapcard.keys import Keys
from tapcard.models import (
    ORDER_MOVES,
    AuditEntry,
    Card,
    CardHold,
    ClaimPolicy,
    DeliveryKind,
    DeliveryMethod,
    Design,
    Order,
    OrderMove,
    OrderStatus,
    OutboxMessage,
    Payment,
    PaymentStatus,
    Product,
    ProductionStatus,
    ProductKind,
    Role,
    SandboxCharge,
    User,
)
from tapcard.services.cards import claims
from tapcard.services.cart import credit, editing
from tapcard.services.orders import production, transitions
from tapcard.services.orders.replacement import reservations_for
from tapcard.services.payments import payments, settlement
from tapcard.services.privacy import erasure
from tapcard.workflows import payments as payment_workflows
from tests import purchases as buying
from tests.concurrency import run_concurrently as together
from tests.conftest import FormClient, login
from tests.pages import error_of, form_to, forms_on, words_of
from tests.purchases import order_of, pay
from tests.statements import queries, statements

DAY = timedelta(days=1)


@pytest.fixture
def bens(client: FormClient, ben: User) -> FormClient:
    """Ben's browser."""
    login(client, ben)
    return client


@pytest.fixture
def order(ada: User, bottle: Product) -> Order:
    """Two bottles for Ada, 48.00, unpaid."""
    return order_of(ada, bottle, quantity=2)


@pytest.fixture
def card_order(app: Flask, ada: User, create_product: Callable[..., Product]) -> Order:
    """Two cards with Ada's own artwork, paid."""
    folder = files.folder(app.instance_path)
    front, rear = (files.store(side, folder) for side in (b"front", b"rear"))
    product = create_product("Own card", kind=ProductKind.CARD, unit_amount=2400)
    cart = buying.cart_of(ada)
    buying.fill(cart, product, 2, front_picture=front, rear_picture=rear)
    order = buying.place(cart)
    db.session.commit()
    pay(order)
    return order


def path_to(order: Order, rest: str = "") -> str:
    return f"/admin/orders/{order.number}{rest}"


def note_payment(client: FormClient, order: Order, amount: str, **fields: str) -> Any:
    seen = str(payments.amount_due(order).amount)
    return client.post(path_to(order, "/payment"), data={"amount": amount, "how": "cash", "seen": seen, **fields})


def listed(client: FormClient, query: str = "") -> list[str]:
    page = client.get(f"/admin/orders{query}")
    assert page.status_code == 200
    return re.findall(r'href="/admin/orders/(TC-[^"]+)"', page.text)


# --- who may ----------------------------------------------------------------------------------------------------------


def test_who_may_look_only_changes_nothing(
    client: FormClient, create_user: Callable[..., User], card_order: Order
) -> None:
    db.session.add(Role(name="viewer", permissions=["orders.view"]))
    db.session.commit()
    login(client, create_user("viewer@example.com", roles=["viewer"]))
    page = client.get(path_to(card_order))
    assert page.status_code == 200
    assert not [form for form in forms_on(page.text) if "/admin/" in form.action]
    code = client.get(path_to(card_order, "/cards")).text
    assert card_order.lines[0].cards[0].token in code
    assert "Claim code" not in code
    line = card_order.lines[0].id
    for step in ("process", "ship", "deliver", "cancel", "extend", "note", "payment", "give", f"lines/{line}/produce"):
        assert client.post(path_to(card_order, f"/{step}"), data={"why": "x"}).status_code == 404
    assert client.get(path_to(card_order, "/cards.csv")).status_code == 404
    assert client.get("/admin/credit").status_code == 404
    assert card_order.status is OrderStatus.PAID
    db.session.execute(sa.delete(Role).where(Role.name == "viewer"))
    db.session.commit()


# --- the list ---------------------------------------------------------------------------------------------------------


def test_orders_that_somebody_waits_for_stand_first(bens: FormClient, ada: User, product: Product) -> None:
    statuses = (OrderStatus.PAID, OrderStatus.DELIVERED, OrderStatus.PROCESSING, OrderStatus.PENDING)
    made = {}
    for status in statuses:
        made[status] = order_of(ada, product)
        made[status].status = status
        db.session.commit()
    first = [OrderStatus.PROCESSING, OrderStatus.PAID, OrderStatus.PENDING, OrderStatus.DELIVERED]
    assert listed(bens) == [made[status].number for status in first]
    assert listed(bens, "?show=delivered") == [made[OrderStatus.DELIVERED].number]
    assert listed(bens, "?show=no-such-thing&page=-3") == listed(bens)
    assert listed(bens, "?page=99999999999999999999") == []


def test_an_order_is_found_by_what_staff_know_of_it(
    bens: FormClient, card_order: Order, cleo: User, product: Product
) -> None:
    other = order_of(cleo, product)
    token = card_order.lines[0].cards[1].token
    for text in (card_order.number, card_order.number.lower(), card_order.number[-4:], "ADA@EXAMPLE.com", "ada o",
                 "Obi", f" {token.lower()} "):  # fmt: skip
        assert listed(bens, f"?search={text}") == [card_order.number], text
    assert listed(bens, "?search=Nemo") == [other.number]
    for text in ("100%25", "_", "x" * 500):
        assert listed(bens, f"?search={text}") == []


def test_filters_show_what_waits_for_what_and_the_start_page_counts_it(
    bens: FormClient, card_order: Order, order: Order, ada: User, bottle: Product, cleo: User, product: Product
) -> None:
    to_ship = order_of(cleo, product)
    pay(to_ship)
    odd = pay(order_of(cleo, product))
    odd.refund_proposed = True
    odd.order.is_oversold = True
    old = pay(order_of(cleo, product))
    old.settled_at, old.order.status = utcnow() - 31 * DAY, OrderStatus.DELIVERED
    waiting = order_of(cleo, product)
    assert note_payment(bens, waiting, "4").status_code == 302
    shown = {
        show: set(listed(bens, f"?show={show}"))
        for show in ("to_produce", "to_ship", "offline", "oversold", "care", "pending")
    }
    assert shown == {
        "to_produce": {card_order.number},
        "to_ship": {to_ship.number},
        "offline": {waiting.number},
        "oversold": {odd.order.number},
        "care": {odd.order.number},
        "pending": {order.number, waiting.number},
    }
    numbers = production.order_figures(utcnow(), settings.load())
    assert (numbers.to_produce, numbers.to_ship, numbers.offline, numbers.oversold, numbers.care) == (1, 1, 1, 1, 1)
    assert numbers.month == buying.pounds(4800 + 1000 + 1000 + 400)
    page = bens.get("/admin/").text
    assert "1 Orders to produce 1 Orders to ship" in words_of(page)
    assert "£72.00 Revenue, last 30 days" in words_of(page)


def test_today_begins_at_midnight_of_the_shop(
    order: Order, set_setting: Callable[[str, Any], None], ada: User, bottle: Product
) -> None:
    payment = pay(order)
    set_setting("time_zone", "Pacific/Auckland")
    shop = settings.load()
    now = payment.settled_at
    assert now is not None
    noon = now.replace(hour=12, minute=0)  # midnight there or an hour past it
    payment.settled_at = noon - timedelta(hours=2)
    db.session.flush()
    assert production.order_figures(noon, shop).today.amount == 0
    payment.settled_at = noon
    db.session.flush()
    assert production.order_figures(noon, shop).today.amount == 4800


def test_the_pages_ask_a_fixed_number_of_times(
    bens: FormClient, ada: User, card_order: Order, product: Product, bottle: Product
) -> None:
    cart = buying.cart_of(ada, bottle, product)
    busy = buying.place(cart)
    db.session.commit()
    for _time in range(3):
        note_payment(bens, busy, "1")
        bens.post(path_to(busy, "/note"), data={"note": "Call first"})
    for path in (path_to(busy), path_to(card_order), "/admin/orders", path_to(card_order, "/cards"), "/admin/credit"):
        bens.get(path)
        db.session.commit()
        with statements(all_of_them=True) as asked:
            bens.get(path)
        assert len(queries(asked)) <= 12, path + "\n" + "\n".join(queries(asked))


# --- payments ---------------------------------------------------------------------------------------------------------


def test_money_at_the_counter_pays_an_order_once(
    bens: FormClient, order: Order, ben: User, outbox: Callable[[], list[str]]
) -> None:
    page = bens.get(path_to(order, "/payment"))
    form = form_to(page.text, "")
    assert (form.values["seen"], form.values["amount"]) == ("4800", "48.00")
    sent = {**form.values, "amount": "48", "how": "terminal", "note": "Receipt 12"}
    assert bens.post(path_to(order, "/payment"), data=sent, csrf=False).location == path_to(order)
    assert (order.status, payments.amount_due(order).amount) == (OrderStatus.PAID, 0)
    again = bens.post(path_to(order, "/payment"), data=sent, csrf=False)
    assert (again.status_code, "isn&#39;t awaiting payment" in again.text) == (422, True)
    [payment] = production.payments_of(order)
    assert payment.evidence == {"how": "terminal", "note": "Receipt 12", "confirmed_by": ben.id}
    assert outbox().count("mail.order_paid") == 1
    words = words_of(bens.get(path_to(order)).text)
    assert "Card terminal, Receipt 12" in words
    assert "Payment recorded: £48.00" in words


def test_a_part_leaves_the_rest_due_and_more_time_for_it(bens: FormClient, order: Order) -> None:
    assert note_payment(bens, order, "10,50").status_code == 302
    assert (order.status, payments.amount_due(order).amount) == (OrderStatus.PENDING, 3750)
    assert order.expires_at > utcnow() + 6 * DAY
    assert "£37.50" in words_of(bens.get(path_to(order)).text)
    stale = note_payment(bens, order, "10.50", seen="4800")
    assert stale.status_code == 422
    assert "Someone has just recorded a payment." in stale.text
    assert form_to(stale.text, "").values["seen"] == "3750"
    assert payments.amount_due(order).amount == 3750
    note_payment(bens, order, "37.50", how="transfer")
    assert order.status is OrderStatus.PAID
    assert payments.find_open(order) is None


@pytest.mark.parametrize(
    "typed",
    ["", "0", "0.00", "-5", "48.01", "4800", "1,000.00", "5.001", "NaN", "inf", "1e2", "five", "٣", "£5", "5 0",
     "9" * 40, "5\0"],
)  # fmt: skip
def test_what_is_no_amount_that_is_due_is_refused(bens: FormClient, order: Order, typed: str) -> None:
    answer = note_payment(bens, order, typed)
    assert answer.status_code == 422
    assert error_of(answer.text, "amount")
    assert form_to(answer.text, "").values["amount"] == typed.strip().replace("\0", "\ufffd") or "\0" in typed
    assert production.payments_of(order) == []


def test_noted_twice_at_one_instant_it_counts_once(app: Flask, order: Order, ben: User, keys: Keys, olu: User) -> None:
    order_id, people = order.id, [ben.id, olu.id]

    def work(place: int) -> int:
        found = db.session.get_one(Order, order_id)
        by = db.session.get_one(User, people[place])
        amount = buying.pounds(2000)
        return settlement.record_offline_payment(found, settlement.OfflineReceipt(amount), buying.context(by), 4800).id

    results = together(app, 2, work)
    assert results.count(payments.NotPayable) == 1, results
    assert payments.amount_due(order).amount == 2800


@pytest.mark.parametrize("came", [False, True])
def test_who_chose_to_pay_online_may_pay_cash(app: Flask, bens: FormClient, order: Order, came: bool) -> None:
    gateway = payment_workflows.gateways()["sandbox"]
    assert isinstance(gateway, SandboxGateway)
    online = payments.create(order, gateway, None)
    charge = payments.build_charge(online, settings.load(), "http://localhost/back")
    db.session.commit()
    told = gateway.start(charge)
    payments.record_started(online, told, gateway, settings.load(), utcnow())
    db.session.commit()
    if came:
        sandbox.change(SandboxCharge.reference == told.reference, sandbox.PAID)
    too_much = note_payment(bens, order, "99")
    assert (too_much.status_code, online.status) == (422, PaymentStatus.PENDING)
    answer = note_payment(bens, order, "48")
    assert order.status is OrderStatus.PAID
    assert payments.captured_amount(order) == 4800
    if came:  # a moment before: nothing is taken at the counter
        assert (answer.status_code, online.status) == (422, PaymentStatus.SUCCEEDED)
        assert [payment.gateway for payment in production.payments_of(order)] == ["sandbox"]
    else:
        assert (answer.status_code, online.status) == (302, PaymentStatus.CANCELED)


def test_money_that_comes_after_the_time_is_over_counts(bens: FormClient, order: Order, keys: Keys) -> None:
    transitions.expire_due(utcnow() + DAY, keys)
    db.session.commit()
    assert order.status is OrderStatus.EXPIRED
    assert "Record payment" in bens.get(path_to(order)).text
    note_payment(bens, order, "48", how="transfer")
    assert (order.status, order.is_oversold) == (OrderStatus.PAID, False)


def test_a_payment_that_needs_care_says_why_and_is_seen_to_once(bens: FormClient, order: Order, ben: User) -> None:
    payment = buying.begin(order)
    settlement.settle(payment, buying.paid(payment, amount=buying.pounds(100)), buying.keys(), utcnow())
    db.session.commit()
    assert "We received £1.00 instead of £48.00, so nothing was fulfilled." in words_of(bens.get(path_to(order)).text)
    path = path_to(order, f"/payments/{payment.public_id}/seen")
    assert bens.post(path, data={"why": ""}).status_code == 422
    assert bens.post(path, data={"why": "Given back by hand"}).status_code == 302
    assert bens.post(path, data={"why": "Once more"}).status_code == 422
    assert (payment.refund_proposed, payment.status) == (False, PaymentStatus.MISMATCH)
    assert "Payment resolved: Given back by hand" in words_of(bens.get(path_to(order)).text)
    assert bens.get(path_to(order, "/payments/nosuch/seen")).status_code == 404


def test_money_is_read_as_it_is_typed() -> None:
    read = {text: money.parse(text, "GBP") for text in ("24", "24.5", "24,50", " 0.07 ", "24.", ".5", "1.234", "2e3")}
    amounts = [2400, 2450, 2450, 7, None, None, None, None]
    assert [each and each.amount for each in read.values()] == amounts
    assert (money.parse("500", "JPY"), money.parse("5.0", "JPY")) == (money.Money(500, "JPY"), None)
    assert (money.Money(7, "GBP").plain(), money.Money(500, "JPY").plain()) == ("0.07", "500")


# --- moves ------------------------------------------------------------------------------------------------------------

STEPS = {
    OrderMove.PROCESS: ("process", 409),
    OrderMove.SHIP: ("ship", 422),
    OrderMove.DELIVER: ("deliver", 409),
    OrderMove.CANCEL: ("cancel", 422),
}


@pytest.mark.parametrize("move", STEPS)
def test_a_step_leads_on_from_where_it_may_and_the_second_is_told(
    bens: FormClient, ada: User, product: Product, move: OrderMove, outbox: Callable[[], list[str]]
) -> None:
    step, refused = STEPS[move]
    start, end = ORDER_MOVES[move]
    for status in OrderStatus:
        order = order_of(ada, product)
        order.status = status
        db.session.commit()
        answer = bens.post(path_to(order, f"/{step}"), data={"why": "Asked for", "carrier": "Post"})
        if status in start:
            assert (answer.status_code, order.status) == (302, end)
            assert bens.get(path_to(order)).status_code == 200
            assert bens.post(path_to(order, f"/{step}"), data={"why": "Again"}).status_code == refused
        else:
            assert (answer.status_code, order.status) == (refused, status)


def test_a_parcel_is_told_of_with_its_number(bens: FormClient, order: Order, outbox: Callable[[], list[str]]) -> None:
    pay(order)
    bens.post(path_to(order, "/ship"), data={"carrier": "Post", "tracking_number": "X1 <b>"})
    assert (order.status, order.carrier, order.tracking_number) == (OrderStatus.SHIPPED, "Post", "X1 <b>")
    assert "mail.order_shipped" in outbox()
    page = bens.get(path_to(order)).text
    assert "X1 &lt;b&gt;" in page
    assert "Shipping confirmation Sending" in words_of(page)
    mail = db.session.scalars(sa.select(OutboxMessage).where(OutboxMessage.kind == "mail.order_shipped")).one()
    promises.mark_done(mail, utcnow())
    assert "Shipping confirmation Sent" in words_of(bens.get(path_to(order)).text)


def test_canceling_says_why_frees_what_it_held_and_proposes_what_came_of_it(
    bens: FormClient, order: Order, bottle: Product
) -> None:
    note_payment(bens, order, "8")
    assert bens.post(path_to(order, "/cancel"), data={"why": " "}).status_code == 422
    assert bens.post(path_to(order, "/cancel"), data={"why": "Nobody came"}).status_code == 302
    assert (order.status, bottle.stock, payments.find_open(order)) == (OrderStatus.CANCELED, 10, None)
    assert [payment.refund_proposed for payment in production.payments_of(order)] == [False, True]
    assert "Order cancelled: Nobody came" in words_of(bens.get(path_to(order)).text)
    assert note_payment(bens, order, "40").status_code == 422


def test_more_time_to_pay_holds_the_card_as_long(
    bens: FormClient, ada: User, create_card: Callable[..., Card], order: Order
) -> None:
    pay(order)
    cart = buying.cart_of(ada)
    editing.add_activation(cart, create_card(policy=ClaimPolicy.PAY), buying.context(), reservations_for)
    db.session.commit()
    activation = buying.place(cart)
    db.session.commit()
    for days, status in (("", 422), ("0", 422), ("61", 422), ("1.5", 422), ("x", 422), ("20", 302), ("10", 422)):
        assert bens.post(path_to(activation, "/extend"), data={"days": days}).status_code == status, days
    [held] = db.session.scalars(sa.select(CardHold)).all()
    assert activation.expires_at == held.expires_at > utcnow() + 19 * DAY
    assert bens.post(path_to(order, "/extend"), data={"days": "20"}).status_code == 422


def test_notes_are_for_staff_and_go_when_their_buyer_is_erased(bens: FormClient, order: Order, ada: User) -> None:
    transitions.cancel(order, ada, buying.keys(), utcnow())
    ada.is_active, ada.closed_at = False, utcnow() - DAY
    text = "Call first <i>"
    assert bens.post(path_to(order, "/note"), data={"note": text}).status_code == 302
    page = bens.get(path_to(order)).text
    assert "Note: Call first &lt;i&gt;" in page
    assert "Ben Marsh" in page
    ada_id = ada.id
    erasure.erase(ada_id, utcnow(), closed_before=utcnow())
    db.session.commit()
    assert "Call first" not in bens.get(path_to(order)).text


# --- making and packing -----------------------------------------------------------------------------------------------


def test_cards_are_made_step_by_step_and_the_second_is_told(bens: FormClient, card_order: Order) -> None:
    [line] = card_order.lines
    path = path_to(card_order, f"/lines/{line.id}/produce")
    assert bens.post(path, data={"status": "printed", "was": "queued"}).location == path_to(
        card_order, f"#line-{line.id}"
    )
    assert bens.post(path, data={"status": "printed", "was": "queued"}).status_code == 409
    for data in ({"status": "burnt", "was": "printed"}, {"status": "adhered"}, {}):
        assert bens.post(path, data=data).status_code == 400
    assert line.production_status is ProductionStatus.PRINTED
    assert "Some cards in this order aren't packed yet." in words_of(bens.get(path_to(card_order, "/ship")).text)
    for was, status in (("printed", "adhered"), ("adhered", "packed"), ("packed", "adhered"), ("adhered", "packed")):
        assert bens.post(path, data={"status": status, "was": was}).status_code == 302
    assert listed(bens, "?show=to_ship") == [card_order.number]
    bens.post(path_to(card_order, "/ship"))
    assert bens.post(path, data={"status": "queued", "was": "packed"}).status_code == 409


def test_a_line_is_made_in_its_own_order_once_that_is_paid(
    bens: FormClient, card_order: Order, order: Order, ada: User, create_product: Callable[..., Product], design: Design
) -> None:
    [line] = card_order.lines
    pay(order)
    press = {"status": "printed", "was": "queued"}
    assert bens.post(path_to(order, f"/lines/{line.id}/produce"), data=press).status_code == 404
    assert bens.post(path_to(order, f"/lines/{order.lines[0].id}/produce"), data=press).status_code == 409
    cart = buying.cart_of(ada)
    buying.fill(cart, create_product(kind=ProductKind.CARD), design=design)
    unpaid = buying.place(cart)
    db.session.commit()
    assert bens.post(path_to(unpaid, f"/lines/{unpaid.lines[0].id}/produce"), data=press).status_code == 409


def test_artwork_is_there_to_take_along_for_staff_alone(
    bens: FormClient, card_order: Order, order: Order, ada: User, new_client: Callable[[], FormClient]
) -> None:
    links = re.findall(r'href="(/admin/orders/[^"]+/files/[^"]+)"', bens.get(path_to(card_order)).text)
    assert len(links) == 2
    hers = new_client()
    login(hers, ada)
    for link, side in zip(links, ("front", "rear"), strict=True):
        answer = bens.get(link)
        assert (answer.status_code, answer.data, answer.mimetype) == (200, side.encode(), "image/webp")
        name = answer.headers["Content-Disposition"]
        assert re.fullmatch(rf'attachment; filename="{card_order.number}-1-{side}-\d\.webp"', name)
        assert hers.get(link).status_code == 404
        assert new_client().get(link).status_code == 302
        assert bens.get(link.replace(card_order.number, order.number)).status_code == 404


def test_whoever_packs_has_tokens_codes_and_qr_codes(bens: FormClient, card_order: Order, keys: Keys) -> None:
    one, two = card_order.lines[0].cards
    code = claims.read_claim_code(one, keys)
    page = bens.get(path_to(card_order, "/cards")).text
    assert code is not None
    assert code in page
    assert f"http://localhost/t/{two.token}" in page
    rows = bens.get(path_to(card_order, "/cards.csv")).text.splitlines()
    addresses = f"http://localhost/t/{one.token},http://localhost/q/{one.token}"
    assert rows[1] == f"Own card,Own artwork,{one.token},{addresses},{code}"
    for kind, mimetype in (("svg", "image/svg+xml"), ("png", "image/png")):
        assert bens.get(path_to(card_order, f"/cards/{one.token}/qr.{kind}")).mimetype == mimetype
    assert bens.get(path_to(card_order, f"/cards/{one.token}/qr.gif")).status_code == 404
    assert bens.get(path_to(card_order, "/cards/ADASCARD/qr.svg")).status_code == 404


def test_two_designs_of_one_card_are_told_apart_wherever_cards_are_made_and_packed(
    bens: FormClient, ada: User, create_design: Callable[..., Design]
) -> None:
    lake, ember = create_design("Lake at dusk"), create_design("Ember ridge")
    order = buying.cards_with(ada, lake, ember)
    lake.name = ember.name = "Renamed"
    db.session.commit()
    lines = {line.design_name: line.cards[0].token for line in order.lines}
    assert set(lines) == {"Lake at dusk", "Ember ridge"}
    pages = {path: words_of(bens.get(path_to(order, path)).text) for path in ("", "/delivery-note", "/cards")}
    for name, token in lines.items():
        assert f"Design: {name}" in pages[""]
        assert f"Metal card · {name}" in pages["/delivery-note"]
        assert f"{token} Metal card · {name}" in pages["/cards"]
        assert f"Metal card,{name},{token}," in bens.get(path_to(order, "/cards.csv")).text
    assert "Renamed" not in "".join(pages.values())


def test_a_delivery_note_tells_everything_but_prices(bens: FormClient, order: Order, card_order: Order) -> None:
    page = bens.get(path_to(order, "/delivery-note")).text
    words = words_of(page)
    for text in (order.number, "Gus Lind", "1 High Street", "N1 9GU", "United Kingdom", "2 Steel bottle"):
        assert text in words
    assert "£" not in page


def test_what_the_buyer_fetches_is_handed_over(
    bens: FormClient, ada: User, product: Product, create_delivery_method: Callable[..., DeliveryMethod]
) -> None:
    method = create_delivery_method("Market", DeliveryKind.PICKUP, locations=["Stand 4"])
    order = order_of(ada, product, method=method, location="Stand 4")
    pay(order)
    page = words_of(bens.get(path_to(order)).text)
    assert "Mark as collected" in page
    assert "Stand 4" in page
    bens.post(path_to(order, "/deliver"))
    assert order.status is OrderStatus.DELIVERED


# --- oversold ---------------------------------------------------------------------------------------------------------


def test_what_was_found_after_all_is_given_once(
    bens: FormClient, order: Order, bottle: Product, cleo: User, keys: Keys
) -> None:
    transitions.expire_due(utcnow() + DAY, keys)
    order_of(cleo, bottle, quantity=9)
    note_payment(bens, order, "48")
    assert (order.status, order.is_oversold) == (OrderStatus.PAID, True)
    page = words_of(bens.get(path_to(order)).text)
    assert "We received £48.00, but some items are out of stock." in page
    for step in ("process", "deliver"):
        assert bens.post(path_to(order, f"/{step}")).status_code == 409
    assert bens.post(path_to(order, "/ship")).status_code == 422
    assert bens.post(path_to(order, "/give")).status_code == 302
    assert bens.post(path_to(order, "/give")).status_code == 409
    [payment] = production.payments_of(order)
    assert (order.is_oversold, payment.refund_proposed) == (False, False)
    assert bens.post(path_to(order, "/ship")).status_code == 302


def test_a_card_that_is_somebody_elses_is_not_given(
    bens: FormClient, ada: User, cleo: User, create_card: Callable[..., Card]
) -> None:
    card = create_card(policy=ClaimPolicy.PAY)
    cart = buying.cart_of(ada)
    editing.add_activation(cart, card, buying.context(), reservations_for)
    db.session.commit()
    order = buying.place(cart)
    card.claim_policy = ClaimPolicy.OPEN  # lost to somebody by a way that staff opened
    db.session.commit()
    pay(order)
    assert order.is_oversold
    answer = bens.post(path_to(order, "/give"))
    assert (answer.status_code, "now belongs to someone else" in answer.text) == (409, True)
    assert order.is_oversold


def test_credit_that_was_spent_meanwhile_has_to_be_there_again(
    bens: FormClient, ada: User, bottle: Product, keys: Keys
) -> None:
    credit.give(ada, 1000, "Sorry")
    cart = buying.cart_of(ada, bottle)
    cart.uses_credit = True
    db.session.commit()
    order = buying.place(cart)
    db.session.commit()
    assert order.credit_amount == 1000
    transitions.expire_due(utcnow() + DAY, keys)
    assert order_of(ada, bottle).credit_amount == 1000
    note_payment(bens, order, "14")
    assert (order.status, order.is_oversold) == (OrderStatus.PAID, True)
    answer = bens.post(path_to(order, "/give"))
    assert (answer.status_code, "Add store credit or refund the order." in answer.text) == (409, True)
    credit.give(ada, 1000, "So be it")
    db.session.commit()
    assert bens.post(path_to(order, "/give")).status_code == 302
    assert (order.is_oversold, credit.balance(ada.id)) == (False, 0)


def test_every_step_says_who_took_it(bens: FormClient, order: Order, ben: User) -> None:
    note_payment(bens, order, "48")
    bens.post(path_to(order, "/process"))
    bens.post(path_to(order, "/ship"))
    bens.post(path_to(order, "/deliver"))
    tags = ("payment.confirmed", "order.processed", "order.shipped", "order.delivered")
    actors = db.session.execute(
        sa.select(AuditEntry.tag, AuditEntry.actor_id).where(AuditEntry.tag.in_(tags)).order_by(AuditEntry.id)
    ).all()
    assert [tuple(each) for each in actors] == [(tag, ben.id) for tag in tags]


def test_there_is_a_payment_row_for_each_part(bens: FormClient, order: Order) -> None:
    for amount in ("8", "40"):
        note_payment(bens, order, amount)
    rows = db.session.execute(sa.select(Payment.captured_amount, Payment.status).order_by(Payment.id)).all()
    assert [tuple(row) for row in rows] == [(800, PaymentStatus.SUCCEEDED), (4000, PaymentStatus.SUCCEEDED)]
