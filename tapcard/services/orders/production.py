"""What staff see of orders and do with them beyond what their buyers can: the desk where they are packed."""

import enum
from collections.abc import Sequence
from dataclasses import dataclass
from datetime import datetime, time, timedelta
from zoneinfo import ZoneInfo

import sqlalchemy as sa
from sqlalchemy import select
from sqlalchemy.orm import joinedload, selectinload

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
    ProductionStatus,
    User,
)
from ...models.orders import AFTER_PAID
from ...money import Money
from ...settings import ShopSettings
from ..cards import cards
from ..core import audit
from . import queries, transitions
from .transitions import IllegalMove

IN_WORK = frozenset({OrderStatus.PAID, OrderStatus.PROCESSING})
WAITING = frozenset({*IN_WORK, OrderStatus.PENDING})
UNFINISHED = frozenset({ProductionStatus.QUEUED, ProductionStatus.PRINTED, ProductionStatus.ADHERED})
PAGE_SIZE = 30
LAST_PAGE = 10_000
LONGEST_SEARCH = 100
MONTH = timedelta(days=30)
TOLD_IN_HISTORY = ("order.noted", "order.extended", "order.oversold", "order.given_after_all", "payment.confirmed",
                   "payment.dismissed", "payment.mismatched")  # fmt: skip


class Show(enum.StrEnum):
    """Which orders a list shows, besides those of one state."""

    ALL = "all"
    TO_PRODUCE = "to_produce"
    TO_SHIP = "to_ship"
    OFFLINE = "offline"
    OVERSOLD = "oversold"
    CARE = "care"


@dataclass(frozen=True)
class Row:
    """One order of the list, with what it waits for."""

    order: Order
    needs_production: bool
    needs_care: bool


@dataclass(frozen=True)
class Numbers:
    """What the start page tells of orders."""

    to_produce: int
    to_ship: int
    offline: int
    oversold: int
    care: int
    today: Money
    month: Money


# --- looking ----------------------------------------------------------------------------------------------------------

_needs_production = (
    select(OrderLine.id).where(OrderLine.order_id == Order.id, OrderLine.production_status.in_(UNFINISHED)).exists()
)
_waits_for_money = (
    select(Payment.id)
    .where(Payment.order_id == Order.id, Payment.gateway == OFFLINE, Payment.status.in_(PAYMENT_OPEN))
    .exists()
)
_needs_care = select(Payment.id).where(Payment.order_id == Order.id, Payment.refund_proposed).exists()
_is_in_work = Order.status.in_(IN_WORK)

CONDITIONS: dict[Show, sa.ColumnElement[bool]] = {
    Show.ALL: sa.true(),
    Show.TO_PRODUCE: sa.and_(_is_in_work, ~Order.is_oversold, _needs_production),
    Show.TO_SHIP: sa.and_(_is_in_work, ~Order.is_oversold, ~_needs_production),
    Show.OFFLINE: sa.and_(Order.status == OrderStatus.PENDING, _waits_for_money),
    Show.OVERSOLD: sa.and_(Order.is_oversold, Order.status.in_(AFTER_PAID)),
    Show.CARE: _needs_care,
}


def listed(show: Show | OrderStatus, search: str, page: int) -> tuple[list[Row], bool]:
    """A page of orders and whether there are more: those in work first, then those that wait, then the rest."""
    rank = sa.case((_is_in_work, 0), (Order.status == OrderStatus.PENDING, 1), else_=2)
    condition = CONDITIONS[show] if isinstance(show, Show) else Order.status == show
    wanted = select(Order, sa.and_(_is_in_work, _needs_production), _needs_care).where(condition)
    if search:
        wanted = wanted.where(_is_found(search))
    page = min(max(page, 0), LAST_PAGE)
    wanted = wanted.order_by(rank, Order.id.desc()).offset(page * PAGE_SIZE).limit(PAGE_SIZE + 1)
    rows = [Row(*row) for row in db.session.execute(wanted)]
    return rows[:PAGE_SIZE], len(rows) > PAGE_SIZE


def _is_found(search: str) -> sa.ColumnElement[bool]:
    """By number, name or e-mail address, in whole or in part, or by the token of a card of theirs."""
    text = "".join(each for each in search if each.isprintable())[:LONGEST_SEARCH].strip()
    full_name = Order.first_name + " " + Order.last_name
    token = cards.clean_token(text)
    found = [
        Order.number.contains(text.upper(), autoescape=True),
        Order.email.contains(text.lower(), autoescape=True),
        full_name.icontains(text, autoescape=True),
    ]
    if token:
        made = select(OrderLine.order_id).join(Card, Card.order_line_id == OrderLine.id).where(Card.token == token)
        activated = select(OrderLine.order_id).where(OrderLine.card_token == token)
        found += [Order.id.in_(made), Order.id.in_(activated)]
    return sa.or_(*found)


def whole(number: str) -> Order:
    """An order with what its page shows; raises `OrderNotFound`."""
    text = number.strip().upper()
    wanted = select(Order).where(Order.number == text).options(
        selectinload(Order.lines).joinedload(OrderLine.design),
        selectinload(Order.events).joinedload(OrderEvent.actor).lazyload(User.roles),
        joinedload(Order.user).lazyload(User.roles),
        joinedload(Order.delivery_method),
    )  # fmt: skip
    order = db.session.scalar(wanted) if text.isascii() and text.replace("-", "").isalnum() else None
    if order is None:
        raise queries.OrderNotFound(_("We can't find that order."))
    return order


def payments_of(order: Order) -> Sequence[Payment]:
    """Every try to pay an order, the latest first."""
    return db.session.scalars(select(Payment).where(Payment.order_id == order.id).order_by(Payment.id.desc())).all()


def deeds_of(order: Order, tries: Sequence[Payment]) -> Sequence[AuditEntry]:
    """What was written down about an order and its payments, apart from its moves; the latest first."""
    of_payments = [payment.id for payment in tries]
    about = sa.or_(
        sa.and_(AuditEntry.subject_type == "orders", AuditEntry.subject_id == order.id),
        sa.and_(AuditEntry.subject_type == "payments", AuditEntry.subject_id.in_(of_payments)),
    )
    wanted = select(AuditEntry).where(about, AuditEntry.tag.in_(TOLD_IN_HISTORY))
    who = joinedload(AuditEntry.actor).lazyload(User.roles)
    return db.session.scalars(wanted.options(who).order_by(AuditEntry.id.desc()).limit(200)).all()


def mails_of(order: Order) -> Sequence[OutboxMessage]:
    """The mails that were promised for an order; those sent long ago are swept away."""
    is_recent = sa.or_(OutboxMessage.done_at.is_(None), OutboxMessage.done_at >= order.placed_at)
    is_about = OutboxMessage.payload["order_id"].as_integer() == order.id
    wanted = select(OutboxMessage).where(is_recent, OutboxMessage.kind.startswith("mail.order"), is_about)
    return db.session.scalars(wanted.order_by(OutboxMessage.id.desc()).limit(50)).all()


def cards_of(order: Order) -> Sequence[tuple[OrderLine, Card]]:
    """The cards that an order's lines made or activated, in order."""
    lines = {line.id: line for line in order.lines}
    wanted = select(Card).where(Card.order_line_id.in_(lines)).options(joinedload(Card.design))
    found = db.session.scalars(wanted.order_by(Card.order_line_id, Card.id)).all()
    return [(lines[card.order_line_id], card) for card in found if card.order_line_id is not None]


def numbers(now: datetime, shop: ShopSettings) -> Numbers:
    """How many orders wait for what, and what came in today and within 30 days: two statements."""
    shows = (Show.TO_PRODUCE, Show.TO_SHIP, Show.OFFLINE, Show.OVERSOLD)
    counted = [sa.func.coalesce(sa.func.sum(sa.case((CONDITIONS[show], 1), else_=0)), 0) for show in shows]
    counts = db.session.execute(select(*counted).select_from(Order).where(Order.status.in_(WAITING))).one()
    zone = ZoneInfo(shop.time_zone)
    midnight = datetime.combine(today_in(shop.time_zone, now), time.min, zone)
    month = datetime.combine(midnight.date() - MONTH + timedelta(days=1), time.min, zone)
    came = sa.and_(Payment.status == PaymentStatus.SUCCEEDED, Payment.currency == shop.currency)
    sums = [
        sa.func.coalesce(sa.func.sum(sa.case((condition, value), else_=0)), 0)
        for condition, value in (
            (Payment.refund_proposed, sa.literal(1)),
            (sa.and_(came, Payment.settled_at >= midnight), Payment.captured_amount),
            (sa.and_(came, Payment.settled_at >= month), Payment.captured_amount),
        )
    ]
    told = sa.or_(Payment.refund_proposed, Payment.settled_at >= month)
    care, today, thirty = db.session.execute(select(*sums).select_from(Payment).where(told)).one()
    to_produce, to_ship, offline, oversold = map(int, counts)  # PostgreSQL: a sum of amounts is a Decimal
    money = [Money(int(each), shop.currency) for each in (today, thirty)]
    return Numbers(to_produce, to_ship, offline, oversold, int(care), *money)


# --- doing ------------------------------------------------------------------------------------------------------------


def note(order: Order, text: str, by: User) -> None:
    """Write something down about an order, for staff alone."""
    audit.record("order.noted", subject=order, actor=by, note=text)


def wait_longer(order: Order, days: int, by: User, now: datetime) -> None:
    """Let an order wait longer for its payment, and hold what it holds; raises `IllegalMove`."""
    until = now + timedelta(days=days)
    if order.status is not OrderStatus.PENDING:
        raise IllegalMove(_("Only an order that is awaiting payment can be extended."))
    if until <= order.expires_at:
        raise IllegalMove(_("The payment deadline is already later than that."))
    transitions.extend(order, until)
    if order.status is not OrderStatus.PENDING:
        raise IllegalMove(_("Only an order that is awaiting payment can be extended."))
    audit.record("order.extended", subject=order, actor=by, days=days)


def cancel(order: Order, why: str, by: User, keys: Keys, now: datetime) -> None:
    """Cancel an order that is not paid in full, and what is under way outside the web; raises `IllegalMove`."""
    transitions.cancel(order, by, keys, now, why)
    execute_update(
        sa.update(Payment)
        .where(Payment.order_id == order.id, Payment.status.in_(PAYMENT_OPEN))
        .values(status=PaymentStatus.CANCELED, settled_at=now)
    )


def produce(order: Order, line_id: int, status: ProductionStatus, was: ProductionStatus, by: User) -> OrderLine:
    """Note how far a line of a paid order is; raises `OrderNotFound` for a line of another one, or `IllegalMove`."""
    line = next((line for line in order.lines if line.id == line_id), None)
    if line is None:
        raise queries.OrderNotFound(_("We can't find that order."))
    if order.status not in IN_WORK:
        raise IllegalMove(_("Only a paid order that hasn't shipped can be changed."))
    transitions.produce(line, status, by, was=was)
    return line
