"""Transfers of cards: an offer to an email address, which its recipient can accept within 7 days.

Code that changes both the card and the offer changes the card first, so that two transactions cannot deadlock.
"""

from collections.abc import Sequence
from datetime import datetime, timedelta

import sqlalchemy as sa
from sqlalchemy import select
from sqlalchemy.orm import joinedload

from ... import email_addresses, outbox
from ...db import db, execute_update
from ...errors import DomainError, NotFound
from ...errors import mark as _
from ...ids import is_id
from ...models import Card, CardStatus, CardTransfer, TransferOutcome, User
from ..core import audit
from . import transitions

OFFER_LIFETIME = timedelta(days=7)
RETENTION = timedelta(days=30)


class OfferNotFound(NotFound):
    """The offer does not exist, has ended, or is for another user."""


class OfferEnded(DomainError):
    """The offer was answered or withdrawn, or has expired."""


class CannotOffer(DomainError):
    """The card cannot be offered to this address."""

    field = "email"


# --- look-ups ---------------------------------------------------------------------------------------------------------


def _is_open(now: datetime) -> sa.ColumnElement[bool]:
    return sa.and_(CardTransfer.ended_at.is_(None), CardTransfer.expires_at > now)


def _is_for(user: User) -> sa.ColumnElement[bool]:
    return sa.and_(CardTransfer.to_email == user.email, CardTransfer.from_user_id != user.id)


def open_offers_to(user: User, now: datetime) -> Sequence[CardTransfer]:
    """Return the open offers to a user; none while their email address is not verified."""
    if not user.is_verified:
        return []
    offers = select(CardTransfer).where(_is_for(user), _is_open(now)).order_by(CardTransfer.id)
    return db.session.scalars(offers.options(*_WITH_CARD)).all()


_WITH_CARD = (
    joinedload(CardTransfer.card).joinedload(Card.design),
    joinedload(CardTransfer.from_user).lazyload(User.roles),
)


def open_offer_of(card: Card, now: datetime) -> CardTransfer | None:
    """Return the open offer of a card."""
    return db.session.scalar(select(CardTransfer).where(CardTransfer.card_id == card.id, _is_open(now)))


def get_offer_to(user: User, offer_id: int, now: datetime) -> CardTransfer:
    """Return an open offer to a user by its id; raise `OfferNotFound` for any other."""
    transfer = None
    if user.is_verified and is_id(offer_id):
        offers = select(CardTransfer).where(CardTransfer.id == offer_id, _is_for(user), _is_open(now))
        transfer = db.session.scalar(offers.options(*_WITH_CARD))
    if transfer is None:
        raise OfferNotFound(
            _(
                "We couldn't find this transfer for %(email)s. It may have been cancelled, have expired after 7 days "
                "or have been sent to a different email address."
            ),
            email=user.email,
        )
    return transfer


def accepted_card(user: User, offer_id: int) -> Card | None:
    """Return the card of an offer that a user accepted, if they still own it."""
    if not is_id(offer_id):
        return None
    return db.session.scalar(
        select(Card)
        .join(CardTransfer, CardTransfer.card_id == Card.id)
        .where(CardTransfer.id == offer_id, CardTransfer.to_user_id == user.id, Card.owner_id == user.id)
    )


# --- offering ---------------------------------------------------------------------------------------------------------


def offer(card: Card, sender: User, email: str, now: datetime) -> CardTransfer:
    """Offer a card to an email address, which need not have an account, and queue an email to it.

    Raises `InvalidEmail`, `CannotOffer`, or `InvalidTransition` if the card is not active or not the sender's.
    """
    email = email_addresses.normalize(email)
    if not sender.is_verified:
        raise CannotOffer(_("Confirm your email first. Open the link we sent you."))
    if email == sender.email:
        raise CannotOffer(_("Enter someone else's email address."))
    # changes nothing, but locks the row, so that the card cannot change its owner before the offer is written
    can_offer = (Card.id == card.id, Card.owner_id == sender.id, Card.status == CardStatus.ACTIVE)
    if execute_update(sa.update(Card).where(*can_offer).values(status=Card.status)) != 1:
        raise transitions.InvalidTransition(_("Only active cards can be transferred."))
    _mark_expired(now, CardTransfer.card_id == card.id)
    if open_offer_of(card, now) is not None:
        raise CannotOffer(_("This card already has a pending transfer. Cancel it first."))
    transfer = CardTransfer(
        card_id=card.id, from_user_id=sender.id, to_email=email, created_at=now, expires_at=now + OFFER_LIFETIME
    )
    db.session.add(transfer)
    db.session.flush()  # the email needs the id
    outbox.post("mail.card_offered", transfer_id=transfer.id)
    audit.record("card.offered", subject=card, actor=sender, transfer=transfer.id)
    return transfer


def withdraw(card: Card, sender: User, now: datetime) -> None:
    """Withdraw the open offer of a card; raise `OfferEnded` if there is none."""
    _end(TransferOutcome.WITHDRAWN, now, CardTransfer.card_id == card.id, CardTransfer.from_user_id == sender.id)
    audit.record("card.offer_withdrawn", subject=card, actor=sender)


# --- accepting and declining ------------------------------------------------------------------------------------------


def accept(offer_id: int, user: User, now: datetime) -> Card:
    """Give an offered card to the user who accepts it, exactly once, and queue an email to its former owner.

    Raises `OfferNotFound`, or `OfferEnded` if the offer ended or the card changed meanwhile.
    """
    transfer = get_offer_to(user, offer_id, now)
    offer_is_open = sa.exists().where(CardTransfer.id == transfer.id, _is_open(now))
    user_is_recipient = sa.exists().where(
        User.id == user.id, User.email == transfer.to_email, User.verified_at.is_not(None), User.is_active
    )
    try:
        transitions.transfer(transfer.card, transfer.from_user_id, user, [offer_is_open, user_is_recipient], now)
    except transitions.InvalidTransition:
        raise _offer_ended() from None
    _end(TransferOutcome.ACCEPTED, now, CardTransfer.id == transfer.id, to_user_id=user.id)
    outbox.post("mail.offer_answered", transfer_id=transfer.id)
    return transfer.card


def decline(offer_id: int, user: User, now: datetime) -> None:
    """Decline an offer and queue an email to the owner, who keeps the card. Raises what `accept` raises."""
    transfer = get_offer_to(user, offer_id, now)
    _end(TransferOutcome.DECLINED, now, CardTransfer.id == transfer.id)
    outbox.post("mail.offer_answered", transfer_id=transfer.id)
    audit.record("card.offer_declined", subject=transfer.card, actor=user)


def _end(outcome: TransferOutcome, now: datetime, *conditions: sa.ColumnElement[bool], **values: int) -> None:
    """End an open offer by one conditional UPDATE; raise `OfferEnded` if it is not open."""
    offers = sa.update(CardTransfer).where(*conditions, _is_open(now))
    if execute_update(offers.values(ended_at=now, outcome=outcome, **values)) != 1:
        raise _offer_ended()


def _offer_ended() -> OfferEnded:
    return OfferEnded(_("This transfer is no longer open. It was answered, cancelled or expired after 7 days."))


# --- expiry -----------------------------------------------------------------------------------------------------------


def expire(now: datetime) -> int:
    """Mark unanswered offers as expired, delete those that ended long ago, and return how many were marked."""
    marked_count = _mark_expired(now)
    execute_update(sa.delete(CardTransfer).where(CardTransfer.ended_at < now - RETENTION))
    return marked_count


def _mark_expired(now: datetime, *conditions: sa.ColumnElement[bool]) -> int:
    overdue = (CardTransfer.ended_at.is_(None), CardTransfer.expires_at <= now)
    return execute_update(
        sa.update(CardTransfer).where(*conditions, *overdue).values(ended_at=now, outcome=TransferOutcome.EXPIRED)
    )
