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
from .stage import PASSWORD, databases, seed, stage

MOST_STATEMENTS, MOST_TIMES = 12, 8
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
    ("filtered list", "/shop?category=shelf-1&brand=group-3&search=linen&sort=price_asc"),
    ("product", "/products/journal-77"),
)
EMPTY = "/bench/empty"


def figures() -> Iterator[Figure]:
    for database in databases():
        with stage(database) as house, house.application() as app:
            app.add_url_rule(EMPTY, "empty", lambda: render_template_string(""))
            yield from of_pages(database, app, PAGES)
        with data.products(database, PRODUCTS).application() as app:
            app.add_url_rule(EMPTY, "empty", lambda: render_template_string(""))
            if registration.find_user("ada@example.com") is None:
                seed(app)
            db.session.commit()  # looking has begun a transaction
            yield from of_pages(database, app, LISTS)


def of_pages(database: str, app: Flask, pages: Iterable[tuple[str, str]]) -> Iterator[Figure]:
    """How many statements each page asks, and how long it takes."""
    client = signed_in(app, "ada@example.com")
    for name, path in pages:
        with statements() as asked:
            get(client, path)
        yield at_most(f"statements of the {name} page, {database}", len(asked), MOST_STATEMENTS, "statements")
        times = interleaved(ROUNDS, timed(client, path), timed(client, EMPTY))
        detail = f"({median(times[0]) * 1e3:.1f} : {median(times[1]) * 1e3:.1f} ms)"
        title = f"time of the {name} page, {database}"
        yield at_most(title, ratio(times[0], times[1]), MOST_TIMES, "× empty page", detail)


def signed_in(app: Flask, email: str) -> FlaskClient:
    """Somebody's browser."""
    client = app.test_client()
    page = get(client, "/log-in")
    token = page.partition('name="csrf_token"')[2].partition('value="')[2].partition('"')[0]
    form = {"email": email, "password": PASSWORD, "csrf_token": token}
    answer = contextvars.Context().run(client.post, "/log-in", data=form)
    assert answer.status_code == 302, answer.text
    return client


def get(client: FlaskClient, path: str) -> str:
    answer = contextvars.Context().run(client.get, path)
    assert answer.status_code == 200, f"{path}: {answer.status}"
    return answer.get_data(as_text=True)


@contextmanager
def statements() -> Iterator[list[str]]:
    """The SQL that is asked while the block runs."""
    asked: list[str] = []

    def note(_connection: object, _cursor: object, statement: str, *_: object) -> None:
        if not statement.startswith("BEGIN"):
            asked.append(statement)

    sa.event.listen(db.engine, "before_cursor_execute", note)
    try:
        yield asked
    finally:
        sa.event.remove(db.engine, "before_cursor_execute", note)


def timed(client: FlaskClient, path: str) -> Callable[[], float]:
    """A function that asks for a page some times, and gives the time of one."""

    def run() -> float:
        began = time.perf_counter()
        for _ in range(REPEATS):
            get(client, path)
        return (time.perf_counter() - began) / REPEATS

    run()
    return run
