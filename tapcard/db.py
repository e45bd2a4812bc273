"""Database object, declarative base, shared column types, transactions and locks."""

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

from . import search_text
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
    """Column type for aware datetimes, stored as naive UTC; naive values raise `ValueError`."""

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


def _enum_values(members: type[enum.StrEnum]) -> list[str]:
    return [member.value for member in members]


def enum_type(members: type[enum.StrEnum], name: str | None = None) -> sa.Enum:
    """Return the type of an enum stored by value with a CHECK; pass a name where a table has the same enum twice."""
    return sa.Enum(
        members,
        name=name or members.__name__.lower(),
        native_enum=False,
        create_constraint=True,
        length=20,
        values_callable=_enum_values,
    )


created = Annotated[datetime, mapped_column(UTCDateTime, default=utcnow)]


class Base(DeclarativeBase):
    """Base class of the models, with a naming convention for constraints."""

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
                values_callable=_enum_values,
            ),
        },
    )


db = SQLAlchemy(model_class=Base, disable_autonaming=True)


def init_app(app: Flask) -> None:
    """Bind the database to the application and configure new connections."""
    db.init_app(app)
    with app.app_context():
        prepare_engine(db.engine, synchronous="OFF" if app.testing else "FULL")


def prepare_engine(engine: Engine, synchronous: str = "FULL") -> None:
    """Configure an engine for SQLite: pragmas, text search and `BEGIN IMMEDIATE` for transactions that write."""
    if engine.dialect.name != "sqlite":
        return

    @sa.event.listens_for(engine, "connect")
    def set_pragmas(dbapi_connection: Any, _record: Any) -> None:
        dbapi_connection.isolation_level = None  # transactions begin explicitly, below
        for pragma in (
            f"busy_timeout={LOCK_TIMEOUT * 1000}",
            "journal_mode=WAL",
            "foreign_keys=ON",
            f"synchronous={synchronous}",
            "secure_delete=ON",  # deleted content is overwritten
        ):
            dbapi_connection.execute(f"PRAGMA {pragma}")
        search_text.declare_functions(dbapi_connection)

    @sa.event.listens_for(engine, "begin")
    def begin(connection: Connection) -> None:
        if not _writing.get():
            connection.exec_driver_sql("BEGIN")
            return
        connection.exec_driver_sql(f"PRAGMA busy_timeout={int(_lock_timeout.get() * 1000)}")
        connection.exec_driver_sql("BEGIN IMMEDIATE")


def set_writing(writing: bool) -> None:
    """Set for the rest of this context whether new transactions may write."""
    _writing.set(writing)


@contextmanager
def transactions(*, writing: bool) -> Iterator[None]:
    """Set within a block whether new transactions may write."""
    token = _writing.set(writing)
    try:
        yield
    finally:
        _writing.reset(token)


@contextmanager
def separate_transaction(timeout: float = LOCK_TIMEOUT) -> Iterator[Connection]:
    """Open a separate connection that commits when the block ends: for sessions and keys, never for business rules.

    On SQLite it waits `timeout` seconds for another writer, then raises `OperationalError`.
    """
    token = _lock_timeout.set(timeout)
    try:
        with transactions(writing=True), db.engine.begin() as connection:
            yield connection
    finally:
        _lock_timeout.reset(token)


def truncate_wal() -> bool:
    """Checkpoint and truncate SQLite's write-ahead log, so that it holds no erased data; call it outside a transaction.

    Return False when readers prevented it and it has to be repeated. PostgreSQL needs nothing.
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
    """Return an INSERT of the dialect in use, which offers `on_conflict_…`."""
    dialect = (engine or db.engine).dialect.name
    return (postgresql.insert if dialect == "postgresql" else sqlite.insert)(table)


def insert_rows(connection: Connection, statement: Any, rows: Sequence[Mapping[str, Any]]) -> None:
    """Insert many rows with the same columns; on PostgreSQL by one statement over arrays."""
    if connection.dialect.name != "postgresql":
        connection.execute(statement, rows)
        return
    columns = statement.table.c
    names = list(rows[0])
    arrays = (
        sa.bindparam(f"values_{name}", [row[name] for row in rows], type_=postgresql.ARRAY(columns[name].type))
        for name in names
    )
    connection.execute(statement.from_select(names, sa.select(*map(sa.func.unnest, arrays))))


def is_any_of(column: Any, values: Sequence[Any], connection: Connection) -> sa.ColumnElement[bool]:
    """Return the condition that a column has one of many values, on PostgreSQL as one array parameter."""
    if connection.dialect.name != "postgresql":
        return column.in_(values)
    array = sa.bindparam(None, values, type_=postgresql.ARRAY(column.type))
    return column == sa.any_(array)


def acquire_lock(name: str, *, shared: bool = False) -> None:
    """Take a named lock until the transaction of `db.session` ends; SQLite has only one writer and needs none."""
    if db.engine.dialect.name == "postgresql":
        lock = sa.func.pg_advisory_xact_lock_shared if shared else sa.func.pg_advisory_xact_lock
        db.session.execute(sa.select(lock(sa.func.hashtext(name))))


def is_retryable(error: DBAPIError) -> bool:
    """Return whether the transaction would probably succeed when retried."""
    return getattr(error.orig, "sqlstate", None) in RETRYABLE_STATES


def is_unreachable(error: DBAPIError) -> bool:
    """Return whether an error means that the database is unavailable, rather than that the statement is wrong."""
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
