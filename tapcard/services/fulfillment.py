"""Fulfilment: giving what was paid for. Every line of a paid order is fulfilled by its kind, once."""

from collections.abc import Callable
from datetime import datetime

from sqlalchemy import select

from ..db import db, insert
from ..errors import mark as _
from ..keys import Keys
from ..models import Card, LineGrant, LineKind, Order, OrderLine, User
from . import audit, cards, orders


def fulfill(order: Order, keys: Keys, now: datetime) -> None:
    """Give what a paid order promises; what was given before is left as it is.

    What cannot be given any more makes the order oversold, and staff decide. What needs no parcel has arrived by that.
    """
    for line in order.lines:
        if not _grant(line, now):
            continue
        if not FULFILL[line.kind](line, keys, now):
            order.is_oversold = True
            audit.record("order.oversold", subject=order, line=line.id)
    db.session.flush()  # the next step reads the order anew
    if not order.is_oversold and not order.needs_shipping:
        orders.deliver(order, None, now)


def _grant(line: OrderLine, now: datetime) -> bool:
    """Whether the line has not been fulfilled before: the row can be written once."""
    fresh = insert(LineGrant).values(order_line_id=line.id, granted_at=now)
    granted = db.session.execute(fresh.on_conflict_do_nothing().returning(LineGrant.order_line_id))
    return granted.scalar_one_or_none() is not None


def _nothing_to_do(_line: OrderLine, _keys: Keys, _now: datetime) -> bool:
    return True


def _make_cards(line: OrderLine, keys: Keys, _now: datetime) -> bool:
    """The cards of the line are made, with claim codes for the buyer to use or to hand out."""
    cards.make_sold(line.design, line.quantity, keys, order_line_id=line.id, actor=line.order.user)
    return True


def _activate(line: OrderLine, keys: Keys, now: datetime) -> bool:
    """The card becomes the payer's, unless somebody else has it."""
    card, user = cards.find(line.card_token or ""), line.order.user
    return card is not None and user is not None and cards.claim_paid(card, user, now, order_line_id=line.id)


FULFILL: dict[LineKind, Callable[[OrderLine, Keys, datetime], bool]] = {
    LineKind.GOODS: _nothing_to_do,
    LineKind.GIFT_PACK: _nothing_to_do,
    LineKind.CARD: _make_cards,
    LineKind.ACTIVATION: _activate,
}


def unclaimed(order: Order) -> list[Card]:
    """The cards of an order that wait for somebody to claim them."""
    lines = [line.id for line in order.lines]
    waiting = select(Card).where(Card.order_line_id.in_(lines), Card.owner_id.is_(None), Card.claim_code.is_not(None))
    return list(db.session.scalars(waiting.order_by(Card.id)))


def claim_for(order: Order, user: User, keys: Keys, token: str | None = None, now: datetime | None = None) -> int:
    """Let a buyer claim one card of their own order, or all of them; tells how many became theirs.

    Raises `OrderNotFound` unless the order is theirs, `CardNotFound` for a token that is not part of it.
    """
    if order.user_id != user.id:
        raise orders.OrderNotFound(_("You have no such order."))
    wanted = [card for card in unclaimed(order) if token is None or card.token == cards.clean_token(token)]
    if token is not None and not wanted:
        raise cards.CardNotFound(_("This card has been claimed already."))
    for card in wanted:
        cards.claim(card, user, keys, code=cards.read_code(card, keys) or "", now=now)
    return len(wanted)
