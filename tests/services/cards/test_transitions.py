"""Transitions of cards: allowed states, history and audit log."""

from collections.abc import Callable

import pytest
import sqlalchemy as sa

from tapcard.clock import utcnow
from tapcard.db import db
from tapcard.keys import Keys
from tapcard.models import (
    CARD_MOVES,
    AuditEntry,
    Card,
    CardEvent,
    CardMove,
    CardStatus,
    LockedBecause,
    User,
)
from tapcard.services.cards import claims, replacement, transitions
from tapcard.services.cards.claims import AlreadyClaimed
from tapcard.services.cards.transitions import InvalidTransition
from tests.services.cards.helpers import columns_of

CODE = "CARD2345"
TRANSITIONS = tuple(CARD_MOVES)
REFUSALS = {CardMove.CLAIM: AlreadyClaimed}


@pytest.fixture
def perform(keys: Keys, create_card: Callable[..., Card]) -> Callable[[CardMove, Card, User], object]:
    """Return a function that performs a transition with the function of the application."""
    functions: dict[CardMove, Callable[[Card, User], object]] = {
        CardMove.CLAIM: lambda card, user: claims.claim(card, user, keys, code=CODE),
        CardMove.LOCK: lambda card, user: transitions.lock(card, LockedBecause.LOST, user),
        CardMove.UNLOCK: lambda card, user: transitions.unlock(card, user),
        CardMove.TRANSFER: lambda card, user: transitions.transfer(card, user.id, user, [], utcnow()),
        CardMove.RELEASE: lambda card, user: claims.release(card, user, keys),
        CardMove.REPLACE: lambda card, user: replacement.replace(card, create_card(user), user, keys),
        CardMove.RETIRE: lambda card, user: transitions.retire(card, user, "worn out"),
    }
    return lambda perform, card, user: functions[perform](card, user)


@pytest.fixture
def create_card_in(create_card: Callable[..., Card], ada: User) -> Callable[[CardStatus], Card]:
    """Return a function that creates a card in a certain status."""

    def make(status: CardStatus) -> Card:
        if status is CardStatus.UNCLAIMED:
            return create_card(code=CODE)
        because = LockedBecause.LOST if status is CardStatus.LOCKED else None
        return create_card(ada, url="https://example.com/", status=status, locked_because=because)

    return make


def events_of(card: Card) -> list[tuple[CardMove, CardStatus | None, CardStatus]]:
    rows = db.session.scalars(sa.select(CardEvent).where(CardEvent.card_id == card.id).order_by(CardEvent.id))
    return [(row.move, row.from_status, row.to_status) for row in rows]


@pytest.mark.parametrize("status", CardStatus)
@pytest.mark.parametrize("step", TRANSITIONS)
def test_each_transition_is_allowed_only_from_the_states_in_the_table_and_is_recorded(
    step: CardMove, status: CardStatus, perform: Callable[..., object], create_card_in: Callable[..., Card], ada: User
) -> None:
    card = create_card_in(status)
    starts, end = CARD_MOVES[step]
    before, past = columns_of(card), events_of(card)
    if status in starts:
        perform(step, card, ada)
        db.session.commit()
        assert card.status is end
        assert events_of(card) == [*past, (step, status, end)]
    else:
        with pytest.raises(REFUSALS.get(step, InvalidTransition)):
            perform(step, card, ada)
        db.session.commit()
        assert columns_of(card) == before
        assert events_of(card) == past


def test_no_transition_starts_from_retired() -> None:
    assert all(CardStatus.RETIRED not in starts for starts, _end in CARD_MOVES.values())


def test_only_an_unclaimed_card_can_be_claimed() -> None:
    assert CARD_MOVES[CardMove.CLAIM] == ({CardStatus.UNCLAIMED}, CardStatus.ACTIVE)


def test_an_event_records_actor_and_reason(perform: Callable[..., object], card: Card, ada: User, ben: User) -> None:
    transitions.lock(card, LockedBecause.ABUSE, ben, "leads to a trap")
    transitions.retire(card, None, "x" * 300)
    db.session.commit()
    locked, retired = card.events[-2:]
    assert (locked.actor, locked.why) == (ben, "leads to a trap")
    assert (retired.actor, retired.why) == (None, "x" * 200)


def test_a_transition_writes_an_audit_entry(perform: Callable[..., object], card: Card, ada: User) -> None:
    for step in (CardMove.LOCK, CardMove.UNLOCK, CardMove.RELEASE, CardMove.RETIRE):
        perform(step, card, ada)
    db.session.commit()
    entries = db.session.scalars(sa.select(AuditEntry).order_by(AuditEntry.id)).all()
    assert [entry.tag for entry in entries] == ["card.locked", "card.unlocked", "card.released", "card.retired"]
    assert {(entry.subject_type, entry.subject_id, entry.actor_id) for entry in entries} == {("cards", card.id, ada.id)}


def test_a_holder_cannot_unlock_a_card_suspended_by_staff(card: Card, ada: User, ben: User) -> None:
    transitions.lock(card, LockedBecause.ABUSE, ben)
    with pytest.raises(InvalidTransition):
        transitions.unlock(card, ada)
    transitions.unlock(card, ben, allowed=(LockedBecause.ABUSE,))
    assert (card.status, card.locked_because) == (CardStatus.ACTIVE, None)
