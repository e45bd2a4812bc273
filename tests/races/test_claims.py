"""Concurrent claims, releases and edits of a card: one wins, the others get an error."""

from collections.abc import Callable
from threading import Barrier
from typing import Any

import pytest
import sqlalchemy as sa
from flask import Flask

from tapcard.db import db
from tapcard.keys import Keys
from tapcard.models import (
    CARD_MOVES,
    AuditEntry,
    Card,
    CardEvent,
    CardMove,
    CardStatus,
    ClaimPolicy,
    LockedBecause,
    Target,
    User,
)
from tapcard.services.cards import blocked_hosts, cards, claims, creation, transitions
from tapcard.services.cards.cards import AliasTaken, CardNotFound
from tapcard.services.cards.claims import AlreadyClaimed
from tapcard.services.cards.creation import TokenTaken
from tapcard.services.cards.transitions import InvalidTransition
from tests.concurrency import run_concurrently
from tests.conftest import FormClient, login

CODE = "CARD2345"


@pytest.fixture
def people(create_user: Callable[..., User]) -> Callable[[int], list[int]]:
    """So many people with an account, by their ids."""
    return lambda number: [create_user(f"person{place}@example.com").id for place in range(number)]


@pytest.fixture
def all_look_first(monkeypatch: pytest.MonkeyPatch) -> Callable[[int], None]:
    """Let everybody pass what is looked at beforehand, and only then make the move: the worst moment there is."""

    def hold_back(number: int) -> None:
        start, move = Barrier(number, timeout=30), transitions.apply_transition

        def held(card: Card, *args: Any, **values: Any) -> bool:
            db.session.commit()  # lets go of SQLite's write lock, or nobody else could look
            start.wait()
            return move(card, *args, **values)

        monkeypatch.setattr(transitions, "apply_transition", held)

    return hold_back


def claims_of(card_id: int) -> int:
    wanted = sa.select(sa.func.count()).where(CardEvent.card_id == card_id, CardEvent.move == CardMove.CLAIM)
    return db.session.scalar(wanted) or 0


@pytest.mark.parametrize("policy", [ClaimPolicy.CODE, ClaimPolicy.OPEN])
@pytest.mark.parametrize("number", [2, 20])
def test_concurrent_claims_of_a_card_have_one_winner(
    app: Flask, create_card: Callable[..., Card], people: Callable[[int], list[int]], keys: Keys,
    number: int, policy: ClaimPolicy,
) -> None:  # fmt: skip
    card_id, ids = create_card(policy=policy, code=CODE).id, people(number)

    def claim(place: int) -> int:
        user = db.session.get_one(User, ids[place])
        claims.claim(db.session.get_one(Card, card_id), user, keys, code=CODE)
        return ids[place]

    results = run_concurrently(app, number, claim)
    card = db.session.get_one(Card, card_id)
    assert results.count(AlreadyClaimed) == number - 1
    assert card.owner_id in results
    assert (card.status, card.claim_code) == (CardStatus.ACTIVE, None)
    assert claims_of(card_id) == 1


@pytest.mark.parametrize("number", [2, 8])
def test_concurrent_claims_that_saw_the_card_unclaimed_have_one_winner(
    app: Flask, create_card: Callable[..., Card], people: Callable[[int], list[int]], keys: Keys, number: int,
    all_look_first: Callable[[int], None],
) -> None:  # fmt: skip
    card_id, ids = create_card(code=CODE).id, people(number)
    all_look_first(number)

    def claim(place: int) -> int:
        user = db.session.get_one(User, ids[place])
        claims.claim(db.session.get_one(Card, card_id), user, keys, code=CODE)
        return ids[place]

    results = run_concurrently(app, number, claim)
    assert results.count(AlreadyClaimed) == number - 1
    assert db.session.get_one(Card, card_id).owner_id in results
    assert claims_of(card_id) == 1
    deeds = db.session.scalars(sa.select(AuditEntry.actor_id).where(AuditEntry.tag == "card.claimed")).all()
    assert deeds == [db.session.get_one(Card, card_id).owner_id]


def test_without_the_condition_several_claims_succeed(
    app: Flask, create_card: Callable[..., Card], people: Callable[[int], list[int]], keys: Keys,
    all_look_first: Callable[[int], None], monkeypatch: pytest.MonkeyPatch,
) -> None:  # fmt: skip
    """Shows that the two tests above would notice."""

    def read_then_write(card: Card, move: CardMove, actor: User, _conditions: object, **values: Any) -> bool:
        for name, value in {"status": CARD_MOVES[move][1], **values}.items():
            setattr(card, name, value)
        transitions.add_event(card, move, CardStatus.UNCLAIMED, CARD_MOVES[move][1], actor)
        return True

    monkeypatch.setattr(transitions, "apply_transition", read_then_write)
    card_id, ids = create_card(code=CODE).id, people(4)
    all_look_first(4)

    def claim(place: int) -> int:
        claims.claim(db.session.get_one(Card, card_id), db.session.get_one(User, ids[place]), keys, code=CODE)
        return ids[place]

    assert run_concurrently(app, 4, claim) == ids, "everybody was told that the card is theirs"
    assert claims_of(card_id) == 4


def test_concurrent_claim_requests_redirect_the_winner_and_show_others_why(
    app: Flask, create_card: Callable[..., Card], create_user: Callable[..., User], new_client: Callable[[], FormClient]
) -> None:
    card = create_card(token="WAITING2", code=CODE)
    browsers = []
    for place in range(5):
        browser = new_client()
        login(browser, create_user(f"person{place}@example.com"))
        browsers.append((browser, {"code": CODE, "csrf_token": browser.csrf_token()}))

    def press(place: int) -> tuple[int, str]:
        browser, fields = browsers[place]
        answer = browser.post("/activate/WAITING2", data=fields)
        return answer.status_code, answer.text

    results = sorted(run_concurrently(app, 5, press))
    assert [status for status, _text in results] == [302, 409, 409, 409, 409]
    assert all("card" in text and "already been claimed" in text for status, text in results if status == 409)
    assert claims_of(card.id) == 1


# --- the other moves --------------------------------------------------------------------------------------------------


def test_a_card_is_deactivated_once(app: Flask, card: Card, ada: User, all_look_first: Callable[[int], None]) -> None:
    card_id, ada_id = card.id, ada.id
    all_look_first(2)

    def lock(_place: int) -> str:
        transitions.lock(db.session.get_one(Card, card_id), LockedBecause.LOST, db.session.get_one(User, ada_id))
        return "locked"

    assert sorted(run_concurrently(app, 2, lock), key=str) == [InvalidTransition, "locked"]


def test_a_card_released_twice_at_once_has_one_new_code(
    app: Flask, card: Card, ada: User, cleo: User, keys: Keys, all_look_first: Callable[[int], None]
) -> None:
    card_id, ada_id = card.id, ada.id
    all_look_first(2)

    def release(_place: int) -> str:
        return claims.release(db.session.get_one(Card, card_id), db.session.get_one(User, ada_id), keys)

    results = run_concurrently(app, 2, release)
    [code] = [each for each in results if isinstance(each, str)]
    assert InvalidTransition in results
    assert claims.read_claim_code(card, keys) == code


def test_a_former_owner_cannot_release_a_card(
    app: Flask, card: Card, ada: User, cleo: User, keys: Keys, monkeypatch: pytest.MonkeyPatch
) -> None:
    move = transitions.apply_transition

    def after_others(moved: Card, *args: Any, **values: Any) -> bool:
        db.session.execute(sa.update(Card).where(Card.id == moved.id).values(owner_id=cleo.id))
        return move(moved, *args, **values)

    monkeypatch.setattr(transitions, "apply_transition", after_others)
    for step in (transitions.lock, claims.release):
        with pytest.raises(InvalidTransition):
            step(card, *((LockedBecause.LOST, ada) if step is transitions.lock else (ada, keys)))
        db.session.rollback()
        assert card.owner_id == ada.id


# --- names, tokens, targets -------------------------------------------------------------------------------------------


@pytest.mark.parametrize("spellings", [("Work", "Work"), ("Work", "WORK"), ("École", "éCOLE")])
def test_two_cards_cannot_get_the_same_name_at_once(
    app: Flask, create_card: Callable[..., Card], ada: User, spellings: tuple[str, str]
) -> None:
    ids, ada_id = [create_card(ada, url="https://example.com/").id for _card in spellings], ada.id

    def rename(place: int) -> str:
        card, user = db.session.get_one(Card, ids[place]), db.session.get_one(User, ada_id)
        cards.edit(
            card,
            user,
            cards.CardChanges(alias=spellings[place], target=Target.URL, reroute_url="example.com"),
            own_hosts=(),
        )
        return "renamed"

    for _round in range(5):
        assert sorted(run_concurrently(app, 2, rename), key=str) == [AliasTaken, "renamed"]
        db.session.execute(sa.update(Card).values(alias=None))
        db.session.commit()


def test_an_edit_during_a_release_does_not_change_the_released_card(
    app: Flask, create_card: Callable[..., Card], ada: User, keys: Keys
) -> None:
    ada_id = ada.id
    for _round in range(8):
        card_id = create_card(ada, url="https://example.com/", alias="Mine").id

        def work(place: int, card_id: int = card_id) -> str:
            card, user = db.session.get_one(Card, card_id), db.session.get_one(User, ada_id)
            if place == 0:
                return claims.release(card, user, keys)
            cards.edit(
                card, user, cards.CardChanges(alias="Hers", target=Target.URL, reroute_url="evil.example"), own_hosts=()
            )
            return "edited"

        results = run_concurrently(app, 2, work)
        assert isinstance(results[0], str), "giving back succeeds before or after the edit"
        assert results[1] in ("edited", CardNotFound)
        card = db.session.get_one(Card, card_id)
        assert (card.status, card.owner_id, card.alias, card.target, card.reroute_url) == (
            CardStatus.UNCLAIMED, None, None, None, None,
        )  # fmt: skip


def test_a_blank_card_is_registered_once(app: Flask, ben: User, keys: Keys) -> None:
    ben_id = ben.id

    def register(_place: int) -> str:
        creation.register("BLANK222", None, ClaimPolicy.CODE, keys, db.session.get_one(User, ben_id))
        return "registered"

    assert sorted(run_concurrently(app, 4, register), key=str) == [TokenTaken] * 3 + ["registered"]
    assert db.session.scalar(sa.select(sa.func.count()).select_from(Card)) == 1


def test_a_host_blocked_during_an_edit_is_blocked_for_that_card(
    app: Flask, create_card: Callable[..., Card], ada: User
) -> None:
    ada_id = ada.id
    for place_of_host in range(8):
        host, card_id = f"evil{place_of_host}.example", create_card(ada, url="https://example.com/").id

        def work(place: int, host: str = host, card_id: int = card_id) -> str:
            if place == 0:
                blocked_hosts.block_host(host, None)
                return "blocked"
            card, user = db.session.get_one(Card, card_id), db.session.get_one(User, ada_id)
            cards.edit(card, user, cards.CardChanges(target=Target.URL, reroute_url=host), own_hosts=())
            return "edited"

        assert run_concurrently(app, 2, work)[0] == "blocked"
        card = db.session.get_one(Card, card_id)
        assert card.is_blocked or card.reroute_host != host


def test_a_host_is_blocked_once(app: Flask) -> None:
    def block(_place: int) -> str:
        blocked_hosts.block_host("evil.example", None)
        return "blocked"

    assert run_concurrently(app, 4, block) == ["blocked"] * 4
