"""Single-use links sent by email: issued, checked, followed and revoked."""

from dataclasses import dataclass
from datetime import datetime

import sqlalchemy as sa
from sqlalchemy import select

from ...db import db, execute_update, transactions
from ...errors import DomainError
from ...errors import mark as _
from ...models import LinkPurpose, LinkToken, User
from ...models.users import REOPEN_WITHIN

# Links that prove control of an address or lead to another one: revoked once the password or the address changes.
REVOKED_AFTER_A_CHANGE = (LinkPurpose.VERIFY_EMAIL, LinkPurpose.SET_PASSWORD, LinkPurpose.CHANGE_EMAIL)


class LinkExpired(DomainError):
    """The link is too old, unknown, or was revoked because something changed."""

    status = 410


class LinkUsed(DomainError):
    """The link has already been followed."""

    status = 410


@dataclass(frozen=True)
class LinkDetails:
    """What a page shows about a link before it is followed."""

    user_id: int
    email: str
    current_email: str
    first_name: str
    has_password: bool
    is_verified: bool


def is_email_reserved(email: str, user: User, now: datetime) -> bool:
    """Return whether another user gave the address up recently and can still take it back."""
    reservation = select(LinkToken.id).where(
        LinkToken.purpose == LinkPurpose.UNDO_EMAIL,
        LinkToken.email == email,
        LinkToken.user_id != user.id,
        LinkToken.used_at.is_(None),
        LinkToken.expires_at > now,
    )
    return db.session.scalar(reservation.limit(1)) is not None


def issue_link(user: User, purpose: LinkPurpose, email: str, now: datetime) -> str:
    """Create a link for a user and return its token, for a page that redirects to it without an email."""
    link, token = LinkToken.issue(user, purpose, email, now)
    db.session.add(link)
    return token


def read_link(token: str, purpose: LinkPurpose, now: datetime) -> LinkDetails:
    """Return the details of a link without following it; raise `LinkExpired` or `LinkUsed`.

    Read on a separate connection, so that no write lock is held while a password is hashed afterwards.
    """
    columns = select(
        LinkToken.user_id,
        LinkToken.email,
        LinkToken.used_at,
        LinkToken.expires_at,
        User.email,
        User.first_name,
        User.password_hash,
        User.verified_at,
        _account_admits_links(purpose, now),
    ).join(LinkToken.user)
    with transactions(writing=False), db.engine.connect() as connection:
        row = connection.execute(columns.where(*_matches_link(token, purpose))).one_or_none()
    if row is None:
        raise _link_expired()
    user_id, email, used_at, expires_at, current_email, first_name, password_hash, verified_at, is_alive = row
    if used_at is not None:
        raise LinkUsed(_("This link has already been used."))
    if expires_at <= now or not is_alive or _is_outdated(purpose, email, current_email):
        raise _link_expired()
    return LinkDetails(user_id, email, current_email, first_name, password_hash is not None, verified_at is not None)


def follow_link(token: str, purpose: LinkPurpose, now: datetime) -> LinkToken:
    """Mark a link as used by one conditional UPDATE, so that it works once; raise `LinkExpired` or `LinkUsed`."""
    is_open = sa.and_(LinkToken.used_at.is_(None), LinkToken.expires_at > now)
    used_count = execute_update(sa.update(LinkToken).where(*_matches_link(token, purpose), is_open).values(used_at=now))
    link = db.session.scalar(
        select(LinkToken).where(*_matches_link(token, purpose)).execution_options(populate_existing=True)
    )
    if used_count != 1:
        if link is not None and link.used_at is not None:
            raise LinkUsed(_("This link has already been used."))
        raise _link_expired()
    assert link is not None
    is_alive = db.session.scalar(select(_account_admits_links(purpose, now)).where(User.id == link.user_id))
    if not is_alive or _is_outdated(purpose, link.email, link.user.email):
        raise _link_expired()
    return link


def _account_admits_links(purpose: LinkPurpose, now: datetime) -> sa.ColumnElement[bool]:
    """Return the condition that links of a purpose work for an account.

    Usually it must be active. Undoing a change of address also works on a recently closed account, so that an
    attacker who took an account over cannot lock its owner out by closing it.
    """
    if purpose is not LinkPurpose.UNDO_EMAIL:
        return sa.and_(User.is_active, sa.true())
    return sa.or_(User.is_active, sa.and_(User.erased_at.is_(None), User.closed_at > now - REOPEN_WITHIN))


def _matches_link(token: str, purpose: LinkPurpose) -> tuple[sa.ColumnElement[bool], sa.ColumnElement[bool]]:
    return LinkToken.token_hash == LinkToken.hash_of(token), LinkToken.purpose == purpose


def _is_outdated(purpose: LinkPurpose, email: str, current_email: str) -> bool:
    """Return whether a link that proves an address was sent to one the account no longer has."""
    return purpose in (LinkPurpose.VERIFY_EMAIL, LinkPurpose.SET_PASSWORD) and email != current_email


def revoke_links(user: User, now: datetime, *purposes: LinkPurpose) -> None:
    """Revoke a user's open links of some purposes, by default `REVOKED_AFTER_A_CHANGE`."""
    conditions = (
        LinkToken.user_id == user.id,
        LinkToken.purpose.in_(purposes or REVOKED_AFTER_A_CHANGE),
        LinkToken.used_at.is_(None),
    )
    execute_update(sa.update(LinkToken).where(*conditions).values(expires_at=now))


def _link_expired() -> LinkExpired:
    return LinkExpired(_("This link is no longer valid."))
