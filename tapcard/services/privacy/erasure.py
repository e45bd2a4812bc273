"""Erasure of a person's data, from what each subject declares as personal."""

import email
import email.policy
from datetime import datetime
from email.message import EmailMessage
from pathlib import Path
from typing import Any

import sqlalchemy as sa
from sqlalchemy import select

from ... import files, registry
from ...db import db, execute_update
from ...errors import DomainError
from ...errors import mark as _
from ...models import (
    Card,
    CardTransfer,
    Cart,
    CartLine,
    Design,
    Lead,
    LinkPurpose,
    LinkToken,
    Order,
    OrderLine,
    Profile,
    User,
)
from ...models.users import REOPEN_WITHIN
from ...registry import Person
from ..cards.designs import own_artwork
from ..core import audit, uploads
from . import closure


class NotErasable(DomainError):
    """The account is open, was closed too recently, or has been erased."""


def due_user_ids(now: datetime) -> list[int]:
    """Return the ids of closed accounts that can no longer be restored."""
    due = select(User.id).where(User.closed_at <= now - REOPEN_WITHIN, ~User.is_active, User.erased_at.is_(None))
    return list(db.session.scalars(due.order_by(User.id)))


def erase(user_id: int, now: datetime, *, closed_before: datetime) -> Person:
    """Erase a person whose account was closed before an instant; of concurrent erasing and reopening only one succeeds.

    Return the person for `delete_files`, to be called after the commit. Raises `NotErasable`.
    """
    person = find_person(user_id)
    changed = execute_update(
        sa.update(User)
        .where(User.id == user_id, ~User.is_active, User.closed_at <= closed_before, User.erased_at.is_(None))
        .values(erased_at=now)
    )
    if changed != 1:
        raise NotErasable(_("This account isn't closed, or its data has already been erased."))
    db.session.expire_all()
    closure.withdraw_offers(db.session.get_one(User, user_id), now)
    for rule in registry.erasure_rules():
        if rule.erase is not None:
            rule.erase(person)
    db.session.expire_all()
    audit.record("user.erased", subject=db.session.get_one(User, user_id))
    return person


def find_person(user_id: int) -> Person:
    """Return a person with the ids and uploads of their data."""
    user = db.session.get_one(User, user_id)
    proven = select(LinkToken.email).where(LinkToken.user_id == user_id, LinkToken.purpose != LinkPurpose.CHANGE_EMAIL)
    emails = {user.email, *db.session.scalars(proven)}  # not a requested new address: it may be another person's
    profiles = db.session.execute(select(Profile.id, Profile.photo, Profile.banner).where(Profile.owner_id == user_id))
    rows = profiles.all()
    transfers = sa.or_(CardTransfer.from_user_id == user_id, CardTransfer.to_user_id == user_id)
    if user.is_verified:
        transfers = sa.or_(transfers, CardTransfer.to_email == user.email)
    pictures = {name for row in rows for name in row[1:] if name}
    for front, rear in db.session.execute(
        select(Design.front_picture, Design.rear_picture).where(own_artwork(user_id))
    ):
        pictures |= {name for name in (front, rear) if name}
    orders = _ids(select(Order.id).where(_own_order(user_id, emails if user.is_verified else set())))
    pictures |= uploads.listed_uploads(
        CartLine.pictures, CartLine.cart_id.in_(select(Cart.id).where(Cart.user_id == user_id))
    )
    pictures |= uploads.listed_uploads(OrderLine.pictures, OrderLine.order_id.in_(orders))
    return Person(
        id=user_id,
        emails=frozenset(emails),
        full_name=user.full_name,
        profile_ids=frozenset(row[0] for row in rows),
        card_ids=_ids(select(Card.id).where(Card.owner_id == user_id)),
        lead_ids=_ids(select(Lead.id).where(Lead.owner_id == user_id)),
        link_ids=_ids(select(LinkToken.id).where(LinkToken.user_id == user_id)),
        transfer_ids=_ids(select(CardTransfer.id).where(transfers)),
        order_ids=orders,
        uploads=frozenset(pictures | uploads.scheduled_deletions_of(user_id)),
    )


def _own_order(user_id: int, emails: set[str]) -> sa.ColumnElement[bool]:
    """Return the condition for a person's orders, including guest orders with one of their email addresses."""
    guest_orders = sa.and_(Order.user_id.is_(None), Order.email.in_(sorted(emails)))
    return sa.or_(Order.user_id == user_id, guest_orders)


def _ids(query: sa.Select[Any]) -> frozenset[int]:
    return frozenset(db.session.scalars(query))


def delete_files(person: Person, instance: Path, *, with_mails: bool) -> None:
    """Delete the files of an erased person after the commit: unused pictures, and saved emails.

    The pictures include former ones and those that were uploaded but never saved.
    """
    for name in sorted(person.uploads - uploads.used_uploads(person.uploads)):
        files.delete(name, files.folder(instance))
    if with_mails:
        delete_saved_emails(person, instance / "mail")


def delete_saved_emails(person: Person, folder: Path) -> None:
    """Delete the saved emails of a development installation that contain a person's name or address."""
    names = {person.full_name.casefold(), *person.emails} - {""}
    for path in folder.glob("*.eml"):
        message = email.message_from_bytes(path.read_bytes(), policy=email.policy.default)
        texts = [str(value) for value in message.values()]
        texts += [part.get_content() for part in message.walk() if part.get_content_maintype() == "text"]
        assert isinstance(message, EmailMessage)
        text = "\n".join(texts).casefold()
        if any(name in text for name in names):
            path.unlink(missing_ok=True)
