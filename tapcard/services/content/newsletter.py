"""Newsletter subscriptions with double opt-in: sign-up, confirmation by an emailed link, unsubscribing."""

from datetime import datetime, timedelta
from typing import Any

import sqlalchemy as sa

from ... import email_addresses, outbox, search_text
from ...db import db, execute_update, insert
from ...errors import DomainError, NotFound
from ...errors import mark as _
from ...ids import parse_id
from ...keys import Keys, split_link
from ...models import Subscriber, SubscriberStatus

CONFIRM_WITHIN = timedelta(days=30)
RENEW_AFTER = timedelta(days=7)  # a later sign-up voids the links sent before
KEEP_UNSUBSCRIBED = timedelta(days=365)
MAX_CONSENT_LENGTH = 500
CONFIRM, UNSUBSCRIBE = "newsletter confirm", "newsletter leave"  # key purposes


class LinkExpired(DomainError):
    """The link is too old or incomplete, or the person has signed up again or unsubscribed since."""

    status = 410


class LinkUnknown(NotFound):
    """No subscriber has this unsubscribe link."""


# --- sign-up, confirmation, unsubscribing -----------------------------------------------------------------------------


def sign_up(email: str, consent_text: str, now: datetime) -> None:
    """Store a pending subscription and queue the confirmation email; do nothing for a confirmed subscriber.

    Raise `InvalidEmail`. The page must show the same in every case, so that it does not reveal who subscribes.
    """
    email = email_addresses.normalize(email)
    values = {"email": email, "status": SubscriberStatus.PENDING, "consent_text": consent_text[:MAX_CONSENT_LENGTH]}
    statement = insert(Subscriber).values(**values, created_at=now, asked_at=now)
    db.session.execute(statement.on_conflict_do_nothing(index_elements=["email"]))
    subscriber = db.session.scalars(sa.select(Subscriber).where(Subscriber.email == email).with_for_update()).one()
    if subscriber.status is SubscriberStatus.SUBSCRIBED:
        return
    has_returned = subscriber.status is SubscriberStatus.UNSUBSCRIBED
    if has_returned or subscriber.asked_at <= now - RENEW_AFTER:
        subscriber.asked_at = now
    subscriber.status = SubscriberStatus.PENDING
    subscriber.consent_text = consent_text[:MAX_CONSENT_LENGTH]
    outbox.post("mail.newsletter_confirm", subscriber_id=subscriber.id)


def confirm(token: str, keys: Keys, now: datetime) -> None:
    """Confirm the subscription of a confirmation link; repeating it does nothing. Raise `LinkExpired`."""
    subscriber = get_by_confirm_token(token, keys, now)
    if subscriber.status is SubscriberStatus.PENDING:
        subscriber.status, subscriber.confirmed_at, subscriber.unsubscribed_at = SubscriberStatus.SUBSCRIBED, now, None


def unsubscribe(subscriber: Subscriber, now: datetime) -> None:
    """End a subscription."""
    if subscriber.status is not SubscriberStatus.UNSUBSCRIBED:
        subscriber.status, subscriber.unsubscribed_at = SubscriberStatus.UNSUBSCRIBED, now


def purge(now: datetime) -> None:
    """Delete subscriptions that were not confirmed in time, and those that ended long ago."""
    expired = sa.and_(Subscriber.status == SubscriberStatus.PENDING, Subscriber.asked_at <= now - CONFIRM_WITHIN)
    ended = sa.and_(
        Subscriber.status == SubscriberStatus.UNSUBSCRIBED, Subscriber.unsubscribed_at <= now - KEEP_UNSUBSCRIBED
    )
    execute_update(sa.delete(Subscriber).where(sa.or_(expired, ended)))


# --- links ------------------------------------------------------------------------------------------------------------


def confirm_token(subscriber: Subscriber, keys: Keys) -> str:
    """Return the token of the confirmation link; it is void after unsubscribing or a later sign-up."""
    return keys.sign_link(CONFIRM, str(subscriber.id), _confirm_value(subscriber))


def unsubscribe_token(subscriber: Subscriber, keys: Keys) -> str:
    """Return the token of the unsubscribe link; it never expires."""
    return keys.sign_link(UNSUBSCRIBE, str(subscriber.id), _unsubscribe_value(subscriber))


def get_by_confirm_token(token: str, keys: Keys, now: datetime) -> Subscriber:
    """Return the subscriber of a confirmation link, who may have confirmed already; raise `LinkExpired`."""
    subscriber, digest = _parse(token)
    is_valid = subscriber is not None and keys.verify_link(CONFIRM, digest, _confirm_value(subscriber))
    if subscriber is None or not is_valid or subscriber.status is SubscriberStatus.UNSUBSCRIBED:
        raise _expired()
    if subscriber.status is SubscriberStatus.PENDING and subscriber.asked_at <= now - CONFIRM_WITHIN:
        raise _expired()
    return subscriber


def get_by_unsubscribe_token(token: str, keys: Keys) -> Subscriber:
    """Return the subscriber of an unsubscribe link; raise `LinkUnknown`."""
    subscriber, digest = _parse(token)
    if subscriber is None or not keys.verify_link(UNSUBSCRIBE, digest, _unsubscribe_value(subscriber)):
        raise LinkUnknown(_("This link is incomplete, or its email address is no longer on our mailing list."))
    return subscriber


def _parse(token: str) -> tuple[Subscriber | None, str]:
    reference, digest = split_link(token)
    subscriber_id = parse_id(reference)
    return (db.session.get(Subscriber, subscriber_id) if subscriber_id is not None else None), digest


def _confirm_value(subscriber: Subscriber) -> str:
    return f"{_unsubscribe_value(subscriber)}:{subscriber.asked_at.timestamp():.6f}"


def _unsubscribe_value(subscriber: Subscriber) -> str:
    return f"{subscriber.id}:{subscriber.email}"  # with the address, because SQLite may reuse an id


def _expired() -> LinkExpired:
    return LinkExpired(_("This link has expired. Sign up for the newsletter again and we'll send you a new one."))


# --- for staff --------------------------------------------------------------------------------------------------------


def matching(search: str = "", status: SubscriberStatus | None = None) -> sa.Select[Subscriber]:
    """Return a query of the subscribers whose address contains a text, of one status if given; newest first."""
    query = sa.select(Subscriber).order_by(Subscriber.id.desc())
    if status is not None:
        query = query.where(Subscriber.status == status)
    return query.where(search_text.matches(search, Subscriber.email)) if search else query


def csv_query(search: str = "", status: SubscriberStatus | None = None) -> Any:
    """Return a query of the columns of a CSV download."""
    columns = (Subscriber.email, Subscriber.status, Subscriber.consent_text, Subscriber.asked_at)
    return matching(search, status).with_only_columns(*columns, Subscriber.confirmed_at, Subscriber.unsubscribed_at)
