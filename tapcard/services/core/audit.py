"""Append-only audit log."""

from collections.abc import Iterable
from typing import Any

import sqlalchemy as sa

from ...db import Base, db
from ...models import AuditEntry, User


def record(
    tag: str, *, subject: Base | None = None, actor: User | None = None, origin: str = "", **details: Any
) -> None:
    """Record who did what; `tag` has the form `noun.past`, and the subject must have its id."""
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


def record_all(tag: str, model: type[Base], ids: Iterable[int], *, actor: User | None = None) -> None:
    """Record the same action for many subjects of one model, with one statement."""
    shared = {"tag": tag, "subject_type": model.__tablename__, "actor_id": actor.id if actor is not None else None}
    entries = [{**shared, "subject_id": subject_id, "origin": "", "details": {}} for subject_id in ids]
    if entries:
        db.session.execute(sa.insert(AuditEntry), entries)
