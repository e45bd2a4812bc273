"""Orders of a buyer: payment, expiry, cancellation, and what the worker does for them."""

from collections.abc import Callable
from datetime import timedelta
from typing import Any

import pytest
import sqlalchemy as sa

from tapcard import registry
from tapcard.clock import utcnow
from tapcard.db import db
from tapcard.gateways import sandbox
from tapcard.gateways.base import Evidence, GatewayError, Outcome
from tapcard.gateways.sandbox import SandboxGateway
from tapcard.keys import Keys
from tapcard.models import (
    Cart,
    Order,
    OrderStatus,
    OutboxMessage,
    Payment,
    PaymentStatus,
    Product,
    SandboxCharge,
    User,
)
from tapcard.money import Money
from tapcard.services.payments import payments, settlement
from tapcard.workflows import cart as cart_jobs
from tapcard.workflows import orders as order_jobs
from tapcard.workflows import payments as payment_workflows
from tests import purchases
from tests.conftest import FormClient
from tests.pages import error_of, form_to, forms_on, words_of
from tests.purchases import create_order
from tests.shop.conftest import fill, path_of, pay_by, press

# --- paying -----------------------------------------------------------------------------------------------------------


def test_another_payment_method_closes_the_open_payment(
    guest: FormClient, guests_order: Order, set_setting: Callable[[str, Any], None]
) -> None:
    set_setting("offline_text", "Account 12345678")
    assert "Your payment is being processed" in words_of(guest.get(path_of(guests_order)).text)
    assert pay_by(guest, guests_order, "offline").location == path_of(guests_order)
    words = words_of(guest.get(path_of(guests_order)).text)
    for each in ("Please pay £24.00 by", f"use {guests_order.number} as the payment reference", "Account 12345678"):
        assert each in words
    assert guests_order.expires_at > utcnow() + timedelta(days=6)
    statuses = db.session.scalars(db.select(Payment.status).order_by(Payment.id))
    assert list(statuses) == [PaymentStatus.CANCELED, PaymentStatus.PENDING]
    press(guest, pay_by(guest, guests_order, "sandbox"))
    assert guests_order.status is OrderStatus.PAID
    again = guest.post(path_of(guests_order, "/pay"), data={"gateway": "sandbox"})
    assert again.location == path_of(guests_order)
    assert "isn&#39;t awaiting payment." in guest.get(again.location).text


@pytest.mark.parametrize("gateway", ["", "bank", "paypal", "9" * 30])
def test_a_payment_method_that_is_not_offered_is_refused(guest: FormClient, guests_order: Order, gateway: str) -> None:
    answer = guest.post(path_of(guests_order, "/pay"), data={"gateway": gateway})
    assert answer.status_code == 422
    assert error_of(answer.text, "gateway")


def test_a_declined_payment_can_be_tried_again(guest: FormClient, guests_order: Order) -> None:
    press(guest, pay_by(guest, guests_order, "sandbox"), "decline")
    assert "You haven&#39;t been charged." in guest.get(path_of(guests_order)).text
    press(guest, pay_by(guest, guests_order, "sandbox"))
    assert guests_order.status is OrderStatus.PAID


def test_a_late_payment_for_sold_out_products_shows_a_message(
    guest: FormClient, guests_order: Order, bottle: Product, keys: Keys
) -> None:
    guests_order.expires_at, bottle.stock = utcnow() - timedelta(seconds=1), 0
    db.session.commit()
    order_jobs.expire_orders()
    bottle.stock = 0
    db.session.commit()
    payment = db.session.scalars(db.select(Payment)).one()
    settlement.settle(payment, Evidence(Outcome.PAID, payment.reference or "", payment.money), keys, utcnow())
    db.session.commit()
    assert "part of this order sold out" in words_of(guest.get(path_of(guests_order)).text)
    kinds = set(db.session.scalars(db.select(OutboxMessage.kind)))
    assert {"mail.order_paid", "mail.order_to_owner", "mail.payment_needs_care"} <= kinds
    assert forms_on(guest.get(path_of(guests_order)).text)


def test_only_the_buyer_sees_that_a_payment_failed(guest: FormClient, client: FormClient, guests_order: Order) -> None:
    payment = db.session.scalars(sa.select(Payment)).one()
    path, reference = f"/billing/back/{payment.public_id}", payment.reference
    db.session.commit()
    assert sandbox.change(SandboxCharge.reference == reference, sandbox.DECLINED)
    assert client.get(path).status_code == 302
    failed = "payment didn't go through"
    assert failed not in words_of(client.get("/find-order").text)
    assert client.get(path).status_code == 302
    assert failed not in words_of(client.get("/find-order").text)
    assert guest.get(path).status_code == 302
    assert failed in words_of(guest.get(path_of(guests_order)).text)


# --- the worker -------------------------------------------------------------------------------------------------------


def test_an_unpaid_order_expires_and_releases_its_reservations(
    guest: FormClient, guests_order: Order, bottle: Product
) -> None:
    assert bottle.stock == 9
    order_jobs.expire_orders()
    assert guests_order.status is OrderStatus.PENDING
    guests_order.expires_at = utcnow() - timedelta(seconds=1)
    db.session.commit()
    order_jobs.expire_orders()
    db.session.expire_all()
    assert (guests_order.status, bottle.stock) == (OrderStatus.EXPIRED, 10)
    assert "This order has expired" in words_of(guest.get(path_of(guests_order)).text)


def test_an_outdated_payment_is_closed_at_the_gateway(guests_order: Order, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(payment_workflows, "utcnow", lambda: utcnow() + payments.CHECK_FOR)
    db.session.commit()
    payment_workflows.check_payments()
    db.session.expire_all()
    [payment] = db.session.scalars(sa.select(Payment))
    assert payment.status is PaymentStatus.EXPIRED
    db.session.commit()
    assert not sandbox.change(sa.true(), sandbox.PAID)


def test_a_payment_is_found_without_the_browser_despite_other_failures(
    guest: FormClient, guests_order: Order, ada: User, bottle: Product, monkeypatch: pytest.MonkeyPatch
) -> None:
    purchases.start_payment(create_order(ada, bottle))  # unknown to the sandbox
    [_first, last] = payments.payments_to_check(utcnow())
    assert payments.payments_to_check(utcnow(), after_id=last.id) == []
    db.session.commit()
    fetch = SandboxGateway.fetch

    def sometimes(self: SandboxGateway, reference: str) -> Evidence:
        if reference.startswith("ref-"):
            raise ValueError("odd answer")
        return fetch(self, reference)

    monkeypatch.setattr(SandboxGateway, "fetch", sometimes)
    payment_workflows.check_payments()
    db.session.expire_all()
    assert guests_order.status is OrderStatus.PENDING
    db.session.commit()
    sandbox.change(sa.true(), sandbox.PAID)
    payment_workflows.check_payments()
    db.session.expire_all()
    assert guests_order.status is OrderStatus.PAID


def test_abandoned_guest_carts_are_deleted(guest: FormClient, ada: User, product: Product) -> None:
    old, fresh, own = fill(guest, product), fill(guest, product), fill(guest, product, user=ada)
    for cart in (old, own):
        cart.updated_at = utcnow() - cart_jobs.GUEST_CART_RETENTION - timedelta(minutes=1)
    kept = {fresh.id, own.id}
    db.session.commit()
    cart_jobs.purge_carts()
    assert set(db.session.scalars(db.select(Cart.id))) == kept
    assert {"carts.purge", "orders.expire", "payments.look"} <= registry.jobs.keys()


# --- canceling --------------------------------------------------------------------------------------------------------


def test_canceling_an_order_asks_first_and_closes_its_payment(
    guest: FormClient, guests_order: Order, bottle: Product
) -> None:
    assert form_to(guest.get(path_of(guests_order, "/cancel")).text, path_of(guests_order, "/cancel"))
    assert guests_order.status is OrderStatus.PENDING, "looking changes nothing"
    for _time in range(2):
        guest.post(path_of(guests_order, "/cancel"))
        assert (guests_order.status, bottle.stock) == (OrderStatus.CANCELED, 10)
    assert db.session.scalars(db.select(SandboxCharge.state)).one() == sandbox.CLOSED
    assert "You cancelled the order" in words_of(guest.get(path_of(guests_order)).text)


def test_canceling_a_partly_paid_order_proposes_a_refund(
    guest: FormClient, guests_order: Order, olu: User, outbox: Callable[[], list[str]]
) -> None:
    part = Money(500, "GBP")
    due = payments.amount_due(guests_order).amount
    payment_workflows.close(db.session.scalars(sa.select(Payment)).one())
    settlement.record_offline_payment(guests_order, settlement.OfflineReceipt(part), purchases.context(olu), due)
    db.session.commit()
    question = words_of(guest.get(path_of(guests_order, "/cancel")).text)
    assert "refund the £5.00" in question
    guest.post(path_of(guests_order, "/cancel"))
    assert "refund the £5.00 you paid." in words_of(guest.get(path_of(guests_order)).text)
    assert guests_order.status is OrderStatus.CANCELED
    [paid] = db.session.scalars(sa.select(Payment).where(Payment.status == PaymentStatus.SUCCEEDED))
    assert paid.refund_proposed
    assert "mail.payment_needs_care" in outbox()


def test_a_payment_just_before_cancellation_counts(
    guest: FormClient, guests_order: Order, monkeypatch: pytest.MonkeyPatch
) -> None:
    db.session.commit()
    sandbox.change(sa.true(), sandbox.PAID)
    guest.post(path_of(guests_order, "/cancel"))
    assert guests_order.status is OrderStatus.PAID
    assert "can no longer be cancelled" in guest.get(path_of(guests_order)).text


def test_an_order_is_not_canceled_while_the_gateway_fails(
    guest: FormClient, guests_order: Order, monkeypatch: pytest.MonkeyPatch
) -> None:
    def fail(*_args: object) -> None:
        raise GatewayError("no answer")

    monkeypatch.setattr(SandboxGateway, "close", fail)
    guest.post(path_of(guests_order, "/cancel"))
    assert guests_order.status is OrderStatus.PENDING
    assert "The payment provider isn&#39;t responding." in guest.get(path_of(guests_order)).text
