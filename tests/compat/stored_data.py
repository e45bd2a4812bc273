"""Stored data of commit 5828590, the version before the restructuring: reading it and restoring it before each test."""

import json
import sqlite3
from datetime import datetime, timedelta
from pathlib import Path
from typing import Any

import sqlalchemy as sa

from tapcard import worker
from tapcard.db import db
from tapcard.models import Card, Order, Schedule, User
from tests.conftest import DATABASE, FormClient

HERE = Path(__file__).resolve().parent
BEFORE: dict[str, Any] = json.loads((HERE / "before.json").read_text())
MADE_AT = datetime.fromisoformat(BEFORE["made_at"])
LINKS, ORDERS, USERS = BEFORE["links"], BEFORE["orders"], BEFORE["users"]
BEFORE_REVISION = "20261130_sold"
NEW_PASSWORD = "battery staple correct"


class Clock(datetime):
    """A clock that stays at one time until it is set."""

    present = MADE_AT

    @classmethod
    def now(cls, tz: Any = None) -> datetime:
        return cls.present


def rows_before() -> dict[str, tuple[list[str], list[tuple[Any, ...]]]]:
    """Return the stored rows of each table, with the names of the columns."""
    connection = sqlite3.connect(":memory:")
    connection.executescript((HERE / "before.sql").read_text())
    names = [name for (name,) in connection.execute("SELECT name FROM sqlite_master WHERE type = 'table'")]
    stored = {}
    for name in names:
        cursor = connection.execute(f'SELECT * FROM "{name}"')
        stored[name] = ([column[0] for column in cursor.description], cursor.fetchall())
    connection.close()
    return {name: rows for name, rows in stored.items() if name not in ("alembic_version", "sqlite_sequence")}


def copy_to_postgresql() -> None:
    """Insert the rows into an empty database of the same revision."""
    with db.engine.begin() as connection:
        connection.execute(sa.text("SET session_replication_role = replica"))  # in any order
        connection.execute(sa.text("SET TIME ZONE 'UTC'"))
        cursor: Any = connection.connection.cursor()
        for name, (columns, rows) in rows_before().items():
            facts = {column["name"]: column for column in sa.inspect(connection).get_columns(name)}
            rows = [
                [
                    for_postgresql(value, facts[column]["type"])
                    for column, value in zip(columns, row, strict=True)
                    if "computed" not in facts[column]
                ]
                for row in rows
            ]
            columns = [column for column in columns if "computed" not in facts[column]]
            places = ", ".join(["%s"] * len(columns))
            insert = f"INSERT INTO {name} ({', '.join(columns)}) VALUES ({places})"
            cursor.execute(f"DELETE FROM {name}")
            if rows:
                cursor.executemany(insert, rows)
            sequence = f"pg_get_serial_sequence('{name}', 'id')"
            if "id" in columns:
                cursor.execute(f"SELECT setval({sequence}, (SELECT coalesce(max(id), 1) FROM {name}))")
        connection.execute(sa.text("SET session_replication_role = origin"))


def for_postgresql(value: Any, kind: Any) -> Any:
    """Convert a value of SQLite, which stores booleans and numbers in JSON as numbers, for PostgreSQL."""
    if isinstance(kind, sa.Boolean):
        return None if value is None else bool(value)
    return str(value) if isinstance(kind, sa.JSON) and value is not None else value


def stored_columns() -> dict[str, str]:
    """Return the columns of each table, apart from those that the database computes."""
    return {
        table.name: ", ".join(column.name for column in table.columns if column.computed is None)
        for table in db.metadata.sorted_tables
    }


def snapshot(folder: Path) -> None:
    """Keep a copy of the upgraded database."""
    if DATABASE == "sqlite":
        source, target = (sqlite3.connect(folder / name) for name in ("before.sqlite", "upgraded.sqlite"))
        source.backup(target)
        source.close()
        target.close()
        return
    with db.engine.begin() as connection:
        connection.execute(sa.text("CREATE SCHEMA upgraded"))
        for name, columns in stored_columns().items():
            connection.execute(sa.text(f"CREATE TABLE upgraded.{name} AS SELECT {columns} FROM public.{name}"))


def restore(folder: Path) -> None:
    """Restore the upgraded database after a test changed it."""
    if DATABASE == "sqlite":
        source, target = (sqlite3.connect(folder / name) for name in ("upgraded.sqlite", "before.sqlite"))
        source.backup(target)
        source.close()
        target.close()
        return
    with db.engine.begin() as connection:
        connection.execute(sa.text("SET LOCAL session_replication_role = replica"))
        for name, columns in stored_columns().items():
            connection.execute(sa.text(f"DELETE FROM public.{name}"))
            connection.execute(sa.text(f"INSERT INTO public.{name} ({columns}) SELECT {columns} FROM upgraded.{name}"))


def set_clock(after: timedelta) -> datetime:
    """Set the clock to a time after the data was made."""
    Clock.present = MADE_AT + after
    return Clock.present


def user(name: str) -> User:
    return db.session.get_one(User, USERS[name], populate_existing=True)


def order(name: str) -> Order:
    return db.session.scalars(sa.select(Order).where(Order.number == ORDERS[name])).one()


def is_logged_in(client: FormClient) -> bool:
    return client.get("/account").status_code == 200


def card(token: str) -> Card:
    return db.session.scalars(sa.select(Card).where(Card.token == token)).one()


def run_jobs() -> None:
    """Run due jobs and check that none failed."""
    db.session.commit()
    worker.create_schedules(Clock.present)
    worker.run_due_jobs(Clock.present)
    db.session.expire_all()
    assert set(db.session.scalars(sa.select(Schedule.error))) == {""}
