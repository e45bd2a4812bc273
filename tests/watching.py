"""Record SQL statements, run functions concurrently, and parse and follow the forms and links of pages."""

import contextvars
import re
from collections.abc import Callable, Iterator
from concurrent.futures import ThreadPoolExecutor
from contextlib import contextmanager
from dataclasses import dataclass, field
from html import unescape
from html.parser import HTMLParser
from threading import Barrier
from typing import Any
from urllib.parse import urljoin, urlsplit

import sqlalchemy as sa
from flask import Flask

from tapcard.db import db, transactions
from tapcard.errors import DomainError
from tests.conftest import KEPT_TABLES, FormClient

BOOK_KEEPING = re.compile(r"\b(web_sessions|visitor_keys|profile_actions)\b")


@contextmanager
def statements(*, all_of_them: bool = False) -> Iterator[list[str]]:
    """Record the SQL statements of the application; those of sessions, keys and recorded actions only on request."""
    asked: list[str] = []

    def listen(_connection: object, _cursor: object, statement: str, *_rest: object) -> None:
        if all_of_them or not BOOK_KEEPING.search(statement):
            asked.append(statement)

    sa.event.listen(db.engine, "before_cursor_execute", listen)
    try:
        yield asked
    finally:
        sa.event.remove(db.engine, "before_cursor_execute", listen)


def queries(asked: list[str]) -> list[str]:
    """Return the statements that read or change rows, without BEGIN and the like."""
    return [
        each for each in asked if each.lstrip().upper().startswith(("SELECT", "WITH", "INSERT", "UPDATE", "DELETE"))
    ]


def writes(asked: list[str]) -> list[str]:
    """Return the statements that change rows."""
    return [each for each in asked if not each.lstrip().upper().startswith(("SELECT", "WITH", "BEGIN", "PRAGMA"))]


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


def put_back(rows: dict[sa.Table, list[dict[str, Any]]]) -> None:
    """Restore all rows of the database."""
    for table in reversed(rows):
        db.session.execute(table.delete())
    for table, were in rows.items():
        if were:
            db.session.execute(table.insert(), were)
    db.session.commit()


def together(app: Flask, number: int, work: Callable[[int], object]) -> list[object]:
    """Run a function concurrently in separate contexts; return the result of each thread.

    Each thread commits. A `DomainError` is rolled back, and its class is the result.
    """
    start = Barrier(number, timeout=30)
    db.session.commit()

    def run(place: int) -> object:
        with app.app_context(), transactions(writing=True):
            start.wait()
            try:
                result = work(place)
                db.session.commit()
            except DomainError as error:
                db.session.rollback()
                return type(error)
            finally:
                db.session.remove()
            return result

    with ThreadPoolExecutor(number) as pool:
        results = list(pool.map(lambda place: contextvars.Context().run(run, place), range(number)))
    db.session.expire_all()
    return results


@dataclass
class PageForm:
    """A form on a page."""

    action: str
    method: str
    values: dict[str, str] = field(default_factory=dict)
    kinds: dict[str, str] = field(default_factory=dict)

    def typed(self) -> list[str]:
        """Return the names of the text fields."""
        return [
            name for name, kind in self.kinds.items() if kind in ("text", "textarea", "email", "tel", "url", "date")
        ]


class _Forms(HTMLParser):
    def __init__(self) -> None:
        super().__init__()
        self.forms: list[PageForm] = []
        self._open: PageForm | None = None
        self._area: str | None = None
        self._select: str | None = None

    def handle_starttag(self, tag: str, pairs: list[tuple[str, str | None]]) -> None:
        attributes: dict[str, Any] = dict(pairs)
        if tag == "form":
            self._open = PageForm(attributes.get("action") or "", (attributes.get("method") or "get").lower())
            self.forms.append(self._open)
        if self._open is None:
            return
        name = attributes.get("name")
        if tag == "input" and name:
            kind = "readonly" if "readonly" in attributes else attributes.get("type") or "text"
            self._open.kinds[name] = kind
            if kind not in ("checkbox", "radio") or "checked" in attributes:
                self._open.values[name] = attributes.get("value") or ("y" if kind == "checkbox" else "")
        elif tag == "textarea" and name:
            self._open.kinds[name], self._open.values[name], self._area = "textarea", "", name
        elif tag == "select" and name:
            self._open.kinds[name], self._select = "select", name
        elif tag == "option" and self._select and ("selected" in attributes or self._select not in self._open.values):
            self._open.values[self._select] = attributes.get("value") or ""

    def handle_endtag(self, tag: str) -> None:
        if tag == "form":
            self._open = None
        elif tag == "textarea" and self._open is not None and self._area:
            text = self._open.values[self._area]
            self._open.values[self._area] = text.removeprefix("\r").removeprefix("\n")  # the first line end is no text
            self._area = None
        elif tag == "select":
            self._select = None

    def handle_data(self, data: str) -> None:
        if self._open is not None and self._area:
            self._open.values[self._area] += data


def forms_on(page: str) -> list[PageForm]:
    """Return every form of a page with the values of its fields."""
    parser = _Forms()
    parser.feed(page)
    return parser.forms


def form_to(page: str, action: str) -> PageForm:
    """Return the form of a page that submits to an address."""
    return next(form for form in forms_on(page) if form.action == action)


def error_of(page: str, name: str) -> str:
    """Return the error message next to a field, or an empty string."""
    found = re.search(rf'id="{name}-error"[^>]*>.*?<span>(.*?)</span>', page, re.DOTALL)
    return unescape(found[1]) if found else ""


LINK = re.compile(r'<(?:a|link|script|img|use|source)\b[^>]*?\s(?:href|src)="([^"#]*)(?:#[^"]*)?"')


@dataclass
class Walk:
    """The results of following every link."""

    statuses: dict[str, int] = field(default_factory=dict)
    elsewhere: set[str] = field(default_factory=set)
    forms: list[tuple[str, PageForm]] = field(default_factory=list)


def walk(client: FormClient, *starts: str) -> Walk:
    """Follow all links of this site, starting from some pages."""
    found = Walk()
    waiting = list(starts)
    while waiting:
        path = waiting.pop()
        if path in found.statuses:
            continue
        with client.get(path) as answer:
            found.statuses[path] = answer.status_code
            text = answer.text if answer.mimetype == "text/html" else ""
        links = {urljoin(path, unescape(link)) for link in LINK.findall(text)} | {answer.location or path}
        away = {link for link in links if urlsplit(link).scheme or link.startswith("//")}
        found.elsewhere |= away
        waiting += links - away
        found.forms += [(path, form) for form in forms_on(text)]
    return found


def words_of(page: str) -> str:
    """Return the text of a page without tags, with single spaces."""
    text = re.sub(r"<(script|style|svg)\b.*?</\1>", " ", page, flags=re.DOTALL)
    return " ".join(unescape(re.sub(r"<[^>]+>", " ", text)).split())
