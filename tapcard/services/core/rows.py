"""Look up rows by id, order rows that carry a position, and stream the rows of a query."""

from collections.abc import Iterable, Iterator
from typing import Any, TypeVar

from sqlalchemy import Engine, Select, select

from ...db import Base, db, transactions
from ...errors import NotFound
from ...errors import mark as _
from ...ids import is_id

BATCH_SIZE = 1000

Row = TypeVar("Row", bound=Base)


class RowNotFound(NotFound):
    """There is no such row."""


def get(model: type[Row], row_id: int, *options: Any, **conditions: Any) -> Row:
    """Return the row of an id that also meets the conditions, read again from the database; raise `RowNotFound`."""
    row = None
    if is_id(row_id):
        query = select(model).filter_by(id=row_id, **conditions).options(*options)
        row = db.session.scalar(query.execution_options(populate_existing=True))
    if row is None:
        raise RowNotFound(_("We couldn't find that. It may have been removed."))
    return row


def reordered(ordered: list[Row], row: Row, by: int) -> list[Row]:
    """Return the rows with one of them moved by a number of places; it stops at either end."""
    index = ordered.index(row)
    others = [other for other in ordered if other is not row]
    others.insert(min(max(index + by, 0), len(others)), row)
    return others


def set_positions(ordered: Iterable[Any]) -> None:
    """Set each row's `position` to its index."""
    for position, row in enumerate(ordered):
        row.position = position


def stream(query: Select[Any]) -> Iterator[Any]:
    """Yield the rows of a query in batches, over a connection of its own that is returned at the end."""
    return _stream(db.engine, query)  # the engine is read now, while there is an application context


def _stream(engine: Engine, query: Select[Any]) -> Iterator[Any]:
    with engine.connect() as connection:
        with transactions(writing=False):  # only while it begins: the consumer may write between two rows
            result = connection.execution_options(yield_per=BATCH_SIZE).execute(query)
        yield from result
