"""Order transitions: every step after placing, by one table of allowed moves."""

from datetime import datetime
from typing import Any

import sqlalchemy as sa
from sqlalchemy import select

from ... import outbox
from ...db import db, execute_update
from ...errors import DomainError
from ...errors import mark as _
from ...keys import Keys
from ...models import (
    ORDER_MOVES,
    CardHold,
    Order,
    OrderEvent,
    OrderLine,
    OrderMove,
    OrderStatus,
    Payment,
    PaymentStatus,
    User,
)
from ..cart import credit, editing, promotions
from ..core import audit
from . import inventory

EXPIRE_BATCH = 50


class _SoldMeanwhile(Exception):
    """The goods that an expired order had reserved are no longer available."""


class IllegalMove(DomainError):
    """The order's state does not allow this step."""


def cancel(order: Order, actor: User | None, keys: Keys, now: datetime, why: str = "") -> None:
    """Cancel an unpaid order, release its reservations and email the buyer; raises `IllegalMove`."""
    if not end_unpaid(order, OrderMove.CANCEL, actor, keys, now, why):
        raise IllegalMove(_("This order can no longer be cancelled."))
    outbox.post("mail.order_canceled", order_id=order.id)
    audit.record("order.canceled", subject=order, actor=actor)


def expire_due(now: datetime, keys: Keys, *, product_id: int | None = None, promotion_id: int | None = None) -> int:
    """Expire the orders past their payment deadline, of one product or promotion if given; return their number."""
    due_ids = select(Order.id).where(Order.status == OrderStatus.PENDING, Order.expires_at <= now)
    if product_id is not None:
        due_ids = due_ids.join(Order.lines).where(OrderLine.product_id == product_id, OrderLine.stock_taken > 0)
    if promotion_id is not None:
        due_ids = due_ids.where(Order.promotion_id == promotion_id)
    count = 0
    for order_id in db.session.scalars(due_ids.order_by(Order.id).distinct().limit(EXPIRE_BATCH)).all():
        order = db.session.get_one(Order, order_id)
        if end_unpaid(order, OrderMove.EXPIRE, None, keys, now):
            audit.record("order.expired", subject=order)
            count += 1
    return count


def end_unpaid(order: Order, move: OrderMove, actor: User | None, keys: Keys, now: datetime, why: str = "") -> bool:
    """Cancel or expire an unpaid order and release its reservations; return False when it was ended or paid before.

    Refunds are proposed for payments that came in part, and the owner is emailed about each once.
    """
    if not _move(order, move, actor, why, ended_at=now):
        return False
    inventory.release(order, keys)
    is_captured = (Payment.order_id == order.id, Payment.status == PaymentStatus.SUCCEEDED, ~Payment.refund_proposed)
    proposals = sa.update(Payment).where(*is_captured).values(refund_proposed=True).returning(Payment.id)
    for payment_id in db.session.scalars(proposals.execution_options(synchronize_session=False)).all():
        outbox.post("mail.payment_needs_care", payment_id=payment_id)
    return True


def extend(order: Order, until: datetime) -> None:
    """Extend the payment deadline of an unpaid order, and hold its cards until then."""
    is_shorter = sa.and_(Order.id == order.id, Order.status == OrderStatus.PENDING, Order.expires_at < until)
    execute_update(sa.update(Order).where(is_shorter).values(expires_at=until))
    ids = [line.id for line in order.lines]
    execute_update(sa.update(CardHold).where(CardHold.order_line_id.in_(ids)).values(expires_at=until))
    db.session.refresh(order)


def mark_paid(order: Order, keys: Keys, now: datetime) -> bool:
    """Mark an order as paid; return False when it is paid already, or was canceled.

    An expired order reserves its goods again; when that fails it is oversold, and staff decide.
    """
    db.session.execute(select(Order.id).where(Order.id == order.id).with_for_update())
    db.session.refresh(order)  # no other transaction can end it before the step below
    was_expired = order.status is OrderStatus.EXPIRED
    if not _move(order, OrderMove.PAY, None, paid_at=now, ended_at=None):
        return False
    if was_expired:
        _reserve_again(order, keys, now)
    if order.cart_id is not None:
        editing.remove_ordered_lines(order.cart_id, order.lines)
    outbox.post("mail.order_paid", order_id=order.id)
    outbox.post("mail.order_to_owner", order_id=order.id)
    audit.record("order.paid", subject=order)
    return True


def _reserve_again(order: Order, keys: Keys, now: datetime) -> None:
    """Reserve the goods of an expired order again for a late payment, all or nothing; else mark it as oversold."""
    try:
        with db.session.begin_nested():
            if not inventory.reserve_stock(
                order, lambda product_id: expire_due(now, keys, product_id=product_id)
            ) or not inventory.hold_cards(order, now):
                raise _SoldMeanwhile
            # the promotion was valid when the order was placed
            customer = inventory.promotion_customer(order)
            inventory.reserve_discounts(order, order.promotion, customer, keys, order.placed_at)
    except (_SoldMeanwhile, promotions.PromotionRefused, credit.NotEnoughCredit):
        db.session.refresh(order)
        order.is_oversold = True
        audit.record("order.oversold", subject=order)


def ship(order: Order, actor: User, now: datetime, *, carrier: str = "", tracking_number: str = "") -> None:
    """Mark an order as shipped and email the buyer; raises `IllegalMove`."""
    _check_not_oversold(order)
    values = {"carrier": carrier, "tracking_number": tracking_number}
    if not _move(order, OrderMove.SHIP, actor, shipped_at=now, **values):
        raise IllegalMove(_("Only a paid order can be shipped."))
    outbox.post("mail.order_shipped", order_id=order.id)
    audit.record("order.shipped", subject=order, actor=actor)


def process(order: Order, actor: User) -> None:
    """Mark an order as being processed; raises `IllegalMove`."""
    _check_not_oversold(order)
    if not _move(order, OrderMove.PROCESS, actor):
        raise IllegalMove(_("Only a paid order can be processed."))
    audit.record("order.processed", subject=order, actor=actor)


def deliver(order: Order, actor: User | None, now: datetime) -> None:
    """Mark an order as delivered and email the buyer if something was sent; raises `IllegalMove`."""
    _check_not_oversold(order)
    if not _move(order, OrderMove.DELIVER, actor, delivered_at=now):
        raise IllegalMove(_("Only a paid order can be delivered."))
    if order.needs_shipping:
        outbox.post("mail.order_delivered", order_id=order.id)
    audit.record("order.delivered", subject=order, actor=actor)


def _check_not_oversold(order: Order) -> None:
    if order.is_oversold:
        raise IllegalMove(_("This order is oversold. Fulfil or refund it first."))


def _move(order: Order, move: OrderMove, actor: User | None, why: str = "", /, **values: Any) -> bool:
    """Take one step by one conditional UPDATE; return False, with nothing changed, when the state does not allow it."""
    start, end = ORDER_MOVES[move]
    before = order.status
    changed = execute_update(
        sa.update(Order)
        .where(Order.id == order.id, Order.status.in_(start))
        .values(status=end, version=Order.version + 1, **values)
    )
    db.session.refresh(order)
    if changed != 1:
        return False
    record_event(order, move, before, end, actor, why)
    return True


def record_event(
    order: Order, move: OrderMove, before: OrderStatus | None, after: OrderStatus, actor: User | None, why: str = ""
) -> None:
    """Add a step to the history of an order, for the transaction to write."""
    event = OrderEvent(order_id=order.id, move=move, from_status=before, to_status=after, why=why[:200])
    event.actor_id = actor.id if actor is not None else None
    db.session.add(event)
