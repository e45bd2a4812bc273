"""A table with personal data and an upload, and a permission."""

import sqlalchemy as sa
from sqlalchemy.orm import Mapped, mapped_column

from tapcard.db import Base, execute_update, pk
from tapcard.registry import (
    Person,
    PersonalDataRule,
    declare_permissions,
    declare_personal_data,
    declare_uploads,
)


class Note(Base):
    """A note that a person wrote, with an image."""

    __tablename__ = "throwaway_notes"

    id: Mapped[pk]
    user_id: Mapped[int] = mapped_column(sa.ForeignKey("users.id"))
    text: Mapped[str]
    image: Mapped[str | None]


def _blank_notes(person: Person) -> None:
    execute_update(sa.update(Note).where(Note.user_id == person.id).values(text="", image=None))


declare_permissions("notes.view")
declare_uploads(Note.image)
declare_personal_data(PersonalDataRule("notes", {"throwaway_notes": ("text", "image")}, _blank_notes))
