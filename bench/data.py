"""Large data sets, generated once with SQL, in `bench/.data` and PostgreSQL databases named `tapcard_bench_…`."""

import sqlite3
import time
from collections.abc import Iterator
from contextlib import closing, contextmanager
from pathlib import Path

import psycopg
from flask_migrate import upgrade
from psycopg import sql

from tests import external_services

from .installation import DATA, Installation

MULTIPLIER = 2_654_435_761  # odd, so that it permutes the 2^32 tokens
OWNERS, CARDS, DAYS = 2_500, 5_000, 365
CATEGORY_COUNT, COLLECTION_COUNT = 100, 31
RETENTION_HOURS = 35 * 24  # of hourly roll-ups

USERS = """
INSERT INTO users (id, email, first_name, last_name, is_active, created_at, verified_at)
SELECT i, 'owner' || i || '@example.com', 'Owner', 'Bench', {true}, {now}, {now} FROM {series}
"""
LOOKUP_CARDS = """
INSERT INTO cards (id, token, owner_id, status, target, reroute_url, reroute_host, is_blocked, claim_policy,
                   imported_tap_count, created_at)
SELECT i, {token}, 1, 'active', 'url', 'https://example.com/' || i, 'example.com', {false}, 'code', 0, {now}
FROM {series}
"""
OWNER_CARDS = """
INSERT INTO cards (id, token, owner_id, alias, status, target, reroute_url, reroute_host, is_blocked, claim_policy,
                   imported_tap_count, created_at)
SELECT i, {token}, (i + 1) / 2, 'Card ' || i, 'active', 'url', 'https://example.com/' || i, 'example.com', {false},
       'code', 0, {now}
FROM {series}
"""
AGENT = """
INSERT INTO user_agents (id, text, device, os_family, is_bot) VALUES (1, 'bench', 'phone', 'Android', {false})
"""
TAPS = """
INSERT INTO taps (id, uid, tapped_at, card_id, owner_id, channel, outcome, user_agent_id, language, referrer_host,
                  country, visitor, is_bot, is_own)
SELECT i, {uid}, {instant}, 1 + (i * 7919) % {cards}, (2 + (i * 7919) % {cards}) / 2,
       CASE WHEN i % 3 = 0 THEN 'qr' ELSE 'nfc' END, 'redirect', 1, 'en-GB', '',
       CASE WHEN i % 5 = 0 THEN 'DE' ELSE 'GB' END, '', {false}, {false}
FROM {series}
"""
DAY_ROWS = """
INSERT INTO tap_days (day_on, card_id, owner_id, design_id, channel, outcome, device, country, is_bot, is_own,
                      tap_count)
SELECT {day}, card_id, owner_id, 0, channel, outcome, 'phone', country, {false}, {false}, count(*)
FROM taps GROUP BY 1, 2, 3, 5, 6, 8
"""
SHOP_DAY_ROWS = """
INSERT INTO shop_tap_days (day_on, design_id, channel, outcome, device, country, is_bot, is_own, tap_count)
SELECT day_on, design_id, channel, outcome, device, country, is_bot, is_own, sum(tap_count)
FROM tap_days GROUP BY 1, 2, 3, 4, 5, 6, 7, 8
"""
HOUR_ROWS = """
INSERT INTO tap_hours (hour_at, card_id, owner_id, design_id, channel, outcome, device, country, is_bot, is_own,
                       tap_count, folded_count)
SELECT {hour}, card_id, owner_id, 0, channel, outcome, 'phone', country, {false}, {false}, count(*), count(*)
FROM taps WHERE tapped_at > {recent} GROUP BY 1, 2, 3, 5, 6, 8
"""

CATEGORIES = """
INSERT INTO categories (id, parent_id, name, slug, description, position, is_active)
SELECT i, CASE WHEN i <= 10 THEN NULL ELSE 1 + i % 10 END, 'Category ' || i, 'category-' || i, '', i, {true}
FROM {series}
"""
COLLECTIONS = """
INSERT INTO collections (id, kind, name, slug, description, is_active)
SELECT i, CASE i % 3 WHEN 0 THEN 'brand' WHEN 1 THEN 'theme' ELSE 'season' END,
       'Collection ' || i, 'collection-' || i, '', {true}
FROM {series}
"""
PRODUCTS = """
INSERT INTO products (id, name, slug, sku, kind, category_id, unit_amount, discount_percent, promo_text, size, material,
                      color, details, stock, availability, tax_rate, is_active, is_featured, page_title,
                      page_description, search_text, rating_count, rating_sum, created_at, version)
SELECT i, 'Moorland journal ' || i, 'journal-' || i, 'J' || i, 'goods', 1 + (i * 7919) % {categories}, 500 + i % 9000,
       CASE WHEN i % 7 = 0 THEN 15 ELSE 0 END, '', 'A5', 'Linen', 'Blue', 'Lies flat.', i % 50, 'in_stock', 0, {true},
       i % 1000 = 0, '', '', 'moorland journal ' || i || ' linen blue a5 j' || i, i % 9, i % 9 * 4, {now}, 1
FROM {series}
"""
IN_COLLECTIONS = """
INSERT INTO product_collections (product_id, collection_id) SELECT 1 + i / 2, 1 + i * 7919 % {collections} FROM {series}
"""
PICTURES = """
INSERT INTO product_pictures (id, product_id, name, alt, position) SELECT i, i, 'picture.webp', '', 0 FROM {series}
"""

SQLITE = {
    "true": "1",
    "false": "0",
    "now": "'2026-01-01 00:00:00.000000'",
    "series": "(WITH RECURSIVE n(i) AS (SELECT 1 UNION ALL SELECT i + 1 FROM n WHERE i < {count}) SELECT i FROM n)",
    "token": f"printf('C%08X', (i * {MULTIPLIER}) & 4294967295)",
    "uid": "printf('%032x', i)",
    "instant": "strftime('%Y-%m-%d %H:%M:%f000', 'now', '-' || ((i * 104729) % {period}) || ' seconds')",
    "day": "date(tapped_at)",
    "hour": "strftime('%Y-%m-%d %H:00:00.000000', tapped_at)",
    "recent": "strftime('%Y-%m-%d', 'now', '-{hours} hours')",
}
POSTGRESQL = {
    "true": "true",
    "false": "false",
    "now": "timestamp '2026-01-01'",
    "series": "generate_series(1::bigint, {count}) AS n(i)",
    "token": f"'C' || upper(lpad(to_hex((i * {MULTIPLIER}) & 4294967295), 8, '0'))",
    "uid": "lpad(to_hex(i), 32, '0')",
    "instant": "(now() AT TIME ZONE 'UTC') - ((i * 104729) % {period}) * interval '1 second'",
    "day": "tapped_at::date",
    "hour": "date_trunc('hour', tapped_at)",
    "recent": "(now() AT TIME ZONE 'UTC') - interval '{hours} hours'",
}


def token(number: int) -> str:
    """Return the token of the card with an id."""
    return f"C{(number * MULTIPLIER) & 0xFFFFFFFF:08X}"


def cards(database: str, count: int) -> Installation:
    """Return an installation with `count` cards of one owner."""
    return _installation(database, f"cards_{count}", [(USERS, 1), (LOOKUP_CARDS, count)])


def taps(database: str, count: int) -> Installation:
    """Return an installation with `count` taps of one year on 5,000 cards of 2,500 owners, and their roll-ups."""
    owners = [(USERS, OWNERS), (OWNER_CARDS, CARDS), (AGENT, 1)]
    rollups = [(DAY_ROWS, 1), (SHOP_DAY_ROWS, 1), (HOUR_ROWS, 1)]
    return _installation(database, f"taps_{count}", [*owners, (TAPS, count), *rollups])


def products(database: str, count: int) -> Installation:
    """Return an installation with `count` products, each in one of 100 categories and two of 31 collections."""
    groups = [(CATEGORIES, CATEGORY_COUNT), (COLLECTIONS, COLLECTION_COUNT)]
    return _installation(
        database,
        f"catalogue_{count}",
        [*groups, (PRODUCTS, count), (IN_COLLECTIONS, count * 2 - 1), (PICTURES, count)],
    )


def _installation(database: str, name: str, statements: list[tuple[str, int]]) -> Installation:
    folder = DATA / f"{name}-{database.lower()}"
    done = folder / "done"
    if database == "SQLite":
        installation = Installation(database, folder, f"sqlite:///{folder / 'bench.sqlite'}")
    else:
        server = external_services.POSTGRESQL_URL.replace("+psycopg", "", 1)
        installation = Installation(database, folder, f"{server}/tapcard_bench_{name}")
    if done.exists() and (database == "SQLite" or _database_exists(f"tapcard_bench_{name}")):
        with installation.application():
            upgrade()  # an earlier version may have generated it
        return installation
    print(f"    Generating {name} for {database} (once) …", flush=True)
    started = time.monotonic()
    folder.mkdir(parents=True, exist_ok=True)
    done.unlink(missing_ok=True)
    if database == "SQLite":
        for path in folder.glob("bench.sqlite*"):
            path.unlink()
    else:
        _recreate(f"tapcard_bench_{name}")
    with installation.application():
        upgrade()
    parameters = {
        "categories": CATEGORY_COUNT,
        "collections": COLLECTION_COUNT,
        "cards": CARDS,
        "period": DAYS * 86400,
        "hours": RETENTION_HOURS,
    }
    if database == "SQLite":
        with _fast_sqlite(folder / "bench.sqlite") as connection:
            for statement, count in statements:
                fragments = {key: value.format(count=count, **parameters) for key, value in SQLITE.items()}
                connection.execute(statement.format(**fragments, **parameters))
    else:
        with psycopg.connect(installation.config.database_url.replace("+psycopg", "", 1)) as server_side:
            with _without_indexes(server_side):
                for statement, count in statements:
                    fragments = {key: value.format(count=count, **parameters) for key, value in POSTGRESQL.items()}
                    server_side.execute(statement.format(**fragments, **parameters).encode())
            server_side.commit()
            server_side.autocommit = True
            server_side.execute("VACUUM ANALYZE")
    done.touch()
    print(f"    … done in {time.monotonic() - started:.0f} s", flush=True)
    return installation


@contextmanager
def _fast_sqlite(path: Path) -> Iterator[sqlite3.Connection]:
    """Open a connection without crash safety; secondary indexes are dropped first and created again at the end."""
    with closing(sqlite3.connect(path, isolation_level=None)) as connection:
        for pragma in (
            "journal_mode=OFF",
            "synchronous=OFF",
            "foreign_keys=OFF",
            "cache_size=-2000000",
            "temp_store=2",
        ):
            connection.execute(f"PRAGMA {pragma}")
        indexes = connection.execute(
            "SELECT name, sql FROM sqlite_schema WHERE type = 'index' AND sql NOTNULL"
        ).fetchall()
        for name, _definition in indexes:
            connection.execute(f'DROP INDEX "{name}"')
        connection.execute("BEGIN")
        yield connection
        connection.execute("COMMIT")
        for _name, definition in indexes:
            connection.execute(definition)
        connection.execute("ANALYZE")
        connection.execute("PRAGMA journal_mode=WAL")


@contextmanager
def _without_indexes(connection: psycopg.Connection) -> Iterator[None]:
    """Drop the indexes that no constraint needs, and create them again at the end."""
    connection.execute("SET maintenance_work_mem = '1GB'")
    connection.execute("SET synchronous_commit = off")
    indexes = connection.execute(
        "SELECT indexname, indexdef FROM pg_indexes WHERE schemaname = 'public' AND indexname NOT IN "
        "(SELECT conname FROM pg_constraint)"
    ).fetchall()
    for name, _definition in indexes:
        connection.execute(sql.SQL("DROP INDEX {}").format(sql.Identifier(name)))
    yield
    for _name, definition in indexes:
        connection.execute(definition.encode())


def _database_exists(name: str) -> bool:
    with psycopg.connect(f"{external_services.POSTGRESQL_URL.replace('+psycopg', '', 1)}/postgres") as connection:
        return connection.execute("SELECT 1 FROM pg_database WHERE datname = %s", (name,)).fetchone() is not None


def _recreate(name: str) -> None:
    url = f"{external_services.POSTGRESQL_URL.replace('+psycopg', '', 1)}/postgres"
    with psycopg.connect(url, autocommit=True) as connection:
        connection.execute(sql.SQL("DROP DATABASE IF EXISTS {} WITH (FORCE)").format(sql.Identifier(name)))
        connection.execute(sql.SQL("CREATE DATABASE {}").format(sql.Identifier(name)))
