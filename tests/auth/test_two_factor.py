"""Two-factor authentication: setting it up, logging in with it, recovery codes, switching it off. Codes work once."""

import re
from collections.abc import Callable, Iterator
from datetime import timedelta
from email.message import EmailMessage
from html import unescape

import pyotp
import pytest
import sqlalchemy as sa
from flask import Flask

from tapcard.clock import utcnow
from tapcard.db import db
from tapcard.keys import Keys
from tapcard.models import AuditEntry, Card, CardStatus, RecoveryCode, TwoFactor, User, WebSession
from tapcard.services.accounts import two_factor
from tapcard.services.core.rate_limits import Limit, Limits
from tapcard.services.privacy import closure
from tapcard.web import guards
from tests.auth.conftest import is_signed_in, session_id, text_of
from tests.conftest import PASSWORD, FormClient, login
from tests.watching import form_to, together, words_of

NEW = "battery staple correct"
SET_UP = "/account/two-factor/set-up"
CODE_PAGE = "/log-in/code"
WRONG = "That code isn't valid."
SOME_SECRET = "JBSWY3DPEHPK3PXPJBSWY3DPEHPK3PXP"


def code_of(secret: str, steps: int = 0) -> str:
    """What the app shows now, or some steps later."""
    return pyotp.TOTP(secret).generate_otp(int(utcnow().timestamp()) // 30 + steps)


def wrong_code(secret: str) -> str:
    """Six digits that the app shows neither now nor around now."""
    near = {code_of(secret, steps) for steps in range(-3, 4)}
    return next(code for number in range(10) if (code := f"{number:06}") not in near)


def secret_on(page: str) -> str:
    """The secret in the address that the page offers to an app."""
    found = re.search(r"otpauth://[^\"]*?secret=([A-Z2-7]+)", unescape(page))
    assert found is not None
    return found[1]


def set_up(client: FormClient) -> tuple[str, list[str]]:
    """Switch it on in a browser; gives secret and recovery codes. The present step's code is used up."""
    page = client.get(SET_UP).text
    secret, form = secret_on(page), form_to(page, SET_UP)
    answer = client.post(SET_UP, data={**form.values, "code": code_of(secret)})
    assert answer.status_code == 200, answer.text
    return secret, re.findall(r"<li><code>([\w-]+)</code>", answer.text)


@pytest.fixture
def still(monkeypatch: pytest.MonkeyPatch) -> None:
    """No step of the clock ends during the test."""
    noon = utcnow().replace(second=10)
    for module in ("tapcard.auth.two_factor", "tests.auth.test_two_factor"):
        monkeypatch.setattr(f"{module}.utcnow", lambda: noon)


pytestmark = pytest.mark.usefixtures("still")


@pytest.fixture
def forget_steps(app: Flask) -> Callable[[], None]:
    """Let the present step's code be used again."""

    def forget() -> None:
        db.session.execute(sa.update(TwoFactor).values(last_step=None))
        db.session.commit()

    return forget


@pytest.fixture
def protected(
    new_client: Callable[[], FormClient], ada: User, forget_steps: Callable[[], None]
) -> tuple[str, list[str]]:
    """Ada has two-factor log in; its secret and her recovery codes."""
    client = new_client()
    login(client, ada)
    found = set_up(client)
    client.post("/log-out")
    forget_steps()
    return found


def kinds(outbox: Callable[[], list[str]]) -> list[str]:
    return [kind for kind in outbox() if "two_factor" in kind or "recovery" in kind]


# --- setting up -------------------------------------------------------------------------------------------------------


def test_a_first_right_code_switches_it_on_and_shows_recovery_codes(
    client: FormClient, ada: User, outbox: Callable[[], list[str]], mailed: Callable[[], EmailMessage]
) -> None:
    login(client, ada)
    before = session_id(client)
    _secret, codes = set_up(client)
    assert len(set(codes)) == 10
    assert db.session.get_one(User, ada.id).has_two_factor
    assert session_id(client) != before
    assert is_signed_in(client)
    assert kinds(outbox) == ["mail.two_factor_on"]
    assert "asks for a code" in text_of(mailed())
    tags = db.session.scalars(sa.select(AuditEntry.tag)).all()
    assert "user.two_factor_on" in tags


def test_the_page_shows_a_code_to_scan_with_the_shops_name(
    client: FormClient, ada: User, set_setting: Callable[..., None]
) -> None:
    set_setting("shop_name", "Cards: & Co")
    login(client, ada)
    page = client.get(SET_UP).text
    assert "<svg role=" in page
    assert "otpauth://totp/Cards%20%20%26%20Co:ada%40example.com?" in unescape(page)
    secret = secret_on(page)
    assert " ".join(secret[place : place + 4] for place in range(0, len(secret), 4)) in words_of(page)


def test_a_wrong_code_switches_nothing_on_and_the_secret_stays(client: FormClient, ada: User) -> None:
    login(client, ada)
    page = client.get(SET_UP).text
    secret, form = secret_on(page), form_to(page, SET_UP)
    answer = client.post(SET_UP, data={**form.values, "code": wrong_code(secret)})
    assert answer.status_code == 422
    assert WRONG in words_of(answer.text)
    assert secret_on(answer.text) == secret
    assert not db.session.get_one(User, ada.id).has_two_factor
    again = form_to(answer.text, SET_UP)
    assert client.post(SET_UP, data={**again.values, "code": code_of(secret)}).status_code == 200


def test_nothing_is_stored_before_the_first_code(client: FormClient, ada: User) -> None:
    login(client, ada)
    secret = secret_on(client.get(SET_UP).text)
    rows = [str(row) for table in db.metadata.sorted_tables for row in db.session.execute(sa.select(table))]
    assert db.session.scalars(sa.select(TwoFactor)).all() == []
    assert not [row for row in rows if secret in row]


def test_each_tab_keeps_its_own_secret(client: FormClient, ada: User) -> None:
    login(client, ada)
    first, second = client.get(SET_UP).text, client.get(SET_UP).text
    assert secret_on(first) != secret_on(second)
    answer = client.post(SET_UP, data={**form_to(first, SET_UP).values, "code": code_of(secret_on(second))})
    assert answer.status_code == 422
    answer = client.post(SET_UP, data={**form_to(first, SET_UP).values, "code": code_of(secret_on(first))})
    assert answer.status_code == 200
    client.post("/log-out")
    login(client, ada)
    assert client.post(CODE_PAGE, data={"code": code_of(secret_on(first), 1)}).location == "/dashboard"


@pytest.mark.parametrize("whose", ["another browser's", "another person's", "made up", "too old"])
def test_a_secret_that_was_not_offered_to_this_page_is_refused(
    client: FormClient, new_client: Callable[[], FormClient], ada: User, cleo: User, keys: Keys, whose: str
) -> None:
    login(client, ada)
    other = new_client()
    login(other, cleo if whose == "another person's" else ada)
    page = other.get(SET_UP).text
    secret, offer = secret_on(page), form_to(page, SET_UP).values["offer"]
    if whose == "made up":
        offer = keys.encrypt(SOME_SECRET)
    if whose == "too old":
        page = client.get(SET_UP).text
        sid = guards.sessions.hash_session_id(session_id(client) or "")
        offer = two_factor.create_setup_token(ada, sid, keys, utcnow() - timedelta(minutes=16))
    answer = client.post(SET_UP, data={"offer": offer, "code": code_of(secret)})
    assert answer.status_code == 422
    assert secret_on(answer.text) != secret
    assert not db.session.get_one(User, ada.id).has_two_factor


def log_in_was_long_ago(client: FormClient) -> None:
    """Let the password of a browser's session have been typed an hour ago."""
    row = db.session.scalars(
        sa.select(WebSession).where(WebSession.sid_hash == guards.sessions.hash_session_id(session_id(client) or ""))
    ).one()
    row.data = re.sub(rb'"at": [\d.]+', b'"at": 1.0', row.data)
    db.session.commit()


def test_after_a_while_setting_up_asks_for_the_password(client: FormClient, ada: User) -> None:
    login(client, ada)
    log_in_was_long_ago(client)
    answer = client.get(SET_UP)
    assert answer.location.startswith("/account/confirm-password?next=/account/two-factor/set-up")
    assert "otpauth" not in answer.text
    wrong = client.post(answer.location, data={"current": "wrong password"})
    assert wrong.status_code == 422
    assert client.get(SET_UP).status_code == 302
    before = session_id(client)
    assert client.post(answer.location, data={"current": PASSWORD}).location.startswith(SET_UP)
    assert session_id(client) != before
    assert client.get(SET_UP).status_code == 200


def test_without_a_secret_to_it_a_code_does_not_go_round_the_password(client: FormClient, ada: User) -> None:
    login(client, ada)
    log_in_was_long_ago(client)
    for fields in ({}, {"offer": "x", "code": "123456"}):
        assert client.post(SET_UP, data=fields).location.startswith("/account/confirm-password")


def test_confirming_the_password_leads_nowhere_else(client: FormClient, ada: User) -> None:
    login(client, ada)
    answer = client.post("/account/confirm-password?next=//evil.example", data={"current": PASSWORD})
    assert answer.location == "/account"


def test_guessing_the_password_before_setting_up_is_throttled(client: FormClient, ada: User) -> None:
    login(client, ada)
    codes = [client.post("/account/confirm-password", data={"current": "wrong"}).status_code for _time in range(11)]
    assert codes == [422] * 10 + [429]


def test_switching_it_on_ends_the_other_sessions(new_client: Callable[[], FormClient], ada: User) -> None:
    here, there = new_client(), new_client()
    login(here, ada)
    login(there, ada)
    set_up(here)
    assert is_signed_in(here)
    assert not is_signed_in(there)


def test_a_log_in_by_password_alone_that_races_the_switching_on_is_worth_nothing(
    new_client: Callable[[], FormClient], ada: User, monkeypatch: pytest.MonkeyPatch
) -> None:
    here, thief = new_client(), new_client()
    login(here, ada)
    log_in_user = guards.log_in_user

    def late(*args: object, **kwargs: object) -> None:
        monkeypatch.undo()
        db.session.rollback()
        set_up(here)
        log_in_user(*args, **kwargs)  # type: ignore[arg-type]

    monkeypatch.setattr("tapcard.auth.views.log_in_user", late)
    assert login(thief, ada).status_code == 302
    assert db.session.get_one(User, ada.id).has_two_factor
    assert not is_signed_in(thief)
    assert is_signed_in(here)


def test_what_is_on_is_not_set_up_again(client: FormClient, ada: User) -> None:
    login(client, ada)
    page = client.get(SET_UP).text
    set_up(client)
    assert client.get(SET_UP).location == "/account/two-factor"
    assert (
        client.post(SET_UP, data={"offer": form_to(page, SET_UP).values["offer"], "code": "1"}).location
        == "/account/two-factor"
    )


# --- logging in -------------------------------------------------------------------------------------------------------


@pytest.mark.usefixtures("protected")
def test_the_password_alone_signs_nobody_in(client: FormClient, ada: User) -> None:
    before = session_id(client)
    answer = login(client, ada)
    assert answer.location == CODE_PAGE
    assert session_id(client) != before
    assert not is_signed_in(client)
    assert client.get("/dashboard").location == "/log-in?next=/dashboard"
    assert client.get_cookie("tc_me") is None
    assert "ada@example.com" not in client.get("/").text
    assert set(db.session.scalars(sa.select(WebSession.user_id))) == {None}


def test_a_code_of_the_app_signs_in_under_a_new_session_id(
    client: FormClient, ada: User, protected: tuple[str, list[str]]
) -> None:
    login(client, ada)
    before = session_id(client)
    assert client.post(CODE_PAGE, data={"code": code_of(protected[0])}).location == "/dashboard"
    assert session_id(client) != before
    assert is_signed_in(client)


def test_a_closed_account_is_brought_back_by_both_factors_alone(
    client: FormClient, ada: User, card: Card, protected: tuple[str, list[str]]
) -> None:
    closure.close(ada.id, PASSWORD, utcnow())
    db.session.commit()
    assert login(client, ada).location == CODE_PAGE
    assert client.get("/account/reopen").location == "/log-in"
    assert client.post("/account/reopen").location == "/log-in"
    assert client.post(CODE_PAGE, data={"code": "000000"}).status_code == 422
    assert not ada.is_active
    assert client.post(CODE_PAGE, data={"code": code_of(protected[0])}).location == "/account/reopen"
    assert not is_signed_in(client)
    assert not ada.is_active
    assert client.post("/account/reopen").location == "/dashboard"
    assert is_signed_in(client)
    assert ada.is_active
    assert card.status is CardStatus.ACTIVE


@pytest.mark.parametrize("steps", [-1, 0, 1])
def test_clocks_may_differ_by_a_step(
    client: FormClient, ada: User, protected: tuple[str, list[str]], steps: int
) -> None:
    login(client, ada)
    code = code_of(protected[0], steps)
    assert client.post(CODE_PAGE, data={"code": f" {code[:3]} {code[3:]}"}).status_code == 302
    assert is_signed_in(client)


@pytest.mark.parametrize("steps", [-2, 2, 20])
def test_clocks_may_not_differ_by_more(
    client: FormClient, ada: User, protected: tuple[str, list[str]], steps: int
) -> None:
    login(client, ada)
    answer = client.post(CODE_PAGE, data={"code": code_of(protected[0], steps)})
    assert answer.status_code == 422
    assert WRONG in words_of(answer.text)
    assert not is_signed_in(client)


def test_a_code_works_once(new_client: Callable[[], FormClient], ada: User, protected: tuple[str, list[str]]) -> None:
    code = code_of(protected[0])
    here, thief = new_client(), new_client()
    for client in (here, thief):
        login(client, ada)
    assert here.post(CODE_PAGE, data={"code": code}).status_code == 302
    assert thief.post(CODE_PAGE, data={"code": code}).status_code == 422
    assert thief.post(CODE_PAGE, data={"code": code_of(protected[0], -1)}).status_code == 422, "nor an older one"
    assert not is_signed_in(thief)
    assert thief.post(CODE_PAGE, data={"code": code_of(protected[0], 1)}).status_code == 302


def test_the_code_that_switched_it_on_is_used_up(client: FormClient, ada: User) -> None:
    login(client, ada)
    secret, _codes = set_up(client)
    client.post("/log-out")
    login(client, ada)
    assert client.post(CODE_PAGE, data={"code": code_of(secret)}).status_code == 422


def test_wrong_codes_of_either_kind_get_the_same_answer(
    client: FormClient, ada: User, protected: tuple[str, list[str]]
) -> None:
    login(client, ada)
    client.post(CODE_PAGE, data={"code": protected[1][0]})
    client.post("/log-out")
    client.get("/log-in")  # shows that she is logged out
    login(client, ada)
    client.get(CODE_PAGE)  # shows the message about logging out, once
    pages = set()
    for code in (wrong_code(protected[0]), "ABCDE-FGHJK", protected[1][0], "x", "１２３４５６"):
        answer = client.post(CODE_PAGE, data={"code": code})
        assert answer.status_code == 422
        pages.add(words_of(answer.text))
    assert len(pages) == 1


@pytest.mark.usefixtures("protected")
def test_guessing_codes_is_throttled_by_account(
    new_client: Callable[[], FormClient], ada: User, protected: tuple[str, list[str]]
) -> None:
    wrong = wrong_code(protected[0])
    for number in range(10):
        client = new_client()
        login(client, ada)
        address = {"REMOTE_ADDR": f"192.0.2.{number}"}
        assert client.post(CODE_PAGE, data={"code": wrong}, environ_base=address).status_code == 422
    answer = client.post(CODE_PAGE, data={"code": code_of(protected[0])})
    assert answer.status_code == 429
    assert int(answer.headers["Retry-After"]) > 3000
    assert not is_signed_in(client)


def test_guessing_codes_is_throttled_by_address(
    client: FormClient, ada: User, protected: tuple[str, list[str]], monkeypatch: pytest.MonkeyPatch
) -> None:
    few, many = Limit(3, 900), Limit(1000, 900)
    limits = {"second_factor": Limits(account=many, address=few), "log_in": Limits(account=many, address=many)}
    monkeypatch.setattr("tapcard.web.throttling.LIMITS", limits)
    login(client, ada)
    codes = [client.post(CODE_PAGE, data={"code": wrong_code(protected[0])}).status_code for _time in range(4)]
    assert codes == [422] * 3 + [429]


@pytest.mark.parametrize(
    "odd", ["", "\0", "x" * 5000, "<script>alert(1)</script>", "🂡é", "-1", "' OR 1=1 --", "a\r\nb"]
)
def test_an_odd_code_is_refused_everywhere(
    client: FormClient, ada: User, protected: tuple[str, list[str]], odd: str
) -> None:
    login(client, ada)
    answers = [client.post(CODE_PAGE, data={"code": odd})]
    client.post(CODE_PAGE, data={"code": code_of(protected[0])})
    answers.append(client.post("/account/two-factor/off", data={"current": PASSWORD, "code": odd}))
    answers.append(client.post("/account/two-factor/codes", data={"current": odd}))
    assert [answer.status_code for answer in answers] == [422, 422, 422]
    assert not any("<script>alert" in answer.text for answer in answers)


def test_a_right_code_forgives_the_wrong_ones(
    client: FormClient, ada: User, protected: tuple[str, list[str]], forget_steps: Callable[[], None]
) -> None:
    for _round in range(2):
        login(client, ada)
        for _time in range(9):
            assert client.post(CODE_PAGE, data={"code": wrong_code(protected[0])}).status_code == 422
        assert client.post(CODE_PAGE, data={"code": code_of(protected[0])}).status_code == 302
        client.post("/log-out")
        forget_steps()


def test_next_and_remember_me_survive(client: FormClient, ada: User, protected: tuple[str, list[str]]) -> None:
    fields = {"email": ada.email, "password": PASSWORD, "remember": "y"}
    answer = client.post("/log-in?next=/profiles", data=fields)
    assert answer.location == f"{CODE_PAGE}?next=/profiles"
    form = form_to(client.get(answer.location).text, answer.location)
    wrong = client.post(form.action, data={**form.values, "code": "000"})
    assert form_to(wrong.text, answer.location)
    done = client.post(form.action, data={**form.values, "code": code_of(protected[0])})
    assert done.location == "/profiles"
    cookie = next(each for each in done.headers.getlist("Set-Cookie") if each.startswith("tc_session="))
    assert "Expires" in cookie
    assert client.get_cookie("tc_me") is not None


@pytest.mark.parametrize("path", ["//evil.example", "/\t/evil.example", "https://evil.example"])
def test_next_leads_nowhere_else(client: FormClient, ada: User, protected: tuple[str, list[str]], path: str) -> None:
    login(client, ada)
    answer = client.post(CODE_PAGE, query_string={"next": path}, data={"code": code_of(protected[0])})
    assert answer.location == "/dashboard"


def test_without_a_password_there_is_no_second_page(client: FormClient, protected: tuple[str, list[str]]) -> None:
    assert client.get(f"{CODE_PAGE}?next=/profiles").location == "/log-in?next=/profiles"
    assert client.post(CODE_PAGE, data={"code": code_of(protected[0])}).location == "/log-in"
    assert not is_signed_in(client)


def test_the_second_page_does_not_wait_for_ever(
    client: FormClient, ada: User, protected: tuple[str, list[str]], monkeypatch: pytest.MonkeyPatch
) -> None:
    login(client, ada)
    later = utcnow() + guards.PENDING_TWO_FACTOR_LIFETIME + timedelta(minutes=1)
    monkeypatch.setattr(guards, "utcnow", lambda: later)
    assert client.post(CODE_PAGE, data={"code": code_of(protected[0])}).location == "/log-in"
    assert not is_signed_in(client)


@pytest.mark.parametrize("change", ["the password", "the account", "two-factor"])
def test_what_changes_between_the_two_pages_ends_the_log_in(
    client: FormClient, ada: User, protected: tuple[str, list[str]], change: str
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
    assert client.post(CODE_PAGE, data={"code": code_of(protected[0])}).location == "/log-in"
    assert not is_signed_in(client)


def test_a_new_password_by_mail_does_not_go_round_it(
    client: FormClient, ada: User, protected: tuple[str, list[str]], mailed_link: Callable[[], str]
) -> None:
    client.post("/forgot-password", data={"email": ada.email})
    answer = client.post(mailed_link(), data={"password": NEW})
    assert answer.location == CODE_PAGE
    assert not is_signed_in(client)
    assert client.post(CODE_PAGE, data={"code": code_of(protected[0])}).location == "/dashboard"
    assert is_signed_in(client)


def test_a_session_survives_the_change_of_its_own_password(
    client: FormClient, ada: User, protected: tuple[str, list[str]]
) -> None:
    login(client, ada)
    client.post(CODE_PAGE, data={"code": code_of(protected[0])})
    assert client.post("/account/password", data={"current": PASSWORD, "password": NEW}).status_code == 302
    assert is_signed_in(client)


def test_old_keys_still_open_a_secret_and_a_recovery_code(app: Flask, ada: User) -> None:
    old, rotated, new = Keys("an old secret"), Keys("a new secret", ["an old secret"]), Keys("a new secret")
    db.session.add(TwoFactor(user_id=ada.id, secret=old.encrypt(SOME_SECRET), confirmed_at=utcnow()))
    codes = two_factor.replace_recovery_codes(ada, old)
    db.session.commit()
    with pytest.raises(two_factor.WrongCode):
        two_factor.verify_code(ada, code_of(SOME_SECRET), keys=new, now=utcnow())
    two_factor.verify_code(ada, code_of(SOME_SECRET), keys=rotated, now=utcnow())
    two_factor.verify_code(ada, codes[0], keys=rotated, now=utcnow())
    assert two_factor.are_recovery_codes_of(ada, codes[1:], rotated)
    db.session.expire_all()
    assert new.decrypt(db.session.get_one(TwoFactor, ada.id).secret) == SOME_SECRET, "sealed anew when it was used"


# --- at the same instant ----------------------------------------------------------------------------------------------


@pytest.mark.parametrize("kind", ["app", "recovery"])
def test_of_people_with_the_same_code_at_once_one_logs_in(
    app: Flask, new_client: Callable[[], FormClient], ada: User, protected: tuple[str, list[str]], kind: str
) -> None:
    code = code_of(protected[0]) if kind == "app" else protected[1][0]
    browsers = []
    for _number in range(4):
        client = new_client()
        login(client, ada)
        browsers.append((client, {"code": code, "csrf_token": client.csrf_token()}))

    def press(place: int) -> int:
        client, fields = browsers[place]
        return client.post(CODE_PAGE, data=fields).status_code

    assert sorted(together(app, 4, press)) == [302, 422, 422, 422]  # type: ignore[type-var]
    assert [is_signed_in(client) for client, _fields in browsers].count(True) == 1


@pytest.mark.parametrize("kind", ["app", "recovery"])
def test_even_if_all_of_them_look_first_one_code_is_used_once(
    app: Flask, ada: User, protected: tuple[str, list[str]], keys: Keys, kind: str
) -> None:
    code = code_of(protected[0]) if kind == "app" else protected[1][0]
    user_id, now = ada.id, utcnow()

    def use(_place: int) -> str:
        user = db.session.get_one(User, user_id)
        assert user.has_two_factor
        db.session.commit()
        two_factor.verify_code(user, code, keys=keys, now=now)
        return "in"

    results = together(app, 4, use)
    assert results.count("in") == 1
    assert results.count(two_factor.WrongCode) == 3


def test_two_tabs_that_switch_it_on_at_once_leave_one_secret(app: Flask, ada: User, keys: Keys) -> None:
    user_id, now = ada.id, utcnow()
    offers = [two_factor.create_setup_token(ada, "a browser", keys, now) for _tab in range(2)]
    secrets = [two_factor.read_setup_token(offer, ada, "a browser", keys, now) or "" for offer in offers]

    def confirm(place: int) -> str:
        user = db.session.get_one(User, user_id)
        code = code_of(secrets[place])
        two_factor.enable(user, offers[place], code, browser="a browser", keys=keys, now=now)
        return secrets[place]

    results = together(app, 2, confirm)
    assert results.count(two_factor.AlreadyEnabled) == 1
    [secret] = [result for result in results if isinstance(result, str)]
    assert keys.decrypt(db.session.get_one(TwoFactor, user_id).secret) == secret
    assert len(db.session.scalars(sa.select(RecoveryCode)).all()) == 10


def test_two_presses_at_once_leave_one_set_of_recovery_codes(
    app: Flask, ada: User, protected: tuple[str, list[str]], keys: Keys
) -> None:
    user_id = ada.id

    def renew(_place: int) -> list[str]:
        return two_factor.replace_recovery_codes(db.session.get_one(User, user_id), keys)

    sets = together(app, 4, renew)
    assert len(db.session.scalars(sa.select(RecoveryCode)).all()) == 10
    assert [two_factor.are_recovery_codes_of(ada, codes, keys) for codes in sets].count(True) == 1  # type: ignore[arg-type]
    assert not two_factor.are_recovery_codes_of(ada, protected[1], keys)


# --- recovery codes ---------------------------------------------------------------------------------------------------


def test_a_recovery_code_signs_in_once_and_a_mail_says_so(
    client: FormClient, ada: User, protected: tuple[str, list[str]], mailed: Callable[[], EmailMessage]
) -> None:
    code = protected[1][3]
    login(client, ada)
    assert client.post(CODE_PAGE, data={"code": code.lower().replace("-", " ")}).location == "/dashboard"
    assert is_signed_in(client)
    assert "One of your recovery codes was used" in text_of(mailed())
    assert "9 left" in client.get("/account/two-factor").text
    client.post("/log-out")
    login(client, ada)
    assert client.post(CODE_PAGE, data={"code": code}).status_code == 422


def test_a_recovery_code_is_its_persons_alone(
    client: FormClient, cleo: User, protected: tuple[str, list[str]], keys: Keys
) -> None:
    db.session.add(TwoFactor(user_id=cleo.id, secret=keys.encrypt(SOME_SECRET), confirmed_at=utcnow()))
    db.session.commit()
    login(client, cleo)
    assert client.post(CODE_PAGE, data={"code": protected[1][0]}).status_code == 422


def test_recovery_codes_and_secret_cannot_be_read_in_the_tables(protected: tuple[str, list[str]]) -> None:
    secret, codes = protected
    rows = [str(row) for table in db.metadata.sorted_tables for row in db.session.execute(sa.select(table))]
    for text in (secret, *codes, *(code.replace("-", "") for code in codes)):
        assert not [row for row in rows if text in row]


def test_new_codes_ask_the_password_and_end_the_old_ones(client: FormClient, ada: User) -> None:
    login(client, ada)
    _secret, old = set_up(client)
    path = "/account/two-factor/codes"
    assert client.post(path, data={"current": "wrong password"}).status_code == 422
    assert two_factor.count_recovery_codes(ada) == 10
    answer = client.post(path, data={"current": PASSWORD})
    new = re.findall(r"<li><code>([\w-]+)</code>", answer.text)
    assert len(new) == 10
    assert not set(new) & set(old)
    client.post("/log-out")
    for code, status in ((old[0], 422), (new[0], 302)):
        login(client, ada)
        assert client.post(CODE_PAGE, data={"code": code}).status_code == status


def test_the_codes_are_shown_once_and_can_be_kept_as_a_file(client: FormClient, ada: User) -> None:
    login(client, ada)
    page = client.get(SET_UP).text
    fields = {**form_to(page, SET_UP).values, "code": code_of(secret_on(page))}
    shown = client.post(SET_UP, data=fields)
    assert shown.headers["Cache-Control"] == "no-store"
    form = form_to(shown.text, "/account/two-factor/codes/file")
    codes = form.values["codes"].split()
    answer = client.post(form.action, data=form.values, csrf=False)
    assert answer.status_code == 200, "the page's own token works, though the session is a new one"
    assert answer.mimetype == "text/plain"
    assert "attachment" in answer.headers["Content-Disposition"]
    assert all(code in answer.text for code in codes)
    for path in ("/account/two-factor", "/account", "/account/two-factor/codes"):
        assert codes[0] not in client.get(path).text


def test_nothing_but_own_codes_is_sent_as_a_file(
    client: FormClient, cleo: User, protected: tuple[str, list[str]]
) -> None:
    login(client, cleo)
    for codes in (protected[1], ["<script>"], [], ["x"] * 10):
        assert client.post("/account/two-factor/codes/file", data={"codes": " ".join(codes)}).status_code == 404


# --- switching off ----------------------------------------------------------------------------------------------------


def test_switching_off_asks_password_and_code(
    client: FormClient, ada: User, forget_steps: Callable[[], None], outbox: Callable[[], list[str]]
) -> None:
    login(client, ada)
    secret, _codes = set_up(client)
    forget_steps()
    path, good = "/account/two-factor/off", {"current": PASSWORD, "code": code_of(secret)}
    for bad in ({"current": "wrong password"}, {"code": wrong_code(secret)}, {"current": ""}, {"code": ""}):
        assert client.post(path, data={**good, **bad}).status_code == 422
        assert db.session.get_one(User, ada.id).has_two_factor
    before = session_id(client)
    assert client.post(path, data=good).location == "/account/two-factor"
    assert session_id(client) != before
    assert not db.session.get_one(User, ada.id).has_two_factor
    assert two_factor.count_recovery_codes(ada) == 0
    assert kinds(outbox) == ["mail.two_factor_on", "mail.two_factor_off"]
    client.post("/log-out")
    assert login(client, ada).location == "/dashboard"


def test_a_recovery_code_switches_off_too(client: FormClient, ada: User) -> None:
    login(client, ada)
    _secret, codes = set_up(client)
    fields = {"current": PASSWORD, "code": codes[0]}
    assert client.post("/account/two-factor/off", data=fields).status_code == 302
    assert not db.session.get_one(User, ada.id).has_two_factor


def test_guessing_codes_to_switch_off_is_throttled(client: FormClient, ada: User) -> None:
    login(client, ada)
    secret, _codes = set_up(client)
    fields = {"current": PASSWORD, "code": wrong_code(secret)}
    statuses = [client.post("/account/two-factor/off", data=fields).status_code for _time in range(11)]
    assert statuses == [422] * 10 + [429]


def test_what_is_off_has_nothing_to_change(client: FormClient, ada: User) -> None:
    login(client, ada)
    for path in ("/account/two-factor/off", "/account/two-factor/codes"):
        assert client.get(path).status_code == 404
        assert client.post(path, data={"current": PASSWORD}).status_code == 404


# --- staff ------------------------------------------------------------------------------------------------------------


def admin_paths(app: Flask) -> Iterator[tuple[str, str]]:
    """Method and address of every page of the back office, also those that Flask-Admin brings."""
    for rule in app.url_map.iter_rules():
        path = re.sub(r"<(?:\w+:)?export_type>", "csv", str(rule))
        path = re.sub(r"<(?:\w+:)?\w+>", "1", path)
        if path.startswith("/admin") and "static" not in path:
            for method in sorted((rule.methods or set()) & {"GET", "POST"}):
                yield method, path


@pytest.mark.parametrize("who", ["ben", "olu"])
def test_where_staff_need_it_every_page_of_the_back_office_leads_to_setting_it_up(
    other_app: Callable[..., Flask], request: pytest.FixtureRequest, who: str
) -> None:
    app = other_app(requires_staff_two_factor=True)
    client: FormClient = app.test_client()  # type: ignore[assignment]
    login(client, request.getfixturevalue(who))
    pages = list(admin_paths(app))
    assert len(pages) > 25
    for method, path in pages:
        answer = client.open(path, method=method)
        assert (answer.status_code, answer.location.partition("?")[0]) == (302, SET_UP), f"{method} {path}"
    assert "The back office requires" in client.get(f"{SET_UP}?next=/admin/").text
    assert client.get("/dashboard").status_code == 200


def test_staff_who_set_it_up_come_back_and_get_in(other_app: Callable[..., Flask], ben: User) -> None:
    client: FormClient = other_app(requires_staff_two_factor=True).test_client()  # type: ignore[assignment]
    login(client, ben)
    path = client.get("/admin/hosts").location
    page = client.get(path).text
    form = form_to(page, path)
    done = client.post(path, data={**form.values, "code": code_of(secret_on(page))})
    assert 'href="/admin/hosts"' in done.text
    for path in ("/admin/", "/admin/hosts", "/admin/tables/cards/"):
        assert client.get(path).status_code == 200


def test_holders_are_not_told_of_the_back_office(other_app: Callable[..., Flask], ada: User) -> None:
    client: FormClient = other_app(requires_staff_two_factor=True).test_client()  # type: ignore[assignment]
    login(client, ada)
    for path in ("/admin/", "/admin/hosts", "/admin/tables/cards/"):
        assert client.get(path).status_code == 404


def test_where_it_is_optional_staff_get_in_without(client: FormClient, ben: User) -> None:
    login(client, ben)
    assert client.get("/admin/").status_code == 200


def test_a_session_that_rests_on_a_former_secret_is_over(
    client: FormClient, ada: User, protected: tuple[str, list[str]], keys: Keys
) -> None:
    login(client, ada)
    client.post(CODE_PAGE, data={"code": code_of(protected[0])})
    row = db.session.get_one(TwoFactor, ada.id)
    assert row.confirmed_at is not None
    row.confirmed_at += timedelta(seconds=1)
    db.session.commit()
    assert not is_signed_in(client)
