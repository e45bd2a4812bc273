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
ASKED_ANEW = timedelta(days=7)  # until then all links that were sent work
KEPT_AFTER_LEAVING = timedelta(days=365)
CONSENT_LENGTH = 500
CONFIRM, LEAVE = "newsletter confirm", "newsletter leave"
PAGE = 50
ROWS_AT_ONCE = 1000
LONGEST_SEARCH = 100


class LinkExpired(DomainError):
    """The link is too old, was cut, or the person asked anew or left since."""

    status = 410


class LinkUnknown(NotFound):
    """The link to leave belongs to nobody."""


# --- asking, confirming, leaving --------------------------------------------------------------------------------------


def ask(email: str, consent_text: str, now: datetime) -> None:
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
    if is_back or subscriber.asked_at <= now - ASKED_ANEW:
        subscriber.asked_at = now
    subscriber.status = SubscriberStatus.PENDING
    subscriber.consent_text = consent_text[:CONSENT_LENGTH]
    outbox.post("mail.newsletter_confirm", subscriber_id=subscriber.id)


def confirm(token: str, keys: Keys, now: datetime) -> None:
    """Make a reader of whoever followed the mailed link; twice is the same as once. Raises `LinkExpired`."""
    subscriber = asked_by(token, keys, now)
    if subscriber.status is SubscriberStatus.PENDING:
        subscriber.status, subscriber.confirmed_at, subscriber.unsubscribed_at = SubscriberStatus.SUBSCRIBED, now, None


def leave(subscriber: Subscriber, now: datetime) -> None:
    """Write no more newsletters to somebody."""
    if subscriber.status is not SubscriberStatus.UNSUBSCRIBED:
        subscriber.status, subscriber.unsubscribed_at = SubscriberStatus.UNSUBSCRIBED, now


def purge(now: datetime) -> None:
    """Forget who did not confirm in time, and who left long ago."""
    late = sa.and_(Subscriber.status == SubscriberStatus.PENDING, Subscriber.asked_at <= now - CONFIRM_WITHIN)
    gone = sa.and_(
        Subscriber.status == SubscriberStatus.UNSUBSCRIBED, Subscriber.unsubscribed_at <= now - KEPT_AFTER_LEAVING
    )
    forget = sa.delete(Subscriber).where(sa.or_(late, gone))
    db.session.execute(forget.execution_options(synchronize_session=False))


# --- links ------------------------------------------------------------------------------------------------------------


def confirm_token(subscriber: Subscriber, keys: Keys) -> str:
    """What the link to confirm carries: void once the person has left, or asked again later."""
    return keys.sign_link(CONFIRM, str(subscriber.id), _asked(subscriber))


def leave_token(subscriber: Subscriber, keys: Keys) -> str:
    """What the link to leave carries; good for that alone, and for good."""
    return keys.sign_link(LEAVE, str(subscriber.id), _named(subscriber))


def asked_by(token: str, keys: Keys, now: datetime) -> Subscriber:
    """Who is asked to confirm by a link, or has done so; raise `LinkExpired`."""
    subscriber, digest = _read(token)
    is_right = subscriber is not None and keys.verify_link(CONFIRM, digest, _asked(subscriber))
    if subscriber is None or not is_right or subscriber.status is SubscriberStatus.UNSUBSCRIBED:
        raise _expired()
    if subscriber.status is SubscriberStatus.PENDING and subscriber.asked_at <= now - CONFIRM_WITHIN:
        raise _expired()
    return subscriber


def leaving(token: str, keys: Keys) -> Subscriber:
    """Whose link to leave this is; raise `LinkUnknown`."""
    subscriber, digest = _read(token)
    if subscriber is None or not keys.verify_link(LEAVE, digest, _named(subscriber)):
        raise LinkUnknown(_("This link is incomplete, or its email address is no longer on our mailing list."))
    return subscriber


def _read(token: str) -> tuple[Subscriber | None, str]:
    reference, digest = split_link(token)
    subscriber_id = parse_id(reference)
    return (db.session.get(Subscriber, subscriber_id) if subscriber_id is not None else None), digest


def _asked(subscriber: Subscriber) -> str:
    return f"{_named(subscriber)}:{subscriber.asked_at.timestamp():.6f}"


def _named(subscriber: Subscriber) -> str:
    return f"{subscriber.id}:{subscriber.email}"  # SQLite may give a number again


def _expired() -> LinkExpired:
    return LinkExpired(_("This link has expired. Sign up for the newsletter again and we'll send you a new one."))


# --- for staff --------------------------------------------------------------------------------------------------------


def matching(search: str = "", status: SubscriberStatus | None = None) -> sa.Select[Subscriber]:
    """Those in whose address a text stands, of one state if one is given; the newest first."""
    found = sa.select(Subscriber).order_by(Subscriber.id.desc())
    if status is not None:
        found = found.where(Subscriber.status == status)
    return found.where(Subscriber.email.icontains(search, autoescape=True)) if search else found


def page_of(found: sa.Select[Subscriber], before: int | None) -> tuple[list[Subscriber], int | None]:
    """A page of a selection and the number to go on from: nothing is counted, however many there are."""
    if before is not None:
        found = found.where(Subscriber.id < before)
    rows = list(db.session.scalars(found.limit(PAGE + 1)))
    return rows[:PAGE], rows[PAGE - 1].id if len(rows) > PAGE else None


def stream(found: sa.Select[Subscriber]) -> Iterator[Any]:
    """The rows of a selection, read little by little over a connection of their own."""
    columns = (Subscriber.email, Subscriber.status, Subscriber.consent_text, Subscriber.asked_at)
    query = found.with_only_columns(*columns, Subscriber.confirmed_at, Subscriber.unsubscribed_at)
    return read_slowly(query)


def read_slowly(query: Any) -> Iterator[Any]:
    """Rows of any number, over a connection that is given back at the end."""
    return _slowly(db.engine, query)


def _slowly(engine: Engine, query: Any) -> Iterator[Any]:
    with engine.connect() as connection:
        with transactions(writing=False):  # only while it begins: what iterates may change between two rows
            rows = connection.execution_options(yield_per=ROWS_AT_ONCE).execute(query)
        yield from rows


def clean_search(text: str) -> str:
    """A text to look for, without what no column can hold."""
    return "".join(each for each in text if each.isprintable()).strip()[:LONGEST_SEARCH]
