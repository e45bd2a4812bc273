"""Optimistic lock for rows that staff edit: the second of two people who edit one row gets `EditConflict`.

Models with a `version` column let SQLAlchemy compare it (`version_id_col`); the others are compared by a fingerprint of
their columns, in a hidden field of the form.
"""

import hashlib

import sqlalchemy as sa
from sqlalchemy import select

from ...db import Base, db
from ...errors import DomainError
from ...errors import mark as _

IGNORED_COLUMN = "position"  # reordering rows does not conflict with editing one


class EditConflict(DomainError):
    """Another user saved the row first; nothing is overwritten."""


def fingerprint(row: Base) -> str:
    """Return a hash of a row's columns: 32 hexadecimal digits."""
    names = sorted(column.key for column in sa.inspect(type(row)).column_attrs if column.key != IGNORED_COLUMN)
    return hashlib.sha256(repr([getattr(row, name) for name in names]).encode()).hexdigest()[:32]


def lock_unchanged(row: Base, seen_fingerprint: str) -> None:
    """Lock a row until the transaction ends; raise `EditConflict` unless it has the fingerprint that was seen."""
    table, identity = type(row).__table__, sa.inspect(row).identity or ()
    db.session.execute(select(table.c.id).where(table.c.id.in_(identity)).with_for_update())
    db.session.refresh(row)
    if fingerprint(row) != seen_fingerprint:
        raise edit_conflict()


def edit_conflict() -> EditConflict:
    """Return the error for the second editor."""
    return EditConflict(_("This was changed elsewhere, so your changes weren't saved. Reload the page and try again."))
