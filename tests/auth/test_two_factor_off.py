"""Switching off two-factor authentication."""

from collections.abc import Callable

import pytest

from tapcard.db import db
from tapcard.models import User
from tapcard.services.accounts import two_factor
from tests.auth.conftest import session_id
from tests.auth.two_factor import set_up_two_factor, totp_code, two_factor_kinds, wrong_code
from tests.conftest import PASSWORD, FormClient, login

pytestmark = pytest.mark.usefixtures("stopped_clock")


def test_switching_off_requires_password_and_code(
    client: FormClient, ada: User, reset_time_steps: Callable[[], None], outbox: Callable[[], list[str]]
) -> None:
    login(client, ada)
    secret, _codes = set_up_two_factor(client)
    reset_time_steps()
    path, good = "/account/two-factor/off", {"current": PASSWORD, "code": totp_code(secret)}
    for bad in ({"current": "wrong password"}, {"code": wrong_code(secret)}, {"current": ""}, {"code": ""}):
        assert client.post(path, data={**good, **bad}).status_code == 422
        assert db.session.get_one(User, ada.id).has_two_factor
    before = session_id(client)
    assert client.post(path, data=good).location == "/account/two-factor"
    assert session_id(client) != before
    assert not db.session.get_one(User, ada.id).has_two_factor
    assert two_factor.count_recovery_codes(ada) == 0
    assert two_factor_kinds(outbox) == ["mail.two_factor_on", "mail.two_factor_off"]
    client.post("/log-out")
    assert login(client, ada).location == "/dashboard"


def test_a_recovery_code_can_switch_off(client: FormClient, ada: User) -> None:
    login(client, ada)
    _secret, codes = set_up_two_factor(client)
    fields = {"current": PASSWORD, "code": codes[0]}
    assert client.post("/account/two-factor/off", data=fields).status_code == 302
    assert not db.session.get_one(User, ada.id).has_two_factor


def test_code_attempts_when_switching_off_are_limited(client: FormClient, ada: User) -> None:
    login(client, ada)
    secret, _codes = set_up_two_factor(client)
    fields = {"current": PASSWORD, "code": wrong_code(secret)}
    statuses = [client.post("/account/two-factor/off", data=fields).status_code for _time in range(11)]
    assert statuses == [422] * 10 + [429]


def test_pages_of_two_factor_are_not_found_while_it_is_off(client: FormClient, ada: User) -> None:
    login(client, ada)
    for path in ("/account/two-factor/off", "/account/two-factor/codes"):
        assert client.get(path).status_code == 404
        assert client.post(path, data={"current": PASSWORD}).status_code == 404
