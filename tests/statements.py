"""Record the SQL statements of a block, and restore the rows of the database."""

import re
from collections.abc import Iterator
from contextlib import contextmanager
from typing import Any

import sqlalchemy as sa

from tapcard.db import db
from tests.conftest import KEPT_TABLES

INTERNAL_TABLES = re.compile(r"\b(web_sessions|visitor_keys|profile_actions)\b")


@contextmanager
def statements(*, all_of_them: bool = False) -> Iterator[list[str]]:
    """Record the SQL statements of the application; those of sessions, keys and recorded actions only on request."""
    recorded: list[str] = []

    def listen(_connection: object, _cursor: object, statement: str, *_rest: object) -> None:
        if all_of_them or not INTERNAL_TABLES.search(statement):
            recorded.append(statement)

    sa.event.listen(db.engine, "before_cursor_execute", listen)
    try:
        yield recorded
    finally:
        sa.event.remove(db.engine, "before_cursor_execute", listen)


def queries(recorded: list[str]) -> list[str]:
    """Return the statements that read or change rows, without BEGIN and the like."""
    return [
        statement
        for statement in recorded
        if statement.lstrip().upper().startswith(("SELECT", "WITH", "INSERT", "UPDATE", "DELETE"))
    ]


def writes(recorded: list[str]) -> list[str]:
    """Return the statements that change rows."""
    return [
        statement
        for statement in recorded
        if not statement.lstrip().upper().startswith(("SELECT", "WITH", "BEGIN", "PRAGMA"))
    ]


def all_rows() -> dict[sa.Table, list[dict[str, Any]]]:
    """Return all rows of the database, to restore them later."""
    db.session.commit()
    return {
        table: [dict(row) for row in db.session.execute(sa.select(*own_columns(table))).mappings()]
        for table in db.metadata.sorted_tables
        if table.name not in KEPT_TABLES
    }


def own_columns(table: sa.Table) -> list[sa.Column[Any]]:
    """Return the columns that are not computed by the database."""
    return [column for column in table.columns if column.computed is None]


def restore_rows(rows: dict[sa.Table, list[dict[str, Any]]]) -> None:
    """Restore all rows of the database."""
    for table in reversed(rows):
        db.session.execute(table.delete())
    for table, were in rows.items():
        if were:
            db.session.execute(table.insert(), were)
    db.session.commit()
