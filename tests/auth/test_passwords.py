"""Forgotten passwords, first passwords and password changes."""

import re
from collections.abc import Callable
from datetime import timedelta
from email.message import EmailMessage

import pytest
from flask import Flask
from sqlalchemy import func, select

from tapcard.clock import utcnow
from tapcard.db import db
from tapcard.models import LinkPurpose, LinkToken, OutboxMessage, User, WebSession
from tapcard.services.accounts import credentials, email_change, email_links, registration, roles
from tapcard.web import guards
from tests.auth.conftest import is_logged_in, plain_text, session_id
from tests.concurrency import run_concurrently
from tests.conftest import PASSWORD, FormClient, login

NEW = "battery staple correct"


def test_an_emailed_link_sets_a_new_password_and_logs_in(
    client: FormClient, ada: User, emailed_link: Callable[[], str]
) -> None:
    assert client.post("/forgot-password", data={"email": "Ada@example.com"}).status_code == 302
    path = emailed_link()
    assert path.startswith("/set-password/")
    assert "ada@example.com" in client.get(path).text
    response = client.post(path, data={"password": NEW})
    assert response.headers["Location"] == "/dashboard"
    assert is_logged_in(client)
    client.post("/log-out")
    assert login(client, ada).status_code == 422
    assert login(client, ada, NEW).status_code == 302


def test_an_unknown_address_gets_the_same_response_and_no_email(
    client: FormClient, ada: User, cleo: User, run_worker: Callable[[], None], mailbox: Callable[[], list[EmailMessage]]
) -> None:
    cleo.is_active = False
    responses, rows = set(), []
    for email in (ada.email, cleo.email, "nobody@example.com"):
        response = client.post("/forgot-password", data={"email": email})
        responses.add((response.status_code, response.headers["Location"], response.text))
        rows.append(db.session.scalars(select(OutboxMessage.kind)).all())
    assert len(responses) == 1
    assert rows == [["mail.set_password"] * number for number in (1, 2, 3)]
    run_worker()
    assert [mail["To"] for mail in mailbox()] == ["ada@example.com"]
    assert all(message.done_at for message in db.session.scalars(select(OutboxMessage)))


def test_a_password_link_works_once(client: FormClient, ada: User, emailed_link: Callable[[], str]) -> None:
    client.post("/forgot-password", data={"email": ada.email})
    path = emailed_link()
    client.post(path, data={"password": NEW})
    client.post("/log-out")
    for response in (client.get(path), client.post(path, data={"password": "another one of them"})):
        assert response.status_code == 410
        assert "This link has already been used" in response.text
    assert login(client, ada, NEW).status_code == 302


def test_viewing_a_password_link_does_not_use_it(
    client: FormClient, ada: User, emailed_link: Callable[[], str]
) -> None:
    client.post("/forgot-password", data={"email": ada.email})
    path = emailed_link()
    for _time in range(3):
        assert client.get(path).status_code == 200
    assert client.head(path).status_code == 200
    assert client.post(path, data={"password": NEW}).status_code == 302


def test_a_password_link_expires_after_an_hour(client: FormClient, ada: User, emailed_link: Callable[[], str]) -> None:
    client.post("/forgot-password", data={"email": ada.email})
    path = emailed_link()
    row = db.session.scalars(select(LinkToken)).one()
    assert row.expires_at - row.created_at == timedelta(hours=1)
    row.expires_at = utcnow()
    db.session.commit()
    response = client.post(path, data={"password": NEW})
    assert response.status_code == 410
    assert "This link is no longer valid" in response.text
    assert "/forgot-password" in response.text
    assert login(client, ada).status_code == 302


def test_a_weak_password_shows_an_error_and_keeps_the_link_valid(
    client: FormClient, ada: User, emailed_link: Callable[[], str]
) -> None:
    client.post("/forgot-password", data={"email": ada.email})
    path = emailed_link()
    for weak in ("short", "1234567890", "ada@example.com"):
        response = client.post(path, data={"password": weak})
        assert response.status_code == 422
        assert 'id="password-error"' in response.text
        assert not re.search(r'<input[^>]*type="password"[^>]*value="[^"]', response.text)
    assert client.post(path, data={"password": NEW}).status_code == 302


def test_setting_a_password_by_link_ends_all_other_sessions(
    new_client: Callable[[], FormClient], ada: User, emailed_link: Callable[[], str]
) -> None:
    thief, own = new_client(), new_client()
    login(thief, ada)
    own.post("/forgot-password", data={"email": ada.email})
    own.post(emailed_link(), data={"password": NEW})
    assert is_logged_in(own)
    assert not is_logged_in(thief)


def test_a_password_link_is_for_its_account_even_if_another_user_is_logged_in(
    client: FormClient, ada: User, cleo: User, emailed_link: Callable[[], str]
) -> None:
    login(client, cleo)
    before = session_id(client)
    client.post("/forgot-password", data={"email": ada.email})
    client.post(emailed_link(), data={"password": NEW})
    assert "ada@example.com" in client.get("/account").text
    assert session_id(client) != before


def test_an_account_without_a_password_gets_its_first_one_by_link(
    client: FormClient,
    create_user: Callable[..., User],
    last_email: Callable[[], EmailMessage],
    emailed_link: Callable[[], str],
) -> None:
    user = create_user("gus@example.com", first_name="Gus", password=None, verified=False)
    client.post("/forgot-password", data={"email": "gus@example.com"})
    assert "doesn't have a password yet" in plain_text(last_email())
    path = emailed_link()
    assert '<h1 class="h2">Choose your password</h1>' in client.get(path).text
    client.post(path, data={"password": NEW})
    db.session.refresh(user)
    assert user.is_verified
    assert is_logged_in(client)


def test_requests_for_links_are_limited_by_account(
    client: FormClient, ada: User, outbox: Callable[[], list[str]]
) -> None:
    for _time in range(5):
        assert client.post("/forgot-password", data={"email": ada.email}).status_code == 302
    response = client.post("/forgot-password", data={"email": "ADA@example.com"})
    assert response.status_code == 429
    assert "Retry-After" in response.headers
    assert len(outbox()) == 5


def test_requests_for_links_are_limited_by_ip_address(client: FormClient) -> None:
    codes = [client.post("/forgot-password", data={"email": f"a{n}@example.com"}).status_code for n in range(31)]
    assert codes == [302] * 30 + [429]


def test_changing_the_password_ends_all_other_sessions(
    new_client: Callable[[], FormClient], ada: User, cleo: User, last_email: Callable[[], EmailMessage]
) -> None:
    here, there, stranger = new_client(), new_client(), new_client()
    login(here, ada)
    login(there, ada)
    login(stranger, cleo)
    before = session_id(here)
    response = here.post("/account/password", data={"current": PASSWORD, "password": NEW})
    assert response.headers["Location"] == "/account"
    assert session_id(here) != before
    assert is_logged_in(here)
    assert not is_logged_in(there)
    assert is_logged_in(stranger)
    assert last_email()["To"] == "ada@example.com"
    assert "was changed" in last_email()["Subject"]
    assert login(there, ada).status_code == 422
    assert login(there, ada, NEW).status_code == 302


def test_a_remembered_session_stays_remembered_after_a_password_change(client: FormClient, ada: User) -> None:
    login(client, ada, remember="y")
    response = client.post("/account/password", data={"current": PASSWORD, "password": NEW})
    cookies = [header for header in response.headers.getlist("Set-Cookie") if header.startswith("tc_session=")]
    assert len(cookies) == 1
    assert "Expires" in cookies[0]


@pytest.mark.parametrize(
    ("fields", "field"),
    [
        ({"current": "wrong password", "password": NEW}, "current"),
        ({"current": "", "password": NEW}, "current"),
        ({"current": PASSWORD, "password": "short"}, "password"),
        ({"current": PASSWORD, "password": "1234567890"}, "password"),
        ({"current": PASSWORD, "password": "ada@example.com"}, "password"),
        ({"current": PASSWORD}, "password"),
        ({"password": NEW}, "current"),
    ],
)
def test_a_refused_password_change_changes_nothing(
    client: FormClient, ada: User, fields: dict[str, str], field: str
) -> None:
    login(client, ada)
    before = ada.password_hash
    response = client.post("/account/password", data=fields)
    assert response.status_code == 422
    assert f'id="{field}-error"' in response.text
    assert NEW not in response.text
    db.session.refresh(ada)
    assert ada.password_hash == before
    assert is_logged_in(client)


def test_password_attempts_in_an_open_session_are_limited(client: FormClient, ada: User) -> None:
    login(client, ada)
    for _time in range(10):
        client.post("/account/password", data={"current": "wrong password", "password": NEW})
    response = client.post("/account/password", data={"current": PASSWORD, "password": NEW})
    assert response.status_code == 429
    client.post("/log-out")
    assert login(client, ada).status_code == 302


# --- logins during a change -------------------------------------------------------------------------------------------


@pytest.mark.parametrize("how", ["changed", "set by link"])
def test_a_login_with_the_old_password_during_a_change_is_invalid(
    new_client: Callable[[], FormClient], ada: User, monkeypatch: pytest.MonkeyPatch, how: str
) -> None:
    """The password changes after it was checked and before the session is stored."""
    own, thief = new_client(), new_client()
    login(own, ada)
    token = email_links.issue_link(ada, LinkPurpose.SET_PASSWORD, ada.email, utcnow())
    log_in_user = guards.log_in_user

    def late(*args: object, **kwargs: object) -> None:
        monkeypatch.undo()
        db.session.rollback()
        if how == "changed":
            own.post("/account/password", data={"current": PASSWORD, "password": NEW})
        else:
            own.post(f"/set-password/{token}", data={"password": NEW})
        log_in_user(*args, **kwargs)  # type: ignore[arg-type]

    monkeypatch.setattr("tapcard.auth.views.log_in_user", late)
    assert login(thief, ada).status_code == 302
    assert db.session.scalar(select(func.count()).where(WebSession.user_id == ada.id)) == 2, "the session row exists"
    assert not is_logged_in(thief)
    assert is_logged_in(own)
    assert login(thief, ada, NEW).status_code == 302
    assert is_logged_in(thief)


def test_every_password_change_records_its_time(client: FormClient, ada: User, app: object) -> None:
    seen = [ada.password_set_at]

    def note() -> None:
        db.session.commit()
        seen.append(db.session.get_one(User, ada.id).password_set_at)

    token = email_links.issue_link(ada, LinkPurpose.SET_PASSWORD, ada.email, utcnow())
    db.session.commit()
    credentials.set_password(token, NEW, utcnow())
    note()
    credentials.change_password(ada.id, NEW, PASSWORD, keep_sid_hash="", now=utcnow())
    note()
    roles.create_owner(ada.email, "Ada", "Obi", NEW)
    note()
    token = email_links.issue_link(ada, LinkPurpose.UNDO_EMAIL, "former@example.com", utcnow())
    db.session.commit()
    email_change.undo_email_change(token, utcnow())
    note()
    assert seen[0] is None
    assert len(set(seen)) == 5
    new = registration.sign_up("Dora", "Lu", "dora@example.com", NEW, utcnow())
    assert new is not None
    assert new.password_set_at is not None


def test_concurrent_changes_with_the_same_old_password_count_once(app: Flask, ada: User) -> None:
    user_id = ada.id

    def change(place: int) -> str:
        credentials.change_password(user_id, PASSWORD, f"{NEW} {place}", keep_sid_hash="", now=utcnow())
        return f"{NEW} {place}"

    results = run_concurrently(app, 4, change)
    assert results.count(credentials.WrongPassword) == 3
    [password] = [result for result in results if isinstance(result, str)]
    credentials.confirm_password(user_id, password)
