"""Transactional outbox: side effects recorded with the transaction that causes them and executed by the worker."""

from datetime import datetime, timedelta
from typing import Any

from sqlalchemy import select, update

from .clock import utcnow
from .db import db, execute_update
from .models import OutboxMessage

LEASE = timedelta(minutes=5)
GIVE_UP_AFTER = timedelta(days=5)
MAX_RETRY_DELAY = timedelta(hours=6)
NOT_CONFIGURED_DELAY = timedelta(minutes=5)
INTERRUPTED = "begun, and not finished"


def post(kind: str, *, due_at: datetime | None = None, **payload: Any) -> None:
    """Add a message of a kind, due now or at `due_at`; it is delivered only if the caller's transaction commits."""
    db.session.add(OutboxMessage(kind=kind, payload=payload, due_at=due_at or utcnow()))


def claim(now: datetime) -> OutboxMessage | None:
    """Claim the next due message for `LEASE`; return None when none is due. The caller commits before delivering it.

    A message that crashes the worker at every delivery is given up after the same time as one that fails.
    """
    is_open = OutboxMessage.done_at.is_(None) & OutboxMessage.failed_at.is_(None)
    query = select(OutboxMessage).where(is_open, OutboxMessage.due_at <= now).order_by(OutboxMessage.due_at).limit(20)
    for message in db.session.scalars(query).all():
        changed = execute_update(
            update(OutboxMessage)
            .where(OutboxMessage.id == message.id, OutboxMessage.due_at == message.due_at, is_open)
            .values(_give_up_values(message, now) or _lease_values(now))
        )
        if changed == 1:
            db.session.refresh(message)
            if message.failed_at is None:
                return message
    return None


def _lease_values(now: datetime) -> dict[str, Any]:
    return {"due_at": now + LEASE, "attempt_count": OutboxMessage.attempt_count + 1, "error": INTERRUPTED}


def _give_up_values(message: OutboxMessage, now: datetime) -> dict[str, Any] | None:
    is_given_up = message.error == INTERRUPTED and now - message.created_at >= GIVE_UP_AFTER
    return {"failed_at": now} if is_given_up else None


def mark_done(message: OutboxMessage, now: datetime) -> None:
    """Mark a message as delivered and delete its payload, except the id of the order it is about."""
    message.payload = {name: value for name, value in message.payload.items() if name == "order_id"}
    message.done_at, message.error = now, ""


def mark_failed(message: OutboxMessage, now: datetime, error: str) -> None:
    """Record an error and schedule a retry with exponential backoff; give up after `GIVE_UP_AFTER`."""
    message.error = error[:500]
    if now - message.created_at >= GIVE_UP_AFTER:
        message.failed_at = now
    else:
        delay = timedelta(seconds=15 * 2 ** min(message.attempt_count, 20))
        message.due_at = now + min(delay, MAX_RETRY_DELAY)


def postpone(message: OutboxMessage, now: datetime) -> None:
    """Postpone a message that cannot be delivered until the installation is configured; it is never given up."""
    message.error, message.due_at = "not configured", now + NOT_CONFIGURED_DELAY


def retry_failed(now: datetime) -> int:
    """Make the messages that were given up due again; return how many."""
    return execute_update(
        update(OutboxMessage)
        .where(OutboxMessage.failed_at.is_not(None))
        .values(failed_at=None, due_at=now, created_at=now, attempt_count=0, error="")
    )
