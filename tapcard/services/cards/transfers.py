"""Offering a card to whoever has an e-mail address: theirs once they accept, within seven days.

Whoever changes both the card and the offer changes the card first, so that two of them never wait for each other.
"""

from collections.abc import Sequence
from datetime import datetime, timedelta

import sqlalchemy as sa
from sqlalchemy import select
from sqlalchemy.orm import joinedload

from ... import email_addresses, outbox
from ...db import db
from ...errors import DomainError, NotFound
from ...errors import mark as _
from ...ids import is_id
from ...models import Card, CardStatus, CardTransfer, TransferOutcome, User
from ..core import audit
from . import cards

LIFETIME = timedelta(days=7)
KEPT = timedelta(days=30)


class OfferNotFound(NotFound):
    """There is no such offer, or it is not for this person."""


class OfferOver(DomainError):
    """The offer was answered, withdrawn or left too long."""


class CannotOffer(DomainError):
    """The card cannot be offered, or not to this address."""

    field = "email"


# --- finding ----------------------------------------------------------------------------------------------------------


def _is_open(now: datetime) -> sa.ColumnElement[bool]:
    return sa.and_(CardTransfer.ended_at.is_(None), CardTransfer.expires_at > now)


def _is_for(user: User) -> sa.ColumnElement[bool]:
    return sa.and_(CardTransfer.to_email == user.email, CardTransfer.from_user_id != user.id)


def open_for(user: User, now: datetime) -> Sequence[CardTransfer]:
    """The offers that wait for somebody's answer; none before they have proved their address."""
    if not user.is_verified:
        return []
    wanted = select(CardTransfer).where(_is_for(user), _is_open(now)).order_by(CardTransfer.id)
    return db.session.scalars(wanted.options(*_WITH_CARD)).all()


_WITH_CARD = (
    joinedload(CardTransfer.card).joinedload(Card.design),
    joinedload(CardTransfer.from_user).lazyload(User.roles),
)


def open_of(card: Card, now: datetime) -> CardTransfer | None:
    """The offer of a card that waits for an answer."""
    return db.session.scalar(select(CardTransfer).where(CardTransfer.card_id == card.id, _is_open(now)))


def offered_to(user: User, offer_id: int, now: datetime) -> CardTransfer:
    """An offer that waits for this person's answer; anybody else's does not exist."""
    found = None
    if user.is_verified and is_id(offer_id):
        wanted = select(CardTransfer).where(CardTransfer.id == offer_id, _is_for(user), _is_open(now))
        found = db.session.scalar(wanted.options(*_WITH_CARD))
    if found is None:
        raise OfferNotFound(
            _(
                "We couldn't find this transfer for %(email)s. It may have been cancelled, have expired after 7 days "
                "or have been sent to a different email address."
            ),
            email=user.email,
        )
    return found


def accepted_by(user: User, offer_id: int) -> Card | None:
    """The card of an offer that this person accepted, if the card is still theirs."""
    if not is_id(offer_id):
        return None
    return db.session.scalar(
        select(Card)
        .join(CardTransfer, CardTransfer.card_id == Card.id)
        .where(CardTransfer.id == offer_id, CardTransfer.to_user_id == user.id, Card.owner_id == user.id)
    )


# --- offering ---------------------------------------------------------------------------------------------------------


def offer(card: Card, sender: User, email: str, now: datetime) -> CardTransfer:
    """Offer a card to an address, whether or not it has an account; a mail to it is promised.

    Raises `InvalidEmail`, `CannotOffer`, or `IllegalMove` when the card is not on or not theirs any more.
    """
    email = email_addresses.normalize(email)
    if not sender.is_verified:
        raise CannotOffer(_("Confirm your email first. Open the link we sent you."))
    if email == sender.email:
        raise CannotOffer(_("Enter someone else's email address."))
    held = db.session.execute(
        sa.update(Card)
        .where(Card.id == card.id, Card.owner_id == sender.id, Card.status == CardStatus.ACTIVE)
        .values(status=Card.status)  # nothing but the lock: nobody gives the card away before the offer is written
        .execution_options(synchronize_session=False)
    )
    if held.rowcount != 1:  # type: ignore[attr-defined]
        raise cards.IllegalMove(_("Only active cards can be transferred."))
    _mark_expired(now, CardTransfer.card_id == card.id)
    if open_of(card, now) is not None:
        raise CannotOffer(_("This card already has a pending transfer. Cancel it first."))
    transfer = CardTransfer(
        card_id=card.id, from_user_id=sender.id, to_email=email, created_at=now, expires_at=now + LIFETIME
    )
    db.session.add(transfer)
    db.session.flush()  # the promise needs the offer's id
    outbox.post("mail.card_offered", transfer_id=transfer.id)
    audit.record("card.offered", subject=card, actor=sender, transfer=transfer.id)
    return transfer


def withdraw(card: Card, sender: User, now: datetime) -> None:
    """Take an offer back; raises `OfferOver` when there is none to be answered any more."""
    _end(TransferOutcome.WITHDRAWN, now, CardTransfer.card_id == card.id, CardTransfer.from_user_id == sender.id)
    audit.record("card.offer_withdrawn", subject=card, actor=sender)


# --- answering --------------------------------------------------------------------------------------------------------


def accept(offer_id: int, user: User, now: datetime) -> Card:
    """Make an offered card the person's own, exactly once; its former holder is told.

    Raises `OfferNotFound`, or `OfferOver` when the offer ended or the card changed meanwhile.
    """
    transfer = offered_to(user, offer_id, now)
    still_open = sa.exists().where(CardTransfer.id == transfer.id, _is_open(now))
    still_theirs = sa.exists().where(
        User.id == user.id, User.email == transfer.to_email, User.verified_at.is_not(None), User.is_active
    )
    try:
        cards.hand_over(transfer.card, transfer.from_user_id, user, [still_open, still_theirs], now)
    except cards.IllegalMove:
        raise _over() from None
    _end(TransferOutcome.ACCEPTED, now, CardTransfer.id == transfer.id, to_user_id=user.id)
    outbox.post("mail.offer_answered", transfer_id=transfer.id)
    return transfer.card


def decline(offer_id: int, user: User, now: datetime) -> None:
    """Turn an offer down; the card stays with its holder, who is told. Raises as `accept` does."""
    transfer = offered_to(user, offer_id, now)
    _end(TransferOutcome.DECLINED, now, CardTransfer.id == transfer.id)
    outbox.post("mail.offer_answered", transfer_id=transfer.id)
    audit.record("card.offer_declined", subject=transfer.card, actor=user)


def _end(outcome: TransferOutcome, now: datetime, *conditions: sa.ColumnElement[bool], **values: int) -> None:
    """End an open offer by one conditional UPDATE; raises `OfferOver` when it is not open."""
    ended = db.session.execute(
        sa.update(CardTransfer)
        .where(*conditions, _is_open(now))
        .values(ended_at=now, outcome=outcome, **values)
        .execution_options(synchronize_session=False)
    )
    if ended.rowcount != 1:  # type: ignore[attr-defined]
        raise _over()


def _over() -> OfferOver:
    return OfferOver(_("This transfer is no longer open. It was answered, cancelled or expired after 7 days."))


# --- the clock --------------------------------------------------------------------------------------------------------


def expire(now: datetime) -> int:
    """Mark the offers that were left too long, and forget those that ended a while ago; tells how many were marked."""
    marked = _mark_expired(now)
    gone = sa.delete(CardTransfer).where(CardTransfer.ended_at < now - KEPT)
    db.session.execute(gone.execution_options(synchronize_session=False))
    return marked


def _mark_expired(now: datetime, *conditions: sa.ColumnElement[bool]) -> int:
    marked = db.session.execute(
        sa.update(CardTransfer)
        .where(*conditions, CardTransfer.ended_at.is_(None), CardTransfer.expires_at <= now)
        .values(ended_at=now, outcome=TransferOutcome.EXPIRED)
        .execution_options(synchronize_session=False)
    )
    return int(marked.rowcount)  # type: ignore[attr-defined]
