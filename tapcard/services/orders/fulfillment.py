"""Fulfillment of paid orders: each line is fulfilled once, by its kind."""

from collections.abc import Collection
from datetime import datetime

from sqlalchemy import select

from ... import registry
from ...db import db, insert
from ...errors import NotFound
from ...errors import mark as _
from ...keys import Keys
from ...models import Card, CardHold, LineGrant, LineKind, Order, OrderLine, User
from ...models.orders import IN_PROGRESS_STATUSES
from ...registry import fulfills
from ..cards import cards, claims, creation, replacement
from ..core import audit
from . import queries, transitions


class NoClaimCodes(NotFound):
    """The order has no claim codes, because it sells no cards or is not paid."""


def fulfill(order: Order, keys: Keys, now: datetime) -> None:
    """Fulfill the lines of a paid order that have not been fulfilled yet.

    A line that cannot be fulfilled marks the order as oversold. An order without anything to ship is delivered at once.
    """
    for line in order.lines:
        if not _record_grant(line, now):
            continue
        if not registry.fulfillments[line.kind](line, keys, now):
            order.is_oversold = True
            audit.record("order.oversold", subject=order, line=line.id)
    db.session.flush()  # the next step refreshes the order
    if not order.is_oversold and not order.needs_shipping:
        transitions.deliver(order, None, now)


def _record_grant(line: OrderLine, now: datetime) -> bool:
    """Record that a line is fulfilled; return False when it already was."""
    statement = insert(LineGrant).values(order_line_id=line.id, granted_at=now)
    result = db.session.execute(statement.on_conflict_do_nothing().returning(LineGrant.order_line_id))
    return result.scalar_one_or_none() is not None


@fulfills(LineKind.GOODS, LineKind.GIFT_PACK)
def _nothing_to_do(_line: OrderLine, _keys: Keys, _now: datetime) -> bool:
    return True


@fulfills(LineKind.CARD)
def _make_cards(line: OrderLine, keys: Keys, _now: datetime) -> bool:
    """Create the cards of a line with their claim codes; return True."""
    creation.create_for_order_line(line.design, line.quantity, keys, order_line_id=line.id, actor=line.order.user)
    return True


@fulfills(LineKind.ACTIVATION)
def _activate(line: OrderLine, keys: Keys, now: datetime) -> bool:
    """Claim the card for the payer; return False if another user owns it."""
    card, user = cards.get_by_token(line.card_token or ""), line.order.user
    return card is not None and user is not None and claims.claim_paid(card, user, now, order_line_id=line.id)


# --- cards of an order ------------------------------------------------------------------------------------------------


def order_with_codes(number: str, *, user: User | None, known_ids: Collection[int]) -> Order:
    """Return a paid order of cards whose claim codes the visitor may see; raises `OrderNotFound` or `NoClaimCodes`.

    Its logged-in buyer may; a browser that placed the order or opened its link may as long as no user can log in as its
    buyer, since a code is worth a card.
    """
    order = queries.own_order(number, user=user, known_ids=known_ids)
    is_theirs = user is not None and order.user_id == user.id
    if not is_theirs and order.user is not None and order.user.has_proven_identity:
        raise queries.OrderNotFound(_("We couldn't find that order."))
    if not order.is_paid or not card_lines(order):
        raise NoClaimCodes(_("This order has no claim codes yet. We create them once its cards are paid for."))
    return order


def card_lines(order: Order) -> list[OrderLine]:
    """Return the lines of an order that sell new cards."""
    return [line for line in order.lines if line.kind is LineKind.CARD]


def unclaimed_cards(order: Order) -> list[Card]:
    """Return the unclaimed cards of an order."""
    return list(db.session.scalars(claims.claimable_cards_of_lines([line.id for line in card_lines(order)])))


def claim_cards(order: Order, user: User, token: str | None = None, now: datetime | None = None) -> int:
    """Claim one card of the buyer's own order, or all unclaimed ones; return how many were claimed.

    Raises `OrderNotFound` unless the order is theirs and paid, `CardNotFound` for a token of another order, and
    `AlreadyClaimed` for a card of another user.
    """
    if order.user_id != user.id or not order.is_paid:
        raise queries.OrderNotFound(_("We couldn't find that order."))
    lines = [line.id for line in card_lines(order)]
    claimed = claims.claim_order_cards(lines, user, now, token=token)
    if token is not None and not claimed:
        card = cards.get_by_token(token)
        if card is None or card.order_line_id not in lines:
            raise cards.CardNotFound(_("This card isn't part of your order."))
        if card.owner_id != user.id:  # else the request was repeated
            raise claims.AlreadyClaimed(_("Someone has already claimed this card."))
    return len(claimed)


def swap_card(line_card: Card, stock_card: Card, actor: User, now: datetime) -> None:
    """Pack a card from stock for one that an order sold; it takes over claim code and owner, and the other is retired.

    Raises `IllegalMove` unless the order is paid and not shipped, and `replacement.CannotReplace`.
    """
    line = db.session.get(OrderLine, line_card.order_line_id) if line_card.order_line_id is not None else None
    if line is None or line.kind is not LineKind.CARD or line.order.status not in IN_PROGRESS_STATUSES:
        raise transitions.IllegalMove(_("Cards can only be replaced before the order ships."))
    hold = select(CardHold.card_id).where(CardHold.card_id == stock_card.id, CardHold.expires_at > now)
    if db.session.scalar(hold) is not None:
        raise replacement.CannotReplace(_("Someone is paying for this card right now. Use another card."))
    replacement.substitute_stock_card(line_card, stock_card, actor)
