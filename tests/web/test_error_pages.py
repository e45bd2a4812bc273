"""Error pages: readable messages, and pages for failures that need no database."""

from collections.abc import Iterator

import pytest
import sqlalchemy as sa
from flask import Flask, g, render_template
from flask.testing import FlaskClient

from tapcard.db import db
from tapcard.models import Card, CardStatus, User
from tests.conftest import login

REFUSALS = (400, 403, 404, 405, 410, 413, 429)
TROUBLE = (500, 503)


@pytest.fixture
def statements(app: Flask) -> Iterator[list[str]]:
    """Collect the statements sent to the database."""
    recorded: list[str] = []

    def listen(_connection: object, _cursor: object, statement: str, *_rest: object) -> None:
        recorded.append(statement)

    sa.event.listen(db.engine, "before_cursor_execute", listen)
    yield recorded
    sa.event.remove(db.engine, "before_cursor_execute", listen)


@pytest.mark.parametrize("status", REFUSALS)
def test_an_error_page_says_what_happened_and_links_onward(app: Flask, status: int) -> None:
    with app.test_request_context("/somewhere"):
        page = render_template(f"errors/{status}.html", message=None)
    assert f"Error {status}" in page
    assert page.count("<h1>") == 1
    assert 'class="btn btn-primary" href="/"' in page


def test_a_message_of_the_error_replaces_the_default_one(app: Flask) -> None:
    with app.test_request_context():
        page = render_template("errors/403.html", message="Only <staff> may.")
    assert "Only &lt;staff&gt; may." in page
    assert "belongs to somebody else" not in page


@pytest.mark.parametrize("status", TROUBLE)
def test_pages_for_failures_run_no_statements(app: Flask, statements: list[str], status: int) -> None:
    with app.test_request_context("/dashboard"):
        g.is_plain = True
        page = render_template(f"errors/{status}.html")
    assert f"Error {status}" in page
    assert "Try again" in page
    assert statements == []


def test_the_error_page_of_a_post_has_no_link_to_retry(app: Flask) -> None:
    again = '<a class="btn btn-primary" href="">'
    for method, is_offered in (("GET", True), ("HEAD", True), ("POST", False)):
        with app.test_request_context("/sign-up", method=method):
            g.is_plain = True
            assert (again in render_template("errors/500.html")) is is_offered


def test_an_unknown_url_has_an_error_page(client: FlaskClient) -> None:
    response = client.get("/no/such/page")
    assert response.status_code == 404
    assert "Page not found" in response.get_data(as_text=True)


def test_a_wrong_method_has_an_error_page(client: FlaskClient) -> None:
    response = client.post("/terms")
    assert response.status_code == 405
    assert "Error 405" in response.get_data(as_text=True)


def test_a_form_without_its_csrf_token_has_an_error_page(client: FlaskClient, ada: User, card: Card) -> None:
    login(client, ada)
    response = client.post(f"/cards/{card.token}/lock", data={}, csrf=False)  # type: ignore[call-arg]
    assert response.status_code == 400
    assert "This form has expired" in response.get_data(as_text=True)
    db.session.refresh(card)
    assert card.status is CardStatus.ACTIVE
