"""Logging in with a code: single use, rate limits, and the page between password and code."""

from collections.abc import Callable
from datetime import timedelta

import pytest
import sqlalchemy as sa
from flask import Flask

from tapcard.clock import utcnow
from tapcard.db import db
from tapcard.keys import Keys
from tapcard.models import Card, CardStatus, TwoFactor, User, WebSession
from tapcard.services.accounts import two_factor
from tapcard.services.core.rate_limits import Limit, Limits
from tapcard.services.privacy import closure
from tapcard.web import guards
from tests.auth.conftest import is_logged_in, session_id
from tests.auth.two_factor import CODE_PAGE, NEW, SOME_SECRET, WRONG, set_up_two_factor, totp_code, wrong_code
from tests.concurrency import run_concurrently
from tests.conftest import PASSWORD, FormClient, login
from tests.pages import form_to, words_of

pytestmark = pytest.mark.usefixtures("stopped_clock")


@pytest.mark.usefixtures("ada_two_factor")
def test_the_password_alone_does_not_log_in(client: FormClient, ada: User) -> None:
    before = session_id(client)
    response = login(client, ada)
    assert response.location == CODE_PAGE
    assert session_id(client) != before
    assert not is_logged_in(client)
    assert client.get("/dashboard").location == "/log-in?next=/dashboard"
    assert client.get_cookie("tc_me") is None
    assert "ada@example.com" not in client.get("/").text
    assert set(db.session.scalars(sa.select(WebSession.user_id))) == {None}


def test_a_code_logs_in_and_changes_the_session_id(
    client: FormClient, ada: User, ada_two_factor: tuple[str, list[str]]
) -> None:
    login(client, ada)
    before = session_id(client)
    assert client.post(CODE_PAGE, data={"code": totp_code(ada_two_factor[0])}).location == "/dashboard"
    assert session_id(client) != before
    assert is_logged_in(client)


def test_reopening_a_closed_account_requires_both_factors(
    client: FormClient, ada: User, card: Card, ada_two_factor: tuple[str, list[str]]
) -> None:
    closure.close(ada.id, PASSWORD, utcnow())
    db.session.commit()
    assert login(client, ada).location == CODE_PAGE
    assert client.get("/account/reopen").location == "/log-in"
    assert client.post("/account/reopen").location == "/log-in"
    assert client.post(CODE_PAGE, data={"code": "000000"}).status_code == 422
    assert not ada.is_active
    assert client.post(CODE_PAGE, data={"code": totp_code(ada_two_factor[0])}).location == "/account/reopen"
    assert not is_logged_in(client)
    assert not ada.is_active
    assert client.post("/account/reopen").location == "/dashboard"
    assert is_logged_in(client)
    assert ada.is_active
    assert card.status is CardStatus.ACTIVE


@pytest.mark.parametrize("steps", [-1, 0, 1])
def test_a_code_of_an_adjacent_time_step_is_accepted(
    client: FormClient, ada: User, ada_two_factor: tuple[str, list[str]], steps: int
) -> None:
    login(client, ada)
    code = totp_code(ada_two_factor[0], steps)
    assert client.post(CODE_PAGE, data={"code": f" {code[:3]} {code[3:]}"}).status_code == 302
    assert is_logged_in(client)


@pytest.mark.parametrize("steps", [-2, 2, 20])
def test_a_code_of_a_more_distant_time_step_is_refused(
    client: FormClient, ada: User, ada_two_factor: tuple[str, list[str]], steps: int
) -> None:
    login(client, ada)
    response = client.post(CODE_PAGE, data={"code": totp_code(ada_two_factor[0], steps)})
    assert response.status_code == 422
    assert WRONG in words_of(response.text)
    assert not is_logged_in(client)


def test_a_code_works_once(
    new_client: Callable[[], FormClient], ada: User, ada_two_factor: tuple[str, list[str]]
) -> None:
    code = totp_code(ada_two_factor[0])
    here, thief = new_client(), new_client()
    for client in (here, thief):
        login(client, ada)
    assert here.post(CODE_PAGE, data={"code": code}).status_code == 302
    assert thief.post(CODE_PAGE, data={"code": code}).status_code == 422
    assert thief.post(CODE_PAGE, data={"code": totp_code(ada_two_factor[0], -1)}).status_code == 422, (
        "an older code is refused too"
    )
    assert not is_logged_in(thief)
    assert thief.post(CODE_PAGE, data={"code": totp_code(ada_two_factor[0], 1)}).status_code == 302


def test_the_code_used_for_setup_does_not_log_in(client: FormClient, ada: User) -> None:
    login(client, ada)
    secret, _codes = set_up_two_factor(client)
    client.post("/log-out")
    login(client, ada)
    assert client.post(CODE_PAGE, data={"code": totp_code(secret)}).status_code == 422


def test_every_wrong_code_gets_the_same_response(
    client: FormClient, ada: User, ada_two_factor: tuple[str, list[str]]
) -> None:
    login(client, ada)
    client.post(CODE_PAGE, data={"code": ada_two_factor[1][0]})
    client.post("/log-out")
    client.get("/log-in")  # shows that she is logged out
    login(client, ada)
    client.get(CODE_PAGE)  # shows the message about logging out, once
    pages = set()
    for code in (wrong_code(ada_two_factor[0]), "ABCDE-FGHJK", ada_two_factor[1][0], "x", "１２３４５６"):
        response = client.post(CODE_PAGE, data={"code": code})
        assert response.status_code == 422
        pages.add(words_of(response.text))
    assert len(pages) == 1


@pytest.mark.usefixtures("ada_two_factor")
def test_code_attempts_are_limited_by_account(
    new_client: Callable[[], FormClient], ada: User, ada_two_factor: tuple[str, list[str]]
) -> None:
    wrong = wrong_code(ada_two_factor[0])
    for number in range(10):
        client = new_client()
        login(client, ada)
        address = {"REMOTE_ADDR": f"192.0.2.{number}"}
        assert client.post(CODE_PAGE, data={"code": wrong}, environ_base=address).status_code == 422
    response = client.post(CODE_PAGE, data={"code": totp_code(ada_two_factor[0])})
    assert response.status_code == 429
    assert int(response.headers["Retry-After"]) > 3000
    assert not is_logged_in(client)


def test_code_attempts_are_limited_by_ip_address(
    client: FormClient, ada: User, ada_two_factor: tuple[str, list[str]], monkeypatch: pytest.MonkeyPatch
) -> None:
    few, many = Limit(3, 900), Limit(1000, 900)
    limits = {"second_factor": Limits(account=many, address=few), "log_in": Limits(account=many, address=many)}
    monkeypatch.setattr("tapcard.web.throttling.LIMITS", limits)
    login(client, ada)
    codes = [client.post(CODE_PAGE, data={"code": wrong_code(ada_two_factor[0])}).status_code for _time in range(4)]
    assert codes == [422] * 3 + [429]


@pytest.mark.parametrize(
    "odd", ["", "\0", "x" * 5000, "<script>alert(1)</script>", "🂡é", "-1", "' OR 1=1 --", "a\r\nb"]
)
def test_a_malformed_code_is_refused_everywhere(
    client: FormClient, ada: User, ada_two_factor: tuple[str, list[str]], odd: str
) -> None:
    login(client, ada)
    responses = [client.post(CODE_PAGE, data={"code": odd})]
    client.post(CODE_PAGE, data={"code": totp_code(ada_two_factor[0])})
    responses.append(client.post("/account/two-factor/off", data={"current": PASSWORD, "code": odd}))
    responses.append(client.post("/account/two-factor/codes", data={"current": odd}))
    assert [response.status_code for response in responses] == [422, 422, 422]
    assert not any("<script>alert" in response.text for response in responses)


def test_a_right_code_resets_the_failed_attempts(
    client: FormClient, ada: User, ada_two_factor: tuple[str, list[str]], reset_time_steps: Callable[[], None]
) -> None:
    for _round in range(2):
        login(client, ada)
        for _time in range(9):
            assert client.post(CODE_PAGE, data={"code": wrong_code(ada_two_factor[0])}).status_code == 422
        assert client.post(CODE_PAGE, data={"code": totp_code(ada_two_factor[0])}).status_code == 302
        client.post("/log-out")
        reset_time_steps()


def test_next_and_remember_me_are_kept_on_the_code_page(
    client: FormClient, ada: User, ada_two_factor: tuple[str, list[str]]
) -> None:
    fields = {"email": ada.email, "password": PASSWORD, "remember": "y"}
    response = client.post("/log-in?next=/profiles", data=fields)
    assert response.location == f"{CODE_PAGE}?next=/profiles"
    form = form_to(client.get(response.location).text, response.location)
    wrong = client.post(form.action, data={**form.values, "code": "000"})
    assert form_to(wrong.text, response.location)
    done = client.post(form.action, data={**form.values, "code": totp_code(ada_two_factor[0])})
    assert done.location == "/profiles"
    cookie = next(header for header in done.headers.getlist("Set-Cookie") if header.startswith("tc_session="))
    assert "Expires" in cookie
    assert client.get_cookie("tc_me") is not None


@pytest.mark.parametrize("path", ["//evil.example", "/\t/evil.example", "https://evil.example"])
def test_next_never_redirects_to_another_site(
    client: FormClient, ada: User, ada_two_factor: tuple[str, list[str]], path: str
) -> None:
    login(client, ada)
    response = client.post(CODE_PAGE, query_string={"next": path}, data={"code": totp_code(ada_two_factor[0])})
    assert response.location == "/dashboard"


def test_the_code_page_requires_the_password_first(client: FormClient, ada_two_factor: tuple[str, list[str]]) -> None:
    assert client.get(f"{CODE_PAGE}?next=/profiles").location == "/log-in?next=/profiles"
    assert client.post(CODE_PAGE, data={"code": totp_code(ada_two_factor[0])}).location == "/log-in"
    assert not is_logged_in(client)


def test_the_code_page_expires(
    client: FormClient, ada: User, ada_two_factor: tuple[str, list[str]], monkeypatch: pytest.MonkeyPatch
) -> None:
    login(client, ada)
    later = utcnow() + guards.PENDING_TWO_FACTOR_LIFETIME + timedelta(minutes=1)
    monkeypatch.setattr(guards, "utcnow", lambda: later)
    assert client.post(CODE_PAGE, data={"code": totp_code(ada_two_factor[0])}).location == "/log-in"
    assert not is_logged_in(client)


@pytest.mark.parametrize("change", ["the password", "the account", "two-factor"])
def test_a_change_of_the_account_invalidates_a_pending_login(
    client: FormClient, ada: User, ada_two_factor: tuple[str, list[str]], change: str
) -> None:
    login(client, ada)
    user = db.session.get_one(User, ada.id)
    if change == "the password":
        user.password_set_at = utcnow()
    elif change == "the account":
        user.is_active = False
    else:
        two_factor.reset(user)
    db.session.commit()
    assert client.post(CODE_PAGE, data={"code": totp_code(ada_two_factor[0])}).location == "/log-in"
    assert not is_logged_in(client)


def test_a_password_set_by_link_still_requires_a_code(
    client: FormClient, ada: User, ada_two_factor: tuple[str, list[str]], emailed_link: Callable[[], str]
) -> None:
    client.post("/forgot-password", data={"email": ada.email})
    response = client.post(emailed_link(), data={"password": NEW})
    assert response.location == CODE_PAGE
    assert not is_logged_in(client)
    assert client.post(CODE_PAGE, data={"code": totp_code(ada_two_factor[0])}).location == "/dashboard"
    assert is_logged_in(client)


def test_changing_the_password_keeps_the_own_session(
    client: FormClient, ada: User, ada_two_factor: tuple[str, list[str]]
) -> None:
    login(client, ada)
    client.post(CODE_PAGE, data={"code": totp_code(ada_two_factor[0])})
    assert client.post("/account/password", data={"current": PASSWORD, "password": NEW}).status_code == 302
    assert is_logged_in(client)


def test_a_former_secret_key_still_reads_secret_and_recovery_codes(app: Flask, ada: User) -> None:
    old, rotated, new = Keys("an old secret"), Keys("a new secret", ["an old secret"]), Keys("a new secret")
    db.session.add(TwoFactor(user_id=ada.id, secret=old.encrypt(SOME_SECRET), confirmed_at=utcnow()))
    codes = two_factor.replace_recovery_codes(ada, old)
    db.session.commit()
    with pytest.raises(two_factor.WrongCode):
        two_factor.verify_code(ada, totp_code(SOME_SECRET), keys=new, now=utcnow())
    two_factor.verify_code(ada, totp_code(SOME_SECRET), keys=rotated, now=utcnow())
    two_factor.verify_code(ada, codes[0], keys=rotated, now=utcnow())
    assert two_factor.are_recovery_codes_of(ada, codes[1:], rotated)
    db.session.expire_all()
    assert new.decrypt(db.session.get_one(TwoFactor, ada.id).secret) == SOME_SECRET, (
        "encrypted with the new key when used"
    )


@pytest.mark.parametrize("kind", ["app", "recovery"])
def test_concurrent_logins_with_one_code_succeed_once(
    app: Flask, new_client: Callable[[], FormClient], ada: User, ada_two_factor: tuple[str, list[str]], kind: str
) -> None:
    code = totp_code(ada_two_factor[0]) if kind == "app" else ada_two_factor[1][0]
    browsers = []
    for _number in range(4):
        client = new_client()
        login(client, ada)
        browsers.append((client, {"code": code, "csrf_token": client.csrf_token()}))

    def press(place: int) -> int:
        client, fields = browsers[place]
        return client.post(CODE_PAGE, data=fields).status_code

    assert sorted(run_concurrently(app, 4, press)) == [302, 422, 422, 422]  # type: ignore[type-var]
    assert [is_logged_in(client) for client, _fields in browsers].count(True) == 1


@pytest.mark.parametrize("kind", ["app", "recovery"])
def test_concurrent_verifications_of_one_code_succeed_once(
    app: Flask, ada: User, ada_two_factor: tuple[str, list[str]], keys: Keys, kind: str
) -> None:
    code = totp_code(ada_two_factor[0]) if kind == "app" else ada_two_factor[1][0]
    user_id, now = ada.id, utcnow()

    def use(_place: int) -> str:
        user = db.session.get_one(User, user_id)
        assert user.has_two_factor
        db.session.commit()
        two_factor.verify_code(user, code, keys=keys, now=now)
        return "in"

    results = run_concurrently(app, 4, use)
    assert results.count("in") == 1
    assert results.count(two_factor.WrongCode) == 3


def test_a_session_of_a_former_secret_is_invalid(
    client: FormClient, ada: User, ada_two_factor: tuple[str, list[str]], keys: Keys
) -> None:
    login(client, ada)
    client.post(CODE_PAGE, data={"code": totp_code(ada_two_factor[0])})
    row = db.session.get_one(TwoFactor, ada.id)
    assert row.confirmed_at is not None
    row.confirmed_at += timedelta(seconds=1)
    db.session.commit()
    assert not is_logged_in(client)
