"""Recovery codes: single use, replacing them, and the file."""

import re
from collections.abc import Callable
from email.message import EmailMessage

import pytest
import sqlalchemy as sa
from flask import Flask

from tapcard.clock import utcnow
from tapcard.db import db
from tapcard.keys import Keys
from tapcard.models import RecoveryCode, TwoFactor, User
from tapcard.services.accounts import two_factor
from tests.auth.conftest import is_logged_in, plain_text
from tests.auth.two_factor import CODE_PAGE, SET_UP, SOME_SECRET, secret_in_page, set_up_two_factor, totp_code
from tests.concurrency import run_concurrently
from tests.conftest import PASSWORD, FormClient, login
from tests.pages import form_to

pytestmark = pytest.mark.usefixtures("stopped_clock")


def test_concurrent_requests_leave_one_set_of_recovery_codes(
    app: Flask, ada: User, ada_two_factor: tuple[str, list[str]], keys: Keys
) -> None:
    user_id = ada.id

    def renew(_place: int) -> list[str]:
        return two_factor.replace_recovery_codes(db.session.get_one(User, user_id), keys)

    sets = run_concurrently(app, 4, renew)
    assert len(db.session.scalars(sa.select(RecoveryCode)).all()) == 10
    assert [two_factor.are_recovery_codes_of(ada, codes, keys) for codes in sets].count(True) == 1  # type: ignore[arg-type]
    assert not two_factor.are_recovery_codes_of(ada, ada_two_factor[1], keys)


def test_a_recovery_code_logs_in_once_and_sends_an_email(
    client: FormClient, ada: User, ada_two_factor: tuple[str, list[str]], last_email: Callable[[], EmailMessage]
) -> None:
    code = ada_two_factor[1][3]
    login(client, ada)
    assert client.post(CODE_PAGE, data={"code": code.lower().replace("-", " ")}).location == "/dashboard"
    assert is_logged_in(client)
    assert "One of your recovery codes was used" in plain_text(last_email())
    assert "9 left" in client.get("/account/two-factor").text
    client.post("/log-out")
    login(client, ada)
    assert client.post(CODE_PAGE, data={"code": code}).status_code == 422


def test_a_recovery_code_works_only_for_its_user(
    client: FormClient, cleo: User, ada_two_factor: tuple[str, list[str]], keys: Keys
) -> None:
    db.session.add(TwoFactor(user_id=cleo.id, secret=keys.encrypt(SOME_SECRET), confirmed_at=utcnow()))
    db.session.commit()
    login(client, cleo)
    assert client.post(CODE_PAGE, data={"code": ada_two_factor[1][0]}).status_code == 422


def test_recovery_codes_and_secret_are_not_readable_in_the_database(ada_two_factor: tuple[str, list[str]]) -> None:
    secret, codes = ada_two_factor
    rows = [str(row) for table in db.metadata.sorted_tables for row in db.session.execute(sa.select(table))]
    for text in (secret, *codes, *(code.replace("-", "") for code in codes)):
        assert not [row for row in rows if text in row]


def test_new_recovery_codes_require_the_password_and_replace_the_old_ones(client: FormClient, ada: User) -> None:
    login(client, ada)
    _secret, old = set_up_two_factor(client)
    path = "/account/two-factor/codes"
    assert client.post(path, data={"current": "wrong password"}).status_code == 422
    assert two_factor.count_recovery_codes(ada) == 10
    response = client.post(path, data={"current": PASSWORD})
    new = re.findall(r"<li><code>([\w-]+)</code>", response.text)
    assert len(new) == 10
    assert not set(new) & set(old)
    client.post("/log-out")
    for code, status in ((old[0], 422), (new[0], 302)):
        login(client, ada)
        assert client.post(CODE_PAGE, data={"code": code}).status_code == status


def test_recovery_codes_are_shown_once_and_can_be_downloaded(client: FormClient, ada: User) -> None:
    login(client, ada)
    page = client.get(SET_UP).text
    fields = {**form_to(page, SET_UP).values, "code": totp_code(secret_in_page(page))}
    shown = client.post(SET_UP, data=fields)
    assert shown.headers["Cache-Control"] == "no-store"
    form = form_to(shown.text, "/account/two-factor/codes/file")
    codes = form.values["codes"].split()
    response = client.post(form.action, data=form.values, csrf=False)
    assert response.status_code == 200, "the CSRF token of the page is valid in the new session"
    assert response.mimetype == "text/plain"
    assert "attachment" in response.headers["Content-Disposition"]
    assert all(code in response.text for code in codes)
    for path in ("/account/two-factor", "/account", "/account/two-factor/codes"):
        assert codes[0] not in client.get(path).text


def test_only_own_recovery_codes_can_be_downloaded(
    client: FormClient, cleo: User, ada_two_factor: tuple[str, list[str]]
) -> None:
    login(client, cleo)
    for codes in (ada_two_factor[1], ["<script>"], [], ["x"] * 10):
        assert client.post("/account/two-factor/codes/file", data={"codes": " ".join(codes)}).status_code == 404
