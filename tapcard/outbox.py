"""Promises of side effects: written with the work, kept by the worker, even after a crash."""

from datetime import datetime, timedelta
from typing import Any

from sqlalchemy import select, update

from .clock import utcnow
from .db import db, execute_update
from .models import OutboxMessage

LEASE = timedelta(minutes=5)
GIVEN_UP_AFTER = timedelta(days=5)
LONGEST_WAIT = timedelta(hours=6)
UNTIL_CONFIGURED = timedelta(minutes=5)
UNFINISHED = "begun, and not finished"


def post(kind: str, *, due_at: datetime | None = None, **payload: Any) -> None:
    """Promise a side effect, at once or later; it happens only if the caller's transaction commits."""
    db.session.add(OutboxMessage(kind=kind, payload=payload, due_at=due_at or utcnow()))


def claim(now: datetime) -> OutboxMessage | None:
    """Take the next due message for `LEASE`; None when nothing is due. The caller commits before it works.

    A message that was begun again and again without an end, because it takes the worker down with it, is given up like
    one that fails.
    """
    is_open = OutboxMessage.done_at.is_(None) & OutboxMessage.failed_at.is_(None)
    due = select(OutboxMessage).where(is_open, OutboxMessage.due_at <= now).order_by(OutboxMessage.due_at).limit(20)
    for message in db.session.scalars(due).all():
        changed = execute_update(
            update(OutboxMessage)
            .where(OutboxMessage.id == message.id, OutboxMessage.due_at == message.due_at, is_open)
            .values(_given_up(message, now) or _taken(now))
        )
        if changed == 1:
            db.session.refresh(message)
            if message.failed_at is None:
                return message
    return None


def _taken(now: datetime) -> dict[str, Any]:
    return {"due_at": now + LEASE, "attempt_count": OutboxMessage.attempt_count + 1, "error": UNFINISHED}


def _given_up(message: OutboxMessage, now: datetime) -> dict[str, Any] | None:
    is_over = message.error == UNFINISHED and now - message.created_at >= GIVEN_UP_AFTER
    return {"failed_at": now} if is_over else None


def done(message: OutboxMessage, now: datetime) -> None:
    """The promise is kept; what it carried is forgotten, but for the order it was about."""
    message.payload = {name: value for name, value in message.payload.items() if name == "order_id"}
    message.done_at, message.error = now, ""


def failed(message: OutboxMessage, now: datetime, error: str) -> None:
    """Try again later, longer each time, and at last leave it to a person."""
    message.error = error[:500]
    if now - message.created_at >= GIVEN_UP_AFTER:
        message.failed_at = now
    else:
        wait = timedelta(seconds=15 * 2 ** min(message.attempt_count, 20))
        message.due_at = now + min(wait, LONGEST_WAIT)


def postpone(message: OutboxMessage, now: datetime) -> None:
    """Keep a promise that this installation cannot keep yet: it waits as long as it takes."""
    message.error, message.due_at = "not configured", now + UNTIL_CONFIGURED


def retry_failed(now: datetime) -> int:
    """Take up again what was given up; tells how many promises."""
    return execute_update(
        update(OutboxMessage)
        .where(OutboxMessage.failed_at.is_not(None))
        .values(failed_at=None, due_at=now, created_at=now, attempt_count=0, error="")
    )
