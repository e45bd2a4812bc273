"""Web sessions: a user lists and ends their own; expired ones are deleted."""

from collections.abc import Sequence
from datetime import datetime

import sqlalchemy as sa

from ...db import db, execute_update
from ...errors import NotFound
from ...errors import mark as _
from ...ids import is_id
from ...models import User, WebSession
from ..core import audit


def sessions_of(user: User, now: datetime) -> Sequence[WebSession]:
    """Return a user's unexpired sessions, the most recently used first."""
    query = sa.select(WebSession).where(WebSession.user_id == user.id, WebSession.expires_at > now)
    return db.session.scalars(query.order_by(WebSession.seen_at.desc(), WebSession.id.desc())).all()


def end_session(user: User, session_id: int) -> None:
    """Log a user out of one browser, from its next request on; raise `NotFound` unless the session is theirs."""
    statement = sa.delete(WebSession).where(WebSession.id == session_id, WebSession.user_id == user.id)
    if not is_id(session_id) or execute_update(statement) != 1:
        raise NotFound(_("That device is already logged out."))
    audit.record("user.session_ended", subject=user, actor=user)


def end_other_sessions(user: User, keep_sid_hash: str | None) -> None:
    """Log a user out of every browser except the one with this stored session id hash, if any."""
    statement = sa.delete(WebSession).where(WebSession.user_id == user.id)
    if keep_sid_hash is not None:
        statement = statement.where(WebSession.sid_hash != keep_sid_hash)
    execute_update(statement)


def delete_expired(now: datetime) -> int:
    """Delete expired sessions of all users and return how many there were."""
    return execute_update(sa.delete(WebSession).where(WebSession.expires_at <= now))
