"""Messages from the contact form: stored, emailed to the shop, marked as answered by staff."""

from datetime import datetime, timedelta
from typing import Any

import sqlalchemy as sa

from ... import email_addresses, outbox, spam
from ...context import RuleContext
from ...db import acquire_lock, db
from ...errors import DomainError, NotFound
from ...errors import mark as _
from ...ids import is_id
from ...models import Enquiry, Role, User
from ...settings import ShopSettings
from ..core import audit

MAX_NAME_LENGTH, MAX_ORDER_LENGTH, MAX_MESSAGE_LENGTH = 100, 20, 2000
DUPLICATE_WINDOW = timedelta(minutes=15)
MAX_OWNERS = 10


class InvalidEnquiry(DomainError):
    """Something is missing or too long; `field` names it."""

    status = 422


class EnquiryNotFound(NotFound):
    """Message not found."""


def receive(*, name: str, email: str, order_number: str, message: str, context: RuleContext) -> Enquiry | None:
    """Store a message and queue an email to the shop; return None for spam and duplicates.

    Raise `InvalidEnquiry` or `InvalidEmail`. The sender must not be told whether the message was stored.
    """
    enquiry = Enquiry(
        user_id=context.actor.id if context.actor is not None else None,
        name=_clean_name(name),
        email=email_addresses.normalize(email),
        order_number="".join(order_number.split()).upper()[:MAX_ORDER_LENGTH],
        message=_clean_message(message),
        created_at=context.now,
    )
    if spam.is_spam(enquiry.name, enquiry.message):
        return None
    acquire_lock(f"enquiry:{enquiry.email}")
    if _is_duplicate(enquiry):
        return None
    db.session.add(enquiry)
    db.session.flush()  # the outbox message needs its id
    for address in recipients(context.shop):
        outbox.post("mail.enquiry", enquiry_id=enquiry.id, to=address)
    return enquiry


def recipients(shop: ShopSettings) -> list[str]:
    """Return the addresses that get messages: the shop's own, or those of its owners' accounts."""
    shop_email = shop.owner_email or shop.support_email
    if shop_email:
        return [shop_email]
    owners = sa.select(User.email).join(User.roles).where(Role.name == "owner", User.is_active)
    return list(db.session.scalars(owners.order_by(User.id).limit(MAX_OWNERS)))


def _clean_name(text: str) -> str:
    name = " ".join(text.split())
    if not any(character.isalnum() for character in name):
        raise InvalidEnquiry(_("Enter your name."), field="name")
    return name[:MAX_NAME_LENGTH]


def _clean_message(text: str) -> str:
    message = text.replace("\r\n", "\n").replace("\r", "\n").strip()
    if not message:
        raise InvalidEnquiry(_("Enter a message."), field="message")
    if len(message) > MAX_MESSAGE_LENGTH:
        raise InvalidEnquiry(_("Enter %(most)s characters or fewer."), field="message", most=MAX_MESSAGE_LENGTH)
    return message


def _is_duplicate(enquiry: Enquiry) -> bool:
    same = sa.select(Enquiry.id).where(
        Enquiry.email == enquiry.email,
        Enquiry.created_at > enquiry.created_at - DUPLICATE_WINDOW,
        Enquiry.name == enquiry.name,
        Enquiry.order_number == enquiry.order_number,
        Enquiry.message == enquiry.message,
    )
    return db.session.scalar(same.limit(1)) is not None


# --- for staff --------------------------------------------------------------------------------------------------------


def list_query() -> sa.Select[Enquiry]:
    """Return a query of all messages: open ones first, then newest first."""
    return sa.select(Enquiry).order_by(Enquiry.answered_at.is_not(None), Enquiry.id.desc())


def csv_query() -> Any:
    """Return a query of the columns of a CSV download."""
    columns = (Enquiry.created_at, Enquiry.name, Enquiry.email, Enquiry.order_number, Enquiry.message)
    return list_query().with_only_columns(*columns, Enquiry.answered_at)


def get(enquiry_id: int) -> Enquiry:
    """Return a message; raise `EnquiryNotFound`."""
    enquiry = db.session.get(Enquiry, enquiry_id) if is_id(enquiry_id) else None
    if enquiry is None:
        raise EnquiryNotFound(_("We couldn't find that message."))
    return enquiry


def mark_answered(enquiry: Enquiry, actor: User, now: datetime) -> None:
    """Mark a message as answered."""
    if enquiry.answered_at is None:
        enquiry.answered_at = now
        audit.record("enquiry.answered", subject=enquiry, actor=actor)


def reopen(enquiry: Enquiry, actor: User) -> None:
    """Mark a message as open again."""
    if enquiry.answered_at is not None:
        enquiry.answered_at = None
        audit.record("enquiry.reopened", subject=enquiry, actor=actor)
