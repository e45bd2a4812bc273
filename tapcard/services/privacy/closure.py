"""Closing an account, and opening it again within fourteen days; what comes after that is in `erasing`."""

from datetime import datetime

import sqlalchemy as sa
from sqlalchemy import select

from ... import outbox
from ...db import db, hold
from ...errors import DomainError, NotFound
from ...errors import mark as _
from ...models import CardTransfer, LinkPurpose, LockedBecause, Role, TransferOutcome, User
from ...models.users import RETURN_WITHIN
from ...services.accounts import credentials
from ..accounts import email_links, sessions
from ..cards import transitions
from ..core import audit

OWNERS = "owners"


class LastOwner(DomainError):
    """Nobody else owns the shop."""


class AlreadyClosed(DomainError):
    """The account is not open."""


class CannotReturn(NotFound):
    """There is no closed account that could be opened again."""


def close(user_id: int, password: str, now: datetime) -> None:
    """Close somebody's account after asking for their password; everything of it is out of sight at once.

    Raises `WrongPassword`, `LastOwner` or `AlreadyClosed`. Hashes first, see `accounts`.
    """
    credentials.confirm_password(user_id, password)
    user = db.session.get_one(User, user_id)
    shut(user, now)
    outbox.post("mail.account_closed", user_id=user.id)
    audit.record("user.closed", subject=user, actor=user)


def shut(user: User, now: datetime, *, even_inactive: bool = False) -> None:
    """Deactivate an account: its sessions and links end, its cards are switched off, offers of cards are withdrawn.

    One that staff have deactivated is closed only to be erased: nobody shall bring it back. Raises `LastOwner` or
    `AlreadyClosed`.
    """
    refuse_last_owner(user)
    closed = db.session.execute(
        sa.update(User)
        .where(User.id == user.id, sa.or_(User.is_active, sa.literal(even_inactive)), User.closed_at.is_(None))
        .values(is_active=False, closed_at=now)
        .execution_options(synchronize_session=False)
    )
    if closed.rowcount != 1:  # type: ignore[attr-defined]
        raise AlreadyClosed(_("This account is already closed."))
    db.session.refresh(user)
    sessions.end_other_sessions(user, None)
    email_links.revoke_links(user, now, *(each for each in LinkPurpose if each is not LinkPurpose.UNDO_EMAIL))
    transitions.lock_all(user, LockedBecause.CLOSED)
    withdraw_offers(user, now)


def reopen(user_id: int, now: datetime) -> User:
    """Open a closed account again, with exactly the cards that closing switched off; raises `CannotReturn`."""
    opened = db.session.execute(
        sa.update(User)
        .where(
            User.id == user_id, ~User.is_active, User.erased_at.is_(None), User.closed_at > now - RETURN_WITHIN
        )
        .values(is_active=True, closed_at=None, seen_at=now)
        .execution_options(synchronize_session=False)
    )  # fmt: skip
    if opened.rowcount != 1:  # type: ignore[attr-defined]
        raise CannotReturn(_("This account can't be restored."))
    user = db.session.get_one(User, user_id, populate_existing=True)
    sessions.end_other_sessions(user, None)
    transitions.unlock_all(user, LockedBecause.CLOSED)
    audit.record("user.reopened", subject=user, actor=user)
    return user


def refuse_last_owner(user: User) -> None:
    """Raise `LastOwner` for the only active person who owns the shop; of two owners at once one may go."""
    hold(OWNERS)
    owners = select(User.id).join(User.roles).where(Role.name == "owner", User.is_active)
    if set(db.session.scalars(owners)) == {user.id}:
        raise LastOwner(_("You're the only owner of this shop. Make someone else an owner first."))


def withdraw_offers(user: User, now: datetime) -> None:
    """End the open offers of cards from somebody and, if the address is known to be theirs, to them."""
    concerns = CardTransfer.from_user_id == user.id
    if user.is_verified:
        concerns = sa.or_(concerns, CardTransfer.to_email == user.email)
    db.session.execute(
        sa.update(CardTransfer)
        .where(concerns, CardTransfer.ended_at.is_(None))
        .values(ended_at=now, outcome=TransferOutcome.WITHDRAWN)
        .execution_options(synchronize_session=False)
    )
