"""Concurrent transfers and replacements of cards: one wins, and nothing is left half done."""

from collections.abc import Callable
from threading import Barrier
from typing import Any

import pytest
import sqlalchemy as sa
from flask import Flask

from tapcard.clock import utcnow
from tapcard.db import db
from tapcard.keys import Keys
from tapcard.models import Card, CardEvent, CardMove, CardStatus, CardTransfer, LockedBecause, TransferOutcome, User
from tapcard.services.cards import cards, claims, replacement, transfers, transitions
from tapcard.services.cards.cards import CardNotFound
from tapcard.services.cards.claims import AlreadyClaimed
from tapcard.services.cards.replacement import CannotReplace
from tapcard.services.cards.transfers import CannotOffer, OfferEnded, OfferNotFound
from tapcard.services.cards.transitions import InvalidTransition
from tests.concurrency import run_concurrently

CODE = "CARD2345"
ROUNDS = 6
REFUSED = (OfferNotFound, OfferEnded)


@pytest.fixture
def offered(create_card: Callable[..., Card], ada: User, cleo: User) -> Callable[[], tuple[int, int]]:
    """A new card of Ada's, offered to Cleo: ids of card and offer."""

    def make() -> tuple[int, int]:
        card = create_card(ada, url="https://example.com/", alias=None)
        offer = transfers.offer(card, ada, cleo.email, utcnow())
        db.session.commit()
        return card.id, offer.id

    return make


@pytest.fixture
def all_look_first(monkeypatch: pytest.MonkeyPatch) -> Callable[[int], None]:
    """Let everybody see the offer open, and only then go on: the worst moment there is."""

    def hold_back(number: int) -> None:
        start, look = Barrier(number, timeout=30), transfers.get_offer_to

        def held(*args: Any) -> CardTransfer:
            found = look(*args)
            db.session.commit()  # lets go of SQLite's write lock, or nobody else could look
            start.wait()
            return found

        monkeypatch.setattr(transfers, "get_offer_to", held)

    return hold_back


def moves_of(card_id: int, move: CardMove) -> int:
    wanted = sa.select(sa.func.count()).where(CardEvent.card_id == card_id, CardEvent.move == move)
    return db.session.scalar(wanted) or 0


def accept(offer_id: int, user_id: int) -> str:
    transfers.accept(offer_id, db.session.get_one(User, user_id), utcnow())
    return "accepted"


def agree(card_id: int, offer_id: int, ada_id: int, cleo_id: int, is_accepted: bool) -> None:
    """The card, its history and the offer tell the same story."""
    card, offer = db.session.get_one(Card, card_id), db.session.get_one(CardTransfer, offer_id)
    assert (offer.outcome is TransferOutcome.ACCEPTED) == is_accepted
    assert (offer.to_user_id == cleo_id) == is_accepted
    assert (card.owner_id == cleo_id) == is_accepted
    assert moves_of(card_id, CardMove.TRANSFER) == is_accepted


@pytest.mark.parametrize("number", [2, 6])
def test_an_offer_accepted_by_many_browsers_at_once_is_accepted_once(
    app: Flask, offered: Callable[[], tuple[int, int]], ada: User, cleo: User, number: int,
    all_look_first: Callable[[int], None],
) -> None:  # fmt: skip
    (card_id, offer_id), ada_id, cleo_id = offered(), ada.id, cleo.id
    all_look_first(number)
    results = run_concurrently(app, number, lambda _place: accept(offer_id, cleo_id))
    assert results.count("accepted") == 1
    assert results.count(OfferEnded) == number - 1
    agree(card_id, offer_id, ada_id, cleo_id, is_accepted=True)


@pytest.mark.parametrize("other", ["withdraw", "decline", "lock", "release", "retire", "expire"])
def test_only_one_of_acceptance_and_end_of_an_offer_succeeds(
    app: Flask, offered: Callable[[], tuple[int, int]], ada: User, cleo: User, keys: Keys, other: str
) -> None:
    ada_id, cleo_id = ada.id, cleo.id
    for _round in range(ROUNDS):
        card_id, offer_id = offered()

        def work(place: int, card_id: int = card_id, offer_id: int = offer_id) -> str:
            if place == 0:
                return accept(offer_id, cleo_id)
            holder = db.session.get_one(User, ada_id)
            card = db.session.get_one(Card, card_id)
            if other in ("withdraw", "lock", "release"):
                card = cards.own_card(holder, card.token)
            steps: dict[str, Callable[[], object]] = {
                "withdraw": lambda: transfers.withdraw(card, holder, utcnow()),
                "decline": lambda: transfers.decline(offer_id, db.session.get_one(User, cleo_id), utcnow()),
                "lock": lambda: transitions.lock(card, LockedBecause.LOST, holder),
                "release": lambda: claims.release(card, holder, keys),
                "retire": lambda: transitions.retire(card, None, "worn out"),
                "expire": lambda: transfers.expire(utcnow() + transfers.OFFER_LIFETIME),
            }
            steps[other]()
            return "done"

        first, second = run_concurrently(app, 2, work)
        card, offer = db.session.get_one(Card, card_id), db.session.get_one(CardTransfer, offer_id)
        if first == "accepted":
            assert offer.outcome is TransferOutcome.ACCEPTED
            assert moves_of(card_id, CardMove.TRANSFER) == 1
            # staff retire a card whoever holds it; the holder's own steps came too late
            assert card.owner_id == cleo_id
            assert (second == "done") == (other in ("retire", "expire")) or second in (
                InvalidTransition,
                CardNotFound,
                *REFUSED,
            )
        else:
            assert first in REFUSED
            assert second == "done"
            agree(card_id, offer_id, ada_id, cleo_id, is_accepted=False)
            assert offer.outcome is not None


def test_a_card_offered_twice_at_once_is_offered_once(app: Flask, create_card: Callable[..., Card], ada: User) -> None:
    ada_id = ada.id
    for _round in range(ROUNDS):
        card_id = create_card(ada).id

        def offer(place: int, card_id: int = card_id) -> str:
            card, holder = db.session.get_one(Card, card_id), db.session.get_one(User, ada_id)
            transfers.offer(card, holder, f"person{place}@example.com", utcnow())
            return "offered"

        assert sorted(run_concurrently(app, 3, offer), key=str) == [CannotOffer, CannotOffer, "offered"]


def test_no_offer_stays_open_on_a_card_released_meanwhile(
    app: Flask, create_card: Callable[..., Card], ada: User, keys: Keys
) -> None:
    ada_id = ada.id
    for _round in range(ROUNDS):
        card_id = create_card(ada).id

        def work(place: int, card_id: int = card_id) -> str:
            card, holder = db.session.get_one(Card, card_id), db.session.get_one(User, ada_id)
            if place == 0:
                return claims.release(card, holder, keys)
            transfers.offer(card, holder, "cleo@example.com", utcnow())
            return "offered"

        results = run_concurrently(app, 2, work)
        assert isinstance(results[0], str)
        assert results[1] in ("offered", InvalidTransition)
        assert transfers.open_offer_of(db.session.get_one(Card, card_id), utcnow()) is None


def test_only_one_of_replacing_by_a_card_and_claiming_it_succeeds(
    app: Flask, create_card: Callable[..., Card], ada: User, cleo: User, keys: Keys
) -> None:
    ada_id, cleo_id = ada.id, cleo.id
    for _round in range(ROUNDS):
        old_id, new_id = create_card(ada, url="https://example.com/").id, create_card(code=CODE).id

        def work(place: int, old_id: int = old_id, new_id: int = new_id) -> str:
            new = db.session.get_one(Card, new_id)
            if place == 0:
                old = db.session.get_one(Card, old_id)
                replacement.replace(old, new, db.session.get_one(User, ada_id), keys, code=CODE)
                return "replaced"
            claims.claim(new, db.session.get_one(User, cleo_id), keys, code=CODE)
            return "claimed"

        results = run_concurrently(app, 2, work)
        old, new = db.session.get_one(Card, old_id), db.session.get_one(Card, new_id)
        assert moves_of(new_id, CardMove.CLAIM) == 1
        if results[0] == "replaced":
            assert results[1] is AlreadyClaimed
            assert (old.status, old.replaced_by_id, new.owner_id) == (CardStatus.RETIRED, new_id, ada_id)
        else:
            assert results == [AlreadyClaimed, "claimed"]
            assert (old.status, old.replaced_by_id, new.owner_id) == (CardStatus.ACTIVE, None, cleo_id)
            assert new.reroute_url is None


@pytest.mark.parametrize("pairs", [((0, 1), (0, 2)), ((0, 2), (1, 2)), ((0, 1), (1, 0)), ((0, 1), (0, 1))])
def test_only_one_of_two_conflicting_replacements_succeeds(
    app: Flask, create_card: Callable[..., Card], ada: User, keys: Keys, pairs: tuple[tuple[int, int], ...]
) -> None:
    ada_id = ada.id
    is_ring = pairs[1] == (1, 0)
    for _round in range(ROUNDS):
        leads = [None if place in {new for _old, new in pairs} or is_ring else f"https://example.com/{place}"
                 for place in range(3)]  # fmt: skip
        ids = [create_card(ada, url=url).id for url in leads]

        def work(place: int, ids: list[int] = ids) -> str:
            old, new = (db.session.get_one(Card, ids[which]) for which in pairs[place])
            replacement.replace(old, new, db.session.get_one(User, ada_id), keys)
            return "replaced"

        results = run_concurrently(app, 2, work)
        assert results.count("replaced") == 1
        assert set(results) - {"replaced"} <= {InvalidTransition, CannotReplace}
        retired = [card_id for card_id in ids if db.session.get_one(Card, card_id).status is CardStatus.RETIRED]
        assert retired == [ids[pairs[results.index("replaced")][0]]]
