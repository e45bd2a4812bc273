"""Pages for closing and reopening an account, downloading data and email preferences."""

import json
import re
from collections.abc import Callable
from datetime import timedelta
from email.message import EmailMessage

import pytest

from tapcard import mail
from tapcard.clock import utcnow
from tapcard.db import db
from tapcard.mails import accounts as accounts_mails
from tapcard.models import Card, CardStatus, Profile, User
from tapcard.services.privacy import closure
from tests.auth.conftest import is_logged_in, plain_text
from tests.conftest import PASSWORD, FormClient, login

CLOSE = {"current": PASSWORD, "sure": "y"}


def close_account(client: FormClient, user: User) -> None:
    login(client, user)
    assert client.post("/account/close", data=CLOSE).location == "/account/closed"


def test_closing_an_account_explains_itself_and_ends_all_sessions(
    client: FormClient, new_client: Callable[[], FormClient], ada: User, card: Card, profile: Profile
) -> None:
    elsewhere = new_client()
    login(elsewhere, ada)
    login(client, ada)
    page = client.get("/account/close").text
    assert "For 14 days, you can log in to restore everything" in page
    assert client.post("/account/close", data=CLOSE).location == "/account/closed"
    assert "Log in within 14 days" in client.get("/account/closed").text
    assert not is_logged_in(client)
    assert not is_logged_in(elsewhere)
    assert client.get("/p/ada").status_code == 404
    assert client.get("/t/ADASCARD").status_code == 200  # "deactivated", no redirect
    assert "found this card" not in client.get("/t/ADASCARD").text.lower()


@pytest.mark.parametrize("data", [{"current": "not the password", "sure": "y"}, {"current": PASSWORD}, {}])
def test_closing_requires_password_and_confirmation(client: FormClient, ada: User, data: dict[str, str]) -> None:
    login(client, ada)
    assert client.post("/account/close", data=data).status_code == 422
    assert ada.is_active
    assert is_logged_in(client)


def test_password_attempts_when_closing_are_limited(client: FormClient, ada: User) -> None:
    login(client, ada)
    for _number in range(10):
        client.post("/account/close", data={"current": "not the password", "sure": "y"})
    assert client.post("/account/close", data=CLOSE).status_code == 429
    assert ada.is_active


def test_the_only_owner_cannot_close_the_account(client: FormClient, olu: User) -> None:
    login(client, olu)
    response = client.post("/account/close", data=CLOSE)
    assert (response.status_code, "only owner" in response.text) == (422, True)
    assert olu.is_active


def test_closing_without_a_password_offers_a_link_to_set_one(client: FormClient, ada: User) -> None:
    login(client, ada)
    ada.password_hash = None
    db.session.commit()
    page = client.get("/account/close").text
    assert 'name="current"' not in page
    assert "Send me a link" in page
    assert client.post("/account/close", data=CLOSE).status_code == 422
    assert ada.is_active


def test_closing_a_hijacked_account_does_not_prevent_undoing_the_address_change(
    client: FormClient, new_client: Callable[[], FormClient], ada: User, card: Card,
    run_worker: Callable[[], None], mailbox: Callable[[], list[EmailMessage]],
) -> None:  # fmt: skip
    thief = new_client()
    login(thief, ada)
    thief.post("/account/email", data={"email": "thief@example.com", "current": PASSWORD})
    run_worker()
    [link] = re.findall(r"/account/email/confirm/[\w-]+", mailbox()[-1].get_body(("plain",)).get_content())  # type: ignore[union-attr]
    thief.post(link)
    assert ada.email == "thief@example.com"
    thief.post("/account/close", data=CLOSE)
    assert not ada.is_active
    run_worker()
    texts = [message.get_body(("plain",)).get_content() for message in mailbox() if message["To"] == "ada@example.com"]  # type: ignore[union-attr]
    [undo] = re.findall(r"/account/email/undo/[\w-]+", " ".join(texts))
    assert client.get(undo).status_code == 200
    assert client.post(undo).location.startswith("/set-password/")
    assert ada.email == "ada@example.com"
    assert ada.is_active
    assert card.status is CardStatus.ACTIVE


def test_closing_sends_one_email_that_explains_how_to_reopen(
    client: FormClient, ada: User, run_worker: Callable[[], None], mailbox: Callable[[], list[EmailMessage]]
) -> None:
    close_account(client, ada)
    run_worker()
    [message] = mailbox()
    assert message["To"] == "ada@example.com"
    assert "http://localhost/log-in" in plain_text(message)
    assert "This is the last email" in plain_text(message)


def test_a_closed_account_gets_no_other_email(client: FormClient, ada: User, outbox: Callable[[], list[str]]) -> None:
    close_account(client, ada)
    client.post("/forgot-password", data={"email": ada.email})
    for kind, payload in {
        "mail.verify_email": {"user_id": ada.id},
        "mail.password_changed": {"user_id": ada.id},
        "mail.set_password": {"email": ada.email},
    }.items():
        assert mail.KINDS[kind](**payload) is None, kind
    assert accounts_mails.account_closed(ada.id) is not None
    closure.reopen(ada.id, utcnow())
    assert accounts_mails.account_closed(ada.id) is None


# --- reopening --------------------------------------------------------------------------------------------------------


def test_logging_in_to_a_closed_account_offers_to_reopen_it(
    client: FormClient, ada: User, card: Card, profile: Profile
) -> None:
    close_account(client, ada)
    assert login(client, ada).location == "/account/reopen"
    assert not is_logged_in(client)
    page = client.get("/account/reopen")
    assert "ada@example.com is closed" in page.text
    assert not ada.is_active, "viewing the page does not reopen the account"
    assert client.post("/account/reopen").location == "/dashboard"
    assert is_logged_in(client)
    assert client.get("/p/ada").status_code == 200
    assert client.get("/t/ADASCARD").location == "https://example.com/"
    assert client.post("/account/reopen").location == "/log-in"  # once


def test_a_wrong_password_does_not_reveal_a_closed_account(client: FormClient, ada: User) -> None:
    close_account(client, ada)
    closed = client.post("/log-in", data={"email": ada.email, "password": "not the password"})
    unknown = client.post("/log-in", data={"email": "nobody@example.com", "password": "not the password"})
    message = "Incorrect email or password."
    assert (closed.status_code, unknown.status_code) == (422, 422)
    assert message in closed.text
    assert message in unknown.text
    assert client.get("/account/reopen").location == "/log-in"


def test_reopening_requires_the_password(client: FormClient, cleo: User, ada: User) -> None:
    closure.deactivate(ada, utcnow())
    db.session.commit()
    assert client.post("/account/reopen").location == "/log-in"
    login(client, cleo)
    assert client.post("/account/reopen").location == "/log-in"
    assert not ada.is_active


def test_the_offer_to_reopen_expires_after_fifteen_minutes(
    client: FormClient, ada: User, monkeypatch: pytest.MonkeyPatch
) -> None:
    close_account(client, ada)
    login(client, ada)
    then = utcnow() + timedelta(minutes=16)
    monkeypatch.setattr("tapcard.web.guards.utcnow", lambda: then)
    assert client.post("/account/reopen").location == "/log-in"
    assert not ada.is_active


def test_after_fourteen_days_login_does_not_reveal_the_closed_account(client: FormClient, ada: User) -> None:
    closure.deactivate(ada, utcnow() - timedelta(days=14))
    db.session.commit()
    response = login(client, ada)
    assert (response.status_code, "Incorrect email or password" in response.text) == (422, True)


def test_reopening_changes_the_session_id(client: FormClient, ada: User, card: Card) -> None:
    close_account(client, ada)
    login(client, ada)
    before = client.get_cookie("tc_session")
    client.post("/account/reopen")
    after = client.get_cookie("tc_session")
    assert before is not None
    assert after is not None
    assert before.value != after.value
    assert card.status is CardStatus.ACTIVE


# --- download, emails -------------------------------------------------------------------------------------------------


def test_the_data_download_is_a_dated_file(client: FormClient, ada: User, card: Card) -> None:
    login(client, ada)
    with client.post("/account/download") as response:
        assert response.mimetype == "application/json"
        assert f"tapcard-data-{utcnow():%Y}-" in response.headers["Content-Disposition"]
        assert response.headers["Cache-Control"] == "no-store"
        assert json.loads(response.data)["cards"][0]["token"] == "ADASCARD"


def test_data_downloads_are_limited(client: FormClient, ada: User) -> None:
    login(client, ada)
    statuses = []
    for _number in range(6):
        with client.post("/account/download") as response:
            statuses.append(response.status_code)
    assert statuses == [200] * 5 + [429]


def test_email_preferences_have_their_own_form(client: FormClient, ada: User) -> None:
    login(client, ada)
    client.post("/account/mails", data={"wants_weekly_mail": "y"})
    assert (ada.wants_lead_mail, ada.wants_weekly_mail) == (False, True)
    client.post("/account", data={"first_name": "Ada", "last_name": "Obi"})
    assert (ada.wants_lead_mail, ada.wants_weekly_mail) == (False, True)
