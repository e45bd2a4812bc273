"""Settlement: what evidence from a gateway, or from staff, does to a payment and its order."""

from datetime import datetime, timedelta

import sqlalchemy as sa
from sqlalchemy.exc import IntegrityError

from ... import outbox
from ...db import acquire_lock, db, execute_update
from ...errors import DomainError
from ...errors import mark as _
from ...gateways.base import OFFLINE, Evidence, Outcome
from ...keys import Keys
from ...models import PAYMENT_MOVES, Order, OrderStatus, Payment, PaymentStatus, User
from ...money import Money
from ...settings import ShopSettings
from ..core import audit
from ..orders import fulfillment, transitions
from . import payments

# what staff may still take money for: an order whose time is over is paid all the same
PAYABLE = frozenset({OrderStatus.PENDING, OrderStatus.EXPIRED})


STATUS_BY_OUTCOME = {
    Outcome.FAILED: PaymentStatus.FAILED,
    Outcome.CANCELED: PaymentStatus.CANCELED,
    Outcome.EXPIRED: PaymentStatus.EXPIRED,
}


class WrongAmount(DomainError):
    """More was typed than is due, or nothing."""

    status = 422
    field = "amount"


def settle(payment: Payment, evidence: Evidence, keys: Keys, now: datetime) -> bool:
    """Draw the consequences of what was read at the gateway, once; whoever comes second sees the work done.

    The evidence is read before, with no transaction open. Tells whether this call changed anything.
    """
    if evidence.outcome in STATUS_BY_OUTCOME:
        return payments.end_unpaid(payment, STATUS_BY_OUTCOME[evidence.outcome], now)
    if evidence.outcome is not Outcome.PAID:
        return False
    amount = evidence.amount
    agrees = evidence.reference == payment.reference and amount == payment.money
    status = PaymentStatus.SUCCEEDED if agrees else PaymentStatus.MISMATCH
    won = execute_update(
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
    if not won:
        return False
    if not agrees:
        _record_mismatch(payment)
        return True
    audit.record("payment.succeeded", subject=payment, amount=payment.captured_amount)
    _apply_to_order(payment, keys, now)
    return True


def _record_mismatch(payment: Payment) -> None:
    """The money is recorded, nothing is given for it, and people look."""
    payment.refund_proposed = True
    audit.record("payment.mismatched", subject=payment, amount=payment.captured_amount)
    outbox.post("mail.payment_needs_care", payment_id=payment.id)


def _apply_to_order(payment: Payment, keys: Keys, now: datetime) -> None:
    order = payment.order
    db.session.refresh(order)
    came = payments.captured_amount(order)
    if came < order.total_amount and order.status is OrderStatus.PENDING:
        return  # a part; the rest is still due
    if came >= order.total_amount and transitions.mark_paid(order, keys, now):
        is_settled = (Payment.order_id == order.id, Payment.gateway == OFFLINE, Payment.status == PaymentStatus.PENDING)
        execute_update(sa.update(Payment).where(*is_settled).values(status=PaymentStatus.CANCELED, settled_at=now))
        if not order.is_oversold:
            fulfillment.fulfill(order, keys, now)
        if not order.is_oversold and came == order.total_amount:
            dropped = (Payment.order_id == order.id, Payment.status == PaymentStatus.SUCCEEDED)
            execute_update(
                sa.update(Payment).where(*dropped).values(refund_proposed=False)
            )  # parts that came too late alone
            return
    payment.refund_proposed = True  # too late, too much, or twice
    outbox.post("mail.payment_needs_care", payment_id=payment.id)


def settle_free(order: Order, keys: Keys, now: datetime) -> bool:
    """Let an order that costs nothing be paid; False when it costs something or was paid before."""
    if (
        order.total_amount != 0
        or order.status is not OrderStatus.PENDING
        or not transitions.mark_paid(order, keys, now)
    ):
        return False
    fulfillment.fulfill(order, keys, now)
    return True


def record_offline_payment(
    order: Order, amount: Money, keys: Keys, now: datetime, *,
    seen: int, actor: User, shop: ShopSettings, how: str = "", note: str = "",
) -> Payment:  # fmt: skip
    """Note that money came outside the web, whatever way to pay the buyer chose; close what is under way online before.

    `seen` is what was due when staff looked: of two who note the same money the second is told. After a part the order
    waits longer for the rest. Raises `NotPayable` or `WrongAmount`.
    """
    acquire_lock(f"payments of order {order.id}")
    db.session.refresh(order)
    check_offline_amount(order, amount, seen)
    payment = payments.find_open(order) or _create_offline_payment(order, payments.amount_due(order), actor)
    confirm_offline(payment, amount, keys, now, actor=actor, how=how, note=note)
    if order.status is OrderStatus.PENDING:
        transitions.extend(order, now + timedelta(days=shop.offline_days))
    return payment


def check_offline_amount(order: Order, amount: Money, seen: int) -> None:
    """Raise `NotPayable` or `WrongAmount` unless so much may be noted for an order of which so much was seen due."""
    rest = payments.amount_due(order)
    if order.status not in PAYABLE or not rest:
        raise payments.NotPayable(_("This order isn't awaiting payment."))
    if rest.amount != seen:
        raise payments.NotPayable(_("Someone has just recorded a payment. Check the amount due."))
    if amount.currency != rest.currency or not 0 < amount.amount <= rest.amount:
        raise WrongAmount(_("Enter an amount above zero, up to the amount due."))


def confirm_offline(
    payment: Payment, amount: Money, keys: Keys, now: datetime, *, actor: User, how: str = "", note: str = ""
) -> None:
    """Note that money came outside the web, the whole or a part of it; raises `NotPayable`.

    A part leaves the rest due: it is asked for by another payment.
    """
    if payment.gateway != OFFLINE or not payment.is_open or not 0 < amount.amount <= payment.amount:
        raise payments.NotPayable(_("This payment can't be confirmed. Reload the order."))
    payment.amount = amount.amount
    db.session.flush()  # what is settled next is this amount
    details = {"how": how, "note": note, "confirmed_by": actor.id}
    settle(payment, Evidence(Outcome.PAID, payment.reference or "", amount, details), keys, now)
    audit.record("payment.confirmed", subject=payment, actor=actor, amount=amount.amount)
    rest = payments.amount_due(payment.order)
    if rest and payment.order.status is OrderStatus.PENDING:
        _create_offline_payment(payment.order, rest, actor)


def _create_offline_payment(order: Order, amount: Money, actor: User) -> Payment:
    """A payment that waits to be confirmed; its reference is its own public id."""
    payment = Payment(order_id=order.id, gateway=OFFLINE, amount=amount.amount, currency=amount.currency)
    payment.status, payment.started_by_id = PaymentStatus.PENDING, actor.id
    try:
        with db.session.begin_nested():
            db.session.add(payment)
    except IntegrityError:
        raise payments.PaymentInProgress(
            _("A payment for this order is being processed. Check again in a moment.")
        ) from None
    payment.reference = payment.public_id
    db.session.flush()  # what is settled next is found by it
    return payment


def dismiss(payment: Payment, why: str, *, actor: User) -> None:
    """Note that somebody has seen to a payment that needed care; raises `NotPayable` when somebody had before."""
    wanted = sa.and_(Payment.id == payment.id, Payment.refund_proposed)
    if not execute_update(sa.update(Payment).where(wanted).values(refund_proposed=False)):
        raise payments.NotPayable(_("Someone has already resolved this payment."))
    db.session.refresh(payment)
    audit.record("payment.dismissed", subject=payment, actor=actor, why=why)
