"""Uploaded pictures that nothing shows any more: a promise deletes them, and says whose they were until it is kept."""

from collections.abc import Collection, Iterable
from datetime import datetime, timedelta
from typing import Any

import sqlalchemy as sa
from sqlalchemy import select

from ... import outbox
from ...db import db
from ...models import CartLine, Category, Design, OrderLine, OutboxMessage, ProductPicture, Profile

DELETE = "file.delete_unused"
KEPT = timedelta(days=1)  # what was stored of late may be about to be shown
COLUMNS: tuple[Any, ...] = (
    *(Profile.photo, Profile.banner, Design.front_picture, Design.rear_picture),
    *(Category.picture, ProductPicture.name, OrderLine.picture),
)


def in_use(among: Collection[str] | None = None) -> set[str]:
    """The names of the uploads that something refers to; of all, or of some."""
    used: set[str] = set()
    for column in COLUMNS:
        asked = select(column).where(column.is_not(None) if among is None else column.in_(sorted(among)))
        used.update(name for name in db.session.scalars(asked) if name)
    of_all = of_lines(CartLine) | of_lines(OrderLine)
    return used | (of_all if among is None else of_all & set(among))


def of_lines(lines: type[CartLine] | type[OrderLine], *conditions: sa.ColumnElement[bool]) -> set[str]:
    """The names of the uploads that came with lines of carts or orders."""
    has_any = sa.cast(lines.pictures, sa.Text) != "[]"
    return {name for names in db.session.scalars(select(lines.pictures).where(has_any, *conditions)) for name in names}


def leave(names: Iterable[str | None], owner_id: int, due_at: datetime | None = None) -> None:
    """Promise to delete what somebody shows no more, as far as nothing else shows it by then."""
    for name in sorted({name for name in names if name}):
        outbox.post(DELETE, due_at=due_at, name=name, user_id=owner_id)


def left_by(user_id: int) -> set[str]:
    """The names of somebody's former pictures that may still be there."""
    waiting = select(OutboxMessage.payload).where(OutboxMessage.kind == DELETE, OutboxMessage.done_at.is_(None))
    return {payload["name"] for payload in db.session.scalars(waiting) if payload.get("user_id") == user_id}
