"""Authentication and permissions of pages."""

from collections.abc import Callable

import pytest
from flask import Flask
from flask_login import current_user

from tapcard.db import db
from tapcard.models import User
from tapcard.web import guards
from tapcard.web.access import HOLDER, PUBLIC, access
from tapcard.web.throttling import network_of
from tests.conftest import FormClient, login


@pytest.fixture
def guarded_app(other_app: Callable[..., Flask]) -> Flask:
    """An application with guarded pages."""
    app = other_app()
    views = {
        "guarded": access(HOLDER)(lambda: "in"),
        "staff_only": access("staff:cards.register")(lambda: "in"),
        "who": access(PUBLIC)(lambda: f"{current_user.is_staff} {current_user.may('x')}"),
    }
    for name, view in views.items():
        app.add_url_rule(f"/test/{name}", name, view, methods=["GET", "POST"])
    return app


@pytest.fixture
def visitor(guarded_app: Flask) -> FormClient:
    """A logged-out browser on the guarded pages."""
    return guarded_app.test_client()  # type: ignore[return-value]


def test_a_logged_out_visitor_returns_to_the_page_after_login(visitor: FormClient, ada: User) -> None:
    response = visitor.get("/test/guarded?page=2")
    assert response.status_code == 302
    assert response.headers["Location"] == "/log-in?next=/test/guarded?page%3D2"
    fields = {"email": ada.email, "password": "correct horse battery"}
    assert visitor.post(response.headers["Location"], data=fields).headers["Location"] == "/test/guarded?page=2"


def test_login_does_not_return_to_a_post(visitor: FormClient) -> None:
    """H41"""
    response = visitor.post("/test/guarded", headers={"Referer": "https://evil.example/"})
    assert response.headers["Location"] == "/log-in"


@pytest.mark.parametrize("path", ["/test/guarded", "/test/staff_only"])
def test_guarded_pages_redirect_a_logged_out_visitor_to_login(visitor: FormClient, path: str) -> None:
    assert visitor.get(path).headers["Location"].startswith("/log-in?next=/test/")


def test_a_page_is_not_found_without_the_permission(visitor: FormClient, ada: User) -> None:
    login(visitor, ada)
    assert visitor.get("/test/guarded").text == "in"
    assert visitor.get("/test/staff_only").status_code == 404


def test_staff_and_owner_can_open_guarded_pages(guarded_app: Flask, ben: User, olu: User) -> None:
    for user in (ben, olu):
        client: FormClient = guarded_app.test_client()  # type: ignore[assignment]
        login(client, user)
        assert client.get("/test/staff_only").text == "in"


def test_a_visitor_is_anonymous(visitor: FormClient) -> None:
    assert visitor.get("/test/who").text == "False False"


def test_a_deactivated_user_is_logged_out_at_once(client: FormClient, ada: User) -> None:
    login(client, ada)
    assert client.get("/account").status_code == 200
    ada.is_active = False
    db.session.commit()
    assert client.get("/account").headers["Location"].startswith("/log-in")


@pytest.mark.parametrize("value", ["", "x", "-1", "²", "1 OR 1=1"])
def test_an_invalid_session_loads_no_user(app: Flask, value: str) -> None:
    assert guards.load_user(value) is None


@pytest.mark.parametrize(
    ("address", "network"),
    [
        ("192.0.2.1", "192.0.2.1"),
        ("::ffff:192.0.2.1", "192.0.2.1"),
        ("2001:db8:1:2:3:4:5:6", "2001:db8:1:2::/64"),
        ("2001:db8:1:2:ffff::1", "2001:db8:1:2::/64"),
        ("fe80::1%eth0", "fe80::/64"),
        (None, ""),
        ("unix:", "unix:"),
    ],
)
def test_an_ipv6_customer_counts_as_one_visitor(address: str | None, network: str) -> None:
    assert network_of(address) == network
