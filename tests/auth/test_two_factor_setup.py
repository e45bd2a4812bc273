"""Setting up two-factor authentication."""

import re
from collections.abc import Callable
from datetime import timedelta
from email.message import EmailMessage
from html import unescape

import pytest
import sqlalchemy as sa
from flask import Flask

from tapcard.clock import utcnow
from tapcard.db import db
from tapcard.keys import Keys
from tapcard.models import AuditEntry, RecoveryCode, TwoFactor, User, WebSession
from tapcard.services.accounts import two_factor
from tapcard.web import guards
from tests.auth.conftest import is_logged_in, plain_text, session_id
from tests.auth.two_factor import (
    CODE_PAGE,
    SET_UP,
    SOME_SECRET,
    WRONG,
    secret_in_page,
    set_up_two_factor,
    totp_code,
    two_factor_kinds,
    wrong_code,
)
from tests.concurrency import run_concurrently
from tests.conftest import PASSWORD, FormClient, login
from tests.pages import form_to, words_of

pytestmark = pytest.mark.usefixtures("stopped_clock")


def test_the_first_right_code_switches_it_on_and_shows_recovery_codes(
    client: FormClient, ada: User, outbox: Callable[[], list[str]], last_email: Callable[[], EmailMessage]
) -> None:
    login(client, ada)
    before = session_id(client)
    _secret, codes = set_up_two_factor(client)
    assert len(set(codes)) == 10
    assert db.session.get_one(User, ada.id).has_two_factor
    assert session_id(client) != before
    assert is_logged_in(client)
    assert two_factor_kinds(outbox) == ["mail.two_factor_on"]
    assert "asks for a code" in plain_text(last_email())
    tags = db.session.scalars(sa.select(AuditEntry.tag)).all()
    assert "user.two_factor_on" in tags


def test_the_setup_page_shows_a_qr_code_with_the_shop_name(
    client: FormClient, ada: User, set_setting: Callable[..., None]
) -> None:
    set_setting("shop_name", "Cards: & Co")
    login(client, ada)
    page = client.get(SET_UP).text
    assert "<svg role=" in page
    assert "otpauth://totp/Cards%20%20%26%20Co:ada%40example.com?" in unescape(page)
    secret = secret_in_page(page)
    assert " ".join(secret[place : place + 4] for place in range(0, len(secret), 4)) in words_of(page)


def test_a_wrong_code_keeps_the_same_secret_and_switches_nothing_on(client: FormClient, ada: User) -> None:
    login(client, ada)
    page = client.get(SET_UP).text
    secret, form = secret_in_page(page), form_to(page, SET_UP)
    response = client.post(SET_UP, data={**form.values, "code": wrong_code(secret)})
    assert response.status_code == 422
    assert WRONG in words_of(response.text)
    assert secret_in_page(response.text) == secret
    assert not db.session.get_one(User, ada.id).has_two_factor
    again = form_to(response.text, SET_UP)
    assert client.post(SET_UP, data={**again.values, "code": totp_code(secret)}).status_code == 200


def test_nothing_is_stored_before_the_first_code(client: FormClient, ada: User) -> None:
    login(client, ada)
    secret = secret_in_page(client.get(SET_UP).text)
    rows = [str(row) for table in db.metadata.sorted_tables for row in db.session.execute(sa.select(table))]
    assert db.session.scalars(sa.select(TwoFactor)).all() == []
    assert not [row for row in rows if secret in row]


def test_each_tab_keeps_its_own_secret(client: FormClient, ada: User) -> None:
    login(client, ada)
    first, second = client.get(SET_UP).text, client.get(SET_UP).text
    assert secret_in_page(first) != secret_in_page(second)
    response = client.post(SET_UP, data={**form_to(first, SET_UP).values, "code": totp_code(secret_in_page(second))})
    assert response.status_code == 422
    response = client.post(SET_UP, data={**form_to(first, SET_UP).values, "code": totp_code(secret_in_page(first))})
    assert response.status_code == 200
    client.post("/log-out")
    login(client, ada)
    assert client.post(CODE_PAGE, data={"code": totp_code(secret_in_page(first), 1)}).location == "/dashboard"


@pytest.mark.parametrize("whose", ["another browser's", "another person's", "made up", "too old"])
def test_a_secret_offered_to_another_page_is_refused(
    client: FormClient, new_client: Callable[[], FormClient], ada: User, cleo: User, keys: Keys, whose: str
) -> None:
    login(client, ada)
    other_client = new_client()
    login(other_client, cleo if whose == "another person's" else ada)
    page = other_client.get(SET_UP).text
    secret, offer = secret_in_page(page), form_to(page, SET_UP).values["offer"]
    if whose == "made up":
        offer = keys.encrypt(SOME_SECRET)
    if whose == "too old":
        page = client.get(SET_UP).text
        sid = guards.sessions.hash_session_id(session_id(client) or "")
        offer = two_factor.create_setup_token(ada, sid, keys, utcnow() - timedelta(minutes=16))
    response = client.post(SET_UP, data={"offer": offer, "code": totp_code(secret)})
    assert response.status_code == 422
    assert secret_in_page(response.text) != secret
    assert not db.session.get_one(User, ada.id).has_two_factor


def age_password_check(client: FormClient) -> None:
    """Set the last password check of a session to an hour ago."""
    row = db.session.scalars(
        sa.select(WebSession).where(WebSession.sid_hash == guards.sessions.hash_session_id(session_id(client) or ""))
    ).one()
    row.data = re.sub(rb'"at": [\d.]+', b'"at": 1.0', row.data)
    db.session.commit()


def test_setup_asks_for_the_password_again_after_a_while(client: FormClient, ada: User) -> None:
    login(client, ada)
    age_password_check(client)
    response = client.get(SET_UP)
    assert response.location.startswith("/account/confirm-password?next=/account/two-factor/set-up")
    assert "otpauth" not in response.text
    wrong = client.post(response.location, data={"current": "wrong password"})
    assert wrong.status_code == 422
    assert client.get(SET_UP).status_code == 302
    before = session_id(client)
    assert client.post(response.location, data={"current": PASSWORD}).location.startswith(SET_UP)
    assert session_id(client) != before
    assert client.get(SET_UP).status_code == 200


def test_a_code_cannot_bypass_the_password_prompt(client: FormClient, ada: User) -> None:
    login(client, ada)
    age_password_check(client)
    for fields in ({}, {"offer": "x", "code": "123456"}):
        assert client.post(SET_UP, data=fields).location.startswith("/account/confirm-password")


def test_the_password_prompt_never_redirects_to_another_site(client: FormClient, ada: User) -> None:
    login(client, ada)
    response = client.post("/account/confirm-password?next=//evil.example", data={"current": PASSWORD})
    assert response.location == "/account"


def test_password_attempts_before_setup_are_limited(client: FormClient, ada: User) -> None:
    login(client, ada)
    codes = [client.post("/account/confirm-password", data={"current": "wrong"}).status_code for _time in range(11)]
    assert codes == [422] * 10 + [429]


def test_switching_it_on_ends_the_other_sessions(new_client: Callable[[], FormClient], ada: User) -> None:
    here, there = new_client(), new_client()
    login(here, ada)
    login(there, ada)
    set_up_two_factor(here)
    assert is_logged_in(here)
    assert not is_logged_in(there)


def test_a_login_without_code_during_setup_is_invalid(
    new_client: Callable[[], FormClient], ada: User, monkeypatch: pytest.MonkeyPatch
) -> None:
    here, thief = new_client(), new_client()
    login(here, ada)
    log_in_user = guards.log_in_user

    def late(*args: object, **kwargs: object) -> None:
        monkeypatch.undo()
        db.session.rollback()
        set_up_two_factor(here)
        log_in_user(*args, **kwargs)  # type: ignore[arg-type]

    monkeypatch.setattr("tapcard.auth.views.log_in_user", late)
    assert login(thief, ada).status_code == 302
    assert db.session.get_one(User, ada.id).has_two_factor
    assert not is_logged_in(thief)
    assert is_logged_in(here)


def test_two_factor_that_is_on_cannot_be_set_up_again(client: FormClient, ada: User) -> None:
    login(client, ada)
    page = client.get(SET_UP).text
    set_up_two_factor(client)
    assert client.get(SET_UP).location == "/account/two-factor"
    assert (
        client.post(SET_UP, data={"offer": form_to(page, SET_UP).values["offer"], "code": "1"}).location
        == "/account/two-factor"
    )


def test_concurrent_setups_leave_one_secret(app: Flask, ada: User, keys: Keys) -> None:
    user_id, now = ada.id, utcnow()
    offers = [two_factor.create_setup_token(ada, "a browser", keys, now) for _tab in range(2)]
    secrets = [two_factor.read_setup_token(offer, ada, "a browser", keys, now) or "" for offer in offers]

    def confirm(place: int) -> str:
        user = db.session.get_one(User, user_id)
        code = totp_code(secrets[place])
        two_factor.enable(user, offers[place], code, browser="a browser", keys=keys, now=now)
        return secrets[place]

    results = run_concurrently(app, 2, confirm)
    assert results.count(two_factor.AlreadyEnabled) == 1
    [secret] = [result for result in results if isinstance(result, str)]
    assert keys.decrypt(db.session.get_one(TwoFactor, user_id).secret) == secret
    assert len(db.session.scalars(sa.select(RecoveryCode)).all()) == 10
