"""Run Alembic with the application's own engine."""

import sqlalchemy as sa
from alembic import context
from flask import current_app

from tapcard.db import UTCDateTime, db


def render_item(kind: str, item: object, _context: object) -> str | bool:
    """Render our column types as plain database types, so that old migrations never import new code."""
    return "sa.DateTime()" if kind == "type" and isinstance(item, UTCDateTime) else False


def run_migrations() -> None:
    """Run in one transaction. On SQLite, turn foreign keys off and check them before the commit."""
    with db.engine.connect() as connection:
        is_sqlite = connection.dialect.name == "sqlite"
        if is_sqlite:  # the pragma only works outside a transaction; with it on, a batch change deletes child rows
            connection.connection.dbapi_connection.execute("PRAGMA foreign_keys=OFF")
        context.configure(
            connection=connection,
            target_metadata=db.metadata,
            render_item=render_item,
            transactional_ddl=True,  # SQLite supports it, but Alembic assumes it doesn't
            **current_app.extensions["migrate"].configure_args,
        )
        try:
            with context.begin_transaction():
                context.run_migrations()
                if is_sqlite:
                    broken = connection.execute(sa.text("PRAGMA foreign_key_check")).all()
                    if broken:
                        raise RuntimeError(f"the migration leaves broken references: {broken[:5]}")
        finally:
            if is_sqlite:
                connection.connection.dbapi_connection.execute("PRAGMA foreign_keys=ON")


if context.is_offline_mode():
    raise SystemExit("Migrations need a database; SQL alone is not written.")
run_migrations()
