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
def guarded(application: Flask) -> None:
    """Add guarded pages to the shared application, once."""
    if "guarded" in application.view_functions:
        return
    application._got_first_request = False
    views = {
        "guarded": access(HOLDER)(lambda: "in"),
        "staff_only": access("staff:cards.register")(lambda: "in"),
    }
    for name, view in views.items():
        application.add_url_rule(f"/test/{name}", name, view, methods=["GET", "POST"])
    application.add_url_rule(
        "/test/who", "who", access(PUBLIC)(lambda: f"{current_user.is_staff} {current_user.may('x')}")
    )


@pytest.mark.usefixtures("guarded")
def test_a_logged_out_visitor_returns_to_the_page_after_login(client: FormClient, ada: User) -> None:
    response = client.get("/test/guarded?page=2")
    assert response.status_code == 302
    assert response.headers["Location"] == "/log-in?next=/test/guarded?page%3D2"
    fields = {"email": ada.email, "password": "correct horse battery"}
    assert client.post(response.headers["Location"], data=fields).headers["Location"] == "/test/guarded?page=2"


@pytest.mark.usefixtures("guarded")
def test_login_does_not_return_to_a_post(client: FormClient) -> None:
    """H41"""
    response = client.post("/test/guarded", headers={"Referer": "https://evil.example/"})
    assert response.headers["Location"] == "/log-in"


@pytest.mark.usefixtures("guarded")
@pytest.mark.parametrize("path", ["/test/guarded", "/test/staff_only"])
def test_guarded_pages_redirect_a_logged_out_visitor_to_login(client: FormClient, path: str) -> None:
    assert client.get(path).headers["Location"].startswith("/log-in?next=/test/")


@pytest.mark.usefixtures("guarded")
def test_a_page_is_not_found_without_the_permission(client: FormClient, ada: User) -> None:
    login(client, ada)
    assert client.get("/test/guarded").text == "in"
    assert client.get("/test/staff_only").status_code == 404


@pytest.mark.usefixtures("guarded")
def test_staff_and_owner_can_open_guarded_pages(new_client: Callable[[], FormClient], ben: User, olu: User) -> None:
    for user in (ben, olu):
        client = new_client()
        login(client, user)
        assert client.get("/test/staff_only").text == "in"


@pytest.mark.usefixtures("guarded")
def test_a_visitor_is_anonymous(client: FormClient) -> None:
    assert client.get("/test/who").text == "False False"


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
