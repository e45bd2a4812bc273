"""Measure the SQL statements and the time of pages, compared with an empty page of the same app."""

import contextvars
import time
from collections.abc import Callable, Iterable, Iterator
from contextlib import contextmanager
from statistics import median

import sqlalchemy as sa
from flask import Flask, render_template_string
from flask.testing import FlaskClient

from tapcard.db import db
from tapcard.services.accounts import registration

from . import data
from .figures import Figure, at_most, interleaved, ratio
from .installation import PASSWORD, databases, seed, temporary_installation

MAX_STATEMENTS, MAX_RATIO = 12, 8
REPEATS, ROUNDS = 20, 7
PAGES = (
    ("front", "/"),
    ("dashboard", "/dashboard"),
    ("card", "/cards/BENCHURL"),
    ("statistics", "/statistics"),
    ("profile", "/p/ada"),
)
PRODUCTS = 10_000
LISTS = (
    ("list of 10,000 products", "/shop"),
    ("filtered list", "/shop?category=category-1&brand=collection-3&search=linen&sort=price_asc"),
    ("product", "/products/journal-77"),
)
EMPTY = "/bench/empty"


def figures() -> Iterator[Figure]:
    for database in databases():
        with temporary_installation(database) as installation, installation.application() as app:
            app.add_url_rule(EMPTY, "empty", lambda: render_template_string(""))
            yield from page_figures(database, app, PAGES)
        with data.products(database, PRODUCTS).application() as app:
            app.add_url_rule(EMPTY, "empty", lambda: render_template_string(""))
            if registration.find_user("ada@example.com") is None:
                seed(app)
            db.session.commit()  # ends the transaction of the query
            yield from page_figures(database, app, LISTS)


def page_figures(database: str, app: Flask, pages: Iterable[tuple[str, str]]) -> Iterator[Figure]:
    """Measure the number of statements and the time of each page."""
    client = logged_in_client(app, "ada@example.com")
    for name, path in pages:
        with recorded_statements() as statements:
            get(client, path)
        yield at_most(f"statements of the {name} page, {database}", len(statements), MAX_STATEMENTS, "statements")
        times = interleaved(ROUNDS, timed(client, path), timed(client, EMPTY))
        detail = f"({median(times[0]) * 1e3:.1f} : {median(times[1]) * 1e3:.1f} ms)"
        title = f"time of the {name} page, {database}"
        yield at_most(title, ratio(times[0], times[1]), MAX_RATIO, "× empty page", detail)


def logged_in_client(app: Flask, email: str) -> FlaskClient:
    """Return a client that is logged in as a user."""
    client = app.test_client()
    page = get(client, "/log-in")
    token = page.partition('name="csrf_token"')[2].partition('value="')[2].partition('"')[0]
    form = {"email": email, "password": PASSWORD, "csrf_token": token}
    response = contextvars.Context().run(client.post, "/log-in", data=form)
    assert response.status_code == 302, response.text
    return client


def get(client: FlaskClient, path: str) -> str:
    response = contextvars.Context().run(client.get, path)
    assert response.status_code == 200, f"{path}: {response.status}"
    return response.get_data(as_text=True)


@contextmanager
def recorded_statements() -> Iterator[list[str]]:
    """Record the SQL statements executed in a block."""
    statements: list[str] = []

    def record(_connection: object, _cursor: object, statement: str, *_: object) -> None:
        if not statement.startswith("BEGIN"):
            statements.append(statement)

    sa.event.listen(db.engine, "before_cursor_execute", record)
    try:
        yield statements
    finally:
        sa.event.remove(db.engine, "before_cursor_execute", record)


def timed(client: FlaskClient, path: str) -> Callable[[], float]:
    """Return a function that requests a page repeatedly and returns the seconds per request."""

    def run() -> float:
        started = time.perf_counter()
        for _ in range(REPEATS):
            get(client, path)
        return (time.perf_counter() - started) / REPEATS

    run()
    return run
