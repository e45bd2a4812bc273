"""Uploaded pictures: which are in use, and the scheduled deletion of the others."""

from collections.abc import Collection, Iterable
from datetime import datetime, timedelta
from typing import Any

import sqlalchemy as sa
from sqlalchemy import select

from ... import outbox, registry
from ...db import db
from ...models import OutboxMessage

DELETE_KIND = "file.delete_unused"
RETENTION = timedelta(days=1)  # a recent upload may be about to be used


def used_uploads(among: Collection[str] | None = None) -> set[str]:
    """Return the names of the uploads that a declared column refers to; only those `among` some names, if given."""
    names_in_use: set[str] = set()
    for column in registry.upload_columns:
        names = select(column).where(column.is_not(None) if among is None else column.in_(sorted(among)))
        names_in_use.update(name for name in db.session.scalars(names) if name)
    for column in registry.upload_list_columns:
        listed = listed_uploads(column)
        names_in_use |= listed if among is None else listed & set(among)
    return names_in_use


def listed_uploads(column: Any, *conditions: sa.ColumnElement[bool]) -> set[str]:
    """Return the names of the uploads in a column of lists."""
    has_any = sa.cast(column, sa.Text) != "[]"
    return {name for names in db.session.scalars(select(column).where(has_any, *conditions)) for name in names}


def schedule_deletion(names: Iterable[str | None], owner_id: int, due_at: datetime | None = None) -> None:
    """Schedule the deletion of uploads that a user no longer uses; those in use by then are kept."""
    for name in sorted({name for name in names if name}):
        outbox.post(DELETE_KIND, due_at=due_at, name=name, user_id=owner_id)


def scheduled_deletions_of(user_id: int) -> set[str]:
    """Return the names of a user's uploads that are scheduled for deletion."""
    payloads = select(OutboxMessage.payload).where(OutboxMessage.kind == DELETE_KIND, OutboxMessage.done_at.is_(None))
    return {payload["name"] for payload in db.session.scalars(payloads) if payload.get("user_id") == user_id}
