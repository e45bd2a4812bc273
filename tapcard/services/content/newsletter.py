"""The newsletter's readers: who asked, who confirmed by the mailed link, who left."""

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
CONFIRM_LINK_REUSE = timedelta(days=7)  # until then all links that were sent work
UNSUBSCRIBED_RETENTION = timedelta(days=365)
CONSENT_LENGTH = 500
CONFIRM_PURPOSE, UNSUBSCRIBE_PURPOSE = "newsletter confirm", "newsletter leave"
PAGE_SIZE = 50
BATCH_SIZE = 1000
MAX_SEARCH_LENGTH = 100


class LinkExpired(DomainError):
    """The link is too old, was cut, or the person asked anew or left since."""

    status = 410


class InvalidLink(NotFound):
    """The link to leave belongs to nobody."""


# --- asking, confirming, leaving --------------------------------------------------------------------------------------


def subscribe(email: str, consent_text: str, now: datetime) -> None:
    """Take up somebody's wish and promise the mail that asks them to confirm; a reader stays one, and gets none.

    Raises `InvalidEmail`. Whoever asks is told the same in every case.
    """
    email = email_addresses.normalize(email)
    values = {"email": email, "status": SubscriberStatus.PENDING, "consent_text": consent_text[:CONSENT_LENGTH]}
    fresh = insert(Subscriber).values(**values, created_at=now, asked_at=now)
    db.session.execute(fresh.on_conflict_do_nothing(index_elements=["email"]))
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
    """Make a reader of whoever followed the mailed link; twice is the same as once. Raises `LinkExpired`."""
    subscriber = get_by_confirm_token(token, keys, now)
    if subscriber.status is SubscriberStatus.PENDING:
        subscriber.status, subscriber.confirmed_at, subscriber.unsubscribed_at = SubscriberStatus.SUBSCRIBED, now, None


def unsubscribe(subscriber: Subscriber, now: datetime) -> None:
    """Write no more newsletters to somebody."""
    if subscriber.status is not SubscriberStatus.UNSUBSCRIBED:
        subscriber.status, subscriber.unsubscribed_at = SubscriberStatus.UNSUBSCRIBED, now


def delete_expired(now: datetime) -> None:
    """Forget who did not confirm in time, and who left long ago."""
    late = sa.and_(Subscriber.status == SubscriberStatus.PENDING, Subscriber.asked_at <= now - CONFIRM_WITHIN)
    gone = sa.and_(
        Subscriber.status == SubscriberStatus.UNSUBSCRIBED, Subscriber.unsubscribed_at <= now - UNSUBSCRIBED_RETENTION
    )
    forget = sa.delete(Subscriber).where(sa.or_(late, gone))
    db.session.execute(forget.execution_options(synchronize_session=False))


# --- links ------------------------------------------------------------------------------------------------------------


def confirm_token(subscriber: Subscriber, keys: Keys) -> str:
    """What the link to confirm carries: void once the person has left, or asked again later."""
    return keys.sign_link(CONFIRM_PURPOSE, str(subscriber.id), _confirm_text(subscriber))


def unsubscribe_token(subscriber: Subscriber, keys: Keys) -> str:
    """What the link to leave carries; good for that alone, and for good."""
    return keys.sign_link(UNSUBSCRIBE_PURPOSE, str(subscriber.id), _unsubscribe_text(subscriber))


def get_by_confirm_token(token: str, keys: Keys, now: datetime) -> Subscriber:
    """Who is asked to confirm by a link, or has done so; raise `LinkExpired`."""
    subscriber, digest = _find_by_token(token)
    is_right = subscriber is not None and keys.verify_link(CONFIRM_PURPOSE, digest, _confirm_text(subscriber))
    if subscriber is None or not is_right or subscriber.status is SubscriberStatus.UNSUBSCRIBED:
        raise _link_expired()
    if subscriber.status is SubscriberStatus.PENDING and subscriber.asked_at <= now - CONFIRM_WITHIN:
        raise _link_expired()
    return subscriber


def get_by_unsubscribe_token(token: str, keys: Keys) -> Subscriber:
    """Whose link to leave this is; raise `InvalidLink`."""
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
    return f"{subscriber.id}:{subscriber.email}"  # SQLite may give a number again


def _link_expired() -> LinkExpired:
    return LinkExpired(_("This link has expired. Sign up for the newsletter again and we'll send you a new one."))


# --- for staff --------------------------------------------------------------------------------------------------------


def subscribers_query(search: str = "", status: SubscriberStatus | None = None) -> sa.Select[Subscriber]:
    """Those in whose address a text stands, of one state if one is given; the newest first."""
    found = sa.select(Subscriber).order_by(Subscriber.id.desc())
    if status is not None:
        found = found.where(Subscriber.status == status)
    return found.where(Subscriber.email.icontains(search, autoescape=True)) if search else found


def get_page(found: sa.Select[Subscriber], before: int | None) -> tuple[list[Subscriber], int | None]:
    """A page of a selection and the number to go on from: nothing is counted, however many there are."""
    if before is not None:
        found = found.where(Subscriber.id < before)
    rows = list(db.session.scalars(found.limit(PAGE_SIZE + 1)))
    return rows[:PAGE_SIZE], rows[PAGE_SIZE - 1].id if len(rows) > PAGE_SIZE else None


def stream_subscribers(found: sa.Select[Subscriber]) -> Iterator[Any]:
    """The rows of a selection, read little by little over a connection of their own."""
    columns = (Subscriber.email, Subscriber.status, Subscriber.consent_text, Subscriber.asked_at)
    query = found.with_only_columns(*columns, Subscriber.confirmed_at, Subscriber.unsubscribed_at)
    return stream_rows(query)


def stream_rows(query: Any) -> Iterator[Any]:
    """Rows of any number, over a connection that is given back at the end."""
    return _stream(db.engine, query)


def _stream(engine: Engine, query: Any) -> Iterator[Any]:
    with engine.connect() as connection:
        with transactions(writing=False):  # only while it begins: what iterates may change between two rows
            rows = connection.execution_options(yield_per=BATCH_SIZE).execute(query)
        yield from rows


def clean_search(text: str) -> str:
    """A text to look for, without what no column can hold."""
    return "".join(each for each in text if each.isprintable()).strip()[:MAX_SEARCH_LENGTH]
