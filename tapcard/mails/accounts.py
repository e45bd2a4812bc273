"""Emails about accounts."""

from flask_mail import Message
from sqlalchemy import select

from .. import mail
from ..clock import utcnow
from ..db import db
from ..errors import mark as _
from ..models import LinkPurpose, LinkToken, User


@mail.kind("mail.verify_email", _("Email confirmation"))
def verify_email(user_id: int) -> Message | None:
    """Return the email that asks a user to verify their address."""
    user = mail.active_user(user_id)
    if user is None or user.is_verified:
        return None
    token = _issue(user, LinkPurpose.VERIFY_EMAIL)
    return mail.compose("verify_email", user.email, user=user, link=mail.link_to("auth.verify", token=token))


@mail.kind("mail.set_password", _("Password reset"))
def set_password(email: str) -> Message | None:
    """Return the email with a link to set a password, or None if there is no active account."""
    user = db.session.scalar(select(User).where(User.email == email))
    if user is None or not user.is_active:
        return None
    token = _issue(user, LinkPurpose.SET_PASSWORD)
    link = mail.link_to("auth.set_password", token=token)
    name = "first_password" if user.password_hash is None else "set_password"
    return mail.compose(name, user.email, user=user, link=link)


@mail.kind("mail.password_changed", _("Password changed"))
def password_changed(user_id: int) -> Message | None:
    """Return the notice that a password was changed."""
    user = mail.active_user(user_id)
    if user is None:
        return None
    return mail.compose("password_changed", user.email, user=user, link=mail.link_to("auth.forgot_password"))


@mail.kind("mail.two_factor_on", _("Two-factor authentication turned on"))
def two_factor_on(user_id: int) -> Message | None:
    """Return the notice that two-factor authentication was enabled."""
    return _about_account(user_id, "two_factor_on")


@mail.kind("mail.two_factor_off", _("Two-factor authentication turned off"))
def two_factor_off(user_id: int) -> Message | None:
    """Return the notice that two-factor authentication was disabled."""
    return _about_account(user_id, "two_factor_off")


@mail.kind("mail.recovery_code_used", _("Recovery code used"))
def recovery_code_used(user_id: int) -> Message | None:
    """Return the notice that a recovery code was used."""
    return _about_account(user_id, "recovery_code_used")


def _about_account(user_id: int, name: str) -> Message | None:
    user = mail.active_user(user_id)
    return (
        None if user is None else mail.compose(name, user.email, user=user, link=mail.link_to("auth.forgot_password"))
    )


@mail.kind("mail.email_change", _("Email change confirmation"))
def email_change(link_id: int) -> Message | None:
    """Return the email that asks a new address to confirm the change, or None if it belongs to an account."""
    link = _open_link(link_id)
    if link is None or db.session.scalar(select(User.id).where(User.email == link.email)) is not None:
        return None
    token = link.renew()
    return mail.compose(
        "email_change", link.email, user=link.user, link=mail.link_to("auth.confirm_email", token=token)
    )


@mail.kind("mail.email_changed", _("Email changed"))
def email_changed(link_id: int) -> Message | None:
    """Return the notice to a former address, with a link that undoes the change."""
    link = _open_link(link_id)
    if link is None:
        return None
    token = link.renew()
    return mail.compose("email_changed", link.email, user=link.user, link=mail.link_to("auth.undo_email", token=token))


@mail.kind("mail.account_closed", _("Account closure confirmation"))
def account_closed(user_id: int) -> Message | None:
    """Return the confirmation that an account was closed, with the deadline for reopening it."""
    user = db.session.get(User, user_id)
    if user is None or not user.can_reopen(utcnow()):
        return None
    return mail.compose(
        "account_closed", user.email, user=user, until=user.reopenable_until, link=mail.link_to("auth.log_in")
    )


def _issue(user: User, purpose: LinkPurpose) -> str:
    link, token = LinkToken.issue(user, purpose, user.email, utcnow())
    db.session.add(link)
    return token


def _open_link(link_id: int) -> LinkToken | None:
    """Return a link by its id, or None if it was used, revoked or its account is inactive."""
    link = db.session.get(LinkToken, link_id)
    if link is None or not link.is_open(utcnow()):
        return None
    is_usable = link.user.is_active or (link.purpose is LinkPurpose.UNDO_EMAIL and link.user.can_reopen(utcnow()))
    return link if is_usable else None
