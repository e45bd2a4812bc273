"""Newsletter subscriptions with double opt-in: subscribe, confirm by an emailed link, unsubscribe."""

from collections.abc import Iterator
from datetime import datetime, timedelta
from typing import Any

import sqlalchemy as sa
from sqlalchemy import Engine

from ... import email_addresses, outbox
from ...db import db, insert, transactions
from ...errors import DomainError, NotFound
from ...errors import mark as _
from ...ids import parse_id
from ...keys import Keys, split_link
from ...models import Subscriber, SubscriberStatus

CONFIRM_WITHIN = timedelta(days=30)
CONFIRM_LINK_REUSE = timedelta(days=7)  # until then a new request keeps earlier confirm links valid
UNSUBSCRIBED_RETENTION = timedelta(days=365)
CONSENT_LENGTH = 500
CONFIRM_PURPOSE, UNSUBSCRIBE_PURPOSE = "newsletter confirm", "newsletter leave"
PAGE_SIZE = 50
BATCH_SIZE = 1000
MAX_SEARCH_LENGTH = 100


class LinkExpired(DomainError):
    """The confirm link is too old or truncated, or the person subscribed again or unsubscribed since."""

    status = 410


class InvalidLink(NotFound):
    """The unsubscribe link belongs to no subscriber."""


# --- asking, confirming, leaving --------------------------------------------------------------------------------------


def subscribe(email: str, consent_text: str, now: datetime) -> None:
    """Record a subscription request and queue the email that asks to confirm it.

    Do nothing for a confirmed subscriber; the visitor sees the same answer in every case. Raise `InvalidEmail`.
    """
    email = email_addresses.normalize(email)
    values = {"email": email, "status": SubscriberStatus.PENDING, "consent_text": consent_text[:CONSENT_LENGTH]}
    statement = insert(Subscriber).values(**values, created_at=now, asked_at=now)
    db.session.execute(statement.on_conflict_do_nothing(index_elements=["email"]))
    subscriber = db.session.scalars(sa.select(Subscriber).where(Subscriber.email == email).with_for_update()).one()
    if subscriber.status is SubscriberStatus.SUBSCRIBED:
        return
    is_back = subscriber.status is SubscriberStatus.UNSUBSCRIBED
    if is_back or subscriber.asked_at <= now - CONFIRM_LINK_REUSE:
        subscriber.asked_at = now
    subscriber.status = SubscriberStatus.PENDING
    subscriber.consent_text = consent_text[:CONSENT_LENGTH]
    outbox.post("mail.newsletter_confirm", subscriber_id=subscriber.id)


def confirm(token: str, keys: Keys, now: datetime) -> None:
    """Confirm a subscription by its emailed link; following it again changes nothing. Raise `LinkExpired`."""
    subscriber = get_by_confirm_token(token, keys, now)
    if subscriber.status is SubscriberStatus.PENDING:
        subscriber.status, subscriber.confirmed_at, subscriber.unsubscribed_at = SubscriberStatus.SUBSCRIBED, now, None


def unsubscribe(subscriber: Subscriber, now: datetime) -> None:
    """Unsubscribe somebody from the newsletter."""
    if subscriber.status is not SubscriberStatus.UNSUBSCRIBED:
        subscriber.status, subscriber.unsubscribed_at = SubscriberStatus.UNSUBSCRIBED, now


def delete_expired(now: datetime) -> None:
    """Delete requests that were not confirmed in time, and people who unsubscribed long ago."""
    late = sa.and_(Subscriber.status == SubscriberStatus.PENDING, Subscriber.asked_at <= now - CONFIRM_WITHIN)
    gone = sa.and_(
        Subscriber.status == SubscriberStatus.UNSUBSCRIBED, Subscriber.unsubscribed_at <= now - UNSUBSCRIBED_RETENTION
    )
    forget = sa.delete(Subscriber).where(sa.or_(late, gone))
    db.session.execute(forget.execution_options(synchronize_session=False))


# --- links ------------------------------------------------------------------------------------------------------------


def confirm_token(subscriber: Subscriber, keys: Keys) -> str:
    """Return the token of the confirm link; void once the person unsubscribes or subscribes again later."""
    return keys.sign_link(CONFIRM_PURPOSE, str(subscriber.id), _confirm_text(subscriber))


def unsubscribe_token(subscriber: Subscriber, keys: Keys) -> str:
    """Return the token of the unsubscribe link; it never expires."""
    return keys.sign_link(UNSUBSCRIBE_PURPOSE, str(subscriber.id), _unsubscribe_text(subscriber))


def get_by_confirm_token(token: str, keys: Keys, now: datetime) -> Subscriber:
    """Return the subscriber of a confirm link, confirmed or not; raise `LinkExpired`."""
    subscriber, digest = _find_by_token(token)
    is_right = subscriber is not None and keys.verify_link(CONFIRM_PURPOSE, digest, _confirm_text(subscriber))
    if subscriber is None or not is_right or subscriber.status is SubscriberStatus.UNSUBSCRIBED:
        raise _link_expired()
    if subscriber.status is SubscriberStatus.PENDING and subscriber.asked_at <= now - CONFIRM_WITHIN:
        raise _link_expired()
    return subscriber


def get_by_unsubscribe_token(token: str, keys: Keys) -> Subscriber:
    """Return the subscriber of an unsubscribe link; raise `InvalidLink`."""
    subscriber, digest = _find_by_token(token)
    if subscriber is None or not keys.verify_link(UNSUBSCRIBE_PURPOSE, digest, _unsubscribe_text(subscriber)):
        raise InvalidLink(_("This link is incomplete, or its email address is no longer on our mailing list."))
    return subscriber


def _find_by_token(token: str) -> tuple[Subscriber | None, str]:
    reference, digest = split_link(token)
    subscriber_id = parse_id(reference)
    return (db.session.get(Subscriber, subscriber_id) if subscriber_id is not None else None), digest


def _confirm_text(subscriber: Subscriber) -> str:
    return f"{_unsubscribe_text(subscriber)}:{subscriber.asked_at.timestamp():.6f}"


def _unsubscribe_text(subscriber: Subscriber) -> str:
    return f"{subscriber.id}:{subscriber.email}"  # SQLite may reuse an id


def _link_expired() -> LinkExpired:
    return LinkExpired(_("This link has expired. Sign up for the newsletter again and we'll send you a new one."))


# --- for staff --------------------------------------------------------------------------------------------------------


def subscribers_query(search: str = "", status: SubscriberStatus | None = None) -> sa.Select[Subscriber]:
    """Return the query of subscribers whose address contains a text, optionally of one status, the newest first."""
    found = sa.select(Subscriber).order_by(Subscriber.id.desc())
    if status is not None:
        found = found.where(Subscriber.status == status)
    return found.where(Subscriber.email.icontains(search, autoescape=True)) if search else found


def get_page(found: sa.Select[Subscriber], before: int | None) -> tuple[list[Subscriber], int | None]:
    """Return a page of subscribers and the id from which the next page goes on, or None (keyset pagination)."""
    if before is not None:
        found = found.where(Subscriber.id < before)
    rows = list(db.session.scalars(found.limit(PAGE_SIZE + 1)))
    return rows[:PAGE_SIZE], rows[PAGE_SIZE - 1].id if len(rows) > PAGE_SIZE else None


def stream_subscribers(found: sa.Select[Subscriber]) -> Iterator[Any]:
    """Yield rows of subscribers for a file, in batches on a separate connection."""
    columns = (Subscriber.email, Subscriber.status, Subscriber.consent_text, Subscriber.asked_at)
    query = found.with_only_columns(*columns, Subscriber.confirmed_at, Subscriber.unsubscribed_at)
    return stream_rows(query)


def stream_rows(query: Any) -> Iterator[Any]:
    """Yield the rows of a query in batches, on a separate connection."""
    return _stream(db.engine, query)


def _stream(engine: Engine, query: Any) -> Iterator[Any]:
    with engine.connect() as connection:
        with transactions(writing=False):  # only while it begins: what iterates may change between two rows
            rows = connection.execution_options(yield_per=BATCH_SIZE).execute(query)
        yield from rows


def clean_search(text: str) -> str:
    """Return a search text without unprintable characters, cut to `MAX_SEARCH_LENGTH`."""
    return "".join(character for character in text if character.isprintable()).strip()[:MAX_SEARCH_LENGTH]
