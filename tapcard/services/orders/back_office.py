"""Orders for staff: list, search, figures, history, and steps that only staff may take."""

import enum
from collections.abc import Sequence
from dataclasses import dataclass
from datetime import datetime, time, timedelta
from zoneinfo import ZoneInfo

import sqlalchemy as sa
from sqlalchemy import select
from sqlalchemy.orm import joinedload, selectinload

from ... import search_text
from ...clock import today_in
from ...db import db, execute_update
from ...errors import mark as _
from ...gateways.base import OFFLINE
from ...keys import Keys
from ...models import (
    PAYMENT_OPEN,
    AuditEntry,
    Card,
    Order,
    OrderEvent,
    OrderLine,
    OrderStatus,
    OutboxMessage,
    Payment,
    PaymentStatus,
    User,
)
from ...models.orders import IN_PROGRESS_STATUSES, PAID_STATUSES
from ...money import Money
from ...settings import ShopSettings
from ..cards import cards
from ..core import audit
from . import queries, transitions
from .production import UNFINISHED
from .transitions import IllegalMove

WAITING = frozenset({*IN_PROGRESS_STATUSES, OrderStatus.PENDING})
MAX_SEARCH_LENGTH = 100
MONTH = timedelta(days=30)
HISTORY_TAGS = ("order.noted", "order.extended", "order.oversold", "order.given_after_all", "payment.confirmed",
                   "payment.dismissed", "payment.mismatched")  # fmt: skip


class OrderFilter(enum.StrEnum):
    """Filters for the list of orders, besides a single status."""

    ALL = "all"
    TO_PRODUCE = "to_produce"
    TO_SHIP = "to_ship"
    OFFLINE = "offline"
    OVERSOLD = "oversold"
    NEEDS_REVIEW = "care"


@dataclass(frozen=True)
class OrderRow:
    """One order of the list, and whether staff have to act on it."""

    order: Order
    needs_production: bool
    needs_review: bool


@dataclass(frozen=True)
class OrderFigures:
    """Order figures on the start page of the back office."""

    to_produce: int
    to_ship: int
    offline: int
    oversold: int
    to_review: int
    today: Money
    month: Money


# --- lists and figures ------------------------------------------------------------------------------------------------

_needs_production = (
    select(OrderLine.id).where(OrderLine.order_id == Order.id, OrderLine.production_status.in_(UNFINISHED)).exists()
)
_waits_for_money = (
    select(Payment.id)
    .where(Payment.order_id == Order.id, Payment.gateway == OFFLINE, Payment.status.in_(PAYMENT_OPEN))
    .exists()
)
_needs_review = select(Payment.id).where(Payment.order_id == Order.id, Payment.refund_proposed).exists()
_is_in_work = Order.status.in_(IN_PROGRESS_STATUSES)

CONDITIONS: dict[OrderFilter, sa.ColumnElement[bool]] = {
    OrderFilter.ALL: sa.true(),
    OrderFilter.TO_PRODUCE: sa.and_(_is_in_work, ~Order.is_oversold, _needs_production),
    OrderFilter.TO_SHIP: sa.and_(_is_in_work, ~Order.is_oversold, ~_needs_production),
    OrderFilter.OFFLINE: sa.and_(Order.status == OrderStatus.PENDING, _waits_for_money),
    OrderFilter.OVERSOLD: sa.and_(Order.is_oversold, Order.status.in_(PAID_STATUSES)),
    OrderFilter.NEEDS_REVIEW: _needs_review,
}


def filter_orders(show: OrderFilter | OrderStatus, search: str) -> sa.Select[Order, bool, bool]:
    """Return the query of a list of orders for `load_rows`: in progress first, then awaiting payment, then the rest."""
    rank = sa.case((_is_in_work, 0), (Order.status == OrderStatus.PENDING, 1), else_=2)
    condition = CONDITIONS[show] if isinstance(show, OrderFilter) else Order.status == show
    query = select(Order, sa.and_(_is_in_work, _needs_production), _needs_review).where(condition)
    if search:
        query = query.where(_search_filter(search))
    return query.order_by(rank, Order.id.desc())


def load_rows(query: sa.Select[Order, bool, bool]) -> list[OrderRow]:
    """Return the orders of a query of `filter_orders`."""
    return [OrderRow(*row) for row in db.session.execute(query)]


def _search_filter(search: str) -> sa.ColumnElement[bool]:
    """Return the condition for words of the number, name or email address, or the token of one of the order's cards."""
    text = "".join(character for character in search if character.isprintable())[:MAX_SEARCH_LENGTH].strip()
    token = cards.clean_token(text)
    conditions = [search_text.matches(text, Order.number, Order.email, Order.first_name, Order.last_name)]
    if token:
        created_for = (
            select(OrderLine.order_id).join(Card, Card.order_line_id == OrderLine.id).where(Card.token == token)
        )
        activated_by = select(OrderLine.order_id).where(OrderLine.card_token == token)
        conditions += [Order.id.in_(created_for), Order.id.in_(activated_by)]
    return sa.or_(*conditions)


def get_order(number: str) -> Order:
    """Return an order with the rows that its page shows; raises `OrderNotFound`."""
    text = number.strip().upper()
    query = select(Order).where(Order.number == text).options(
        selectinload(Order.lines).joinedload(OrderLine.design),
        selectinload(Order.events).joinedload(OrderEvent.actor).lazyload(User.roles),
        joinedload(Order.user).lazyload(User.roles),
        joinedload(Order.delivery_method),
    )  # fmt: skip
    order = db.session.scalar(query) if text.isascii() and text.replace("-", "").isalnum() else None
    if order is None:
        raise queries.OrderNotFound(_("We couldn't find that order."))
    return order


def payments_of(order: Order) -> Sequence[Payment]:
    """Return the payments of an order, latest first."""
    return db.session.scalars(select(Payment).where(Payment.order_id == order.id).order_by(Payment.id.desc())).all()


def audit_entries_of(order: Order, tries: Sequence[Payment]) -> Sequence[AuditEntry]:
    """Return the audit entries about an order and its payments, without its transitions, latest first."""
    of_payments = [payment.id for payment in tries]
    about = sa.or_(
        sa.and_(AuditEntry.subject_type == "orders", AuditEntry.subject_id == order.id),
        sa.and_(AuditEntry.subject_type == "payments", AuditEntry.subject_id.in_(of_payments)),
    )
    query = select(AuditEntry).where(about, AuditEntry.tag.in_(HISTORY_TAGS))
    with_actor = joinedload(AuditEntry.actor).lazyload(User.roles)
    return db.session.scalars(query.options(with_actor).order_by(AuditEntry.id.desc()).limit(200)).all()


def emails_of(order: Order) -> Sequence[OutboxMessage]:
    """Return the emails queued or sent for an order; old ones are purged."""
    is_recent = sa.or_(OutboxMessage.done_at.is_(None), OutboxMessage.done_at >= order.placed_at)
    is_about = OutboxMessage.payload["order_id"].as_integer() == order.id
    query = select(OutboxMessage).where(is_recent, OutboxMessage.kind.startswith("mail.order"), is_about)
    return db.session.scalars(query.order_by(OutboxMessage.id.desc()).limit(50)).all()


def order_figures(now: datetime, shop: ShopSettings) -> OrderFigures:
    """Return the numbers of orders that staff have to act on, and the revenue of today and of the last 30 days."""
    shows = (OrderFilter.TO_PRODUCE, OrderFilter.TO_SHIP, OrderFilter.OFFLINE, OrderFilter.OVERSOLD)
    counted = [sa.func.coalesce(sa.func.sum(sa.case((CONDITIONS[show], 1), else_=0)), 0) for show in shows]
    counts = db.session.execute(select(*counted).select_from(Order).where(Order.status.in_(WAITING))).one()
    zone = ZoneInfo(shop.time_zone)
    midnight = datetime.combine(today_in(shop.time_zone, now), time.min, zone)
    month = datetime.combine(midnight.date() - MONTH + timedelta(days=1), time.min, zone)
    is_revenue = sa.and_(Payment.status == PaymentStatus.SUCCEEDED, Payment.currency == shop.currency)
    sums = [
        sa.func.coalesce(sa.func.sum(sa.case((condition, value), else_=0)), 0)
        for condition, value in (
            (Payment.refund_proposed, sa.literal(1)),
            (sa.and_(is_revenue, Payment.settled_at >= midnight), Payment.captured_amount),
            (sa.and_(is_revenue, Payment.settled_at >= month), Payment.captured_amount),
        )
    ]
    is_relevant = sa.or_(Payment.refund_proposed, Payment.settled_at >= month)
    to_review, today, last_30_days = db.session.execute(select(*sums).select_from(Payment).where(is_relevant)).one()
    to_produce, to_ship, offline, oversold = map(int, counts)  # PostgreSQL: a sum of amounts is a Decimal
    money = [Money(int(amount), shop.currency) for amount in (today, last_30_days)]
    return OrderFigures(to_produce, to_ship, offline, oversold, int(to_review), *money)


# --- staff actions ----------------------------------------------------------------------------------------------------


def add_note(order: Order, text: str, actor: User) -> None:
    """Add an internal note to an order."""
    audit.record("order.noted", subject=order, actor=actor, note=text)


def extend_deadline(order: Order, days: int, actor: User, now: datetime) -> None:
    """Move the payment deadline of an order to a number of days from now; raises `IllegalMove`."""
    until = now + timedelta(days=days)
    if order.status is not OrderStatus.PENDING:
        raise IllegalMove(_("Only an order that is awaiting payment can be extended."))
    if until <= order.expires_at:
        raise IllegalMove(_("The payment deadline is already later than that."))
    transitions.extend(order, until)
    if order.status is not OrderStatus.PENDING:
        raise IllegalMove(_("Only an order that is awaiting payment can be extended."))
    audit.record("order.extended", subject=order, actor=actor, days=days)


def cancel(order: Order, why: str, actor: User, keys: Keys, now: datetime) -> None:
    """Cancel an order that is not paid in full, with its open payment; raises `IllegalMove`."""
    transitions.cancel(order, actor, keys, now, why)
    execute_update(
        sa.update(Payment)
        .where(Payment.order_id == order.id, Payment.status.in_(PAYMENT_OPEN))
        .values(status=PaymentStatus.CANCELED, settled_at=now)
    )
