"""State transitions of cards, each applied by one conditional UPDATE and recorded as a `CardEvent`."""

from collections.abc import Collection, Sequence
from datetime import datetime
from typing import Any

import sqlalchemy as sa
from sqlalchemy import select

from ...clock import utcnow
from ...db import db, execute_update
from ...errors import DomainError
from ...errors import mark as _
from ...models import (
    CARD_MOVES,
    Card,
    CardEvent,
    CardMove,
    CardStatus,
    CardTransfer,
    LockedBecause,
    TransferOutcome,
    User,
)
from ..core import audit

# transitions after which a pending transfer offer is no longer valid
MOVES_THAT_END_OFFERS = (CardMove.LOCK, CardMove.RELEASE, CardMove.REPLACE, CardMove.RETIRE)


class InvalidTransition(DomainError):
    """The card is not in a status that allows this transition."""


def lock(card: Card, lock_reason: LockedBecause, actor: User | None, why: str = "") -> None:
    """Lock a card; raise `InvalidTransition` unless it is active."""
    same_owner = [Card.owner_id == card.owner_id]
    if not apply_transition(
        card, CardMove.LOCK, actor, same_owner, why=why or lock_reason.value, locked_because=lock_reason
    ):
        raise InvalidTransition(_("This card is already deactivated."))
    audit.record("card.locked", subject=card, actor=actor, because=lock_reason.value)


def unlock(card: Card, actor: User | None, *, allowed: Collection[LockedBecause] = (LockedBecause.LOST,)) -> None:
    """Unlock a card; raise `InvalidTransition` unless it is locked for one of the `allowed` reasons."""
    condition = [Card.owner_id == card.owner_id, Card.locked_because.in_(allowed)]
    if not apply_transition(card, CardMove.UNLOCK, actor, condition, locked_because=None):
        raise InvalidTransition(_("You can't reactivate this card. Contact the shop."))
    audit.record("card.unlocked", subject=card, actor=actor)


def retire(card: Card, actor: User | None, why: str) -> None:
    """Retire a card for good; raise `InvalidTransition` if it is retired already."""
    values = {"locked_because": None, "claim_code": None, "claim_code_hash": None}
    if not apply_transition(card, CardMove.RETIRE, actor, [], why=why, **values):
        raise InvalidTransition(_("This card is already retired."))
    audit.record("card.retired", subject=card, actor=actor, why=why)


def lock_all(owner: User, lock_reason: LockedBecause) -> int:
    """Lock all active cards of an owner and return how many."""
    return apply_transition_to_all(owner, CardMove.LOCK, owner, why=lock_reason.value, locked_because=lock_reason)


def unlock_all(owner: User, lock_reason: LockedBecause) -> int:
    """Unlock the cards of an owner that are locked for one reason and return how many."""
    return apply_transition_to_all(
        owner, CardMove.UNLOCK, owner, Card.locked_because == lock_reason, locked_because=None
    )


def retire_all(owner: User, why: str) -> int:
    """Retire all cards of an owner, clear their aliases and targets, and return how many."""
    values = {**CLEARED_VALUES, "locked_because": None, "claim_code": None, "claim_code_hash": None}
    return apply_transition_to_all(owner, CardMove.RETIRE, None, why=why, **values)


def transfer(card: Card, sender_id: int, to: User, conditions: Sequence[Any], now: datetime) -> None:
    """Give an active card to another user and clear the alias and target of its former owner.

    `conditions` are added to the UPDATE. Raises `InvalidTransition` if the card changed meanwhile.
    """
    values = {**CLEARED_VALUES, "owner_id": to.id, "claimed_at": now}
    if not apply_transition(card, CardMove.TRANSFER, to, [Card.owner_id == sender_id, *conditions], **values):
        raise InvalidTransition(_("This transfer is no longer available."))
    audit.record("card.transferred", subject=card, actor=to, from_user=sender_id)


def lock_rows(*cards: Card) -> None:
    """Lock the rows of cards in the order of their ids until the transaction ends, and refresh them."""
    for card in sorted(cards, key=lambda card: card.id):
        execute_update(sa.update(Card).where(Card.id == card.id).values(status=Card.status))
        db.session.refresh(card)


CLEARED_VALUES: dict[str, Any] = {
    "alias": None,
    "target": None,
    "reroute_url": None,
    "reroute_host": None,
    "profile_id": None,
    "is_blocked": False,
}


def apply_transition(
    card: Card, move: CardMove, actor: User | None, conditions: Sequence[Any], why: str = "", **values: Any
) -> bool:
    """Apply a transition by one conditional UPDATE and record it.

    Returns False and changes nothing if the card is not in a start status of `move`, a condition does not hold, or
    the account of the new owner is closed.
    """
    start, end = CARD_MOVES[move]
    if end is CardStatus.ACTIVE and not is_account_open(values.get("owner_id", card.owner_id)):
        return False
    before = card.status
    changed_count = execute_update(
        sa.update(Card).where(Card.id == card.id, Card.status.in_(start), *conditions).values(status=end, **values)
    )
    db.session.refresh(card)
    if changed_count != 1:
        return False
    if move in MOVES_THAT_END_OFFERS:
        withdraw_offers(card)
    add_event(card, move, before, end, actor, why)
    return True


def apply_transition_to_all(
    owner: User, move: CardMove, actor: User | None, *conditions: Any, why: str = "", **values: Any
) -> int:
    """Apply a transition to all cards of an owner in a start status, one UPDATE per status, and return how many."""
    start, end = CARD_MOVES[move]
    total = 0
    for before in sorted(start):
        card_ids = db.session.scalars(
            sa.update(Card)
            .where(Card.owner_id == owner.id, Card.status == before, *conditions)
            .values(status=end, **values)
            .returning(Card.id)
            .execution_options(synchronize_session=False)
        ).all()
        actor_id = actor.id if actor else None
        shared = {"actor_id": actor_id, "move": move, "from_status": before, "to_status": end, "why": why[:200]}
        events = [{"card_id": card_id, **shared} for card_id in sorted(card_ids)]
        if events:
            db.session.execute(sa.insert(CardEvent), events)
        total += len(events)
    return total


def is_account_open(owner_id: int | None) -> bool:
    """Return whether an account is open, locking its row so that it stays open until the transaction ends.

    A closed account has no active card.
    """
    is_open = sa.and_(User.id == owner_id, User.is_active)
    return db.session.scalar(select(User.id).where(is_open).with_for_update(read=True)) is not None


def withdraw_offers(card: Card) -> None:
    """Withdraw the open transfer offers of a card."""
    execute_update(
        sa.update(CardTransfer)
        .where(CardTransfer.card_id == card.id, CardTransfer.ended_at.is_(None))
        .values(ended_at=utcnow(), outcome=TransferOutcome.WITHDRAWN)
    )


def add_event(
    card: Card, move: CardMove, before: CardStatus | None, after: CardStatus, actor: User | None, why: str = ""
) -> None:
    """Record a transition of a card."""
    event = CardEvent(
        card=card, move=move, from_status=before, to_status=after, actor_id=actor.id if actor else None, why=why[:200]
    )
    db.session.add(event)
