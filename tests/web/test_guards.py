"""Who gets in: signed in, with a permission, and under a session id of their own."""

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
    """Pages that ask for something, added once to the application that all tests share."""
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
def test_whoever_is_signed_out_logs_in_and_comes_back(client: FormClient, ada: User) -> None:
    response = client.get("/test/guarded?page=2")
    assert response.status_code == 302
    assert response.headers["Location"] == "/log-in?next=/test/guarded?page%3D2"
    fields = {"email": ada.email, "password": "correct horse battery"}
    assert client.post(response.headers["Location"], data=fields).headers["Location"] == "/test/guarded?page=2"


@pytest.mark.usefixtures("guarded")
def test_what_was_posted_signed_out_is_not_come_back_to(client: FormClient) -> None:
    """H41"""
    response = client.post("/test/guarded", headers={"Referer": "https://evil.example/"})
    assert response.headers["Location"] == "/log-in"


@pytest.mark.usefixtures("guarded")
@pytest.mark.parametrize("path", ["/test/guarded", "/test/staff_only"])
def test_signed_out_means_log_in(client: FormClient, path: str) -> None:
    assert client.get(path).headers["Location"].startswith("/log-in?next=/test/")


@pytest.mark.usefixtures("guarded")
def test_a_page_does_not_exist_for_whoever_lacks_the_permission(client: FormClient, ada: User) -> None:
    login(client, ada)
    assert client.get("/test/guarded").text == "in"
    assert client.get("/test/staff_only").status_code == 404


@pytest.mark.usefixtures("guarded")
def test_staff_and_owner_get_in(new_client: Callable[[], FormClient], ben: User, olu: User) -> None:
    for user in (ben, olu):
        client = new_client()
        login(client, user)
        assert client.get("/test/staff_only").text == "in"


@pytest.mark.usefixtures("guarded")
def test_a_visitor_is_nobody(client: FormClient) -> None:
    assert client.get("/test/who").text == "False False"


def test_who_is_switched_off_is_signed_out_at_once(client: FormClient, ada: User) -> None:
    login(client, ada)
    assert client.get("/account").status_code == 200
    ada.is_active = False
    db.session.commit()
    assert client.get("/account").headers["Location"].startswith("/log-in")


@pytest.mark.parametrize("value", ["", "x", "-1", "²", "1 OR 1=1"])
def test_a_session_of_nobody_loads_nobody(app: Flask, value: str) -> None:
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
