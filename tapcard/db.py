"""The database object, the base class and the column types every model shares."""

import enum
import sqlite3
from collections.abc import Iterator, Mapping, Sequence
from contextlib import contextmanager
from contextvars import ContextVar
from datetime import UTC, datetime
from typing import Annotated, Any

import sqlalchemy as sa
from flask import Flask
from flask_sqlalchemy import SQLAlchemy
from sqlalchemy.dialects import postgresql, sqlite
from sqlalchemy.engine import Connection, Dialect, Engine
from sqlalchemy.exc import DBAPIError
from sqlalchemy.orm import DeclarativeBase, mapped_column, registry

from .clock import utcnow

LOCK_TIMEOUT = 15
UNAVAILABLE_CODES = (
    sqlite3.SQLITE_BUSY,
    sqlite3.SQLITE_LOCKED,
    sqlite3.SQLITE_READONLY,
    sqlite3.SQLITE_IOERR,
    sqlite3.SQLITE_CORRUPT,
    sqlite3.SQLITE_FULL,
    sqlite3.SQLITE_CANTOPEN,
    sqlite3.SQLITE_PROTOCOL,
    sqlite3.SQLITE_NOTADB,
)
RETRYABLE_STATES = ("40001", "40P01")  # PostgreSQL: serialization_failure, deadlock_detected

_writing: ContextVar[bool] = ContextVar("tapcard_writing", default=True)
_lock_timeout: ContextVar[float] = ContextVar("tapcard_patience", default=LOCK_TIMEOUT)


class UTCDateTime(sa.TypeDecorator[datetime]):
    """Aware instants in Python, naive UTC in the table; a naive one is refused."""

    impl = sa.DateTime
    cache_ok = True

    def process_bind_param(self, value: datetime | None, dialect: Dialect) -> datetime | None:
        if value is None:
            return None
        if value.tzinfo is None:
            raise ValueError(f"{value!r} has no time zone")
        return value.astimezone(UTC).replace(tzinfo=None)

    def process_result_value(self, value: datetime | None, dialect: Dialect) -> datetime | None:
        return value and value.replace(tzinfo=UTC)


bigint = sa.BigInteger().with_variant(sa.Integer(), "sqlite")
pk = Annotated[int, mapped_column(bigint, primary_key=True)]
minor_units = Annotated[int, mapped_column(sa.BigInteger)]  # money: minor units


def enum_type(kinds: type[enum.StrEnum], name: str | None = None) -> sa.Enum:
    """An enum stored by value with a CHECK; give a name where one table has the same enum twice."""
    return sa.Enum(
        kinds,
        name=name or kinds.__name__.lower(),
        native_enum=False,
        create_constraint=True,
        length=20,
        values_callable=lambda members: [member.value for member in members],
    )


created = Annotated[datetime, mapped_column(UTCDateTime, default=utcnow)]


class Base(DeclarativeBase):
    """What every model inherits; its constraints get names by rule."""

    # A registry, because Flask-SQLAlchemy 3.1 rejects a bare type_annotation_map here.
    registry = registry(
        metadata=sa.MetaData(
            naming_convention={
                "ix": "ix_%(table_name)s_%(column_0_N_name)s",
                "uq": "uq_%(table_name)s_%(column_0_N_name)s",
                "ck": "ck_%(table_name)s_%(constraint_name)s",
                "fk": "fk_%(table_name)s_%(column_0_name)s_%(referred_table_name)s",
                "pk": "pk_%(table_name)s",
            }
        ),
        type_annotation_map={
            datetime: UTCDateTime,
            dict[str, Any]: sa.JSON,
            enum.StrEnum: sa.Enum(
                enum.StrEnum,
                native_enum=False,
                create_constraint=True,
                length=20,
                values_callable=lambda kinds: [kind.value for kind in kinds],
            ),
        },
    )


db = SQLAlchemy(model_class=Base, disable_autonaming=True)


def init_app(app: Flask) -> None:
    """Attach the database and set each new connection up."""
    db.init_app(app)
    with app.app_context():
        prepare_engine(db.engine, synchronous="OFF" if app.testing else "FULL")


def prepare_engine(engine: Engine, synchronous: str = "FULL") -> None:
    """Teach an engine when to take SQLite's write lock; PostgreSQL needs nothing."""
    if engine.dialect.name != "sqlite":
        return

    @sa.event.listens_for(engine, "connect")
    def set_pragmas(dbapi_connection: Any, _record: Any) -> None:
        dbapi_connection.isolation_level = None  # we begin by ourselves, below
        for pragma in (
            f"busy_timeout={LOCK_TIMEOUT * 1000}",
            "journal_mode=WAL",
            "foreign_keys=ON",
            f"synchronous={synchronous}",
            "secure_delete=ON",  # what is erased is overwritten, not only given up
        ):
            dbapi_connection.execute(f"PRAGMA {pragma}")

    @sa.event.listens_for(engine, "begin")
    def begin(connection: Connection) -> None:
        if not _writing.get():
            connection.exec_driver_sql("BEGIN")
            return
        connection.exec_driver_sql(f"PRAGMA busy_timeout={int(_lock_timeout.get() * 1000)}")
        connection.exec_driver_sql("BEGIN IMMEDIATE")


def set_writing(writing: bool) -> None:
    """Say for the rest of this context whether transactions that begin now will write."""
    _writing.set(writing)


@contextmanager
def transactions(*, writing: bool) -> Iterator[None]:
    """The same, for the length of a block."""
    token = _writing.set(writing)
    try:
        yield
    finally:
        _writing.reset(token)


@contextmanager
def separate_transaction(patience: float = LOCK_TIMEOUT) -> Iterator[Connection]:
    """A connection apart from `db.session`, written and committed at once: for sessions and keys, never for rules.

    On SQLite it waits `patience` seconds for another writer, then raises `OperationalError`.
    """
    token = _lock_timeout.set(patience)
    try:
        with transactions(writing=True), db.engine.begin() as connection:
            yield connection
    finally:
        _lock_timeout.reset(token)


def truncate_wal() -> bool:
    """Carry SQLite's write-ahead log into the file and cut it, so that nothing erased stands in it; ask between
    transactions. False when somebody read for so long that it has to be tried again.
    """
    if db.engine.dialect.name != "sqlite":
        return True
    connection = db.engine.raw_connection()
    try:
        [is_busy, _pages, _moved] = connection.cursor().execute("PRAGMA wal_checkpoint(TRUNCATE)").fetchone()
    finally:
        connection.close()
    return not is_busy


def insert(table: type[Base] | sa.Table, engine: Engine | None = None) -> Any:
    """An INSERT of the dialect in use, so that `on_conflict_…` can be added."""
    dialect = (engine or db.engine).dialect.name
    return (postgresql.insert if dialect == "postgresql" else sqlite.insert)(table)


def insert_rows(connection: Connection, statement: Any, rows: Sequence[Mapping[str, Any]]) -> None:
    """Run an INSERT for many rows that name the same columns; for PostgreSQL as one statement over arrays."""
    if connection.dialect.name != "postgresql":
        connection.execute(statement, rows)
        return
    columns = statement.table.c
    names = list(rows[0])
    arrays = (
        sa.bindparam(f"every_{name}", [row[name] for row in rows], type_=postgresql.ARRAY(columns[name].type))
        for name in names
    )
    connection.execute(statement.from_select(names, sa.select(*map(sa.func.unnest, arrays))))


def is_any_of(column: Any, values: Sequence[Any], connection: Connection) -> sa.ColumnElement[bool]:
    """The condition that a column has one of many values; for PostgreSQL one array, for others a list."""
    if connection.dialect.name != "postgresql":
        return column.in_(values)
    array = sa.bindparam(None, values, type_=postgresql.ARRAY(column.type))
    return column == sa.any_(array)


def acquire_lock(name: str, *, shared: bool = False) -> None:
    """Hold a named lock until this transaction of `db.session` ends; SQLite has but one writer and needs none."""
    if db.engine.dialect.name == "postgresql":
        take = sa.func.pg_advisory_xact_lock_shared if shared else sa.func.pg_advisory_xact_lock
        db.session.execute(sa.select(take(sa.func.hashtext(name))))


def is_retryable(error: DBAPIError) -> bool:
    """Whether the same work would probably succeed on a second try."""
    return getattr(error.orig, "sqlstate", None) in RETRYABLE_STATES


def is_unreachable(error: DBAPIError) -> bool:
    """Whether the database, rather than what was asked of it, is the trouble."""
    if error.connection_invalidated:
        return True
    state = getattr(error.orig, "sqlstate", None)
    if state is not None:
        return state[:2] in ("08", "53", "57")
    code = getattr(error.orig, "sqlite_errorcode", None)
    if code is not None:
        return code & 0xFF in UNAVAILABLE_CODES
    return isinstance(error, sa.exc.OperationalError | sa.exc.InterfaceError)


def execute_update(statement: sa.Update | sa.Delete) -> int:
    """Execute an UPDATE or DELETE in the session and return how many rows it changed; loaded rows are not refreshed."""
    result = db.session.execute(statement.execution_options(synchronize_session=False))
    return int(result.rowcount)  # type: ignore[attr-defined]
