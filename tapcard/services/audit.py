"""The book of deeds."""

from typing import Any

from ..db import Base, db
from ..models import AuditEntry, User


def record(
    tag: str, *, subject: Base | None = None, actor: User | None = None, origin: str = "", **details: Any
) -> None:
    """Write down who did what; `tag` is `noun.past`, the subject must have its id."""
    db.session.add(
        AuditEntry(
            tag=tag,
            subject_type=subject.__tablename__ if subject is not None else "",
            subject_id=getattr(subject, "id", None),
            actor_id=actor.id if actor is not None else None,
            origin=origin,
            details=details,
        )
    )
