"""An email."""

from flask_mail import Message

from tapcard import mail
from tapcard.db import db

from .declarations import Note


@mail.kind("mail.note_added", "New note")
def note_added(note_id: int) -> Message | None:
    """Tell the shop about a note."""
    note = db.session.get_one(Note, note_id)
    return mail.compose("note_added", "olu@example.com", note=note)
