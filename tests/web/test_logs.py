"""Logs: fields of each line, and data that is never logged."""

import json
import logging
from typing import Any

import pytest
import sqlalchemy as sa
from flask import Flask
from sqlalchemy.exc import IntegrityError

from tapcard.db import db
from tapcard.models import User
from tapcard.web import logs


@pytest.fixture
def lines(app: Flask, capsys: pytest.CaptureFixture[str]) -> Any:
    """Return the log lines written so far, parsed as JSON."""
    capsys.readouterr()
    return lambda: [json.loads(line) for line in capsys.readouterr().err.splitlines() if line.startswith("{")]


def told(error: BaseException) -> dict[str, Any]:
    record = logging.LogRecord(
        "tapcard.test", logging.ERROR, __file__, 1, "it failed", None, (type(error), error, None)
    )
    return json.loads(logs.JSONFormatter().format(record))


def test_a_response_is_logged_as_one_line_with_its_fields(client, lines):
    client.get("/terms")
    [line] = [line for line in lines() if line["message"] == "answered"]
    assert (line["level"], line["method"], line["endpoint"], line["status"]) == ("info", "GET", "shop.terms", 200)
    assert line["duration_ms"] >= 0
    assert line["time"].endswith("+00:00")


def test_a_log_line_and_its_response_have_the_same_request_id(client, lines):
    response = client.get("/terms")
    [line] = [line for line in lines() if line["message"] == "answered"]
    assert line["request_id"] == response.headers["X-Request-ID"]


def test_requests_have_different_ids(client):
    assert client.get("/terms").headers["X-Request-ID"] != client.get("/terms").headers["X-Request-ID"]


def test_a_visitor_cannot_choose_the_request_id(client):
    assert client.get("/terms", headers={"X-Request-ID": "chosen-by-me"}).headers["X-Request-ID"] != "chosen-by-me"


def test_a_trusted_proxy_sets_the_request_id(other_app):
    proxied = other_app(trusted_proxies=1).test_client()
    assert proxied.get("/terms", headers={"X-Request-ID": "0f3c-77.a_b"}).headers["X-Request-ID"] == "0f3c-77.a_b"


@pytest.mark.parametrize("given", ["short", "x" * 65, "with blank in it", 'quote"quote"', "umlaut-ä-umlaut"])
def test_an_invalid_request_id_is_replaced(other_app, given: str):
    proxied = other_app(trusted_proxies=1).test_client()
    assert proxied.get("/terms", headers={"X-Request-ID": given}).headers["X-Request-ID"] != given


def test_the_redirect_of_a_tap_has_no_request_id(client, card):
    assert "X-Request-ID" not in client.get(f"/t/{card.token}").headers


def test_paths_are_not_logged(client, lines, capsys):
    client.get("/set-password/a-token-that-opens-an-account?email=ada@example.com")
    assert "a-token-that-opens-an-account" not in json.dumps(lines())


def test_health_checks_are_not_logged(client, lines):
    client.get("/healthz")
    assert lines() == []


def test_an_unhandled_exception_is_logged_without_the_path(app, lines):
    with app.test_request_context("/set-password/a-token-that-opens-an-account"):
        try:
            raise RuntimeError("something broke")
        except RuntimeError as error:
            app.log_exception((type(error), error, error.__traceback__))
    [line] = lines()
    assert line["level"] == "error"
    assert "RuntimeError: something broke" in line["exception"]
    assert "test_logs.py" in line["exception"]
    assert "a-token-that-opens-an-account" not in json.dumps(line)


def test_email_addresses_are_redacted():
    line = told(ValueError("no mail to ada.obi+cards@example.co.uk today"))
    assert line["exception"].endswith("ValueError: no mail to <address> today\n")


def test_a_failed_statement_is_logged_without_its_values(app, ada):
    db.session.add(User(email="new@example.com", first_name="Very", last_name="Secret", password_hash="a-hash"))
    db.session.flush()
    with pytest.raises(IntegrityError) as caught:
        db.session.execute(
            sa.insert(User).values(email=ada.email, first_name="Very", last_name="Secret", is_active=True)
        )
    line = told(caught.value)
    assert "IntegrityError" in line["exception"]
    assert "Secret" not in line["exception"]
    assert "ada@" not in line["exception"]


def test_the_cause_of_an_exception_is_logged_first():
    try:
        try:
            raise KeyError("first")
        except KeyError as error:
            raise RuntimeError("second") from error
    except RuntimeError as error:
        text = told(error)["exception"]
    assert text.index("KeyError") < text.index("which led to") < text.index("RuntimeError")


def test_a_terminal_shows_one_plain_line(app):
    record = logging.LogRecord("tapcard.test", logging.WARNING, __file__, 1, "watch %s", ("out",), None)
    line = logs.PlainFormatter().format(record)
    assert "\n" not in line
    assert "warning" in line
    assert line.endswith("tapcard.test: watch out")
