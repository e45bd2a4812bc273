"""Login and logout: equal responses to failed logins, rate limits and session ids."""

import re
from collections.abc import Callable
from datetime import timedelta
from http.cookies import SimpleCookie

import pytest
from flask import Flask
from sqlalchemy import select

from tapcard.clock import utcnow
from tapcard.db import db
from tapcard.models import ThrottleCounter, User, WebSession
from tapcard.services.accounts import credentials, email_links
from tests.auth.conftest import is_logged_in, session_id
from tests.conftest import PASSWORD, FormClient, login

CSRF_VALUE = re.compile(r'(?<=name="csrf_token")[^>]*value="[^"]*"')
WRONG = "Incorrect email or password."


def test_the_right_password_logs_in(client: FormClient, ada: User) -> None:
    response = login(client, ada)
    assert response.status_code == 302
    assert response.headers["Location"] == "/dashboard"
    assert is_logged_in(client)
    assert ada.seen_at is not None


def test_login_accepts_any_spelling_of_the_email_address(client: FormClient, ada: User) -> None:
    response = client.post("/log-in", data={"email": " ADA@Example.COM ", "password": PASSWORD})
    assert response.status_code == 302


def test_every_failed_login_gets_the_same_response(
    client: FormClient, ada: User, cleo: User, create_user: Callable[..., User]
) -> None:
    cleo.is_active = False
    create_user("new@example.com", password=None)
    pages = set()
    for email, password in [
        ("ada@example.com", "wrong password"),
        ("nobody@example.com", PASSWORD),
        ("cleo@example.com", PASSWORD),
        ("new@example.com", PASSWORD),
        ("not an address", PASSWORD),
    ]:
        response = client.post("/log-in", data={"email": email, "password": password})
        assert response.status_code == 422
        assert WRONG in response.text
        assert f'value="{email}"' in response.text
        assert password not in response.text
        _before, _mark, after = response.text.partition("<main")
        pages.add(CSRF_VALUE.sub("", after.replace(email, "")))
    assert len(pages) == 1
    assert not is_logged_in(client)


def test_login_requires_the_csrf_token(client: FormClient, ada: User) -> None:
    response = client.post("/log-in", data={"email": ada.email, "password": PASSWORD}, csrf=False)
    assert response.status_code == 400
    assert not is_logged_in(client)


def test_login_and_logout_change_the_session_id(client: FormClient, ada: User) -> None:
    client.get("/log-in")
    ids = [session_id(client)]
    login(client, ada)
    ids.append(session_id(client))
    client.post("/log-out")
    ids.append(session_id(client))
    assert None not in ids[:2]
    assert len(set(ids)) == 3


def test_former_session_ids_are_invalid(client: FormClient, new_client: Callable[[], FormClient], ada: User) -> None:
    client.get("/log-in")
    planted = session_id(client)
    login(client, ada)
    used = session_id(client)
    assert planted
    assert used
    client.post("/log-out")
    for sid in (planted, used):
        other_client = new_client()
        other_client.set_cookie("tc_session", sid)
        assert not is_logged_in(other_client)


def test_logout_requires_a_post_with_csrf_token(client: FormClient, ada: User) -> None:
    login(client, ada)
    assert client.get("/log-out").status_code == 405
    assert client.post("/log-out", csrf=False).status_code == 400
    assert is_logged_in(client)
    assert client.post("/log-out").status_code == 302
    assert not is_logged_in(client)


def test_logout_deletes_the_session_row(client: FormClient, ada: User) -> None:
    login(client, ada)
    client.post("/log-out")
    assert db.session.scalars(select(WebSession).where(WebSession.user_id == ada.id)).all() == []


def test_logging_out_twice_is_allowed(client: FormClient) -> None:
    assert client.post("/log-out").status_code == 302


def test_remember_me_extends_the_session_and_sets_no_other_cookie(
    new_client: Callable[[], FormClient], ada: User
) -> None:
    ends = []
    for fields in ({}, {"remember": "y"}):
        client = new_client()
        response = login(client, ada, **fields)
        cookies = SimpleCookie()
        for header in response.headers.getlist("Set-Cookie"):
            cookies.load(header)
        assert set(cookies) == {"tc_session", "tc_me"}
        assert bool(cookies["tc_session"]["expires"] or cookies["tc_session"]["max-age"]) == bool(fields)
        ends.append(db.session.scalars(select(WebSession.expires_at).order_by(WebSession.id.desc())).first())
    short, long = ends
    assert short is not None
    assert long is not None
    assert long - short > timedelta(days=30)


def test_the_own_taps_cookie_is_set_until_logout(client: FormClient, ada: User) -> None:
    login(client, ada)
    assert client.get_cookie("tc_me") is not None
    client.post("/log-out")
    assert client.get_cookie("tc_me") is None


def test_ten_failed_logins_lock_the_account_temporarily(client: FormClient, ada: User) -> None:
    for _time in range(10):
        assert login(client, ada, "wrong password").status_code == 422
    response = login(client, ada)
    assert response.status_code == 429
    assert 800 < int(response.headers["Retry-After"]) <= 900
    assert "Too many attempts. Wait 15 minutes and try again." in response.text
    assert 'value="ada@example.com"' in response.text
    assert not is_logged_in(client)


def test_failed_logins_are_counted_across_spellings_and_addresses(client: FormClient, ada: User) -> None:
    for number in range(10):
        email = "Ada@example.com" if number % 2 else " ada@EXAMPLE.com"
        fields = {"email": email, "password": "wrong password"}
        assert client.post("/log-in", data=fields, environ_base={"REMOTE_ADDR": f"192.0.2.{number}"}).status_code == 422
    assert login(client, ada).status_code == 429


def test_an_unknown_account_is_limited_in_the_same_way(client: FormClient) -> None:
    fields = {"email": "nobody@example.com", "password": "wrong password"}
    codes = [client.post("/log-in", data=fields).status_code for _time in range(11)]
    assert codes == [422] * 10 + [429]


def test_other_accounts_are_not_limited(client: FormClient, ada: User, cleo: User) -> None:
    for _time in range(11):
        login(client, ada, "wrong password")
    assert login(client, cleo).status_code == 302


def test_a_hundred_failed_logins_limit_the_ip_address(client: FormClient, ada: User) -> None:
    fields = {"email": "nobody@example.com", "password": "wrong password"}
    assert client.post("/log-in", data=fields).status_code == 422
    counter = db.session.scalars(select(ThrottleCounter).where(ThrottleCounter.scope == "log_in.address")).one()
    assert counter.count == 1
    counter.count = 99
    db.session.commit()
    assert login(client, ada, "wrong password").status_code == 422
    assert login(client, ada).status_code == 429


def test_a_successful_login_resets_the_failed_attempts(new_client: Callable[[], FormClient], ada: User) -> None:
    for _round in range(2):
        for _time in range(9):
            assert login(new_client(), ada, "wrong password").status_code == 422
        assert login(new_client(), ada).status_code == 302


def test_the_limit_ends_with_its_window(client: FormClient, ada: User) -> None:
    for _time in range(11):
        login(client, ada, "wrong password")
    for counter in db.session.scalars(select(ThrottleCounter)):
        counter.window_ends_at = utcnow() - timedelta(seconds=1)
    db.session.commit()
    assert login(client, ada).status_code == 302


def test_rate_limit_rows_do_not_reveal_their_subject(client: FormClient, ada: User) -> None:
    login(client, ada, "wrong password")
    rows = db.session.scalars(select(ThrottleCounter)).all()
    assert {row.scope for row in rows} == {"log_in.account", "log_in.address"}
    assert all(len(row.subject) == 64 and set(row.subject) <= set("0123456789abcdef") for row in rows)


def test_no_transaction_is_open_while_a_password_is_hashed(
    app: Flask, client: FormClient, ada: User, create_user: Callable[..., User], monkeypatch: pytest.MonkeyPatch
) -> None:
    """Hashing is slow on purpose, and an open transaction would keep everyone else from writing."""
    token = email_links.issue_link(ada, "set_password", ada.email, utcnow())  # type: ignore[arg-type]
    db.session.commit()
    seen = []
    for name in ("_verify_hash", "hash_password"):
        original = getattr(credentials, name)

        def watch(*args: object, original: object = original, name: str = name) -> object:
            seen.append((name, db.session().in_transaction()))
            return original(*args)  # type: ignore[operator]

        monkeypatch.setattr(credentials, name, watch)
    login(client, ada)
    words = "words of my own"
    client.post("/account/password", data={"current": PASSWORD, "password": words})
    client.post("/account/email", data={"current": words, "email": "lovelace@example.com"})
    client.post("/log-out")
    sign_up = {"first_name": "D", "last_name": "L", "email": "d@example.com", "password": words, "terms": "y"}
    client.post("/sign-up", data=sign_up)
    client.post("/log-out")
    token = email_links.issue_link(ada, "set_password", ada.email, utcnow())  # type: ignore[arg-type]
    db.session.commit()
    client.post(f"/set-password/{token}", data={"password": words})
    assert [name for name, _open in seen] == [
        "_verify_hash", "_verify_hash", "hash_password", "_verify_hash", "hash_password", "hash_password",
    ]  # fmt: skip
    assert not any(is_open for _name, is_open in seen)
