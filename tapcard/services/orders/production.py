"""Production of the cards of paid orders: the cards of each line, and the steps until they are packed."""

from collections.abc import Sequence

import sqlalchemy as sa
from sqlalchemy import select
from sqlalchemy.orm import joinedload

from ...db import db, execute_update
from ...errors import mark as _
from ...models import Card, LineKind, Order, OrderLine, ProductionStatus, User
from ...models.orders import IN_PROGRESS_STATUSES
from ..core import audit
from . import queries
from .transitions import IllegalMove

UNFINISHED = frozenset({ProductionStatus.QUEUED, ProductionStatus.PRINTED, ProductionStatus.ADHERED})


def cards_of(order: Order) -> Sequence[tuple[OrderLine, Card]]:
    """Return the cards that an order's lines created or activated, each with its line."""
    lines = {line.id: line for line in order.lines}
    query = select(Card).where(Card.order_line_id.in_(lines)).options(joinedload(Card.design))
    cards_found = db.session.scalars(query.order_by(Card.order_line_id, Card.id)).all()
    return [(lines[card.order_line_id], card) for card in cards_found if card.order_line_id is not None]


def produce(
    order: Order, line_id: int, status: ProductionStatus, seen_status: ProductionStatus, actor: User
) -> OrderLine:
    """Set the production status of a line of a paid order; raises `OrderNotFound` or `IllegalMove`."""
    line = next((line for line in order.lines if line.id == line_id), None)
    if line is None:
        raise queries.OrderNotFound(_("We couldn't find that order."))
    if order.status not in IN_PROGRESS_STATUSES:
        raise IllegalMove(_("Only a paid order that hasn't shipped can be changed."))
    set_status(line, status, actor, seen_status=seen_status)
    return line


def set_status(
    line: OrderLine, status: ProductionStatus, actor: User, *, seen_status: ProductionStatus | None = None
) -> None:
    """Set the production status of a line of cards; raises `IllegalMove`.

    `seen_status`: the status that staff saw; a change in between is refused.
    """
    if line.kind is not LineKind.CARD:
        raise IllegalMove(_("Only cards have a production status."))
    seen = OrderLine.production_status == seen_status if seen_status is not None else sa.true()
    if not execute_update(sa.update(OrderLine).where(OrderLine.id == line.id, seen).values(production_status=status)):
        raise IllegalMove(_("Someone else has just changed this line. Reload the order."))
    db.session.refresh(line)
    audit.record("order_line.produced", subject=line, actor=actor, status=status.value)
