"""What people write to the shop through its form: received, passed on by mail, answered by staff."""

from collections.abc import Iterator, Sequence
from datetime import datetime, timedelta
from typing import Any

import sqlalchemy as sa

from ... import email_addresses, outbox
from ...db import db, hold
from ...errors import DomainError, NotFound
from ...errors import mark as _
from ...ids import is_id
from ...models import Enquiry, Role, User
from ...settings import ShopSettings
from ..core import audit
from ..profiles import leads
from . import newsletter

NAME_LENGTH, ORDER_LENGTH, MESSAGE_LENGTH = 100, 20, 2000
SAME_WITHIN = timedelta(minutes=15)
PAGE = 25
MOST_OWNERS = 10


class BadEnquiry(DomainError):
    """Something is missing; `field` says what."""

    status = 422


class EnquiryNotFound(NotFound):
    """Message not found."""


def receive(
    *,
    name: str,
    email: str,
    order_number: str,
    message: str,
    user: User | None,
    shop: ShopSettings,
    now: datetime,
) -> Enquiry | None:
    """Keep a message and promise the shop a mail; None when it is spam or was sent twice, told the same to the sender.

    Raises `BadEnquiry` or `InvalidEmail`.
    """
    enquiry = Enquiry(
        user_id=user.id if user is not None else None,
        name=_clean_name(name),
        email=email_addresses.normalize(email),
        order_number="".join(order_number.split()).upper()[:ORDER_LENGTH],
        message=_clean_message(message),
        created_at=now,
    )
    if leads.is_spam(enquiry.name, enquiry.message):
        return None
    hold(f"enquiry:{enquiry.email}")
    if _is_twice(enquiry):
        return None
    db.session.add(enquiry)
    db.session.flush()  # the mail's promise names it
    for address in recipients(shop):
        outbox.post("mail.enquiry", enquiry_id=enquiry.id, to=address)
    return enquiry


def recipients(shop: ShopSettings) -> list[str]:
    """Who reads messages to the shop: its own address, else its owners by their accounts."""
    named = shop.owner_email or shop.support_email
    if named:
        return [named]
    owners = sa.select(User.email).join(User.roles).where(Role.name == "owner", User.is_active)
    return list(db.session.scalars(owners.order_by(User.id).limit(MOST_OWNERS)))


def _clean_name(text: str) -> str:
    name = " ".join(text.split())
    if not any(each.isalnum() for each in name):
        raise BadEnquiry(_("Enter your name."), field="name")
    return name[:NAME_LENGTH]


def _clean_message(text: str) -> str:
    message = text.replace("\r\n", "\n").replace("\r", "\n").strip()
    if not message:
        raise BadEnquiry(_("Enter a message."), field="message")
    if len(message) > MESSAGE_LENGTH:
        raise BadEnquiry(_("Enter %(most)s characters or fewer."), field="message", most=MESSAGE_LENGTH)
    return message


def _is_twice(enquiry: Enquiry) -> bool:
    same = sa.select(Enquiry.id).where(
        Enquiry.email == enquiry.email,
        Enquiry.created_at > enquiry.created_at - SAME_WITHIN,
        Enquiry.name == enquiry.name,
        Enquiry.order_number == enquiry.order_number,
        Enquiry.message == enquiry.message,
    )
    return db.session.scalar(same.limit(1)) is not None


# --- for staff --------------------------------------------------------------------------------------------------------


def in_order() -> sa.Select[Enquiry]:
    """All messages: open ones first, of both kinds the newest first."""
    return sa.select(Enquiry).order_by(Enquiry.answered_at.is_not(None), Enquiry.id.desc())


def page_of(number: int) -> tuple[Sequence[Enquiry], bool]:
    """One page of them, and whether there is another; nothing is counted."""
    rows = db.session.scalars(in_order().limit(PAGE + 1).offset((number - 1) * PAGE)).all()
    return rows[:PAGE], len(rows) > PAGE


def by_id(enquiry_id: int) -> Enquiry:
    """A message; raise `EnquiryNotFound`."""
    enquiry = db.session.get(Enquiry, enquiry_id) if is_id(enquiry_id) else None
    if enquiry is None:
        raise EnquiryNotFound(_("Message not found."))
    return enquiry


def answered(enquiry: Enquiry, by: User, now: datetime) -> None:
    """Note that a message has been answered."""
    if enquiry.answered_at is None:
        enquiry.answered_at = now
        audit.record("enquiry.answered", subject=enquiry, actor=by)


def reopen(enquiry: Enquiry, by: User) -> None:
    """Note that a message still waits for its answer."""
    if enquiry.answered_at is not None:
        enquiry.answered_at = None
        audit.record("enquiry.reopened", subject=enquiry, actor=by)


def stream() -> Iterator[Any]:
    """Every message, read little by little."""
    columns = (Enquiry.created_at, Enquiry.name, Enquiry.email, Enquiry.order_number, Enquiry.message)
    return newsletter.read_slowly(in_order().with_only_columns(*columns, Enquiry.answered_at))
