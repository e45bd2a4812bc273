"""Registration: sign up, accounts made for guests, personal details."""

from datetime import date, datetime
from typing import Any

from sqlalchemy import select

from ... import email_addresses, outbox
from ...clock import utcnow
from ...db import db, insert
from ...errors import DomainError
from ...errors import mark as _
from ...models import User
from ...models.users import NAME_LENGTH
from ..core import audit
from . import credentials, email_links


class EmailTaken(DomainError):
    """Another account has the email address, or may still take it back."""

    field = "email"


def find_user(email: str) -> User | None:
    """Return the user with an email address, in any spelling, or None."""
    return db.session.scalar(select(User).where(User.email == email_addresses.fold(email)))


def sign_up(first_name: str, last_name: str, email: str, password: str, now: datetime) -> User | None:
    """Create an account with a password, and send the email that verifies its address.

    If the shop had created an account without a password for this address, only send a link to set one, and return
    None. Hash the password before the transaction, see `credentials`. Raise `InvalidEmail`, `WeakPassword` or
    `EmailTaken`.
    """
    email = email_addresses.normalize(email)
    credentials.validate_password(password, email)
    password_hash = credentials.hash_password(password)
    values = {"first_name": first_name, "last_name": last_name, "password_hash": password_hash, "created_at": now}
    values["password_set_at"] = now
    user, is_new = _find_or_insert(email, values)
    if is_new and email_links.is_email_reserved(email, user, now):
        raise _email_taken()
    if is_new:
        outbox.post("mail.verify_email", user_id=user.id)
        audit.record("user.signed_up", subject=user, actor=user)
        return user
    if user.password_hash is not None or not user.is_active:
        raise _email_taken()
    outbox.post("mail.set_password", email=email)
    return None


def get_or_create_account(email: str, first_name: str, last_name: str, now: datetime | None = None) -> User:
    """Return the account of an address, created without a password if needed.

    Raise `InvalidEmail` or `EmailTaken`.
    """
    email, now = email_addresses.normalize(email), now or utcnow()
    values = {"first_name": first_name[:NAME_LENGTH], "last_name": last_name[:NAME_LENGTH], "created_at": now}
    user, is_new = _find_or_insert(email, values)
    if is_new and email_links.is_email_reserved(email, user, now):
        raise _email_taken()
    if is_new:
        audit.record("user.made", subject=user)
    return user


def _find_or_insert(email: str, values: dict[str, Any]) -> tuple[User, bool]:
    """Return the user of an address, and whether this call created them; of concurrent calls exactly one did."""
    statement = insert(User).values(email=email, **values).on_conflict_do_nothing(index_elements=["email"])
    new_id = db.session.execute(statement.returning(User.id)).scalar_one_or_none()
    user = db.session.scalars(select(User).where(User.email == email)).one()
    return user, new_id is not None


def _email_taken() -> EmailTaken:
    return EmailTaken(_("An account with this email already exists. Log in or reset your password."))


def update_details(user: User, *, title: str, first_name: str, last_name: str, born_on: date | None) -> None:
    """Store a user's title, names and date of birth."""
    user.title, user.first_name, user.last_name = title or None, first_name, last_name
    user.born_on = born_on


def update_mail_preferences(user: User, *, lead: bool, weekly: bool) -> None:
    """Store which optional emails a user wants: one per new contact (lead), a weekly summary."""
    user.wants_lead_mail, user.wants_weekly_mail = lead, weekly
