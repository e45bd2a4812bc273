"""Pagination and text filters of lists, read from the query string."""

import re
from collections.abc import Callable, Iterable, Mapping, Sequence
from dataclasses import dataclass
from typing import Any

from flask import abort, request
from sqlalchemy import Select, func, select
from sqlalchemy.orm import lazyload

from ..db import db
from ..ids import parse_id, parse_number

PAGE_SIZE = 50
MAX_PAGE = 100_000
PAGE_NUMBER = re.compile(r"[1-9][0-9]{0,5}")


@dataclass(frozen=True)
class Page:
    """Some rows of a list, and the URL arguments of the pages before and after, for the macro `pager`."""

    rows: list[Any]
    previous: Mapping[str, int] | None
    next: Mapping[str, int] | None
    number: int | None = None
    count: int | None = None  # of pages, where they are counted
    total: int | None = None  # of rows on all pages, where they are counted


def paginate(query: Any, page_size: int = PAGE_SIZE, load: Callable[[Any], Iterable[Any]] | None = None) -> Page:
    """Return the rows of page `?page=` without counting the others; the first page for an invalid number.

    `load` executes a query whose rows are not single values.
    """
    number = min(parse_number(request.args.get("page"), max_digits=6) or 1, MAX_PAGE)
    rows = list((load or db.session.scalars)(query.limit(page_size + 1).offset((number - 1) * page_size)))
    return Page(
        rows[:page_size],
        previous={"page": number - 1} if number > 1 else None,
        next={"page": number + 1} if len(rows) > page_size else None,
        number=number,
    )


def paginate_by_id(query: Select[Any], id_column: Any, page_size: int = PAGE_SIZE) -> Page:
    """Return rows with ids below `?before=`, newest first: as fast on the last page of a big table as on the first."""
    rows = list(db.session.scalars(rows_before(query, id_column).limit(page_size + 1)))
    return Page(
        rows[:page_size],
        previous={} if "before" in request.args else None,
        next={"before": rows[page_size - 1].id} if len(rows) > page_size else None,
    )


def rows_before(query: Any, id_column: Any) -> Any:
    """Return a query, newest rows first, without the rows from id `?before=` on."""
    before = parse_id(request.args.get("before"))
    return query if before is None else query.where(id_column < before)


def paginate_counted(query: Select[Any], page_size: int) -> Page:
    """Return the rows of page `?page=` and the number of pages; 404 for a page that does not exist."""
    total = count_rows(query)
    number = _existing_page_number(total, page_size)
    return _counted_page(query, number, page_size, total)


def paginate_clamped(query: Select[Any], page_size: int) -> Page:
    """Return the rows of page `?page=` and the number of pages; the last page for a number that is too high."""
    total = count_rows(query)
    number = min(parse_number(request.args.get("page")) or 1, count_pages(total, page_size))
    return _counted_page(query, number, page_size, total)


def paginate_list(rows: Sequence[Any], page_size: int) -> Page:
    """Return the part of a list on page `?page=`; 404 for a page that does not exist."""
    number = _existing_page_number(len(rows), page_size)
    return counted_page(rows[(number - 1) * page_size : number * page_size], number, page_size, len(rows))


def counted_page(rows: Iterable[Any], number: int, page_size: int, total: int) -> Page:
    """Return the page of a number with its rows, which are loaded already, of a total number of rows."""
    count = count_pages(total, page_size)
    return Page(
        list(rows),
        previous={"page": number - 1} if number > 1 else None,
        next={"page": number + 1} if number < count else None,
        number=number,
        count=count,
        total=total,
    )


def count_pages(total: int, page_size: int) -> int:
    """Return the number of pages of a number of rows, at least 1."""
    return max(1, -(-total // page_size))


def count_rows(query: Select[Any]) -> int:
    """Return the number of rows that a query selects."""
    rows = query.options(lazyload("*")).order_by(None).subquery()
    return db.session.scalar(select(func.count()).select_from(rows)) or 0


def _existing_page_number(total: int, page_size: int) -> int:
    text = request.args.get("page", "1")
    number = int(text) if PAGE_NUMBER.fullmatch(text) else 0
    if not 1 <= number <= count_pages(total, page_size):
        abort(404)
    return number


def _counted_page(query: Select[Any], number: int, page_size: int, total: int) -> Page:
    rows = db.session.scalars(query.limit(page_size).offset((number - 1) * page_size)).unique()
    return counted_page(rows, number, page_size, total)


def text_argument(name: str, max_length: int = 100) -> str:
    """Return an argument of the query string, stripped and without unprintable characters."""
    return "".join(character for character in request.args.get(name, "") if character.isprintable()).strip()[
        :max_length
    ]
