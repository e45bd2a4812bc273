"""Enquiries sent through the contact form: stored, forwarded by email, answered by staff."""

from collections.abc import Iterator, Sequence
from datetime import datetime, timedelta
from typing import Any

import sqlalchemy as sa

from ... import email_addresses, outbox
from ...db import acquire_lock, db
from ...errors import DomainError, NotFound
from ...errors import mark as _
from ...ids import is_id
from ...models import Enquiry, Role, User
from ...settings import ShopSettings
from ..core import audit
from ..profiles import leads
from . import newsletter

MAX_NAME_LENGTH, MAX_ORDER_LENGTH, MAX_MESSAGE_LENGTH = 100, 20, 2000
DUPLICATE_WINDOW = timedelta(minutes=15)
PAGE_SIZE = 25
MAX_RECIPIENTS = 10


class InvalidEnquiry(DomainError):
    """A field is missing or too long; `field` names it."""

    status = 422


class EnquiryNotFound(NotFound):
    """There is no such enquiry."""


def submit(
    *,
    name: str,
    email: str,
    order_number: str,
    message: str,
    user: User | None,
    shop: ShopSettings,
    now: datetime,
) -> Enquiry | None:
    """Store an enquiry and queue an email to the shop; return None for spam and duplicates.

    The sender sees the same answer in every case. Raise `InvalidEnquiry` or `InvalidEmail`.
    """
    enquiry = Enquiry(
        user_id=user.id if user is not None else None,
        name=_clean_name(name),
        email=email_addresses.normalize(email),
        order_number="".join(order_number.split()).upper()[:MAX_ORDER_LENGTH],
        message=_clean_message(message),
        created_at=now,
    )
    if leads.is_spam(enquiry.name, enquiry.message):
        return None
    acquire_lock(f"enquiry:{enquiry.email}")
    if _is_duplicate(enquiry):
        return None
    db.session.add(enquiry)
    db.session.flush()  # the outbox message needs its id
    for address in recipients(shop):
        outbox.post("mail.enquiry", enquiry_id=enquiry.id, to=address)
    return enquiry


def recipients(shop: ShopSettings) -> list[str]:
    """Return who receives enquiries: the shop's address, or else the addresses of its owners."""
    configured = shop.owner_email or shop.support_email
    if configured:
        return [configured]
    owners = sa.select(User.email).join(User.roles).where(Role.name == "owner", User.is_active)
    return list(db.session.scalars(owners.order_by(User.id).limit(MAX_RECIPIENTS)))


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
    duplicate = sa.select(Enquiry.id).where(
        Enquiry.email == enquiry.email,
        Enquiry.created_at > enquiry.created_at - DUPLICATE_WINDOW,
        Enquiry.name == enquiry.name,
        Enquiry.order_number == enquiry.order_number,
        Enquiry.message == enquiry.message,
    )
    return db.session.scalar(duplicate.limit(1)) is not None


# --- for staff --------------------------------------------------------------------------------------------------------


def enquiries_query() -> sa.Select[Enquiry]:
    """Return the query of all enquiries: unanswered ones first, then the newest first."""
    return sa.select(Enquiry).order_by(Enquiry.answered_at.is_not(None), Enquiry.id.desc())


def get_page(number: int) -> tuple[Sequence[Enquiry], bool]:
    """Return one page of enquiries and whether there is another."""
    rows = db.session.scalars(enquiries_query().limit(PAGE_SIZE + 1).offset((number - 1) * PAGE_SIZE)).all()
    return rows[:PAGE_SIZE], len(rows) > PAGE_SIZE


def get(enquiry_id: int) -> Enquiry:
    """Return an enquiry by its id; raise `EnquiryNotFound`."""
    enquiry = db.session.get(Enquiry, enquiry_id) if is_id(enquiry_id) else None
    if enquiry is None:
        raise EnquiryNotFound(_("Message not found."))
    return enquiry


def mark_answered(enquiry: Enquiry, by: User, now: datetime) -> None:
    """Mark an enquiry as answered."""
    if enquiry.answered_at is None:
        enquiry.answered_at = now
        audit.record("enquiry.answered", subject=enquiry, actor=by)


def reopen(enquiry: Enquiry, by: User) -> None:
    """Mark an enquiry as unanswered."""
    if enquiry.answered_at is not None:
        enquiry.answered_at = None
        audit.record("enquiry.reopened", subject=enquiry, actor=by)


def stream_enquiries() -> Iterator[Any]:
    """Yield all enquiries in batches, for a file."""
    columns = (Enquiry.created_at, Enquiry.name, Enquiry.email, Enquiry.order_number, Enquiry.message)
    return newsletter.stream_rows(enquiries_query().with_only_columns(*columns, Enquiry.answered_at))
