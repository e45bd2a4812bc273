"""Migrations: agreement with the models, and upgrades that keep all rows."""

import ast
import datetime as dt
import re
import shutil
from collections.abc import Callable, Iterator
from pathlib import Path
from typing import Any

import pytest
import sqlalchemy as sa
from alembic.autogenerate import compare_metadata
from alembic.config import Config as AlembicConfig
from alembic.migration import MigrationContext
from alembic.script import ScriptDirectory
from flask import Flask
from flask_migrate import downgrade, upgrade

from tapcard.app import MIGRATIONS
from tapcard.db import db
from tests import external_services
from tests.conftest import DATABASE

ROWS = 3
# values required by CHECK constraints in addition to the listed ones
DEMANDED: dict[str, dict[str, Any]] = {
    "cards": {"status": "active", "locked_because": None, "claim_code": None},
    "cart_lines": {"kind": "goods", "card_id": None},
    "categories": {"parent_id": None},
    "order_lines": {
        "kind": "goods", "card_token": None, "production_status": None,
        "quantity": 1, "line_amount": 2, "unit_amount": 2, "discount_amount": 0, "stock_taken": 0,
    },
    "orders": {"total_amount": 1, "subtotal_amount": 1, "discount_amount": 0, "delivery_amount": 0, "credit_amount": 0},
    "promotions": {"applies_to": "all", "percent": None, "category_id": None, "collection_id": None,
                   "product_id": None},
}  # fmt: skip


@pytest.fixture
def empty_app(other_app: Callable[..., Flask], tmp_path: Path) -> Iterator[Flask]:
    """Create an application with an empty database and enter its context."""
    if DATABASE == "sqlite":
        databases: Any = None
        url = f"sqlite:///{tmp_path / 'migrated.sqlite'}"
    else:
        databases = external_services.new_database("migrated")
        url = databases.__enter__().replace("postgresql://", "postgresql+psycopg://", 1)
    app = other_app(database_url=url, instance_path=tmp_path)
    with app.app_context():
        yield app
        db.session.remove()
        db.engine.dispose()
    if databases is not None:
        databases.__exit__(None, None, None)


@pytest.fixture
def scripts() -> ScriptDirectory:
    """Return the migrations as Alembic sees them."""
    config = AlembicConfig()
    config.set_main_option("script_location", str(MIGRATIONS))
    return ScriptDirectory.from_config(config)


def tables() -> set[str]:
    return set(sa.inspect(db.engine).get_table_names()) - {"alembic_version"}


def keys_of(table: sa.Table) -> set[tuple[Any, ...]]:
    """Return the primary keys of all rows."""
    with db.engine.connect() as connection:
        return {tuple(row) for row in connection.execute(sa.select(*table.primary_key.columns))}


def reflected() -> sa.MetaData:
    metadata = sa.MetaData()
    metadata.reflect(db.engine)
    metadata.remove(metadata.tables["alembic_version"])
    return metadata


# --- filling a database -----------------------------------------------------------------------------------------------


def listed_values(table: sa.Table) -> dict[str, str]:
    """Return the first listed value of each column with a CHECK on values."""
    first_words = {}
    for constraint in sa.inspect(db.engine).get_check_constraints(table.name):
        text = re.sub(
            r"::[a-z ]+", "", constraint["sqltext"]
        )  # PostgreSQL adds type names, which may equal column names
        outside = re.sub(r"'[^']*'", "", text)
        names = [column.name for column in table.columns if re.search(rf"\b{column.name}\b", outside)]
        words = re.findall(r"'([^']*)'", text)
        if len(names) == 1 and words:
            first_words[names[0]] = words[0]
    return first_words


def value_for(column: sa.Column[Any], number: int) -> Any:
    """Return a value that fits a column, different for each row."""
    kind = column.type
    if isinstance(kind, sa.JSON):
        return {}
    if isinstance(kind, sa.Boolean):
        return False
    if isinstance(kind, sa.DateTime):
        return dt.datetime(2026, 1, number)
    if isinstance(kind, sa.Date):
        return dt.date(2026, 1, number)
    if isinstance(kind, sa.LargeBinary):
        return b"%d" % number
    if isinstance(kind, sa.String) and column.name == "code":
        return f"CODE{number}"
    if isinstance(kind, sa.String):
        return f"{column.name if column.name != 'token' else 'TOKEN'}{number}"[-(kind.length or 50) :]
    return number


def fill_tables() -> dict[str, int]:
    """Insert some rows into every table; return their number by table."""
    metadata = reflected()
    words = {table.name: listed_values(table) for table in metadata.sorted_tables}
    with db.engine.begin() as connection:
        for table in metadata.sorted_tables:
            for number in range(1, ROWS + 1):
                columns = [column for column in table.columns if column.computed is None]
                row = {column.name: value_for(column, number) for column in columns}
                connection.execute(table.insert(), {**row, **words[table.name], **DEMANDED.get(table.name, {})})
        if connection.dialect.name == "sqlite":
            assert connection.execute(sa.text("PRAGMA foreign_key_check")).all() == []
    return {table.name: ROWS for table in metadata.sorted_tables}


# --- tables and revisions ---------------------------------------------------------------------------------------------


def test_migrations_create_the_tables_of_the_models(empty_app: Flask) -> None:
    upgrade()
    with db.engine.connect() as connection:
        context = MigrationContext.configure(connection, opts={"compare_type": True})
        assert compare_metadata(context, db.metadata) == []
    assert tables() == set(db.metadata.tables)


def test_migrations_create_the_constraints_of_the_models(empty_app: Flask) -> None:
    upgrade()
    inspector = sa.inspect(db.engine)
    for table in db.metadata.tables.values():
        expected = {constraint.name for constraint in table.constraints if isinstance(constraint, sa.CheckConstraint)}
        assert {constraint["name"] for constraint in inspector.get_check_constraints(table.name)} >= expected, (
            table.name
        )
        expected = {constraint.name for constraint in table.constraints if isinstance(constraint, sa.UniqueConstraint)}
        assert {constraint["name"] for constraint in inspector.get_unique_constraints(table.name)} >= expected, (
            table.name
        )
        assert {index["name"] for index in inspector.get_indexes(table.name)} >= {index.name for index in table.indexes}


def test_revisions_are_dated_and_linear(scripts: ScriptDirectory) -> None:
    assert len(scripts.get_heads()) == len(scripts.get_bases()) == 1
    for script in scripts.walk_revisions():
        assert re.fullmatch(r"20[0-9]{6}_[a-z0-9_]+", script.revision), script.revision
        assert Path(script.path).stem == script.revision
        tree = ast.parse(Path(script.path).read_text())
        assert ast.get_docstring(tree)
        imported = {node.module for node in ast.walk(tree) if isinstance(node, ast.ImportFrom)}
        assert not {name for name in imported if name and name.startswith("tapcard")}, (
            "a migration must not depend on current code"
        )


# --- upgrading --------------------------------------------------------------------------------------------------------


def test_upgrading_from_the_first_revision_keeps_all_rows(empty_app: Flask, scripts: ScriptDirectory) -> None:
    [first] = scripts.get_bases()
    upgrade(revision=first)
    filled = fill_tables()
    assert len(filled) > 20
    before = {table.name: keys_of(table) for table in reflected().sorted_tables}
    assert {name: len(keys) for name, keys in before.items()} == filled
    upgrade()
    assert {table.name: keys_of(table) for table in reflected().sorted_tables if table.name in filled} == before
    if DATABASE == "sqlite":
        with db.engine.connect() as connection:
            assert connection.execute(sa.text("PRAGMA foreign_key_check")).all() == []


def test_cards_keep_their_order_line_without_a_foreign_key(empty_app: Flask) -> None:
    upgrade(revision="20261201_search_text")
    fill_tables()
    cards = reflected().tables["cards"]
    checks_before = sorted(str(check["name"]) for check in sa.inspect(db.engine).get_check_constraints("cards"))
    with db.engine.connect() as connection:
        before = connection.execute(sa.select(cards).order_by(cards.c.id)).all()
    assert [card.order_line_id for card in before] == [1, 2, 3]
    upgrade(revision="20261201_card_order_line")
    with db.engine.connect() as connection:
        assert connection.execute(sa.select(cards).order_by(cards.c.id)).all() == before
    inspector = sa.inspect(db.engine)
    keys = {column for key in inspector.get_foreign_keys("cards") for column in key["constrained_columns"]}
    assert keys == {"design_id", "owner_id", "profile_id", "batch_id", "replaced_by_id"}
    checks = [check["name"] for check in inspector.get_check_constraints("cards")]
    assert sorted(checks) == sorted(set(checks)) == checks_before
    assert "ix_cards_order_line_id" in {index["name"] for index in inspector.get_indexes("cards")}


def test_upgrading_an_up_to_date_database_changes_nothing(empty_app: Flask) -> None:
    upgrade()
    fill_tables()
    upgrade()
    assert all(len(keys_of(table)) == ROWS for table in reflected().sorted_tables)


def test_downgrading_is_refused(empty_app: Flask) -> None:
    upgrade()
    fill_tables()
    with pytest.raises(SystemExit):
        downgrade(revision="base")
    assert all(len(keys_of(table)) == ROWS for table in reflected().sorted_tables)


def test_foreign_keys_are_enforced_after_a_migration(empty_app: Flask) -> None:
    upgrade()
    with db.engine.connect() as connection, pytest.raises(sa.exc.IntegrityError):
        connection.execute(sa.text("INSERT INTO user_roles (user_id, role_id) VALUES (1, 1)"))


# --- future migrations ------------------------------------------------------------------------------------------------

STEP = """\"\"\"a step that is still to come\"\"\"

import sqlalchemy as sa
from alembic import op

revision = "20990101_next"
down_revision = "{head}"


def upgrade() -> None:
{body}


def downgrade() -> None:
    pass
"""
REBUILD_USERS = """\
    with op.batch_alter_table("users") as batch:
        batch.alter_column("first_name", type_=sa.String(60))
        batch.add_column(sa.Column("nickname", sa.String(20)))
"""
LOSE_USERS = """\
    op.add_column("users", sa.Column("nickname", sa.String(20)))
    op.execute("DELETE FROM users")
"""


@pytest.fixture
def with_step(scripts: ScriptDirectory, tmp_path: Path) -> Callable[[str], str]:
    """Return a function that copies the migrations and adds one."""

    def copy(body: str) -> str:
        folder = tmp_path / "migrations"
        shutil.copytree(MIGRATIONS, folder, ignore=shutil.ignore_patterns("__pycache__"))
        text = STEP.format(head=scripts.get_current_head(), body=body)
        (folder / "versions" / "20990101_next.py").write_text(text)
        return str(folder)

    return copy


def test_rebuilding_a_table_keeps_rows_that_reference_it(empty_app: Flask, with_step: Callable[[str], str]) -> None:
    upgrade()
    fill_tables()
    upgrade(directory=with_step(REBUILD_USERS))
    assert "nickname" in {column["name"] for column in sa.inspect(db.engine).get_columns("users")}
    assert all(len(keys_of(table)) == ROWS for table in reflected().sorted_tables)


def test_a_migration_that_breaks_foreign_keys_is_rolled_back(empty_app: Flask, with_step: Callable[[str], str]) -> None:
    upgrade()
    fill_tables()
    with pytest.raises((SystemExit, sa.exc.IntegrityError)):
        upgrade(directory=with_step(LOSE_USERS))
    assert "nickname" not in {column["name"] for column in sa.inspect(db.engine).get_columns("users")}
    assert all(len(keys_of(table)) == ROWS for table in reflected().sorted_tables)
    with db.engine.connect() as connection:
        assert MigrationContext.configure(connection).get_current_revision() != "20990101_next"


def test_migrations_cannot_be_written_as_sql(empty_app: Flask) -> None:
    with pytest.raises(SystemExit, match="need a database"):
        upgrade(sql=True)
