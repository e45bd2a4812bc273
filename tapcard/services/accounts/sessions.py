"""The browsers in which a person is signed in: each can be looked at and signed out by its own person alone."""

from collections.abc import Sequence
from datetime import datetime

import sqlalchemy as sa

from ...db import db
from ...errors import NotFound
from ...errors import mark as _
from ...models import User, WebSession
from ..core import audit


def of(user: User, now: datetime) -> Sequence[WebSession]:
    """A person's sessions that are not over, the one used last first."""
    theirs = sa.select(WebSession).where(WebSession.user_id == user.id, WebSession.expires_at > now)
    return db.session.scalars(theirs.order_by(WebSession.seen_at.desc(), WebSession.id.desc())).all()


def end(user: User, session_id: int) -> None:
    """Sign a person out of one browser, from its next request on; raises `NotFound` for a session of anybody else."""
    theirs = sa.delete(WebSession).where(WebSession.id == session_id, WebSession.user_id == user.id)
    is_number = 0 < session_id < 2**63
    ended = db.session.execute(theirs.execution_options(synchronize_session=False)) if is_number else None
    if ended is None or ended.rowcount != 1:  # type: ignore[attr-defined]
        raise NotFound(_("That device is already logged out."))
    audit.record("user.session_ended", subject=user, actor=user)
