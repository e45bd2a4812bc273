"""Cards that change hands: who may offer, who may accept, until when, and what comes along."""

from collections.abc import Callable
from datetime import timedelta

import pytest
import sqlalchemy as sa

from tapcard import email_addresses
from tapcard.clock import utcnow
from tapcard.db import db
from tapcard.errors import DomainError
from tapcard.keys import Keys
from tapcard.models import (
    AuditEntry,
    Card,
    CardEvent,
    CardMove,
    CardStatus,
    CardTransfer,
    LockedBecause,
    Profile,
    TransferOutcome,
    User,
)
from tapcard.services.cards import cards, claims, replacement, transfers, transitions
from tapcard.services.cards.transfers import CannotOffer, OfferEnded, OfferNotFound

NOW = utcnow()
LAST = NOW + transfers.OFFER_LIFETIME - timedelta(seconds=1)
TOO_LATE = NOW + transfers.OFFER_LIFETIME


@pytest.fixture
def offer(card: Card, ada: User, cleo: User) -> CardTransfer:
    """Ada's card, offered to Cleo."""
    made = transfers.offer(card, ada, "Cleo@Example.com ", NOW)
    db.session.commit()
    return made


def outcome_of(offer: CardTransfer) -> TransferOutcome | None:
    db.session.refresh(offer)
    return offer.outcome


def refused(kind: type[DomainError], work: Callable[[], object]) -> None:
    with pytest.raises(kind):
        work()
    db.session.rollback()


# --- offering ---------------------------------------------------------------------------------------------------------


@pytest.mark.parametrize("email", ["cleo@example.com", "nobody-yet@example.com"])
def test_an_offer_is_the_same_whether_or_not_the_address_has_an_account(
    card: Card, ada: User, cleo: User, outbox: Callable[[], list[str]], email: str
) -> None:
    made = transfers.offer(card, ada, email, NOW)
    db.session.commit()
    assert (made.to_email, made.to_user_id, made.expires_at) == (email, None, NOW + timedelta(days=7))
    assert outbox() == ["mail.card_offered"]
    assert (card.owner_id, card.status, card.reroute_url) == (ada.id, CardStatus.ACTIVE, "https://example.com/")


def test_nobody_offers_a_card_to_themselves(card: Card, ada: User) -> None:
    refused(CannotOffer, lambda: transfers.offer(card, ada, " ADA@example.com", NOW))


def test_who_has_not_proved_their_address_offers_nothing(
    create_card: Callable[..., Card], create_user: Callable[..., User]
) -> None:
    dora = create_user("dora@example.com", verified=False)
    card = create_card(dora)
    refused(CannotOffer, lambda: transfers.offer(card, dora, "cleo@example.com", NOW))


def test_a_card_is_offered_to_one_at_a_time(offer: CardTransfer, card: Card, ada: User) -> None:
    refused(CannotOffer, lambda: transfers.offer(card, ada, "dora@example.com", LAST))
    transfers.offer(card, ada, "dora@example.com", TOO_LATE)
    db.session.commit()
    assert outcome_of(offer) is TransferOutcome.EXPIRED


def test_the_database_holds_that_one_offer_is_open(offer: CardTransfer, card: Card, ada: User) -> None:
    db.session.add(CardTransfer(card_id=card.id, from_user_id=ada.id, to_email="x@example.com", expires_at=LAST))
    with pytest.raises(sa.exc.IntegrityError):
        db.session.flush()
    db.session.rollback()


@pytest.mark.parametrize("because", LockedBecause)
def test_a_card_that_is_off_is_not_offered(card: Card, ada: User, because: LockedBecause) -> None:
    transitions.lock(card, because, ada)
    db.session.commit()
    refused(transitions.InvalidTransition, lambda: transfers.offer(card, ada, "cleo@example.com", NOW))


def test_somebody_elses_card_is_not_offered(card: Card, cleo: User) -> None:
    refused(transitions.InvalidTransition, lambda: transfers.offer(card, cleo, "dora@example.com", NOW))


# --- accepting --------------------------------------------------------------------------------------------------------


def test_accepting_makes_the_card_theirs_and_clears_it(
    card: Card, profile: Profile, ada: User, cleo: User, outbox: Callable[[], list[str]]
) -> None:
    cards.point_to_profile(card, profile, ada)
    made = transfers.offer(card, ada, cleo.email, NOW)
    db.session.commit()
    transfers.accept(made.id, cleo, LAST)
    db.session.commit()
    assert (card.owner_id, card.status, card.claimed_at) == (cleo.id, CardStatus.ACTIVE, LAST)
    cleared = (card.alias, card.target, card.reroute_url, card.reroute_host, card.profile_id, card.is_blocked)
    assert cleared == (None, None, None, None, None, False)
    assert (outcome_of(made), made.to_user_id, made.ended_at) == (TransferOutcome.ACCEPTED, cleo.id, LAST)
    event = card.events[-1]
    assert (event.move, event.from_status, event.to_status, event.actor_id) == (
        CardMove.TRANSFER, CardStatus.ACTIVE, CardStatus.ACTIVE, cleo.id,
    )  # fmt: skip
    assert outbox() == ["mail.card_offered", "mail.offer_answered"]
    about_it = sa.select(AuditEntry.tag).where(AuditEntry.subject_id == card.id).order_by(AuditEntry.id)
    assert db.session.scalars(about_it).all() == ["card.offered", "card.transferred"]


def test_an_offer_is_accepted_once(offer: CardTransfer, card: Card, ada: User, cleo: User) -> None:
    transfers.accept(offer.id, cleo, LAST)
    db.session.commit()
    refused(OfferNotFound, lambda: transfers.accept(offer.id, cleo, LAST))
    transfers.offer(card, cleo, ada.email, LAST)
    db.session.commit()
    assert transfers.accepted_card(cleo, offer.id) == card
    assert transfers.accepted_card(ada, offer.id) is None


def test_an_expired_offer_is_never_accepted_though_no_worker_ran(
    offer: CardTransfer, card: Card, ada: User, cleo: User
) -> None:
    for step in (transfers.accept, transfers.decline):
        refused(OfferNotFound, lambda step=step: step(offer.id, cleo, TOO_LATE))  # type: ignore[misc]
    refused(OfferEnded, lambda: transfers.withdraw(card, ada, TOO_LATE))
    assert transfers.open_offers_to(cleo, TOO_LATE) == []
    assert transfers.open_offer_of(card, TOO_LATE) is None
    assert (card.owner_id, card.alias) == (ada.id, "Everyday")


def test_what_expires_between_the_look_and_the_move_is_not_accepted(
    offer: CardTransfer, card: Card, ada: User, cleo: User, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(transfers, "get_offer_to", lambda *_: offer)
    refused(OfferEnded, lambda: transfers.accept(offer.id, cleo, TOO_LATE))
    assert card.owner_id == ada.id


def test_an_offer_to_another_address_does_not_exist(offer: CardTransfer, ben: User, ada: User) -> None:
    for person in (ben, ada):
        refused(OfferNotFound, lambda person=person: transfers.accept(offer.id, person, LAST))  # type: ignore[misc]
        assert transfers.open_offers_to(person, NOW) == []


def test_an_address_that_is_not_proved_opens_no_offer(card: Card, ada: User, create_user: Callable[..., User]) -> None:
    dora = create_user("dora@example.com", verified=False)
    made = transfers.offer(card, ada, dora.email, NOW)
    db.session.commit()
    refused(OfferNotFound, lambda: transfers.accept(made.id, dora, LAST))
    assert transfers.open_offers_to(dora, NOW) == []
    dora.verified_at = NOW
    db.session.commit()
    assert transfers.open_offers_to(dora, NOW) == [made]
    transfers.accept(made.id, dora, LAST)


def test_a_new_address_takes_the_offers_of_the_old_one_away(
    offer: CardTransfer, cleo: User, create_user: Callable[..., User]
) -> None:
    cleo.email = "cleo.nemo@example.com"
    db.session.commit()
    refused(OfferNotFound, lambda: transfers.accept(offer.id, cleo, LAST))
    dora = create_user("cleo@example.com", first_name="Dora")
    transfers.accept(offer.id, dora, LAST)


@pytest.mark.parametrize("change", [{"email": "other@example.com"}, {"verified_at": None}, {"is_active": False}])
def test_the_address_must_be_theirs_in_the_instant_of_the_move(
    offer: CardTransfer, card: Card, ada: User, cleo: User, monkeypatch: pytest.MonkeyPatch, change: dict[str, object]
) -> None:
    monkeypatch.setattr(transfers, "get_offer_to", lambda *_: offer)
    for name, value in change.items():
        setattr(cleo, name, value)
    db.session.commit()
    refused(OfferEnded, lambda: transfers.accept(offer.id, cleo, LAST))
    assert card.owner_id == ada.id


def test_a_holder_who_moves_to_the_address_offered_does_not_accept_their_own_card(
    offer: CardTransfer, card: Card, ada: User, cleo: User
) -> None:
    email_addresses.normalize("cleo@example.com")
    cleo.email = "away@example.com"
    db.session.flush()
    ada.email = "cleo@example.com"
    db.session.commit()
    refused(OfferNotFound, lambda: transfers.accept(offer.id, ada, LAST))
    assert transfers.open_offers_to(ada, NOW) == []


# --- what ends an offer -----------------------------------------------------------------------------------------------


@pytest.mark.parametrize("step", ["lock", "release", "retire", "replace", "be chosen"])
def test_what_changes_the_card_withdraws_its_offer(
    offer: CardTransfer, card: Card, ada: User, cleo: User, keys: Keys, create_card: Callable[..., Card], step: str
) -> None:
    steps: dict[str, Callable[[], object]] = {
        "lock": lambda: transitions.lock(card, LockedBecause.LOST, ada),
        "release": lambda: claims.release(card, ada, keys),
        "retire": lambda: transitions.retire(card, None, "worn out"),
        "replace": lambda: replacement.replace(card, create_card(ada), ada, keys),
        "be chosen": lambda: (
            cards.edit(card, ada, cards.CardChanges(), own_hosts=()),
            replacement.replace(create_card(ada, url="https://example.com/old"), card, ada, keys),
        ),
    }
    steps[step]()
    db.session.commit()
    assert outcome_of(offer) is TransferOutcome.WITHDRAWN
    refused(OfferNotFound, lambda: transfers.accept(offer.id, cleo, LAST))


def test_an_edit_leaves_the_offer_open(offer: CardTransfer, card: Card, ada: User) -> None:
    cards.edit(card, ada, cards.CardChanges(alias="Other"), own_hosts=())
    db.session.commit()
    assert outcome_of(offer) is None


def test_a_declined_card_stays_where_it_was(
    offer: CardTransfer, card: Card, ada: User, cleo: User, outbox: Callable[[], list[str]]
) -> None:
    transfers.decline(offer.id, cleo, LAST)
    db.session.commit()
    assert (outcome_of(offer), card.owner_id, card.alias) == (TransferOutcome.DECLINED, ada.id, "Everyday")
    assert outbox()[-1] == "mail.offer_answered"
    refused(OfferNotFound, lambda: transfers.accept(offer.id, cleo, LAST))


def test_a_withdrawn_offer_is_not_accepted(offer: CardTransfer, card: Card, ada: User, cleo: User) -> None:
    transfers.withdraw(card, ada, LAST)
    db.session.commit()
    refused(OfferNotFound, lambda: transfers.accept(offer.id, cleo, LAST))
    refused(OfferEnded, lambda: transfers.withdraw(card, ada, LAST))
    transfers.offer(card, ada, cleo.email, LAST)


def test_a_card_that_came_back_is_not_had_by_the_old_offer(
    offer: CardTransfer, card: Card, ada: User, cleo: User, keys: Keys
) -> None:
    code = claims.release(card, ada, keys)
    claims.claim(card, ada, keys, code=code)
    db.session.commit()
    refused(OfferNotFound, lambda: transfers.accept(offer.id, cleo, LAST))


# --- the clock --------------------------------------------------------------------------------------------------------


def test_the_worker_marks_what_was_left_too_long_and_forgets_it_after_a_month(
    offer: CardTransfer, card: Card, ada: User
) -> None:
    assert transfers.expire(LAST) == 0
    assert transfers.expire(TOO_LATE) == 1
    db.session.commit()
    assert outcome_of(offer) is TransferOutcome.EXPIRED
    transfers.expire(TOO_LATE + transfers.RETENTION)
    assert db.session.scalar(sa.select(sa.func.count()).select_from(CardTransfer)) == 1
    transfers.expire(TOO_LATE + transfers.RETENTION + timedelta(seconds=1))
    db.session.commit()
    assert db.session.scalar(sa.select(sa.func.count()).select_from(CardTransfer)) == 0
    assert db.session.scalar(sa.select(sa.func.count()).select_from(CardEvent)) == 2, "the card's history stays"
