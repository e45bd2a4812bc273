"""Jobs that every installation needs: purging expired rows and unused uploads."""

from datetime import timedelta

import sqlalchemy as sa
from flask import current_app

from .. import files
from ..clock import utcnow
from ..db import db
from ..models import LinkToken, OutboxMessage, ThrottleCounter, WebSession
from ..registry import handles, job
from ..services.core import uploads
from ..services.taps import ingest

SENT_KEPT = timedelta(days=30)


@handles(uploads.DELETE_KIND)
def delete_unused(name: str, user_id: int) -> None:
    """Delete a picture that nothing shows; one that was sent of late may be about to be shown, and waits."""
    is_used = bool(uploads.used_uploads([name]))
    db.session.rollback()  # nothing is held while a file is deleted
    if is_used:
        return
    may_go_at = files.delete_old(name, files.folder(current_app.instance_path), uploads.RETENTION)
    if may_go_at is not None:
        uploads.schedule_deletion([name], user_id, due_at=may_go_at)


@job("rows.purge", every=timedelta(hours=1))
def purge() -> None:
    """Delete what is past its time."""
    now = utcnow()
    db.session.execute(sa.delete(WebSession).where(WebSession.expires_at <= now))
    db.session.execute(sa.delete(ThrottleCounter).where(ThrottleCounter.window_ends_at < now))
    db.session.execute(sa.delete(LinkToken).where(LinkToken.expires_at < now - SENT_KEPT))
    db.session.execute(sa.delete(OutboxMessage).where(OutboxMessage.done_at < now - SENT_KEPT))
    ingest.delete_finished(now)


@job("uploads.sweep", every=timedelta(days=1))
def sweep_uploads() -> None:
    """Delete pictures nothing refers to any more."""
    used = uploads.used_uploads()
    db.session.rollback()  # looking through the folder takes its time
    files.sweep(files.folder(current_app.instance_path), used, uploads.RETENTION)
