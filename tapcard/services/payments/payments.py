"""Payments: creating, starting, ending and finding them. Only `settlement` makes an order paid."""

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

CHECK_FOR = timedelta(days=3)  # how long an open payment is checked

START_TIMEOUT = timedelta(minutes=2)  # for the gateway's answer


class PaymentNotFound(NotFound):
    """The payment does not exist."""


class NotPayable(DomainError):
    """The order is not awaiting payment."""


class UnknownGateway(DomainError):
    """The gateway is not available."""

    status = 422
    field = "gateway"


class PaymentInProgress(DomainError):
    """The order has another open payment."""


class StillStarting(PaymentInProgress):
    """The gateway has not answered yet, so that the payment cannot be closed."""


# --- look-ups ---------------------------------------------------------------------------------------------------------


def available_gateways(gateways: Mapping[str, Gateway], shop: ShopSettings) -> list[Gateway]:
    """Return the gateways that take the shop's currency and are not hidden in the settings."""
    hidden = {code.strip() for code in shop.hidden_gateways.split(",")}
    return [
        gateway for code, gateway in gateways.items() if code not in hidden and gateway.supports_currency(shop.currency)
    ]


def get_by_public_id(public_id: str) -> Payment:
    """Return the payment with a public id; raises `PaymentNotFound`."""
    payment = db.session.scalar(select(Payment).where(Payment.public_id == public_id)) if public_id.isascii() else None
    if payment is None:
        raise PaymentNotFound(_("We couldn't find that payment."))
    return payment


def find_by_reference(gateway: str, reference: str) -> Payment | None:
    """Return the payment with a gateway's reference; None when it is unknown."""
    return db.session.scalar(select(Payment).where(Payment.gateway == gateway, Payment.reference == reference))


def find_open(order: Order) -> Payment | None:
    """Return the open payment of an order; None when there is none."""
    query = select(Payment).where(Payment.order_id == order.id, Payment.status.in_(PAYMENT_OPEN))
    return db.session.scalar(query)


def captured_amount(order: Order) -> int:
    """Return the amount paid for an order, in minor units of its currency."""
    total = select(sa.func.coalesce(sa.func.sum(Payment.captured_amount), 0))
    is_captured = sa.and_(Payment.status == PaymentStatus.SUCCEEDED, Payment.currency == order.currency)
    return int(db.session.scalar(total.where(Payment.order_id == order.id, is_captured)) or 0)  # PostgreSQL: a Decimal


def amount_due(order: Order) -> Money:
    """Return the amount due for an order, in minor units of its currency."""
    return order.money(max(0, order.total_amount - captured_amount(order)))


# --- life cycle -------------------------------------------------------------------------------------------------------


def create(order: Order, gateway: Gateway, actor: User | None) -> Payment:
    """Create the payment of an order; commit before the gateway is asked.

    Raises `NotPayable` for an order with nothing to pay, `PaymentInProgress` when it has an open payment.
    """
    amount = amount_due(order)
    if order.status is not OrderStatus.PENDING or not amount:
        raise NotPayable(_("This order isn't awaiting payment."))
    payment = Payment(order_id=order.id, gateway=gateway.code, amount=amount.amount, currency=amount.currency)
    payment.started_by_id = actor.id if actor is not None else None
    try:
        with db.session.begin_nested():
            db.session.add(payment)
    except IntegrityError:
        raise PaymentInProgress(_("A payment for this order is being processed. Check again in a moment.")) from None
    return payment


def build_charge(payment: Payment, shop: ShopSettings, return_url: str) -> Charge:
    """Return the charge that the gateway is asked to create for a payment."""
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


def record_started(payment: Payment, response: Started, gateway: Gateway, shop: ShopSettings, now: datetime) -> bool:
    """Record the gateway's response; return False when the payment was ended meanwhile and must be closed there.

    An offline payment takes days: its order leaves the cart, gets more time and is confirmed by email, once.
    """
    values = {"reference": response.reference, "pay_url": response.url or ""}
    is_this = Payment.id == payment.id
    is_pending = execute_update(
        sa.update(Payment)
        .where(is_this, Payment.status == PaymentStatus.CREATED)
        .values(**values, status=PaymentStatus.PENDING)
    )
    if not is_pending:  # it may still be paid there: keep its reference
        execute_update(sa.update(Payment).where(is_this, Payment.reference.is_(None)).values(**values))
    db.session.refresh(payment)
    if is_pending and not gateway.is_online:
        _await_offline_payment(payment, shop, now)
    return bool(is_pending)


def _await_offline_payment(payment: Payment, shop: ShopSettings, now: datetime) -> None:
    order = payment.order
    other_payments = select(Payment.id).where(
        Payment.order_id == order.id, Payment.gateway == OFFLINE, Payment.id != payment.id
    )
    if db.session.scalar(select(other_payments.exists())):
        return
    transitions.extend(order, now + timedelta(days=shop.offline_days))
    if order.cart_id is not None:
        editing.remove_ordered_lines(order.cart_id, order.lines)
    outbox.post("mail.order_received", order_id=order.id, payment_id=payment.id)
    outbox.post("mail.order_to_owner", order_id=order.id, payment_id=payment.id)


def refuse_if_starting(payment: Payment, now: datetime) -> None:
    """Raise `StillStarting` while the gateway of a payment is being asked to start it."""
    if payment.status is PaymentStatus.CREATED and payment.created_at > now - START_TIMEOUT:
        raise StillStarting(_("A payment for this order is being processed. Check again in a moment."))


def end_unpaid(payment: Payment, status: PaymentStatus, now: datetime) -> bool:
    """End a payment without money; return False when it has ended before: a success is never undone."""
    ended = execute_update(
        sa.update(Payment)
        .where(Payment.id == payment.id, Payment.status.in_(PAYMENT_MOVES[status]))
        .values(status=status, settled_at=now)
    )
    db.session.refresh(payment)
    return bool(ended)


# --- status checks ----------------------------------------------------------------------------------------------------


@dataclass(frozen=True)
class OpenPayment:
    """An open payment whose status the gateway is asked for."""

    id: int
    gateway: str
    reference: str | None
    is_over: bool  # to be closed


def payments_to_check(now: datetime, *, after_id: int = 0) -> list[OpenPayment]:
    """Return the next open online payments, and whether they are over and have to be closed.

    A payment is over when its order is settled otherwise, after `CHECK_FOR`, and when its gateway never answered.
    """
    is_settled = Order.status.not_in((OrderStatus.PENDING, OrderStatus.EXPIRED))
    never_began = sa.and_(Payment.status == PaymentStatus.CREATED, Payment.created_at <= now - START_TIMEOUT)
    is_over = sa.or_(is_settled, Payment.created_at <= now - CHECK_FOR, never_began)
    query = (
        select(Payment.id, Payment.gateway, Payment.reference, is_over)
        .join(Payment.order)
        .where(
            Payment.id > after_id,
            Payment.gateway != OFFLINE,
            sa.or_(Payment.status == PaymentStatus.PENDING, never_began),
        )
    )
    rows = db.session.execute(query.order_by(Payment.id).limit(200))
    return [OpenPayment(row[0], row[1], row[2], bool(row[3])) for row in rows]
