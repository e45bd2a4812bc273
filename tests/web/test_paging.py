"""Pagination of lists."""

import re
from collections.abc import Callable
from pathlib import Path

import pytest
import sqlalchemy as sa
from flask import Flask
from werkzeug.exceptions import NotFound

import tapcard
from tapcard.db import db
from tapcard.models import User
from tapcard.web import paging

PACKAGE = Path(tapcard.__file__).parent
QUERY = sa.select(User).order_by(User.id)
BAD_NUMBERS = ("0", "-1", "x", "", "1.5", "9" * 30, "²")


@pytest.fixture
def users(create_user: Callable[..., User]) -> list[User]:
    """Five users, in their order."""
    return [create_user(f"user{number}@example.com") for number in range(5)]


def test_uncounted_list_links_to_its_neighbours(app: Flask, users: list[User]) -> None:
    with app.test_request_context("/?page=2"):
        page = paging.paginate(QUERY, 2)
    assert page == paging.Page(users[2:4], previous={"page": 1}, next={"page": 3}, number=2)
    with app.test_request_context("/?page=3"):
        assert paging.paginate(QUERY, 2).next is None


def test_uncounted_list_loads_rows_of_several_columns(app: Flask, users: list[User]) -> None:
    with app.test_request_context("/"):
        page = paging.paginate(sa.select(User.id, User.email).order_by(User.id), 2, db.session.execute)
    assert [tuple(row) for row in page.rows] == [(user.id, user.email) for user in users[:2]]


@pytest.mark.parametrize("number", BAD_NUMBERS)
def test_an_invalid_number_opens_the_first_page_of_an_uncounted_list(
    app: Flask, users: list[User], number: str
) -> None:
    with app.test_request_context(query_string={"page": number}):
        assert paging.paginate(QUERY, 2).rows == users[:2]
        assert paging.paginate_clamped(QUERY, 2).rows == users[:2]


def test_counted_list_knows_its_size(app: Flask, users: list[User]) -> None:
    with app.test_request_context("/?page=3"):
        expected = paging.Page(users[4:], previous={"page": 2}, next=None, number=3, count=3, total=5)
        assert paging.paginate_counted(QUERY, 2) == expected
        assert paging.paginate_clamped(QUERY, 2) == expected
        assert paging.paginate_list(users, 2) == expected


@pytest.mark.parametrize("number", ["4", *BAD_NUMBERS])
def test_a_page_that_does_not_exist_is_not_found(app: Flask, users: list[User], number: str) -> None:
    with app.test_request_context(query_string={"page": number}):
        for paginate in (lambda: paging.paginate_counted(QUERY, 2), lambda: paging.paginate_list(users, 2)):
            with pytest.raises(NotFound):
                paginate()


def test_an_empty_list_has_one_page(app: Flask) -> None:
    with app.test_request_context("/"):
        empty = paging.Page([], previous=None, next=None, number=1, count=1, total=0)
        assert paging.paginate_counted(QUERY, 2) == paging.paginate_clamped(QUERY, 2) == empty
        assert paging.paginate_list([], 2) == empty


def test_keyset_list_continues_below_an_id(app: Flask, users: list[User]) -> None:
    query = sa.select(User).order_by(User.id.desc())
    with app.test_request_context("/"):
        page = paging.paginate_by_id(query, User.id, 3)
    assert page == paging.Page([users[4], users[3], users[2]], previous=None, next={"before": users[2].id})
    with app.test_request_context(f"/?before={users[2].id}"):
        assert paging.paginate_by_id(query, User.id, 3) == paging.Page([users[1], users[0]], previous={}, next=None)


def test_no_template_has_page_links_of_its_own() -> None:
    own = re.compile(r"""tc-paging|rel=["'](prev|next)["']""")
    paths = {path.relative_to(PACKAGE).as_posix() for path in PACKAGE.rglob("*.html") if own.search(path.read_text())}
    assert paths == {"templates/macros/ui.html"}


def test_no_other_module_calculates_offsets() -> None:
    products = "services/catalogue/product_lists.py"  # loads a page by ids, next to the facet counts
    own = re.compile(r"\.offset\(|\.paginate\(|args\.get\(\"page\"")
    paths = {path.relative_to(PACKAGE).as_posix() for path in PACKAGE.rglob("*.py") if own.search(path.read_text())}
    assert paths == {"web/paging.py", products}
