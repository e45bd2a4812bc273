"""Error handling: status codes and readable pages, with and without a database."""

import logging
from collections.abc import Callable
from pathlib import Path

import pytest
import sqlalchemy as sa
from flask import Flask, abort
from werkzeug.test import TestResponse

from tapcard.db import db
from tapcard.errors import DomainError, NotFound, TooManyAttempts
from tapcard.models import User, WebSession
from tests.conftest import FormClient, login
from tests.pages import words_of

pytestmark = pytest.mark.sql

HEADINGS = {
    400: "Something went wrong",
    403: "You don't have access to this page",
    404: "Page not found",
    405: "This page can't be opened this way",
    410: "No longer available",
    413: "That file is too large",
    429: "Too many attempts",
    500: "Something went wrong on our side",
    503: "We'll be right back",
}
SECRET = "the-secret-in-the-trace"


@pytest.fixture
def stage(other_app: Callable[..., Flask]) -> Flask:
    """Create an application that responds as in production, with views that raise every kind of error."""
    other = other_app()
    other.config["PROPAGATE_EXCEPTIONS"] = False

    def refuse() -> None:
        raise DomainError("There are only %(left)s <cards> left.", left=3)

    def hide() -> None:
        raise NotFound("You have no such thing.")

    def throttle() -> None:
        raise TooManyAttempts("Wait a moment.", retry_after=42)

    def broken() -> None:
        raise ZeroDivisionError(SECRET)

    def constraint() -> None:
        db.session.execute(sa.text("INSERT INTO roles (name) VALUES (NULL)"))

    def nonsense() -> None:
        db.session.execute(sa.text("SELECT nonsense FROM nowhere"))

    def status(code: int) -> None:
        abort(code)

    for view in (refuse, hide, throttle, broken, constraint, nonsense):
        other.add_url_rule(f"/test/{view.__name__}", view_func=view, methods=["GET", "POST"])
    other.add_url_rule("/test/status/<int:code>", view_func=status, methods=["GET", "POST"])
    return other


@pytest.fixture
def visitor(stage: Flask) -> FormClient:
    """Return a logged-out client."""
    return stage.test_client()  # type: ignore[return-value]


def is_ours(response: TestResponse, status: int) -> None:
    """Check that a response is our error page, with one heading and no internal details or external resources."""
    assert response.status_code == status
    assert response.mimetype == "text/html"
    text = response.text
    assert text.startswith("<!doctype html>")
    assert text.rstrip().endswith("</html>")
    assert text.count("<h1>") == 1
    assert f"<h1>{HEADINGS[status]}</h1>" in text
    assert f"Error {status}" in text
    assert "css/tapcard" in text
    for trace in ("Traceback", "Werkzeug", "sqlalchemy", SECRET, 'src="http', 'href="http'):
        assert trace not in text
    assert response.headers["X-Content-Type-Options"] == "nosniff"
    assert "default-src 'self'" in response.headers["Content-Security-Policy"]


@pytest.mark.parametrize("status", [status for status in HEADINGS if status not in (500, 503)])
@pytest.mark.parametrize("is_signed_in", [True, False])
def test_every_error_shows_our_error_page(visitor: FormClient, ada: User, status: int, is_signed_in: bool) -> None:
    if is_signed_in:
        login(visitor, ada)
    is_ours(visitor.get(f"/test/status/{status}"), status)


@pytest.mark.parametrize("status", [406, 408, 414, 415, 418, 431])
def test_a_rare_http_error_keeps_its_status_and_has_a_page(visitor: FormClient, status: int) -> None:
    response = visitor.get(f"/test/status/{status}")
    assert response.status_code == status
    assert HEADINGS[400] in response.text


def test_a_domain_error_shows_its_message(visitor: FormClient) -> None:
    response = visitor.get("/test/refuse")
    assert response.status_code == 409
    assert "There are only 3 &lt;cards&gt; left." in response.text
    assert visitor.get("/test/hide").status_code == 404
    assert "You have no such thing." in visitor.get("/test/hide").text


def test_a_throttled_visitor_is_told_how_long_to_wait(visitor: FormClient) -> None:
    response = visitor.get("/test/throttle")
    is_ours(response, 429)
    assert "Wait a moment." in response.text
    assert response.headers["Retry-After"] == "42"


def test_a_wrong_method_lists_the_allowed_ones(visitor: FormClient) -> None:
    response = visitor.post("/terms")
    is_ours(response, 405)
    assert "GET" in response.headers["Allow"]


def test_a_too_large_request_has_an_error_page(visitor: FormClient) -> None:
    fields = {"csrf_token": visitor.csrf_token(), "email": "x" * 10_000_000}
    response = visitor.post("/log-in", data=fields, csrf=False)
    is_ours(response, 413)


@pytest.mark.parametrize("method", ["get", "post"])
@pytest.mark.parametrize("is_signed_in", [True, False])
def test_an_internal_error_is_logged_and_not_shown(
    visitor: FormClient, ada: User, caplog: pytest.LogCaptureFixture, method: str, is_signed_in: bool
) -> None:
    if is_signed_in:
        login(visitor, ada)
    with caplog.at_level(logging.ERROR):
        is_ours(getattr(visitor, method)("/test/broken"), 500)
    assert any(record.exc_info and SECRET in str(record.exc_info[1]) for record in caplog.records)


@pytest.mark.parametrize("name", ["constraint", "nonsense"])
def test_an_invalid_statement_is_an_internal_error(
    visitor: FormClient, caplog: pytest.LogCaptureFixture, name: str
) -> None:
    with caplog.at_level(logging.ERROR):
        is_ours(visitor.post(f"/test/{name}"), 500)
    assert caplog.records


# --- without a database -----------------------------------------------------------------------------------------------


@pytest.fixture(params=["sqlite", "postgresql"])
def without_database(request: pytest.FixtureRequest, other_app: Callable[..., Flask], tmp_path: Path) -> FormClient:
    """Return a client of an application whose database does not respond."""
    nowhere = {
        "sqlite": f"sqlite:///{tmp_path / 'no' / 'such' / 'folder' / 'tapcard.sqlite'}",
        "postgresql": "postgresql+psycopg://nobody@127.0.0.1:1/nothing?connect_timeout=2",
    }
    other = other_app(database_url=nowhere[request.param])
    other.config["PROPAGATE_EXCEPTIONS"] = False
    return other.test_client()  # type: ignore[return-value]


@pytest.mark.parametrize("has_cookie", [True, False])
@pytest.mark.parametrize(
    "path", ["/", "/designs", "/log-in", "/p/ada", "/t/ADASCARD", "/q/ADASCARD", "/activate/ADASCARD", "/no/such/page"]
)
def test_pages_without_a_database_ask_to_come_back(without_database: FormClient, path: str, has_cookie: bool) -> None:
    if has_cookie:
        without_database.set_cookie("tc_session", "some-session")
    response = without_database.get(path)
    is_ours(response, 503)
    assert int(response.headers["Retry-After"]) > 0
    assert "Location" not in response.headers, "never a wrong page"


@pytest.mark.parametrize("path", ["/log-in", "/cards/ADASCARD/lock", "/activate/ADASCARD"])
def test_without_a_database_a_session_is_not_treated_as_logged_out(without_database: FormClient, path: str) -> None:
    without_database.set_cookie("tc_session", "some-session")
    response = without_database.post(path, data={"csrf_token": "x"}, csrf=False)
    is_ours(response, 503)


def test_pages_that_need_no_database_work_without_it(without_database: FormClient) -> None:
    assert without_database.get("/healthz").status_code == 200


def test_the_session_survives_a_database_outage(
    client: FormClient, ada: User, monkeypatch: pytest.MonkeyPatch, app: Flask
) -> None:
    login(client, ada)

    def away(*_args: object) -> None:
        raise sa.exc.OperationalError("SELECT", {}, Exception("server closed the connection"))

    with monkeypatch.context() as patch:
        patch.setattr(type(app.session_interface), "_read", away)
        response = client.get("/dashboard")
        is_ours(response, 503)
        assert response.headers.getlist("Set-Cookie") == []
    assert words_of(client.get("/dashboard").text).count("Hello Ada") == 1
    assert db.session.scalar(sa.select(sa.func.count()).select_from(WebSession)) == 1
