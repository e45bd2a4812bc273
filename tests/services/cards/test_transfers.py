"""Transfers of cards: offering, accepting, and what ends an offer."""

from collections.abc import Callable
from datetime import timedelta

import pytest
import sqlalchemy as sa

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
    """Return an offer of Ada's card to Cleo."""
    transfer = transfers.offer(card, ada, "Cleo@Example.com ", NOW)
    db.session.commit()
    return transfer


def outcome_of(offer: CardTransfer) -> TransferOutcome | None:
    db.session.refresh(offer)
    return offer.outcome


def assert_refused(kind: type[DomainError], work: Callable[[], object]) -> None:
    with pytest.raises(kind):
        work()
    db.session.rollback()


# --- offering ---------------------------------------------------------------------------------------------------------


@pytest.mark.parametrize("email", ["cleo@example.com", "nobody-yet@example.com"])
def test_an_offer_does_not_depend_on_whether_the_address_has_an_account(
    card: Card, ada: User, cleo: User, outbox: Callable[[], list[str]], email: str
) -> None:
    transfer = transfers.offer(card, ada, email, NOW)
    db.session.commit()
    assert (transfer.to_email, transfer.to_user_id, transfer.expires_at) == (email, None, NOW + timedelta(days=7))
    assert outbox() == ["mail.card_offered"]
    assert (card.owner_id, card.status, card.reroute_url) == (ada.id, CardStatus.ACTIVE, "https://example.com/")


def test_a_holder_cannot_offer_a_card_to_herself(card: Card, ada: User) -> None:
    assert_refused(CannotOffer, lambda: transfers.offer(card, ada, " ADA@example.com", NOW))


def test_an_unverified_user_cannot_offer_a_card(
    create_card: Callable[..., Card], create_user: Callable[..., User]
) -> None:
    dora = create_user("dora@example.com", verified=False)
    card = create_card(dora)
    assert_refused(CannotOffer, lambda: transfers.offer(card, dora, "cleo@example.com", NOW))


def test_a_card_has_at_most_one_open_offer(offer: CardTransfer, card: Card, ada: User) -> None:
    assert_refused(CannotOffer, lambda: transfers.offer(card, ada, "dora@example.com", LAST))
    transfers.offer(card, ada, "dora@example.com", TOO_LATE)
    db.session.commit()
    assert outcome_of(offer) is TransferOutcome.EXPIRED


def test_the_database_refuses_a_second_open_offer(offer: CardTransfer, card: Card, ada: User) -> None:
    db.session.add(CardTransfer(card_id=card.id, from_user_id=ada.id, to_email="x@example.com", expires_at=LAST))
    with pytest.raises(sa.exc.IntegrityError):
        db.session.flush()
    db.session.rollback()


@pytest.mark.parametrize("because", LockedBecause)
def test_a_locked_card_cannot_be_offered(card: Card, ada: User, because: LockedBecause) -> None:
    transitions.lock(card, because, ada)
    db.session.commit()
    assert_refused(transitions.InvalidTransition, lambda: transfers.offer(card, ada, "cleo@example.com", NOW))


def test_a_card_of_another_user_cannot_be_offered(card: Card, cleo: User) -> None:
    assert_refused(transitions.InvalidTransition, lambda: transfers.offer(card, cleo, "dora@example.com", NOW))


# --- accepting --------------------------------------------------------------------------------------------------------


def test_accepting_transfers_the_card_and_clears_its_setup(
    card: Card, profile: Profile, ada: User, cleo: User, outbox: Callable[[], list[str]]
) -> None:
    cards.point_to_profile(card, profile, ada)
    transfer = transfers.offer(card, ada, cleo.email, NOW)
    db.session.commit()
    transfers.accept(transfer.id, cleo, LAST)
    db.session.commit()
    assert (card.owner_id, card.status, card.claimed_at) == (cleo.id, CardStatus.ACTIVE, LAST)
    cleared = (card.alias, card.target, card.reroute_url, card.reroute_host, card.profile_id, card.is_blocked)
    assert cleared == (None, None, None, None, None, False)
    assert (outcome_of(transfer), transfer.to_user_id, transfer.ended_at) == (TransferOutcome.ACCEPTED, cleo.id, LAST)
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
    assert_refused(OfferNotFound, lambda: transfers.accept(offer.id, cleo, LAST))
    transfers.offer(card, cleo, ada.email, LAST)
    db.session.commit()
    assert transfers.accepted_card(cleo, offer.id) == card
    assert transfers.accepted_card(ada, offer.id) is None


def test_an_expired_offer_is_invalid_before_the_worker_marks_it(
    offer: CardTransfer, card: Card, ada: User, cleo: User
) -> None:
    for step in (transfers.accept, transfers.decline):
        assert_refused(OfferNotFound, lambda step=step: step(offer.id, cleo, TOO_LATE))  # type: ignore[misc]
    assert_refused(OfferEnded, lambda: transfers.withdraw(card, ada, TOO_LATE))
    assert transfers.open_offers_to(cleo, TOO_LATE) == []
    assert transfers.open_offer_of(card, TOO_LATE) is None
    assert (card.owner_id, card.alias) == (ada.id, "Everyday")


def test_an_offer_that_expires_while_being_accepted_is_refused(
    offer: CardTransfer, card: Card, ada: User, cleo: User, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(transfers, "get_offer_to", lambda *_: offer)
    assert_refused(OfferEnded, lambda: transfers.accept(offer.id, cleo, TOO_LATE))
    assert card.owner_id == ada.id


def test_an_offer_to_another_address_is_not_found(offer: CardTransfer, ben: User, ada: User) -> None:
    for person in (ben, ada):
        assert_refused(OfferNotFound, lambda person=person: transfers.accept(offer.id, person, LAST))  # type: ignore[misc]
        assert transfers.open_offers_to(person, NOW) == []


def test_an_unverified_user_sees_no_offers(card: Card, ada: User, create_user: Callable[..., User]) -> None:
    dora = create_user("dora@example.com", verified=False)
    transfer = transfers.offer(card, ada, dora.email, NOW)
    db.session.commit()
    assert_refused(OfferNotFound, lambda: transfers.accept(transfer.id, dora, LAST))
    assert transfers.open_offers_to(dora, NOW) == []
    dora.verified_at = NOW
    db.session.commit()
    assert transfers.open_offers_to(dora, NOW) == [transfer]
    transfers.accept(transfer.id, dora, LAST)


def test_an_offer_belongs_to_the_address_and_not_to_its_former_user(
    offer: CardTransfer, cleo: User, create_user: Callable[..., User]
) -> None:
    cleo.email = "cleo.nemo@example.com"
    db.session.commit()
    assert_refused(OfferNotFound, lambda: transfers.accept(offer.id, cleo, LAST))
    dora = create_user("cleo@example.com", first_name="Dora")
    transfers.accept(offer.id, dora, LAST)


@pytest.mark.parametrize("change", [{"email": "other@example.com"}, {"verified_at": None}, {"is_active": False}])
def test_the_address_is_checked_again_when_accepting(
    offer: CardTransfer, card: Card, ada: User, cleo: User, monkeypatch: pytest.MonkeyPatch, change: dict[str, object]
) -> None:
    monkeypatch.setattr(transfers, "get_offer_to", lambda *_: offer)
    for name, value in change.items():
        setattr(cleo, name, value)
    db.session.commit()
    assert_refused(OfferEnded, lambda: transfers.accept(offer.id, cleo, LAST))
    assert card.owner_id == ada.id


def test_a_holder_who_changes_to_the_offered_address_cannot_accept(
    offer: CardTransfer, card: Card, ada: User, cleo: User
) -> None:
    cleo.email = "away@example.com"
    db.session.flush()
    ada.email = "cleo@example.com"
    db.session.commit()
    assert_refused(OfferNotFound, lambda: transfers.accept(offer.id, ada, LAST))
    assert transfers.open_offers_to(ada, NOW) == []


# --- ending an offer --------------------------------------------------------------------------------------------------


@pytest.mark.parametrize("step", ["lock", "release", "retire", "replace", "be chosen"])
def test_other_transitions_of_the_card_withdraw_its_offer(
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
    assert_refused(OfferNotFound, lambda: transfers.accept(offer.id, cleo, LAST))


def test_editing_a_card_keeps_its_offer(offer: CardTransfer, card: Card, ada: User) -> None:
    cards.edit(card, ada, cards.CardChanges(alias="Other"), own_hosts=())
    db.session.commit()
    assert outcome_of(offer) is None


def test_declining_an_offer_keeps_the_card(
    offer: CardTransfer, card: Card, ada: User, cleo: User, outbox: Callable[[], list[str]]
) -> None:
    transfers.decline(offer.id, cleo, LAST)
    db.session.commit()
    assert (outcome_of(offer), card.owner_id, card.alias) == (TransferOutcome.DECLINED, ada.id, "Everyday")
    assert outbox()[-1] == "mail.offer_answered"
    assert_refused(OfferNotFound, lambda: transfers.accept(offer.id, cleo, LAST))


def test_a_withdrawn_offer_cannot_be_accepted(offer: CardTransfer, card: Card, ada: User, cleo: User) -> None:
    transfers.withdraw(card, ada, LAST)
    db.session.commit()
    assert_refused(OfferNotFound, lambda: transfers.accept(offer.id, cleo, LAST))
    assert_refused(OfferEnded, lambda: transfers.withdraw(card, ada, LAST))
    transfers.offer(card, ada, cleo.email, LAST)


def test_an_offer_ends_when_the_card_is_released_and_claimed_again(
    offer: CardTransfer, card: Card, ada: User, cleo: User, keys: Keys
) -> None:
    code = claims.release(card, ada, keys)
    claims.claim(card, ada, keys, code=code)
    db.session.commit()
    assert_refused(OfferNotFound, lambda: transfers.accept(offer.id, cleo, LAST))


# --- expiry -----------------------------------------------------------------------------------------------------------


def test_offers_expire_and_are_deleted_after_a_month(offer: CardTransfer, card: Card, ada: User) -> None:
    assert transfers.expire(LAST) == 0
    assert transfers.expire(TOO_LATE) == 1
    db.session.commit()
    assert outcome_of(offer) is TransferOutcome.EXPIRED
    transfers.expire(TOO_LATE + transfers.RETENTION)
    assert db.session.scalar(sa.select(sa.func.count()).select_from(CardTransfer)) == 1
    transfers.expire(TOO_LATE + transfers.RETENTION + timedelta(seconds=1))
    db.session.commit()
    assert db.session.scalar(sa.select(sa.func.count()).select_from(CardTransfer)) == 0
    assert db.session.scalar(sa.select(sa.func.count()).select_from(CardEvent)) == 2, "the card history is kept"
