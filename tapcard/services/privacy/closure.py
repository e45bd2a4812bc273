"""Closing an account, and reopening it within fourteen days; after that `erasure` erases it."""

from datetime import datetime

import sqlalchemy as sa
from sqlalchemy import select

from ... import outbox
from ...db import acquire_lock, db, execute_update
from ...errors import DomainError, NotFound
from ...errors import mark as _
from ...models import CardTransfer, LinkPurpose, LockedBecause, Role, TransferOutcome, User
from ...models.users import REOPEN_WITHIN
from ...services.accounts import credentials
from ..accounts import email_links, sessions
from ..cards import transitions
from ..core import audit

OWNERS_LOCK = "owners"


class LastOwner(DomainError):
    """The user is the only active owner of the shop."""


class AlreadyClosed(DomainError):
    """The account is already closed."""


class CannotReopen(NotFound):
    """There is no closed account that can be reopened."""


def close(user_id: int, password: str, now: datetime) -> None:
    """Close a user's account, given their password; it is hidden from then on.

    Verify the password before the transaction, see `credentials`. Raise `WrongPassword`, `LastOwner` or
    `AlreadyClosed`.
    """
    credentials.confirm_password(user_id, password)
    user = db.session.get_one(User, user_id)
    deactivate(user, now)
    outbox.post("mail.account_closed", user_id=user.id)
    audit.record("user.closed", subject=user, actor=user)


def deactivate(user: User, now: datetime, *, even_inactive: bool = False) -> None:
    """Deactivate an account: end its sessions and links, lock its cards, withdraw its card transfers.

    With `even_inactive`, also close an account that staff have deactivated, to erase it. Raise `LastOwner` or
    `AlreadyClosed`.
    """
    refuse_last_owner(user)
    changed = execute_update(
        sa.update(User)
        .where(User.id == user.id, sa.or_(User.is_active, sa.literal(even_inactive)), User.closed_at.is_(None))
        .values(is_active=False, closed_at=now)
    )
    if changed != 1:
        raise AlreadyClosed(_("This account is already closed."))
    db.session.refresh(user)
    sessions.end_other_sessions(user, None)
    email_links.revoke_links(user, now, *(purpose for purpose in LinkPurpose if purpose is not LinkPurpose.UNDO_EMAIL))
    transitions.lock_all(user, LockedBecause.CLOSED)
    withdraw_offers(user, now)


def reopen(user_id: int, now: datetime) -> User:
    """Reopen a closed account and unlock the cards that closing locked; raise `CannotReopen`."""
    changed = execute_update(
        sa.update(User)
        .where(
            User.id == user_id, ~User.is_active, User.erased_at.is_(None), User.closed_at > now - REOPEN_WITHIN
        )
        .values(is_active=True, closed_at=None, seen_at=now)
    )  # fmt: skip
    if changed != 1:
        raise CannotReopen(_("This account can't be restored."))
    user = db.session.get_one(User, user_id, populate_existing=True)
    sessions.end_other_sessions(user, None)
    transitions.unlock_all(user, LockedBecause.CLOSED)
    audit.record("user.reopened", subject=user, actor=user)
    return user


def refuse_last_owner(user: User) -> None:
    """Raise `LastOwner` for the only active owner of the shop; of two concurrent owners only one may close."""
    acquire_lock(OWNERS_LOCK)
    owners = select(User.id).join(User.roles).where(Role.name == "owner", User.is_active)
    if set(db.session.scalars(owners)) == {user.id}:
        raise LastOwner(_("You're the only owner of this shop. Make someone else an owner first."))


def withdraw_offers(user: User, now: datetime) -> None:
    """Withdraw the open card transfers from a user and, if their address is verified, to them."""
    concerned = CardTransfer.from_user_id == user.id
    if user.is_verified:
        concerned = sa.or_(concerned, CardTransfer.to_email == user.email)
    execute_update(
        sa.update(CardTransfer)
        .where(concerned, CardTransfer.ended_at.is_(None))
        .values(ended_at=now, outcome=TransferOutcome.WITHDRAWN)
    )
