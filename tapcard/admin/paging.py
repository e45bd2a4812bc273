"""Pagination of lists without counting all rows."""

from dataclasses import dataclass
from typing import Any

from flask import request
from sqlalchemy import Select

from ..db import db
from ..ids import parse_number

A_PAGE = 50
LAST_PAGE = 100_000


@dataclass(frozen=True)
class Page:
    """Some rows of a list, and whether there are more before and after."""

    rows: list[Any]
    number: int
    has_next: bool

    @property
    def has_prev(self) -> bool:
        return self.number > 1


def page_of(listed: Select[Any]) -> Page:
    """The rows of the page that `?page=` asks for; the first for whatever is no number."""
    number = min(parse_number(request.args.get("page"), max_digits=6) or 1, LAST_PAGE)
    rows = db.session.scalars(listed.limit(A_PAGE + 1).offset((number - 1) * A_PAGE)).all()
    return Page(list(rows[:A_PAGE]), number, len(rows) > A_PAGE)


def asked(name: str, most: int = 100) -> str:
    """What an address asks for, without what nobody types."""
    return "".join(each for each in request.args.get(name, "") if each.isprintable()).strip()[:most]
