"""Jobs that every installation needs: purging expired rows and unused uploads."""

from datetime import timedelta

import sqlalchemy as sa
from flask import current_app

from .. import files
from ..clock import utcnow
from ..db import db
from ..models import LinkToken, OutboxMessage, ThrottleCounter
from ..registry import handles, job
from ..services.accounts import sessions
from ..services.core import uploads
from ..services.taps import ingest

RETENTION = timedelta(days=30)


@handles(uploads.DELETE_KIND)
def delete_unused(name: str, user_id: int) -> None:
    """Delete an upload that nothing refers to; a recent one may still be about to be used and is postponed."""
    is_used = bool(uploads.used_uploads([name]))
    db.session.rollback()  # no transaction while a file is deleted
    if is_used:
        return
    deletable_at = files.delete_old(name, files.folder(current_app.instance_path), uploads.RETENTION)
    if deletable_at is not None:
        uploads.schedule_deletion([name], user_id, due_at=deletable_at)


@job("rows.purge", every=timedelta(hours=1))
def purge_rows() -> None:
    """Delete expired sessions, counters, links, sent messages and marks of finished spool files."""
    now = utcnow()
    sessions.delete_expired(now)
    db.session.execute(sa.delete(ThrottleCounter).where(ThrottleCounter.window_ends_at < now))
    db.session.execute(sa.delete(LinkToken).where(LinkToken.expires_at < now - RETENTION))
    db.session.execute(sa.delete(OutboxMessage).where(OutboxMessage.done_at < now - RETENTION))
    ingest.delete_finished(now)


@job("uploads.sweep", every=timedelta(days=1))
def sweep_uploads() -> None:
    """Delete uploads that nothing refers to."""
    used_names = uploads.used_uploads()
    db.session.rollback()  # no transaction while the folder is read
    files.sweep(files.folder(current_app.instance_path), used_names, uploads.RETENTION)
