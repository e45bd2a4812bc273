"""A scheduled job: every hour, all notes are put into capitals."""

from datetime import timedelta

import sqlalchemy as sa

from tapcard.db import db
from tapcard.registry import job

from .declarations import Note


@job("notes.shout", every=timedelta(hours=1))
def shout() -> None:
    """Put every note into capitals."""
    db.session.execute(sa.update(Note).values(text=sa.func.upper(Note.text)))
