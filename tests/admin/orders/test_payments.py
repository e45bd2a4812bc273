"""Payments of orders in the back office: paid at the counter, late, mismatched or for oversold items."""

from collections.abc import Callable
from datetime import timedelta

import pytest
import sqlalchemy as sa
from flask import Flask

from tapcard import money, settings
from tapcard.clock import utcnow
from tapcard.db import db
from tapcard.gateways import sandbox
from tapcard.gateways.sandbox import SandboxGateway
from tapcard.keys import Keys
from tapcard.models import (
    Card,
    ClaimPolicy,
    Order,
    OrderStatus,
    Payment,
    PaymentStatus,
    Product,
    SandboxCharge,
    User,
)
from tapcard.services.cart import credit, editing
from tapcard.services.orders import production, transitions
from tapcard.services.orders.replacement import reservations_for
from tapcard.services.payments import payments, settlement
from tapcard.workflows import payments as payment_workflows
from tests import purchases
from tests.admin.orders.conftest import note_payment, path_to
from tests.concurrency import run_concurrently
from tests.conftest import FormClient
from tests.pages import error_of, form_to, words_of
from tests.purchases import create_order, pay

DAY = timedelta(days=1)


# --- payments ---------------------------------------------------------------------------------------------------------


def test_submitting_a_payment_twice_records_it_once(
    ben_client: FormClient, order: Order, ben: User, outbox: Callable[[], list[str]]
) -> None:
    page = ben_client.get(path_to(order, "/payment"))
    form = form_to(page.text, "")
    assert (form.values["seen"], form.values["amount"]) == ("4800", "48.00")
    sent = {**form.values, "amount": "48", "how": "terminal", "note": "Receipt 12"}
    assert ben_client.post(path_to(order, "/payment"), data=sent, csrf=False).location == path_to(order)
    assert (order.status, payments.amount_due(order).amount) == (OrderStatus.PAID, 0)
    again = ben_client.post(path_to(order, "/payment"), data=sent, csrf=False)
    assert (again.status_code, "isn&#39;t awaiting payment" in again.text) == (422, True)
    [payment] = production.payments_of(order)
    assert payment.evidence == {"how": "terminal", "note": "Receipt 12", "confirmed_by": ben.id}
    assert outbox().count("mail.order_paid") == 1
    words = words_of(ben_client.get(path_to(order)).text)
    assert "Card terminal, Receipt 12" in words
    assert "Payment recorded: £48.00" in words


def test_a_partial_payment_leaves_the_rest_due_and_extends_the_deadline(ben_client: FormClient, order: Order) -> None:
    assert note_payment(ben_client, order, "10,50").status_code == 302
    assert (order.status, payments.amount_due(order).amount) == (OrderStatus.PENDING, 3750)
    assert order.expires_at > utcnow() + 6 * DAY
    assert "£37.50" in words_of(ben_client.get(path_to(order)).text)
    stale = note_payment(ben_client, order, "10.50", seen="4800")
    assert stale.status_code == 422
    assert "Someone has just recorded a payment." in stale.text
    assert form_to(stale.text, "").values["seen"] == "3750"
    assert payments.amount_due(order).amount == 3750
    note_payment(ben_client, order, "37.50", how="transfer")
    assert order.status is OrderStatus.PAID
    assert payments.find_open(order) is None


@pytest.mark.parametrize(
    "typed",
    ["", "0", "0.00", "-5", "48.01", "4800", "1,000.00", "5.001", "NaN", "inf", "1e2", "five", "٣", "£5", "5 0",
     "9" * 40, "5\0"],
)  # fmt: skip
def test_an_invalid_or_excessive_amount_is_refused(ben_client: FormClient, order: Order, typed: str) -> None:
    answer = note_payment(ben_client, order, typed)
    assert answer.status_code == 422
    assert error_of(answer.text, "amount")
    assert form_to(answer.text, "").values["amount"] == typed.strip().replace("\0", "\ufffd") or "\0" in typed
    assert production.payments_of(order) == []


def test_concurrent_recordings_count_once(app: Flask, order: Order, ben: User, keys: Keys, olu: User) -> None:
    order_id, people = order.id, [ben.id, olu.id]

    def work(place: int) -> int:
        found = db.session.get_one(Order, order_id)
        by = db.session.get_one(User, people[place])
        amount = purchases.pounds(2000)
        return settlement.record_offline_payment(
            found, settlement.OfflineReceipt(amount), purchases.context(by), 4800
        ).id

    results = run_concurrently(app, 2, work)
    assert results.count(payments.NotPayable) == 1, results
    assert payments.amount_due(order).amount == 2800


@pytest.mark.parametrize("came", [False, True])
def test_an_order_with_an_open_online_payment_can_be_paid_in_cash(
    app: Flask, ben_client: FormClient, order: Order, came: bool
) -> None:
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
    too_much = note_payment(ben_client, order, "99")
    assert (too_much.status_code, online.status) == (422, PaymentStatus.PENDING)
    answer = note_payment(ben_client, order, "48")
    assert order.status is OrderStatus.PAID
    assert payments.captured_amount(order) == 4800
    if came:  # a moment before: nothing is taken at the counter
        assert (answer.status_code, online.status) == (422, PaymentStatus.SUCCEEDED)
        assert [payment.gateway for payment in production.payments_of(order)] == ["sandbox"]
    else:
        assert (answer.status_code, online.status) == (302, PaymentStatus.CANCELED)


def test_a_payment_for_an_expired_order_counts(ben_client: FormClient, order: Order, keys: Keys) -> None:
    transitions.expire_due(utcnow() + DAY, keys)
    db.session.commit()
    assert order.status is OrderStatus.EXPIRED
    assert "Record payment" in ben_client.get(path_to(order)).text
    note_payment(ben_client, order, "48", how="transfer")
    assert (order.status, order.is_oversold) == (OrderStatus.PAID, False)


def test_a_payment_that_needs_review_says_why_and_is_resolved_once(
    ben_client: FormClient, order: Order, ben: User
) -> None:
    payment = purchases.start_payment(order)
    settlement.settle(
        payment, purchases.paid_evidence(payment, amount=purchases.pounds(100)), purchases.keys(), utcnow()
    )
    db.session.commit()
    assert "We received £1.00 instead of £48.00, so nothing was fulfilled." in words_of(
        ben_client.get(path_to(order)).text
    )
    path = path_to(order, f"/payments/{payment.public_id}/seen")
    assert ben_client.post(path, data={"why": ""}).status_code == 422
    assert ben_client.post(path, data={"why": "Given back by hand"}).status_code == 302
    assert ben_client.post(path, data={"why": "Once more"}).status_code == 422
    assert (payment.refund_proposed, payment.status) == (False, PaymentStatus.MISMATCH)
    assert "Payment resolved: Given back by hand" in words_of(ben_client.get(path_to(order)).text)
    assert ben_client.get(path_to(order, "/payments/nosuch/seen")).status_code == 404


def test_submitted_amounts_are_parsed() -> None:
    read = {text: money.parse(text, "GBP") for text in ("24", "24.5", "24,50", " 0.07 ", "24.", ".5", "1.234", "2e3")}
    amounts = [2400, 2450, 2450, 7, None, None, None, None]
    assert [each and each.amount for each in read.values()] == amounts
    assert (money.parse("500", "JPY"), money.parse("5.0", "JPY")) == (money.Money(500, "JPY"), None)
    assert (money.Money(7, "GBP").plain(), money.Money(500, "JPY").plain()) == ("0.07", "500")


def test_each_partial_payment_has_its_own_row(ben_client: FormClient, order: Order) -> None:
    for amount in ("8", "40"):
        note_payment(ben_client, order, amount)
    rows = db.session.execute(sa.select(Payment.captured_amount, Payment.status).order_by(Payment.id)).all()
    assert [tuple(row) for row in rows] == [(800, PaymentStatus.SUCCEEDED), (4000, PaymentStatus.SUCCEEDED)]


# --- oversold ---------------------------------------------------------------------------------------------------------


def test_an_oversold_order_is_fulfilled_once(
    ben_client: FormClient, order: Order, bottle: Product, cleo: User, keys: Keys
) -> None:
    transitions.expire_due(utcnow() + DAY, keys)
    create_order(cleo, bottle, quantity=9)
    note_payment(ben_client, order, "48")
    assert (order.status, order.is_oversold) == (OrderStatus.PAID, True)
    page = words_of(ben_client.get(path_to(order)).text)
    assert "We received £48.00, but some items are out of stock." in page
    for step in ("process", "deliver"):
        assert ben_client.post(path_to(order, f"/{step}")).status_code == 409
    assert ben_client.post(path_to(order, "/ship")).status_code == 422
    assert ben_client.post(path_to(order, "/give")).status_code == 302
    assert ben_client.post(path_to(order, "/give")).status_code == 409
    [payment] = production.payments_of(order)
    assert (order.is_oversold, payment.refund_proposed) == (False, False)
    assert ben_client.post(path_to(order, "/ship")).status_code == 302


def test_an_activation_of_someone_elses_card_cannot_be_fulfilled(
    ben_client: FormClient, ada: User, cleo: User, create_card: Callable[..., Card]
) -> None:
    card = create_card(policy=ClaimPolicy.PAY)
    cart = purchases.create_cart(ada)
    editing.add_activation(cart, card, purchases.context(), reservations_for)
    db.session.commit()
    order = purchases.place(cart)
    card.claim_policy = ClaimPolicy.OPEN  # lost to somebody by a way that staff opened
    db.session.commit()
    pay(order)
    assert order.is_oversold
    answer = ben_client.post(path_to(order, "/give"))
    assert (answer.status_code, "now belongs to someone else" in answer.text) == (409, True)
    assert order.is_oversold


def test_an_oversold_order_needs_the_store_credit_it_was_paid_with(
    ben_client: FormClient, ada: User, bottle: Product, keys: Keys
) -> None:
    credit.give(ada, 1000, "Sorry")
    cart = purchases.create_cart(ada, bottle)
    cart.uses_credit = True
    db.session.commit()
    order = purchases.place(cart)
    db.session.commit()
    assert order.credit_amount == 1000
    transitions.expire_due(utcnow() + DAY, keys)
    assert create_order(ada, bottle).credit_amount == 1000
    note_payment(ben_client, order, "14")
    assert (order.status, order.is_oversold) == (OrderStatus.PAID, True)
    answer = ben_client.post(path_to(order, "/give"))
    assert (answer.status_code, "Add store credit or refund the order." in answer.text) == (409, True)
    credit.give(ada, 1000, "So be it")
    db.session.commit()
    assert ben_client.post(path_to(order, "/give")).status_code == 302
    assert (order.is_oversold, credit.balance(ada.id)) == (False, 0)
