"""Payments: begun, settled by evidence read at the gateway, and nothing else makes an order paid."""

from collections.abc import Mapping
from dataclasses import dataclass
from datetime import datetime, timedelta
from typing import Any

import sqlalchemy as sa
from sqlalchemy import select
from sqlalchemy.exc import IntegrityError

from ... import outbox
from ...db import db, hold
from ...errors import DomainError, NotFound
from ...errors import mark as _
from ...gateways.base import OFFLINE, Charge, Evidence, Gateway, Outcome, Started
from ...keys import Keys
from ...models import PAYMENT_MOVES, PAYMENT_OPEN, Order, OrderStatus, Payment, PaymentStatus, User
from ...money import Money
from ...settings import ShopSettings
from ..cart import carts
from ..core import audit
from ..orders import fulfillment, transitions

LOOKED_AT_FOR = timedelta(days=3)  # an open payment that the gateway says nothing about

STARTS_WITHIN = timedelta(minutes=2)  # after that nobody waits for the gateway's answer any more
# what staff may still take money for: an order whose time is over is paid all the same
TAKES_MONEY = frozenset({OrderStatus.PENDING, OrderStatus.EXPIRED})

STATUS_OF = {
    Outcome.FAILED: PaymentStatus.FAILED,
    Outcome.CANCELED: PaymentStatus.CANCELED,
    Outcome.EXPIRED: PaymentStatus.EXPIRED,
}


class PaymentNotFound(NotFound):
    """There is no such payment."""


class NotPayable(DomainError):
    """The order does not wait for money."""


class UnknownGateway(DomainError):
    """This way of paying is not offered."""

    status = 422
    field = "gateway"


class PaymentUnderWay(DomainError):
    """Another payment of the same order has just been begun."""


class StillStarting(PaymentUnderWay):
    """A gateway has not answered yet, so that nobody knows what to close."""


class WrongAmount(DomainError):
    """More was typed than is due, or nothing."""

    status = 422
    field = "amount"


# --- what there is ----------------------------------------------------------------------------------------------------


def offered(gateways: Mapping[str, Gateway], shop: ShopSettings) -> list[Gateway]:
    """The ways to pay that are switched on, take the shop's currency and are not hidden by the owner."""
    hidden = {code.strip() for code in shop.hidden_gateways.split(",")}
    return [each for code, each in gateways.items() if code not in hidden and each.takes(shop.currency)]


def by_public_id(public_id: str) -> Payment:
    """The payment of an address; raises `PaymentNotFound`."""
    payment = db.session.scalar(select(Payment).where(Payment.public_id == public_id)) if public_id.isascii() else None
    if payment is None:
        raise PaymentNotFound(_("We can't find that payment."))
    return payment


def by_reference(gateway: str, reference: str) -> Payment | None:
    """The payment that a gateway calls so, if we know of it."""
    return db.session.scalar(select(Payment).where(Payment.gateway == gateway, Payment.reference == reference))


def open_of(order: Order) -> Payment | None:
    """The payment of an order that is under way, if there is one."""
    wanted = select(Payment).where(Payment.order_id == order.id, Payment.status.in_(PAYMENT_OPEN))
    return db.session.scalar(wanted)


def captured(order: Order) -> int:
    """What has come in for an order, in minor units of its currency."""
    came = select(sa.func.coalesce(sa.func.sum(Payment.captured_amount), 0))
    is_good = sa.and_(Payment.status == PaymentStatus.SUCCEEDED, Payment.currency == order.currency)
    return int(db.session.scalar(came.where(Payment.order_id == order.id, is_good)) or 0)  # PostgreSQL: a Decimal


def due(order: Order) -> Money:
    """What is still to be paid of an order."""
    return order.money(max(0, order.total_amount - captured(order)))


# --- on its way -------------------------------------------------------------------------------------------------------


def begin(order: Order, gateway: Gateway, by: User | None) -> Payment:
    """Write down that an order is going to be paid; commit before the gateway is told.

    Raises `NotPayable` for an order that waits for no money, `PaymentUnderWay` when another payment was begun just now.
    """
    amount = due(order)
    if order.status is not OrderStatus.PENDING or not amount:
        raise NotPayable(_("This order isn't awaiting payment."))
    payment = Payment(order_id=order.id, gateway=gateway.code, amount=amount.amount, currency=amount.currency)
    payment.started_by_id = by.id if by is not None else None
    try:
        with db.session.begin_nested():
            db.session.add(payment)
    except IntegrityError:
        raise PaymentUnderWay(_("A payment for this order is being processed. Check again in a moment.")) from None
    return payment


def charge_of(payment: Payment, shop: ShopSettings, return_url: str) -> Charge:
    """What the gateway is told about a payment."""
    order = payment.order
    return Charge(
        key=f"payment:{payment.id}:start",
        public_id=payment.public_id,
        order_number=order.number,
        amount=payment.money,
        email=order.email,
        description=f"{shop.shop_name} {order.number}",
        return_url=return_url,
    )


def started(payment: Payment, told: Started, gateway: Gateway, shop: ShopSettings, now: datetime) -> bool:
    """Note what the gateway answered; False when the payment was given up meanwhile, and must be closed there.

    Money outside the web takes days: the order is firm, leaves the cart and waits longer; its mails go out once.
    """
    values = {"reference": told.reference, "pay_url": told.url or ""}
    this = Payment.id == payment.id
    is_on = _run(
        sa.update(Payment)
        .where(this, Payment.status == PaymentStatus.CREATED)
        .values(**values, status=PaymentStatus.PENDING)
    )
    if not is_on:  # what it is called there must be known, whatever became of it here: somebody may pay it
        _run(sa.update(Payment).where(this, Payment.reference.is_(None)).values(**values))
    db.session.refresh(payment)
    if is_on and not gateway.is_online:
        _await_outside(payment, shop, now)
    return bool(is_on)


def _await_outside(payment: Payment, shop: ShopSettings, now: datetime) -> None:
    order = payment.order
    others = select(Payment.id).where(
        Payment.order_id == order.id, Payment.gateway == OFFLINE, Payment.id != payment.id
    )
    if db.session.scalar(select(others.exists())):
        return
    transitions.extend(order, now + timedelta(days=shop.offline_days))
    if order.cart_id is not None:
        carts.take_out_ordered(order.cart_id, order.lines)
    outbox.post("mail.order_received", order_id=order.id, payment_id=payment.id)
    outbox.post("mail.order_to_owner", order_id=order.id, payment_id=payment.id)


def refuse_starting(payment: Payment, now: datetime) -> None:
    """Raise `StillStarting` for a payment whose gateway is just being asked: it cannot be closed yet."""
    if payment.status is PaymentStatus.CREATED and payment.created_at > now - STARTS_WITHIN:
        raise StillStarting(_("A payment for this order is being processed. Check again in a moment."))


def give_up(payment: Payment, status: PaymentStatus, now: datetime) -> bool:
    """End a payment without money; False when it has ended otherwise: a success is never undone."""
    ended = _run(
        sa.update(Payment)
        .where(Payment.id == payment.id, Payment.status.in_(PAYMENT_MOVES[status]))
        .values(status=status, settled_at=now)
    )
    db.session.refresh(payment)
    return bool(ended)


# --- one way to paid --------------------------------------------------------------------------------------------------


def settle(payment: Payment, evidence: Evidence, keys: Keys, now: datetime) -> bool:
    """Draw the consequences of what was read at the gateway, once; whoever comes second sees the work done.

    The evidence is read before, with no transaction open. Tells whether this call changed anything.
    """
    if evidence.outcome in STATUS_OF:
        return give_up(payment, STATUS_OF[evidence.outcome], now)
    if evidence.outcome is not Outcome.PAID:
        return False
    amount = evidence.amount
    agrees = evidence.reference == payment.reference and amount == payment.money
    status = PaymentStatus.SUCCEEDED if agrees else PaymentStatus.MISMATCH
    won = _run(
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
        _mismatch(payment)
        return True
    audit.record("payment.succeeded", subject=payment, amount=payment.captured_amount)
    _pay_order(payment, keys, now)
    return True


def _mismatch(payment: Payment) -> None:
    """The money is recorded, nothing is given for it, and people look."""
    payment.refund_proposed = True
    audit.record("payment.mismatched", subject=payment, amount=payment.captured_amount)
    outbox.post("mail.payment_needs_care", payment_id=payment.id)


def _pay_order(payment: Payment, keys: Keys, now: datetime) -> None:
    order = payment.order
    db.session.refresh(order)
    came = captured(order)
    if came < order.total_amount and order.status is OrderStatus.PENDING:
        return  # a part; the rest is still due
    if came >= order.total_amount and transitions.mark_paid(order, keys, now):
        is_settled = (Payment.order_id == order.id, Payment.gateway == OFFLINE, Payment.status == PaymentStatus.PENDING)
        _run(sa.update(Payment).where(*is_settled).values(status=PaymentStatus.CANCELED, settled_at=now))
        if not order.is_oversold:
            fulfillment.fulfill(order, keys, now)
        if not order.is_oversold and came == order.total_amount:
            dropped = (Payment.order_id == order.id, Payment.status == PaymentStatus.SUCCEEDED)
            _run(sa.update(Payment).where(*dropped).values(refund_proposed=False))  # parts that came too late alone
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


def take_offline(
    order: Order, amount: Money, keys: Keys, now: datetime, *,
    seen: int, actor: User, shop: ShopSettings, how: str = "", note: str = "",
) -> Payment:  # fmt: skip
    """Note that money came outside the web, whatever way to pay the buyer chose; close what is under way online before.

    `seen` is what was due when staff looked: of two who note the same money the second is told. After a part the order
    waits longer for the rest. Raises `NotPayable` or `WrongAmount`.
    """
    hold(f"payments of order {order.id}")
    db.session.refresh(order)
    refuse_wrong(order, amount, seen)
    payment = open_of(order) or _ask_outside(order, due(order), actor)
    confirm_offline(payment, amount, keys, now, actor=actor, how=how, note=note)
    if order.status is OrderStatus.PENDING:
        transitions.extend(order, now + timedelta(days=shop.offline_days))
    return payment


def refuse_wrong(order: Order, amount: Money, seen: int) -> None:
    """Raise `NotPayable` or `WrongAmount` unless so much may be noted for an order of which so much was seen due."""
    rest = due(order)
    if order.status not in TAKES_MONEY or not rest:
        raise NotPayable(_("This order isn't awaiting payment."))
    if rest.amount != seen:
        raise NotPayable(_("Someone has just recorded a payment. Check the amount due."))
    if amount.currency != rest.currency or not 0 < amount.amount <= rest.amount:
        raise WrongAmount(_("Enter an amount above zero, up to the amount due."))


def confirm_offline(
    payment: Payment, amount: Money, keys: Keys, now: datetime, *, actor: User, how: str = "", note: str = ""
) -> None:
    """Note that money came outside the web, the whole or a part of it; raises `NotPayable`.

    A part leaves the rest due: it is asked for by another payment.
    """
    if payment.gateway != OFFLINE or not payment.is_open or not 0 < amount.amount <= payment.amount:
        raise NotPayable(_("This payment can't be confirmed. Reload the order."))
    payment.amount = amount.amount
    db.session.flush()  # what is settled next is this amount
    details = {"how": how, "note": note, "confirmed_by": actor.id}
    settle(payment, Evidence(Outcome.PAID, payment.reference or "", amount, details), keys, now)
    audit.record("payment.confirmed", subject=payment, actor=actor, amount=amount.amount)
    rest = due(payment.order)
    if rest and payment.order.status is OrderStatus.PENDING:
        _ask_outside(payment.order, rest, actor)


def _ask_outside(order: Order, amount: Money, actor: User) -> Payment:
    """A payment that waits to be confirmed; its reference is its own public id."""
    payment = Payment(order_id=order.id, gateway=OFFLINE, amount=amount.amount, currency=amount.currency)
    payment.status, payment.started_by_id = PaymentStatus.PENDING, actor.id
    try:
        with db.session.begin_nested():
            db.session.add(payment)
    except IntegrityError:
        raise PaymentUnderWay(_("A payment for this order is being processed. Check again in a moment.")) from None
    payment.reference = payment.public_id
    db.session.flush()  # what is settled next is found by it
    return payment


def dismiss(payment: Payment, why: str, *, actor: User) -> None:
    """Note that somebody has seen to a payment that needed care; raises `NotPayable` when somebody had before."""
    wanted = sa.and_(Payment.id == payment.id, Payment.refund_proposed)
    if not _run(sa.update(Payment).where(wanted).values(refund_proposed=False)):
        raise NotPayable(_("Someone has already resolved this payment."))
    db.session.refresh(payment)
    audit.record("payment.dismissed", subject=payment, actor=actor, why=why)


@dataclass(frozen=True)
class UnderWay:
    """A payment about which the gateway should be asked."""

    id: int
    gateway: str
    reference: str | None
    is_over: bool  # nobody waits for it any more: it is to be closed


def to_look_at(now: datetime, *, after_id: int = 0) -> list[UnderWay]:
    """The next payments that are under way online, and whether their time is over.

    That is so once their order is settled otherwise, after three days, and when the gateway never answered.
    """
    is_settled = Order.status.not_in((OrderStatus.PENDING, OrderStatus.EXPIRED))
    never_began = sa.and_(Payment.status == PaymentStatus.CREATED, Payment.created_at <= now - STARTS_WITHIN)
    is_over = sa.or_(is_settled, Payment.created_at <= now - LOOKED_AT_FOR, never_began)
    wanted = (
        select(Payment.id, Payment.gateway, Payment.reference, is_over)
        .join(Payment.order)
        .where(
            Payment.id > after_id,
            Payment.gateway != OFFLINE,
            sa.or_(Payment.status == PaymentStatus.PENDING, never_began),
        )
    )
    rows = db.session.execute(wanted.order_by(Payment.id).limit(200))
    return [UnderWay(row[0], row[1], row[2], bool(row[3])) for row in rows]


def _run(statement: Any) -> int:
    return int(db.session.execute(statement.execution_options(synchronize_session=False)).rowcount)  # type: ignore[attr-defined]
