"""Payment workflows: settling outcomes, and closing payments that were paid meanwhile."""

from collections.abc import Callable

import pytest
from flask import Flask

from tapcard.clock import utcnow
from tapcard.db import db
from tapcard.gateways import sandbox
from tapcard.gateways.base import Charge, GatewayError, Started
from tapcard.gateways.sandbox import SandboxGateway
from tapcard.keys import Keys
from tapcard.models import Order, OrderStatus, Payment, PaymentStatus, Product, SandboxCharge, User
from tapcard.services.payments import payments
from tapcard.settings import ShopSettings
from tapcard.workflows import payments as payment_workflows
from tests import purchases


@pytest.fixture
def payment(app: Flask, ada: User, bottle: Product) -> Payment:
    """Return a payment of Ada's that the sandbox knows."""
    gateway = payment_workflows.gateways()["sandbox"]
    assert isinstance(gateway, SandboxGateway)
    begun = payments.create(purchases.create_order(ada, bottle), gateway, ada)
    charge = payments.build_charge(begun, ShopSettings(), "http://localhost/back")
    db.session.commit()
    started = gateway.start(charge)
    payments.record_started(begun, started, gateway, ShopSettings(), utcnow())
    db.session.commit()
    return begun


def change_charge(payment: Payment, state: str) -> bool:
    """Change the state of a charge in the sandbox without an open transaction."""
    reference = payment.reference
    db.session.commit()
    return sandbox.change(SandboxCharge.reference == reference, state)


def close_payment(payment: Payment) -> Order:
    payment_workflows.close(payment)
    db.session.refresh(payment)
    return payment.order


@pytest.mark.parametrize(
    ("state", "status", "order_status"),
    [
        (sandbox.PAID, PaymentStatus.SUCCEEDED, OrderStatus.PAID),
        (sandbox.DECLINED, PaymentStatus.FAILED, OrderStatus.PENDING),
    ],
)
def test_a_gateway_outcome_is_settled_once(
    payment: Payment, state: str, status: PaymentStatus, order_status: OrderStatus
) -> None:
    assert not payment_workflows.refresh(payment)
    assert change_charge(payment, state)
    assert payment_workflows.refresh(payment)
    assert not payment_workflows.refresh(payment)
    assert (payment.status, payment.order.status) == (status, order_status)


def test_a_closed_payment_cannot_be_paid(payment: Payment) -> None:
    assert close_payment(payment).status is OrderStatus.PENDING
    assert payment.status is PaymentStatus.CANCELED
    assert not change_charge(payment, sandbox.PAID)


def test_a_payment_paid_just_before_closing_counts(payment: Payment) -> None:
    assert change_charge(payment, sandbox.PAID)
    assert close_payment(payment).status is OrderStatus.PAID
    assert payment.status is PaymentStatus.SUCCEEDED


def test_a_payment_of_a_removed_gateway_stays_pending(payment: Payment, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(payment_workflows, "gateways", dict)
    assert not payment_workflows.refresh(payment)
    with pytest.raises(GatewayError):
        close_payment(payment)
    db.session.refresh(payment)
    assert payment.status is PaymentStatus.PENDING


def test_a_payment_that_is_starting_cannot_be_closed(ada: User, bottle: Product) -> None:
    payment = payments.create(purchases.create_order(ada, bottle), payment_workflows.gateways()["sandbox"], ada)
    db.session.commit()
    with pytest.raises(payments.StillStarting):
        close_payment(payment)
    payment.created_at -= payments.START_TIMEOUT
    db.session.commit()
    close_payment(payment)
    assert payment.status is PaymentStatus.CANCELED


def test_a_payment_canceled_while_starting_can_be_closed_at_the_gateway(
    payment: Payment, ada: User, keys: Keys
) -> None:
    reference = payment.reference
    payment.status, payment.reference = PaymentStatus.CANCELED, None
    db.session.commit()
    gateway = payment_workflows.gateways()["sandbox"]
    assert not payments.record_started(payment, Started(reference or "", None), gateway, ShopSettings(), utcnow())
    db.session.commit()
    assert (payment.status, payment.reference) == (PaymentStatus.CANCELED, reference)
    assert change_charge(payment, sandbox.PAID)
    close_payment(payment)
    assert payment.status is PaymentStatus.SUCCEEDED


def test_refreshing_leaves_no_transaction_open(payment: Payment, outbox: Callable[[], list[str]]) -> None:
    assert change_charge(payment, sandbox.PAID)
    payment_workflows.refresh(payment)
    assert not db.session().in_transaction()
    assert "mail.order_paid" in outbox()


def test_a_payment_canceled_while_starting_is_closed_at_the_gateway(
    app: Flask, ada: User, bottle: Product, monkeypatch: pytest.MonkeyPatch
) -> None:
    order = purchases.create_order(ada, bottle)
    start = SandboxGateway.start

    def start_slowly(gateway: SandboxGateway, charge: Charge) -> Started:
        response = start(gateway, charge)
        abandoned = db.session.scalars(db.select(Payment)).one()
        assert payments.end_unpaid(abandoned, PaymentStatus.CANCELED, utcnow())
        db.session.commit()
        return response

    monkeypatch.setattr(SandboxGateway, "start", start_slowly)
    with app.test_request_context(), pytest.raises(payments.PaymentInProgress):
        payment_workflows.start(order, "sandbox", ShopSettings())
    abandoned = db.session.scalars(db.select(Payment)).one()
    charge = db.session.scalars(db.select(SandboxCharge)).one()
    assert (abandoned.status, abandoned.reference) == (PaymentStatus.CANCELED, charge.reference)
    assert charge.state == sandbox.CLOSED
