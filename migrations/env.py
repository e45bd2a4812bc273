"""How Alembic reaches the database: through the application's own engine."""

import sqlalchemy as sa
from alembic import context
from flask import current_app

from tapcard.db import UTCDateTime, db


def render_item(kind: str, item: object, _context: object) -> str | bool:
    """Write our column types as what the database sees, so that old migrations never import new code."""
    return "sa.DateTime()" if kind == "type" and isinstance(item, UTCDateTime) else False


def run_migrations() -> None:
    """Run in one transaction; on SQLite with foreign keys off, and looked through before the commit."""
    with db.engine.connect() as connection:
        is_sqlite = connection.dialect.name == "sqlite"
        if is_sqlite:  # a pragma counts outside a transaction alone; a batch change with it on deletes child rows
            connection.connection.dbapi_connection.execute("PRAGMA foreign_keys=OFF")
        context.configure(
            connection=connection,
            target_metadata=db.metadata,
            render_item=render_item,
            transactional_ddl=True,  # SQLite can, Alembic does not expect it
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
