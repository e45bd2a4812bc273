"""Erasure of closed accounts."""

import logging
from datetime import datetime, timedelta
from pathlib import Path

from flask import current_app

from ..clock import utcnow
from ..db import db, truncate_wal
from ..models.users import REOPEN_WITHIN
from ..registry import job
from ..services.privacy import erasure
from ..services.privacy.erasure import NotErasable

logger = logging.getLogger(__name__)


@job("users.erase", every=timedelta(days=1))
def erase_closed() -> None:
    """Erase the people who closed their account and did not come back in time."""
    now = utcnow()
    waiting = erasure.due_user_ids(now)
    db.session.rollback()
    for user_id in waiting:
        try:
            _erase(user_id, now)
        except NotErasable:  # came back, or another worker was faster
            db.session.rollback()
        except Exception:  # one person's trouble must not keep the others' data
            db.session.rollback()
            logger.exception("account %d could not be erased; retrying tomorrow", user_id)
    db.session.rollback()
    if not truncate_wal():
        logger.warning("write-ahead log in use; emptying it tomorrow")


def _erase(user_id: int, now: datetime) -> None:
    person = erasure.erase(user_id, now, closed_before=now - REOPEN_WITHIN)
    db.session.commit()
    is_production = current_app.config["TAPCARD"].is_production
    erasure.delete_files(person, Path(current_app.instance_path), with_mails=not is_production)
