"""Verify and change the email address of an account."""

from datetime import datetime

import sqlalchemy as sa
from sqlalchemy.exc import IntegrityError

from ... import email_addresses, outbox
from ...db import db, execute_update
from ...errors import DomainError
from ...errors import mark as _
from ...models import LinkPurpose, LinkToken, User
from ..core import audit
from . import credentials, email_links, registration, sessions


class EmailUnchanged(DomainError):
    """The new address is the one the account already has."""

    status = 422
    field = "email"


def verify_email(token: str, now: datetime, *, by: int | None) -> User:
    """Mark an account's address as verified; raise `LinkExpired` or `LinkUsed`.

    `by` is the id of the logged-in user. Anyone can sign up with another person's address, so unless the account's own
    user follows the link, its password and sessions are removed, and a new password has to be chosen.
    """
    user = email_links.follow_link(token, LinkPurpose.VERIFY_EMAIL, now).user
    if user.verified_at is None:
        if by != user.id:
            credentials.revoke_all_access(user, now)
        user.verified_at = now
        audit.record("user.verified", subject=user, actor=user, is_shut_out=by != user.id)
    return user


def request_email_change(user_id: int, password: str, email: str, now: datetime) -> None:
    """Send a link to a new address; nothing changes until it is followed. Revoke an earlier link.

    Behave the same if another account has the address, but then no email is sent. Verify the password before the
    transaction, see `credentials`. Raise `InvalidEmail`, `WrongPassword` or `EmailUnchanged`.
    """
    email = email_addresses.normalize(email)
    credentials.confirm_password(user_id, password)
    user = db.session.get_one(User, user_id)
    if email == user.email:
        raise EmailUnchanged(_("This is already your email address."))
    email_links.revoke_links(user, now, LinkPurpose.CHANGE_EMAIL)
    link, _token = LinkToken.issue(user, LinkPurpose.CHANGE_EMAIL, email, now)  # the email renews the token
    db.session.add(link)
    db.session.flush()  # the outbox message needs the link's id
    outbox.post("mail.email_change", link_id=link.id)
    audit.record("user.email_change_asked", subject=user, actor=user)


def confirm_email_change(token: str, now: datetime) -> User:
    """Apply a change of address. If the old one was verified, send it a link that undoes the change for a week.

    An old address that was never verified may be a stranger's, so it gets no such link. Raise `LinkExpired`,
    `LinkUsed` or `EmailTaken`.
    """
    link = email_links.follow_link(token, LinkPurpose.CHANGE_EMAIL, now)
    user, old_email, was_verified = link.user, link.user.email, link.user.is_verified
    _set_email(user, link.email, now)
    email_links.revoke_links(user, now)
    if was_verified:
        undo, _token = LinkToken.issue(user, LinkPurpose.UNDO_EMAIL, old_email, now)
        db.session.add(undo)
        db.session.flush()  # the outbox message needs the link's id
        outbox.post("mail.email_changed", link_id=undo.id)
    audit.record("user.email_changed", subject=user, actor=user)
    return user


def undo_email_change(token: str, now: datetime) -> User:
    """Restore an account's former address, assuming that another person had changed it.

    The person who changed it knew the password, so remove the password, end all sessions and revoke all links. An
    account that they closed stays closed: the caller reopens it (`closure.reopen`). Raise `LinkExpired`, `LinkUsed` or
    `EmailTaken`.
    """
    link = email_links.follow_link(token, LinkPurpose.UNDO_EMAIL, now)
    user = link.user
    _set_email(user, link.email, now)
    user.password_hash, user.password_set_at = None, now
    email_links.revoke_links(user, now)
    later_links = sa.and_(
        LinkToken.user_id == user.id, LinkToken.purpose == LinkPurpose.UNDO_EMAIL, LinkToken.id > link.id,
        LinkToken.used_at.is_(None),
    )  # fmt: skip
    execute_update(sa.update(LinkToken).where(later_links).values(expires_at=now))
    sessions.end_other_sessions(user, None)
    audit.record("user.email_change_undone", subject=user, actor=user)
    return user


def _set_email(user: User, email: str, now: datetime) -> None:
    try:
        with db.session.begin_nested():
            user.email, user.verified_at = email, now
    except IntegrityError:
        raise registration.EmailTaken(_("Another account is already using this email address.")) from None
    if email_links.is_email_reserved(email, user, now):
        raise registration.EmailTaken(_("Another account is already using this email address."))
