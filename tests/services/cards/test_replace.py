"""Replacing a card: what is taken over, what is refused, and statistics."""

from collections.abc import Callable
from datetime import UTC, datetime, timedelta
from typing import Any

import pytest
import sqlalchemy as sa
from flask import Flask

from tapcard.clock import today_in
from tapcard.db import db
from tapcard.keys import Keys
from tapcard.models import AuditEntry, Card, CardMove, CardStatus, ClaimPolicy, LockedBecause, Profile, Target, User
from tapcard.services.cards import blocked_hosts, cards, replacement, transitions
from tapcard.services.cards.claims import AlreadyClaimed, InvalidClaimCode, PaymentRequired
from tapcard.services.cards.replacement import CannotReplace
from tapcard.services.cards.transitions import InvalidTransition
from tapcard.services.taps import rollups, routing, statistics
from tapcard.services.taps.ingest import ReadingStore
from tapcard.services.taps.statistics import TapQuery
from tests.tap_requests import reading

CODE = "CARD2345"
ZONE = "Europe/London"


@pytest.fixture
def blank_card(create_card: Callable[..., Card], ada: User) -> Card:
    """Return a card of Ada's without a target."""
    return create_card(ada, token="BLANK222", alias="To be set")


def columns_of(card: Card) -> tuple[Any, ...]:
    db.session.refresh(card)
    return card.status, card.owner_id, card.alias, card.target, card.reroute_url, card.replaced_by_id


@pytest.mark.parametrize("is_lost", [True, False])
def test_the_new_card_takes_over_the_setup_and_the_old_one_is_retired(
    card: Card, blank_card: Card, ada: User, keys: Keys, is_lost: bool
) -> None:
    if is_lost:
        transitions.lock(card, LockedBecause.LOST, ada)
    before = card.status
    replacement.replace(card, blank_card, ada, keys)
    db.session.commit()
    assert columns_of(blank_card) == (CardStatus.ACTIVE, ada.id, "Everyday", Target.URL, "https://example.com/", None)
    assert blank_card.reroute_host == "example.com"
    assert columns_of(card) == (CardStatus.RETIRED, ada.id, None, None, None, blank_card.id)
    assert (card.locked_because, card.reroute_host, card.profile_id) == (None, None, None)
    old, new = card.events[-1], blank_card.events[-1]
    assert (old.move, old.from_status, old.to_status, old.why) == (
        CardMove.REPLACE, before, CardStatus.RETIRED, "BLANK222",
    )  # fmt: skip
    assert (new.move, new.to_status, new.actor_id, new.why) == (
        CardMove.REPLACE, CardStatus.ACTIVE, ada.id, "ADASCARD",
    )  # fmt: skip
    entry = db.session.scalars(sa.select(AuditEntry).where(AuditEntry.tag == "card.replaced")).one()
    assert (entry.subject_id, entry.details) == (card.id, {"by": blank_card.id})


def test_the_block_mark_and_the_profile_are_taken_over(
    card: Card, blank_card: Card, ada: User, profile: Profile, keys: Keys
) -> None:
    blocked_hosts.block_host("example.com", None)
    card.profile_id = profile.id
    db.session.commit()
    replacement.replace(card, blank_card, ada, keys)
    db.session.commit()
    assert (blank_card.is_blocked, blank_card.profile_id) == (True, profile.id)


def test_replacing_with_an_unclaimed_card_claims_it(
    card: Card, create_card: Callable[..., Card], ada: User, keys: Keys
) -> None:
    new = create_card(token="WAITING2", code=CODE)
    replacement.replace(card, new, ada, keys, code="card 2345")
    db.session.commit()
    assert columns_of(new)[:3] == (CardStatus.ACTIVE, ada.id, "Everyday")
    assert (new.claim_code, new.claim_code_hash) == (None, None)
    assert [event.move for event in new.events] == [CardMove.MAKE, CardMove.CLAIM, CardMove.REPLACE]


@pytest.mark.parametrize(
    ("values", "code", "refusal"),
    [
        ({"code": CODE}, "WRONG234", InvalidClaimCode),
        ({"code": CODE}, "", InvalidClaimCode),
        ({"policy": ClaimPolicy.PAY}, "", PaymentRequired),
    ],
)
def test_replacing_with_a_card_that_cannot_be_claimed_is_refused(
    card: Card, create_card: Callable[..., Card], ada: User, keys: Keys,
    values: dict[str, Any], code: str, refusal: type[Exception],
) -> None:  # fmt: skip
    new = create_card(**values)
    with pytest.raises(refusal):
        replacement.replace(card, new, ada, keys, code=code)
    db.session.rollback()
    assert columns_of(card)[0] is CardStatus.ACTIVE
    assert columns_of(new)[0] is CardStatus.UNCLAIMED


def test_the_replacement_must_be_an_own_card_without_a_target(
    card: Card, create_card: Callable[..., Card], ada: User, cleo: User, keys: Keys
) -> None:
    lost = {"status": CardStatus.LOCKED, "locked_because": LockedBecause.LOST}
    for new, refusal in (
        (card, CannotReplace),
        (create_card(ada, url="https://example.com/in-use"), CannotReplace),
        (create_card(ada, **lost), CannotReplace),
        (create_card(cleo), AlreadyClaimed),
        (create_card(status=CardStatus.RETIRED), AlreadyClaimed),
    ):
        with pytest.raises(refusal):
            replacement.replace(card, new, ada, keys)
        db.session.rollback()
        assert columns_of(card)[0] is CardStatus.ACTIVE


@pytest.mark.parametrize("because", [LockedBecause.ABUSE, LockedBecause.CLOSED])
def test_a_card_locked_by_the_shop_cannot_be_replaced(
    card: Card, blank_card: Card, ada: User, keys: Keys, because: LockedBecause
) -> None:
    transitions.lock(card, because, ada)
    db.session.commit()
    with pytest.raises(InvalidTransition):
        replacement.replace(card, blank_card, ada, keys)
    db.session.rollback()
    assert columns_of(card)[0] is CardStatus.LOCKED
    assert columns_of(blank_card)[2] == "To be set"


def test_a_card_of_another_user_cannot_be_replaced(
    card: Card, cleo: User, create_card: Callable[..., Card], keys: Keys
) -> None:
    new = create_card(cleo)
    with pytest.raises(InvalidTransition):
        replacement.replace(card, new, cleo, keys)
    db.session.rollback()
    assert columns_of(new)[2:5] == (None, None, None)


def test_replacement_candidates_are_own_active_cards_without_a_target(
    card: Card, blank_card: Card, create_card: Callable[..., Card], ada: User, cleo: User, profile: Profile
) -> None:
    gone = create_card(ada, target=Target.PROFILE)
    create_card(ada, profile=profile)
    create_card(ada, status=CardStatus.LOCKED, locked_because=LockedBecause.LOST)
    create_card(ada, status=CardStatus.RETIRED)
    create_card(cleo)
    assert list(cards.cards_without_target(ada, exclude=card)) == [gone, blank_card]
    assert list(cards.cards_without_target(ada, exclude=blank_card)) == [gone]


# --- statistics -------------------------------------------------------------------------------------------------------


def store_taps(app: Flask, card_id: int, owner: User, number: int) -> None:
    at = int(datetime.now(UTC).timestamp() * 1000)
    many = [reading(at=at + place, card_id=card_id, owner_id=owner.id) for place in range(number)]
    ReadingStore(app.extensions["keys"]).store(db.session.connection(), many, ZONE)
    rollups.fold_hours_into_days(ZONE)
    db.session.commit()


def yesterday_and_today() -> tuple[Any, Any]:
    today = today_in(ZONE)
    return today - timedelta(days=1), today


def count_taps(owner: User, card: Card) -> int:
    return sum(number for _day, number in rollups.taps_per_day(owner, *yesterday_and_today(), card))


def test_taps_of_replaced_cards_count_for_the_last_card_of_the_chain(
    app: Flask, create_card: Callable[..., Card], ada: User, cleo: User, keys: Keys
) -> None:
    first, second, third = create_card(ada, url="https://example.com/"), create_card(ada), create_card(ada)
    aside = create_card(ada, url="https://example.com/aside")
    for card, number in ((first, 2), (second, 3), (third, 5), (aside, 7)):
        store_taps(app, card.id, ada, number)
    store_taps(app, first.id, cleo, 11)
    replacement.replace(first, second, ada, keys)
    replacement.replace(second, third, ada, keys)
    db.session.commit()
    assert sorted(cards.replacement_chain_ids(third)) == sorted([first.id, second.id, third.id])
    assert rollups.taps_per_card(ada, *yesterday_and_today()) == {third.id: 10, aside.id: 7}
    assert count_taps(ada, third) == 10
    assert count_taps(ada, aside) == 7
    assert sum(number for _day, number in rollups.taps_per_day(ada, *yesterday_and_today())) == 17
    assert len(routing.latest_taps(ada, 50, third)) == 10
    assert count_taps(cleo, third) == 11, "taps stay with their former holder"


def test_statistics_continue_after_a_replacement(
    app: Flask, create_card: Callable[..., Card], ada: User, keys: Keys
) -> None:
    old, new, aside = create_card(ada, alias="Desk", url="https://example.com/"), create_card(ada), create_card(ada)
    store_taps(app, old.id, ada, 3)
    store_taps(app, aside.id, ada, 1)
    replacement.replace(old, new, ada, keys)
    db.session.commit()
    counts = statistics.per_card(TapQuery(ada, *yesterday_and_today()))
    assert [(count.token, count.alias, count.tap_count) for count in counts] == [
        (new.token, "Desk", 3),
        (aside.token, None, 1),
    ]
    of_the_new = TapQuery(ada, *yesterday_and_today(), card=new)
    assert statistics.total(of_the_new) == 3
    assert [count.tap_count for count in statistics.per_card(of_the_new)] == [3]
    store_taps(app, new.id, ada, 2)
    assert statistics.total(of_the_new) == 5


def test_a_cycle_of_replacements_causes_no_endless_loop(
    app: Flask, create_card: Callable[..., Card], ada: User
) -> None:
    first, second = create_card(ada), create_card(ada)
    first.replaced_by_id, second.replaced_by_id = second.id, first.id
    db.session.commit()
    store_taps(app, first.id, ada, 2)
    assert sorted(cards.replacement_chain_ids(first)) == sorted([first.id, second.id])
    assert rollups.taps_per_card(ada, *yesterday_and_today()) == {first.id: 2}
    assert count_taps(ada, second) == 2


def test_the_former_owner_sees_only_the_token_of_a_transferred_card(
    app: Flask, card: Card, ada: User, cleo: User
) -> None:
    store_taps(app, card.id, ada, 1)
    assert routing.latest_taps(ada, 1)[0].alias == "Everyday"
    card.owner, card.alias = cleo, "Cleo's secret"
    db.session.commit()
    assert routing.latest_taps(ada, 1)[0].alias is None
