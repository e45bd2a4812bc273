"""Look up rows by id, and order rows that carry a position."""

from collections.abc import Iterable
from typing import Any, TypeVar

from sqlalchemy import select

from ...db import Base, db
from ...errors import NotFound
from ...errors import mark as _
from ...ids import is_id

Row = TypeVar("Row", bound=Base)


class RowNotFound(NotFound):
    """There is no such row."""


def get(model: type[Row], row_id: int, *options: Any, **conditions: Any) -> Row:
    """Return the row of an id that also meets the conditions, read afresh; raise `RowNotFound`."""
    row = None
    if is_id(row_id):
        query = select(model).filter_by(id=row_id, **conditions).options(*options)
        row = db.session.scalar(query.execution_options(populate_existing=True))
    if row is None:
        raise RowNotFound(_("We couldn’t find that. It may have been removed."))
    return row


def reordered(ordered: list[Row], row: Row, by: int) -> list[Row]:
    """Return the rows with one of them moved by so many places; it stays at either end."""
    index = ordered.index(row)
    others = [other for other in ordered if other is not row]
    others.insert(min(max(index + by, 0), len(others)), row)
    return others


def set_positions(ordered: Iterable[Any]) -> None:
    """Set each row's `position` to its index."""
    for position, row in enumerate(ordered):
        row.position = position
