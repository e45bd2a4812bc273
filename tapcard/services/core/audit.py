"""The book of deeds."""

from collections.abc import Iterable
from typing import Any

import sqlalchemy as sa

from ...db import Base, db
from ...models import AuditEntry, User


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


def record_all(tag: str, model: type[Base], ids: Iterable[int], *, actor: User | None = None) -> None:
    """Write down the same deed for many subjects of a kind, by one statement."""
    same = {"tag": tag, "subject_type": model.__tablename__, "actor_id": actor.id if actor is not None else None}
    entries = [{**same, "subject_id": each, "origin": "", "details": {}} for each in ids]
    if entries:
        db.session.execute(sa.insert(AuditEntry), entries)
