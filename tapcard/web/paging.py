"""Pagination and text filters of lists, read from the query string."""

import re
from collections.abc import Mapping
from dataclasses import dataclass
from typing import Any

from flask import abort, request
from sqlalchemy import Select

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


def paginate(query: Select[Any], page_size: int = PAGE_SIZE) -> Page:
    """Return the rows of page `?page=` without counting the rest; the first page for an invalid number."""
    number = min(parse_number(request.args.get("page"), max_digits=6) or 1, MAX_PAGE)
    rows = list(db.session.scalars(query.limit(page_size + 1).offset((number - 1) * page_size)))
    return Page(
        rows[:page_size],
        previous={"page": number - 1} if number > 1 else None,
        next={"page": number + 1} if len(rows) > page_size else None,
        number=number,
    )


def paginate_by_id(query: Select[Any], id_column: Any, page_size: int = PAGE_SIZE) -> Page:
    """Return rows with ids below `?before=`, newest first: as fast on the last page of a big table as on the first."""
    before = parse_id(request.args.get("before"))
    if before is not None:
        query = query.where(id_column < before)
    rows = list(db.session.scalars(query.limit(page_size + 1)))
    return Page(
        rows[:page_size],
        previous={} if "before" in request.args else None,
        next={"before": rows[page_size - 1].id} if len(rows) > page_size else None,
    )


def paginate_counted(query: Select[Any], page_size: int) -> Page:
    """Return the rows of page `?page=` and the number of pages; 404 for a page that does not exist."""
    text = request.args.get("page", "1")
    if not PAGE_NUMBER.fullmatch(text):
        abort(404)
    page = db.paginate(query, page=int(text), per_page=page_size)
    return Page(
        list(page.items),
        previous={"page": page.page - 1} if page.has_prev else None,
        next={"page": page.page + 1} if page.has_next else None,
        number=page.page,
        count=page.pages,
    )


def text_argument(name: str, max_length: int = 100) -> str:
    """Return an argument of the query string, stripped and without unprintable characters."""
    return "".join(character for character in request.args.get(name, "") if character.isprintable()).strip()[
        :max_length
    ]
