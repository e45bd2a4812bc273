"""Payments: begun, settled by evidence read at the gateway, and nothing else makes an order paid."""

from collections.abc import Mapping
from dataclasses import dataclass
from datetime import datetime, timedelta

import sqlalchemy as sa
from sqlalchemy import select
from sqlalchemy.exc import IntegrityError

from ... import outbox
from ...db import db, execute_update
from ...errors import DomainError, NotFound
from ...errors import mark as _
from ...gateways.base import OFFLINE, Charge, Gateway, Started
from ...models import PAYMENT_MOVES, PAYMENT_OPEN, Order, OrderStatus, Payment, PaymentStatus, User
from ...money import Money
from ...settings import ShopSettings
from ..cart import editing
from ..orders import transitions

CHECK_FOR = timedelta(days=3)  # an open payment that the gateway says nothing about

START_TIMEOUT = timedelta(minutes=2)  # after that nobody waits for the gateway's answer any more


class PaymentNotFound(NotFound):
    """There is no such payment."""


class NotPayable(DomainError):
    """The order does not wait for money."""


class UnknownGateway(DomainError):
    """This way of paying is not offered."""

    status = 422
    field = "gateway"


class PaymentInProgress(DomainError):
    """Another payment of the same order has just been begun."""


class StillStarting(PaymentInProgress):
    """A gateway has not answered yet, so that nobody knows what to close."""


# --- what there is ----------------------------------------------------------------------------------------------------


def available_gateways(gateways: Mapping[str, Gateway], shop: ShopSettings) -> list[Gateway]:
    """The ways to pay that are switched on, take the shop's currency and are not hidden by the owner."""
    hidden = {code.strip() for code in shop.hidden_gateways.split(",")}
    return [each for code, each in gateways.items() if code not in hidden and each.takes(shop.currency)]


def get_by_public_id(public_id: str) -> Payment:
    """The payment of an address; raises `PaymentNotFound`."""
    payment = db.session.scalar(select(Payment).where(Payment.public_id == public_id)) if public_id.isascii() else None
    if payment is None:
        raise PaymentNotFound(_("We can't find that payment."))
    return payment


def find_by_reference(gateway: str, reference: str) -> Payment | None:
    """The payment that a gateway calls so, if we know of it."""
    return db.session.scalar(select(Payment).where(Payment.gateway == gateway, Payment.reference == reference))


def find_open(order: Order) -> Payment | None:
    """The payment of an order that is under way, if there is one."""
    wanted = select(Payment).where(Payment.order_id == order.id, Payment.status.in_(PAYMENT_OPEN))
    return db.session.scalar(wanted)


def captured_amount(order: Order) -> int:
    """What has come in for an order, in minor units of its currency."""
    came = select(sa.func.coalesce(sa.func.sum(Payment.captured_amount), 0))
    is_good = sa.and_(Payment.status == PaymentStatus.SUCCEEDED, Payment.currency == order.currency)
    return int(db.session.scalar(came.where(Payment.order_id == order.id, is_good)) or 0)  # PostgreSQL: a Decimal


def amount_due(order: Order) -> Money:
    """What is still to be paid of an order."""
    return order.money(max(0, order.total_amount - captured_amount(order)))


# --- on its way -------------------------------------------------------------------------------------------------------


def create(order: Order, gateway: Gateway, by: User | None) -> Payment:
    """Write down that an order is going to be paid; commit before the gateway is told.

    Raises `NotPayable` for an order with nothing to pay, `PaymentInProgress` when it has an open payment.
    """
    amount = amount_due(order)
    if order.status is not OrderStatus.PENDING or not amount:
        raise NotPayable(_("This order isn't awaiting payment."))
    payment = Payment(order_id=order.id, gateway=gateway.code, amount=amount.amount, currency=amount.currency)
    payment.started_by_id = by.id if by is not None else None
    try:
        with db.session.begin_nested():
            db.session.add(payment)
    except IntegrityError:
        raise PaymentInProgress(_("A payment for this order is being processed. Check again in a moment.")) from None
    return payment


def build_charge(payment: Payment, shop: ShopSettings, return_url: str) -> Charge:
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


def record_started(payment: Payment, told: Started, gateway: Gateway, shop: ShopSettings, now: datetime) -> bool:
    """Note what the gateway answered; False when the payment was given up meanwhile, and must be closed there.

    Money outside the web takes days: the order is firm, leaves the cart and waits longer; its mails go out once.
    """
    values = {"reference": told.reference, "pay_url": told.url or ""}
    this = Payment.id == payment.id
    is_on = execute_update(
        sa.update(Payment)
        .where(this, Payment.status == PaymentStatus.CREATED)
        .values(**values, status=PaymentStatus.PENDING)
    )
    if not is_on:  # what it is called there must be known, whatever became of it here: somebody may pay it
        execute_update(sa.update(Payment).where(this, Payment.reference.is_(None)).values(**values))
    db.session.refresh(payment)
    if is_on and not gateway.is_online:
        _await_offline_payment(payment, shop, now)
    return bool(is_on)


def _await_offline_payment(payment: Payment, shop: ShopSettings, now: datetime) -> None:
    order = payment.order
    others = select(Payment.id).where(
        Payment.order_id == order.id, Payment.gateway == OFFLINE, Payment.id != payment.id
    )
    if db.session.scalar(select(others.exists())):
        return
    transitions.extend(order, now + timedelta(days=shop.offline_days))
    if order.cart_id is not None:
        editing.remove_ordered_lines(order.cart_id, order.lines)
    outbox.post("mail.order_received", order_id=order.id, payment_id=payment.id)
    outbox.post("mail.order_to_owner", order_id=order.id, payment_id=payment.id)


def refuse_if_starting(payment: Payment, now: datetime) -> None:
    """Raise `StillStarting` for a payment whose gateway is just being asked: it cannot be closed yet."""
    if payment.status is PaymentStatus.CREATED and payment.created_at > now - START_TIMEOUT:
        raise StillStarting(_("A payment for this order is being processed. Check again in a moment."))


def end_unpaid(payment: Payment, status: PaymentStatus, now: datetime) -> bool:
    """End a payment without money; False when it has ended otherwise: a success is never undone."""
    ended = execute_update(
        sa.update(Payment)
        .where(Payment.id == payment.id, Payment.status.in_(PAYMENT_MOVES[status]))
        .values(status=status, settled_at=now)
    )
    db.session.refresh(payment)
    return bool(ended)


# --- one way to paid --------------------------------------------------------------------------------------------------


@dataclass(frozen=True)
class OpenPayment:
    """A payment about which the gateway should be asked."""

    id: int
    gateway: str
    reference: str | None
    is_over: bool  # nobody waits for it any more: it is to be closed


def payments_to_check(now: datetime, *, after_id: int = 0) -> list[OpenPayment]:
    """The next payments that are under way online, and whether their time is over.

    That is so once their order is settled otherwise, after three days, and when the gateway never answered.
    """
    is_settled = Order.status.not_in((OrderStatus.PENDING, OrderStatus.EXPIRED))
    never_began = sa.and_(Payment.status == PaymentStatus.CREATED, Payment.created_at <= now - START_TIMEOUT)
    is_over = sa.or_(is_settled, Payment.created_at <= now - CHECK_FOR, never_began)
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
    return [OpenPayment(row[0], row[1], row[2], bool(row[3])) for row in rows]
