"""Replacement of a card by another one, by its owner or before it is packed.

For an unpaid order that is replaced by a new one, see `services/orders/replacement`.
"""

from datetime import datetime

import sqlalchemy as sa
from sqlalchemy import select

from ...db import acquire_lock, db, execute_update
from ...errors import DomainError
from ...errors import mark as _
from ...keys import Keys
from ...models import Card, CardEvent, CardMove, CardStatus, LockedBecause, User
from ..core import audit
from . import blocked_hosts, cards, claims, transitions

# columns that a new card takes over from the card it replaces
TRANSFERRED_COLUMNS = ("alias", "target", "reroute_url", "reroute_host", "profile_id", "is_blocked")
# columns that a card from stock takes over too, when it is packed instead of the card that was sold
SALE_COLUMNS = (
    *("owner_id", "claimed_at", "locked_because", "order_line_id"),
    *("claim_policy", "claim_code", "claim_code_hash"),
)


class CannotReplace(DomainError):
    """The chosen card cannot replace another one."""

    field = "token"


def replace(old: Card, new: Card, actor: User, keys: Keys, *, code: str = "", now: datetime | None = None) -> None:
    """Replace an old card, which retires, by a new one, which takes over its alias, target and statistics.

    The new card belongs to the owner and has no target, or is unclaimed and is claimed with its code here.
    Raises `CannotReplace`, `InvalidTransition`, and what `claims.claim` raises.
    """
    if old.id == new.id:
        raise CannotReplace(_("A card can't replace itself. Choose another card."))
    acquire_lock(blocked_hosts.LOCK_NAME, shared=True)  # `is_blocked` is copied along with the address
    transitions.lock_rows(old, new)
    if new.status is CardStatus.UNCLAIMED:
        claims.claim(new, actor, keys, code=code, now=now)
    if new.owner_id != actor.id:
        raise claims.AlreadyClaimed(_("This card has already been claimed."))
    if new.status is not CardStatus.ACTIVE or new.is_set_up:
        raise CannotReplace(_("That card is already in use. Choose one that isn't set up yet."))
    transferred = {name: getattr(old, name) for name in TRANSFERRED_COLUMNS}
    is_own = sa.or_(Card.status == CardStatus.ACTIVE, Card.locked_because == LockedBecause.LOST)
    values = {**transitions.CLEARED_VALUES, "locked_because": None, "replaced_by_id": new.id}
    if not transitions.apply_transition(
        old, CardMove.REPLACE, actor, [Card.owner_id == actor.id, is_own], why=new.token, **values
    ):
        raise transitions.InvalidTransition(_("You can't replace this card. Contact the shop."))
    cards.update_owned_card(new, actor, transferred)
    transitions.withdraw_offers(new)
    transitions.add_event(new, CardMove.REPLACE, new.status, new.status, actor, why=old.token)
    audit.record("card.replaced", subject=old, actor=actor, by=new.id)


def substitute_stock_card(sold: Card, stock: Card, actor: User) -> None:
    """Replace a sold card, which retires, by one from stock, which takes over order line, code, owner and target.

    Raises `CannotReplace` unless `sold` was sold and is not retired, and `stock` was never sold or claimed.
    """
    transitions.lock_rows(sold, stock)
    if sold.order_line_id is None or sold.status is CardStatus.RETIRED:
        raise CannotReplace(_("This card wasn't sold or has already been replaced."))
    if stock.status is not CardStatus.UNCLAIMED or stock.order_line_id is not None or _was_ever_claimed(stock):
        raise CannotReplace(_("Choose a card from stock that has never been sold or claimed."))
    if stock.design_id != sold.design_id:
        raise CannotReplace(_("Choose a card with the same design."))
    values = {name: getattr(sold, name) for name in (*TRANSFERRED_COLUMNS, *SALE_COLUMNS)}
    before = sold.status
    move = CardMove.RETIRE if before is CardStatus.UNCLAIMED else CardMove.REPLACE
    cleared = {**transitions.CLEARED_VALUES, "locked_because": None, "claim_code": None, "claim_code_hash": None}
    same_line = [Card.order_line_id == sold.order_line_id]
    if not transitions.apply_transition(
        sold, move, actor, same_line, why=stock.token, order_line_id=None, replaced_by_id=stock.id, **cleared
    ):
        raise CannotReplace(_("This card wasn't sold or has already been replaced."))
    is_free = (Card.id == stock.id, Card.status == CardStatus.UNCLAIMED)
    execute_update(sa.update(Card).where(*is_free).values(status=before, **values))
    db.session.refresh(stock)
    transitions.add_event(stock, CardMove.REPLACE, CardStatus.UNCLAIMED, before, actor, why=sold.token)
    audit.record("card.swapped", subject=sold, actor=actor, by=stock.id)


def _was_ever_claimed(card: Card) -> bool:
    """Return whether a card was ever claimed."""
    claim_events = select(CardEvent.id).where(CardEvent.card_id == card.id, CardEvent.move == CardMove.CLAIM)
    return db.session.scalar(claim_events.limit(1)) is not None
