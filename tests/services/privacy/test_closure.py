"""Closing and reopening an account: cards, sessions, links, offers and concurrent requests."""

from collections.abc import Callable
from datetime import UTC, datetime, timedelta

import pytest
import sqlalchemy as sa
from flask import Flask

from tapcard.clock import utcnow
from tapcard.db import db
from tapcard.models import (
    Card,
    CardEvent,
    CardMove,
    CardStatus,
    CardTransfer,
    ClaimPolicy,
    LinkPurpose,
    LockedBecause,
    TransferOutcome,
    User,
    WebSession,
)
from tapcard.services.accounts import credentials, email_links
from tapcard.services.accounts.credentials import WrongCredentials, WrongPassword
from tapcard.services.accounts.email_links import LinkExpired
from tapcard.services.cards import claims, transitions
from tapcard.services.privacy import closure, erasure
from tapcard.services.privacy.closure import AlreadyClosed, CannotReopen, LastOwner
from tapcard.services.profiles import profiles
from tests.concurrency import run_concurrently
from tests.conftest import PASSWORD
from tests.statements import statements

NOW = datetime(2026, 11, 21, 12, tzinfo=UTC)


def close_account(user: User, now: datetime = NOW) -> None:
    closure.close(user.id, PASSWORD, now)
    db.session.commit()


def test_closing_requires_the_password(ada: User) -> None:
    with pytest.raises(WrongPassword):
        closure.close(ada.id, "not the password", NOW)
    assert ada.is_active


def test_closing_deactivates_the_account_and_queues_one_last_email(ada: User, outbox: Callable[[], list[str]]) -> None:
    close_account(ada)
    assert (ada.is_active, ada.closed_at) == (False, NOW)
    assert outbox() == ["mail.account_closed"]
    with pytest.raises(AlreadyClosed):
        closure.close(ada.id, PASSWORD, NOW)


def test_closing_locks_active_cards_and_records_it(ada: User, card: Card) -> None:
    close_account(ada)
    assert (card.status, card.locked_because) == (CardStatus.LOCKED, LockedBecause.CLOSED)
    event = card.events[-1]
    assert (event.move, event.from_status, event.to_status, event.why, event.actor_id) == (
        CardMove.LOCK, CardStatus.ACTIVE, CardStatus.LOCKED, "closed", ada.id)  # fmt: skip


def test_reopening_unlocks_only_the_cards_locked_by_closing(
    ada: User, cleo: User, create_card: Callable[..., Card]
) -> None:
    on, lost, abused, retired, others = (create_card(ada) for _number in range(5))
    others.owner = cleo
    db.session.commit()
    transitions.lock(lost, LockedBecause.LOST, ada)
    transitions.lock(abused, LockedBecause.ABUSE, None)
    transitions.retire(retired, ada, "worn")
    close_account(ada)
    assert others.status is CardStatus.ACTIVE
    closure.reopen(ada.id, NOW + timedelta(days=13))
    db.session.commit()
    assert [closed_card.status for closed_card in (on, lost, abused, retired)] == [
        CardStatus.ACTIVE, CardStatus.LOCKED, CardStatus.LOCKED, CardStatus.RETIRED]  # fmt: skip
    assert (on.locked_because, lost.locked_because) == (None, LockedBecause.LOST)
    assert (on.events[-1].move, on.events[-1].actor_id) == (CardMove.UNLOCK, ada.id)
    assert (ada.is_active, ada.closed_at) == (True, None)


def test_a_card_of_a_closed_account_cannot_be_unlocked(ada: User, card: Card) -> None:
    close_account(ada)
    with pytest.raises(transitions.InvalidTransition):
        transitions.unlock(card, None, allowed=tuple(LockedBecause))


def test_a_closed_account_cannot_claim_a_card(ada: User, create_card: Callable[..., Card], keys: object) -> None:
    waiting = create_card(policy=ClaimPolicy.OPEN)
    close_account(ada)
    with pytest.raises(claims.AlreadyClaimed):
        claims.claim(waiting, ada, keys)  # type: ignore[arg-type]


def test_the_profile_is_hidden_until_the_account_is_reopened(ada: User, profile: object) -> None:
    close_account(ada)
    with pytest.raises(profiles.ProfileNotFound):
        profiles.find_by_slug("ada")
    closure.reopen(ada.id, NOW)
    db.session.commit()
    assert profiles.find_by_slug("ada").profile is profile


@pytest.mark.parametrize("days", [14, 15, 400])
def test_an_account_cannot_be_reopened_after_fourteen_days(ada: User, days: int) -> None:
    close_account(ada)
    with pytest.raises(CannotReopen):
        closure.reopen(ada.id, NOW + timedelta(days=days))
    with pytest.raises(WrongCredentials):
        credentials.authenticate(ada.email, PASSWORD, NOW + timedelta(days=days))


def test_an_account_deactivated_by_staff_cannot_be_reopened(ada: User) -> None:
    ada.is_active = False
    db.session.commit()
    with pytest.raises(CannotReopen):
        closure.reopen(ada.id, NOW)
    with pytest.raises(WrongCredentials):
        credentials.authenticate(ada.email, PASSWORD, NOW)


def test_a_closed_account_authenticates_only_with_the_right_password(ada: User) -> None:
    close_account(ada)
    assert credentials.authenticate(ada.email, PASSWORD, NOW) is ada
    with pytest.raises(WrongCredentials):
        credentials.authenticate(ada.email, "not the password", NOW)


def test_sessions_end_when_closing_and_when_reopening(ada: User) -> None:
    def session() -> None:
        times = {"created_at": NOW, "seen_at": NOW, "expires_at": NOW + timedelta(days=60)}
        db.session.add(WebSession(sid_hash="x" * 64, user_id=ada.id, data=b"{}", **times))
        db.session.commit()

    session()
    close_account(ada)
    assert db.session.scalars(sa.select(WebSession)).all() == []
    session()  # a session started while closing
    closure.reopen(ada.id, NOW)
    db.session.commit()
    assert db.session.scalars(sa.select(WebSession)).all() == []


def test_links_sent_before_closing_are_invalid(ada: User) -> None:
    token = email_links.issue_link(ada, LinkPurpose.SET_PASSWORD, ada.email, NOW)
    db.session.commit()
    close_account(ada)
    with pytest.raises(LinkExpired):
        email_links.read_link(token, LinkPurpose.SET_PASSWORD, NOW)
    closure.reopen(ada.id, NOW)
    db.session.commit()
    with pytest.raises(LinkExpired):
        email_links.read_link(token, LinkPurpose.SET_PASSWORD, NOW)


def create_offer(card: Card, sender: User, to: str) -> CardTransfer:
    row = CardTransfer(card=card, from_user=sender, to_email=to, expires_at=utcnow() + timedelta(days=7))
    db.session.add(row)
    db.session.commit()
    return row


def test_closing_withdraws_offers_from_and_to_the_user_only(
    ada: User, cleo: User, create_card: Callable[..., Card]
) -> None:
    from_her = create_offer(create_card(ada), ada, "dora@example.com")
    to_her = create_offer(create_card(cleo), cleo, ada.email)
    another = create_offer(create_card(cleo), cleo, "dora@example.com")
    close_account(ada)
    assert (from_her.outcome, to_her.outcome) == (TransferOutcome.WITHDRAWN,) * 2
    assert another.ended_at is None


def test_closing_an_unverified_account_keeps_offers_to_its_address(
    ada: User, cleo: User, create_card: Callable[..., Card]
) -> None:
    ada.verified_at = None
    to_her = create_offer(create_card(cleo), cleo, ada.email)
    close_account(ada)
    assert to_her.ended_at is None


def test_the_only_owner_cannot_close_the_account(olu: User, create_user: Callable[..., User]) -> None:
    with pytest.raises(LastOwner):
        closure.close(olu.id, PASSWORD, NOW)
    second = create_user("second@example.com", roles=["owner"])
    close_account(second)
    with pytest.raises(LastOwner):
        closure.close(olu.id, PASSWORD, NOW)  # a closed account is not an active owner


def test_two_owners_closing_concurrently_leave_one(app: Flask, olu: User, create_user: Callable[..., User]) -> None:
    ids = [olu.id, create_user("second@example.com", roles=["owner"]).id]
    results = run_concurrently(app, 2, lambda place: closure.close(ids[place], PASSWORD, NOW))
    assert sorted(results, key=str) == [LastOwner, None]


# --- concurrent requests ----------------------------------------------------------------------------------------------


def test_closing_while_claiming_leaves_no_active_card(
    app: Flask, ada: User, create_card: Callable[..., Card], keys: object
) -> None:
    for _round in range(8):
        user_id, card_id = ada.id, create_card(policy=ClaimPolicy.OPEN).id

        def work(place: int, user_id: int = user_id, card_id: int = card_id) -> None:
            if place:
                closure.close(user_id, PASSWORD, utcnow())
            else:
                claims.claim(db.session.get_one(Card, card_id), db.session.get_one(User, user_id), keys)  # type: ignore[arg-type]

        run_concurrently(app, 2, work)
        active = sa.select(Card.id).where(Card.owner_id == user_id, Card.status == CardStatus.ACTIVE)
        assert db.session.scalars(active).all() == []
        closure.reopen(user_id, utcnow())
        db.session.commit()


def test_claiming_locks_the_row_of_the_user(ada: User, create_card: Callable[..., Card], keys: object) -> None:
    """The concurrent test above relies on this lock, which only PostgreSQL has."""
    card = create_card(policy=ClaimPolicy.OPEN)
    with statements() as recorded:
        claims.claim(card, ada, keys)  # type: ignore[arg-type]
    locks = [statement for statement in recorded if "FROM users" in statement and "FOR SHARE" in statement]
    assert len(locks) == (1 if db.engine.dialect.name == "postgresql" else 0)


def test_concurrent_reopening_happens_once(app: Flask, ada: User, card: Card) -> None:
    close_account(ada, utcnow())
    user_id, card_id = ada.id, card.id
    results = run_concurrently(app, 2, lambda _place: closure.reopen(user_id, utcnow()).id)
    assert sorted(results, key=str) == sorted([CannotReopen, user_id], key=str)
    unlocked = sa.select(sa.func.count()).where(CardEvent.card_id == card_id, CardEvent.move == CardMove.UNLOCK)
    assert db.session.scalar(unlocked) == 1


def test_concurrent_erasing_and_reopening_have_one_outcome(app: Flask, ada: User, card: Card) -> None:
    close_account(ada, utcnow())
    user_id, card_id = ada.id, card.id

    def work(place: int) -> str:
        if place:
            erasure.erase(user_id, utcnow(), closed_before=utcnow())
            return "erased"
        closure.reopen(user_id, utcnow())
        return "back"

    results = run_concurrently(app, 2, work)
    card = db.session.get_one(Card, card_id)
    user = db.session.get_one(User, user_id)
    if "back" in results:
        assert results == ["back", erasure.NotErasable]
        assert (user.email, card.status, card.reroute_url) == (
            "ada@example.com", CardStatus.ACTIVE, "https://example.com/")  # fmt: skip
    else:
        assert results == [CannotReopen, "erased"]
        assert (user.is_active, user.first_name, card.status) == (False, "", CardStatus.RETIRED)
