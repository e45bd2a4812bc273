"""Settlement: applies evidence from a gateway, or from staff, to a payment and its order."""

from dataclasses import dataclass
from datetime import datetime, timedelta

import sqlalchemy as sa
from sqlalchemy.exc import IntegrityError

from ... import outbox
from ...context import RuleContext
from ...db import acquire_lock, db, execute_update
from ...errors import DomainError
from ...errors import mark as _
from ...gateways.base import OFFLINE, Evidence, Outcome
from ...keys import Keys
from ...models import PAYMENT_MOVES, Order, OrderStatus, Payment, PaymentStatus, User
from ...money import Money
from ..core import audit
from ..orders import fulfillment, transitions
from . import payments

# orders that staff may record money for, expired ones included
PAYABLE = frozenset({OrderStatus.PENDING, OrderStatus.EXPIRED})


STATUS_BY_OUTCOME = {
    Outcome.FAILED: PaymentStatus.FAILED,
    Outcome.CANCELED: PaymentStatus.CANCELED,
    Outcome.EXPIRED: PaymentStatus.EXPIRED,
}


@dataclass(frozen=True)
class OfflineReceipt:
    """Money that staff received outside the web: cash, a transfer, a cheque."""

    amount: Money
    method: str = ""
    note: str = ""


class WrongAmount(DomainError):
    """The amount is zero, or more than is due."""

    status = 422
    field = "amount"


def settle(payment: Payment, evidence: Evidence, keys: Keys, now: datetime) -> bool:
    """Settle a payment by evidence that was read at the gateway, once; return whether anything changed.

    The evidence is read before, with no transaction open.
    """
    if evidence.outcome in STATUS_BY_OUTCOME:
        return payments.end_unpaid(payment, STATUS_BY_OUTCOME[evidence.outcome], now)
    if evidence.outcome is not Outcome.PAID:
        return False
    amount = evidence.amount
    matches = evidence.reference == payment.reference and amount == payment.money
    status = PaymentStatus.SUCCEEDED if matches else PaymentStatus.MISMATCH
    is_settled = execute_update(
        sa.update(Payment)
        .where(Payment.id == payment.id, Payment.status.in_(PAYMENT_MOVES[status]))
        .values(
            status=status,
            settled_at=now,
            captured_amount=amount.amount if amount is not None else 0,
            evidence=dict(evidence.details),
        )
    )
    db.session.refresh(payment)
    if not is_settled:
        return False
    if not matches:
        _record_mismatch(payment)
        return True
    audit.record("payment.succeeded", subject=payment, amount=payment.captured_amount)
    _apply_to_order(payment, keys, now)
    return True


def _record_mismatch(payment: Payment) -> None:
    """Record money that does not match the payment: nothing is delivered for it, and staff are asked to review it."""
    payment.refund_proposed = True
    audit.record("payment.mismatched", subject=payment, amount=payment.captured_amount)
    outbox.post("mail.payment_needs_care", payment_id=payment.id)


def _apply_to_order(payment: Payment, keys: Keys, now: datetime) -> None:
    order = payment.order
    db.session.refresh(order)
    captured = payments.captured_amount(order)
    if captured < order.total_amount and order.status is OrderStatus.PENDING:
        return  # paid in part
    if captured >= order.total_amount and transitions.mark_paid(order, keys, now):
        is_pending_offline = (
            Payment.order_id == order.id,
            Payment.gateway == OFFLINE,
            Payment.status == PaymentStatus.PENDING,
        )
        execute_update(
            sa.update(Payment).where(*is_pending_offline).values(status=PaymentStatus.CANCELED, settled_at=now)
        )
        if not order.is_oversold:
            fulfillment.fulfill(order, keys, now)
        if not order.is_oversold and captured == order.total_amount:
            is_captured = (Payment.order_id == order.id, Payment.status == PaymentStatus.SUCCEEDED)
            execute_update(
                sa.update(Payment).where(*is_captured).values(refund_proposed=False)
            )  # parts that came too late on their own
            return
    payment.refund_proposed = True  # too late, too much, or twice
    outbox.post("mail.payment_needs_care", payment_id=payment.id)


def settle_free(order: Order, keys: Keys, now: datetime) -> bool:
    """Mark an order that costs nothing as paid; return False when it costs something or was paid before."""
    if (
        order.total_amount != 0
        or order.status is not OrderStatus.PENDING
        or not transitions.mark_paid(order, keys, now)
    ):
        return False
    fulfillment.fulfill(order, keys, now)
    return True


def record_offline_payment(order: Order, receipt: OfflineReceipt, context: RuleContext, due_seen: int) -> Payment:
    """Record money that staff received offline, whatever gateway the buyer chose; close the online payment before.

    `due_seen` is the amount due, in minor units, when staff looked: of two who record the same money the second is
    refused. After a part the order waits longer for the rest. Raises `NotPayable` or `WrongAmount`.
    """
    acquire_lock(f"payments of order {order.id}")
    db.session.refresh(order)
    check_offline_amount(order, receipt.amount, due_seen)
    payment = payments.find_open(order) or _create_offline_payment(order, payments.amount_due(order), context.actor)
    confirm_offline(payment, receipt, context)
    if order.status is OrderStatus.PENDING:
        transitions.extend(order, context.now + timedelta(days=context.shop.offline_days))
    return payment


def check_offline_amount(order: Order, amount: Money, due_seen: int) -> None:
    """Raise `NotPayable` or `WrongAmount` unless the amount may be recorded for an order with that amount due."""
    amount_due = payments.amount_due(order)
    if order.status not in PAYABLE or not amount_due:
        raise payments.NotPayable(_("This order isn't awaiting payment."))
    if amount_due.amount != due_seen:
        raise payments.NotPayable(_("Someone has just recorded a payment. Check the amount due."))
    if amount.currency != amount_due.currency or not 0 < amount.amount <= amount_due.amount:
        raise WrongAmount(_("Enter an amount above zero, up to the amount due."))


def confirm_offline(payment: Payment, receipt: OfflineReceipt, context: RuleContext) -> None:
    """Confirm an offline payment, in full or in part; raises `NotPayable`.

    The rest after a part is due as another payment.
    """
    amount, actor = receipt.amount, context.actor
    if payment.gateway != OFFLINE or not payment.is_open or not 0 < amount.amount <= payment.amount:
        raise payments.NotPayable(_("This payment can't be confirmed. Reload the order."))
    payment.amount = amount.amount
    db.session.flush()  # settling reads the amount from the database
    confirmed_by = actor.id if actor is not None else None
    details = {"how": receipt.method, "note": receipt.note, "confirmed_by": confirmed_by}
    evidence = Evidence(Outcome.PAID, payment.reference or "", amount, details)
    settle(payment, evidence, context.keys, context.now)
    audit.record("payment.confirmed", subject=payment, actor=actor, amount=amount.amount)
    amount_due = payments.amount_due(payment.order)
    if amount_due and payment.order.status is OrderStatus.PENDING:
        _create_offline_payment(payment.order, amount_due, actor)


def _create_offline_payment(order: Order, amount: Money, actor: User | None) -> Payment:
    """Create an offline payment to be confirmed; its reference is its own public id."""
    payment = Payment(order_id=order.id, gateway=OFFLINE, amount=amount.amount, currency=amount.currency)
    payment.status = PaymentStatus.PENDING
    payment.started_by_id = actor.id if actor is not None else None
    try:
        with db.session.begin_nested():
            db.session.add(payment)
    except IntegrityError:
        raise payments.PaymentInProgress(
            _("A payment for this order is being processed. Check again in a moment.")
        ) from None
    payment.reference = payment.public_id
    db.session.flush()  # settling finds it by its reference
    return payment


def dismiss(payment: Payment, why: str, *, actor: User) -> None:
    """Withdraw the proposed refund of a payment that staff have reviewed; raises `NotPayable` when there is none."""
    is_flagged = sa.and_(Payment.id == payment.id, Payment.refund_proposed)
    if not execute_update(sa.update(Payment).where(is_flagged).values(refund_proposed=False)):
        raise payments.NotPayable(_("Someone has already resolved this payment."))
    db.session.refresh(payment)
    audit.record("payment.dismissed", subject=payment, actor=actor, why=why)
