"""What staff's changes share: rows by their number, and the second of two people at one row is told."""

import hashlib
from typing import Any, TypeVar

import sqlalchemy as sa
from sqlalchemy import select

from ...db import Base, db
from ...errors import DomainError, NotFound
from ...errors import mark as _
from ...ids import is_id

Row = TypeVar("Row", bound=Base)
ARRANGED = "position"  # putting rows into another order is no change of a row


class RowNotFound(NotFound):
    """There is no such row."""


class ChangedMeanwhile(DomainError):
    """Somebody else was faster; nothing is overwritten."""


def find(model: type[Row], number: int, *options: Any, **conditions: Any) -> Row:
    """The row of a number, with whatever else must hold; raises `RowNotFound`."""
    row = None
    if is_id(number):
        wanted = select(model).filter_by(id=number, **conditions).options(*options)
        row = db.session.scalar(wanted.execution_options(populate_existing=True))
    if row is None:
        raise RowNotFound(_("We couldn’t find that. It may have been removed."))
    return row


def mark_of(row: Base) -> str:
    """What a row looks like, in short: a page carries it along, to notice when somebody else changes the row."""
    names = sorted(each.key for each in sa.inspect(type(row)).column_attrs if each.key != ARRANGED)
    return hashlib.sha256(repr([getattr(row, name) for name in names]).encode()).hexdigest()[:32]


def refuse_changed(row: Base, seen: str) -> None:
    """Hold a row until the transaction ends and raise `ChangedMeanwhile` if it does not look as it was seen."""
    table, number = type(row).__table__, sa.inspect(row).identity or ()
    db.session.execute(select(table.c.id).where(table.c.id.in_(number)).with_for_update())
    db.session.refresh(row)
    if mark_of(row) != seen:
        raise changed()


def changed() -> ChangedMeanwhile:
    """The refusal of whoever comes second."""
    return ChangedMeanwhile(
        _("This was changed elsewhere, so your changes weren’t saved. Reload the page and try again.")
    )


def moved(rows: list[Row], row: Row, by: int) -> list[Row]:
    """The rows with one of them so many places further on; at either end it stays."""
    place = rows.index(row)
    others = [each for each in rows if each is not row]
    others.insert(min(max(place + by, 0), len(others)), row)
    return others
