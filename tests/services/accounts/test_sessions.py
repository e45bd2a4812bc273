"""Ending the sessions of an account."""

from datetime import timedelta

from sqlalchemy import select

from tapcard.db import db
from tapcard.models import User, WebSession
from tapcard.services.accounts import sessions
from tests.services.accounts.helpers import NOW


def test_other_sessions_of_the_user_end_and_those_of_others_stay(ada: User, cleo: User) -> None:
    for user, sid in ((ada, "a1"), (ada, "a2"), (cleo, "c1")):
        db.session.add(
            WebSession(sid_hash=sid, user_id=user.id, data=b"{}", seen_at=NOW, expires_at=NOW + timedelta(days=1))
        )
    db.session.commit()
    sessions.end_other_sessions(ada, "a2")
    assert set(db.session.scalars(select(WebSession.sid_hash))) == {"a2", "c1"}
    sessions.end_other_sessions(ada, None)
    assert set(db.session.scalars(select(WebSession.sid_hash))) == {"c1"}
