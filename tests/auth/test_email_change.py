"""Verifying an email address, changing it and undoing a change."""

from collections.abc import Callable
from datetime import timedelta
from email.message import EmailMessage

import pytest
from sqlalchemy import select

from tapcard import seeds
from tapcard.clock import utcnow
from tapcard.db import db
from tapcard.models import LinkToken, User
from tests.auth.conftest import is_logged_in, link_in, plain_text, session_id
from tests.conftest import PASSWORD, FormClient, login
from tests.purchases import create_order

NEW_EMAIL = "lovelace@example.com"


@pytest.fixture
def dora(create_user: Callable[..., User]) -> User:
    """Return a user with an unverified address."""
    return create_user("dora@example.com", first_name="Dora", verified=False)


# --- verifying --------------------------------------------------------------------------------------------------------


def test_an_emailed_link_verifies_the_address_after_confirmation(
    client: FormClient, dora: User, emailed_link: Callable[[], str]
) -> None:
    login(client, dora)
    assert "Not confirmed" in client.get("/account").text
    client.post("/verify")
    path = emailed_link()
    assert path.startswith("/verify/")
    assert client.get(path).status_code == 200
    assert client.head(path).status_code == 200
    db.session.refresh(dora)
    assert not dora.is_verified
    before = session_id(client)
    assert client.post(path).headers["Location"] == "/dashboard"
    db.session.refresh(dora)
    assert dora.is_verified
    assert session_id(client) != before
    assert "Not confirmed" not in client.get("/account").text


def test_verifying_in_another_browser_invalidates_the_former_password(
    new_client: Callable[[], FormClient], dora: User, emailed_link: Callable[[], str]
) -> None:
    """Anyone can sign up with the address of somebody else and wait until they click the link in the email."""
    stranger, phone = new_client(), new_client()
    login(stranger, dora)
    stranger.post("/verify")
    path = emailed_link()
    page = phone.get(path).text
    assert "the account's password stops working" in " ".join(page.replace("&#39;", "'").split())
    assert f'href="/log-in?next={path}"' in page
    response = phone.post(path)
    assert response.headers["Location"].startswith("/set-password/")
    assert not is_logged_in(phone)
    assert not is_logged_in(stranger)
    assert login(new_client(), dora).status_code == 422
    page = phone.get(response.headers["Location"]).text
    assert "dora@example.com is confirmed. Now choose a password." in page
    phone.post(response.headers["Location"], data={"password": "words of my own"})
    assert is_logged_in(phone)
    assert "Not confirmed" not in phone.get("/account").text
    assert login(new_client(), dora).status_code == 422


def test_a_stranger_who_signed_up_with_the_address_of_an_order_never_sees_it(
    new_client: Callable[[], FormClient], dora: User, emailed_link: Callable[[], str]
) -> None:
    order = create_order(None, seeds.create_product(), email="dora@example.com")
    stranger, phone = new_client(), new_client()
    login(stranger, dora)
    stranger.post("/verify")
    response = phone.post(emailed_link())
    db.session.refresh(order)
    assert order.user_id == dora.id
    assert order.number not in stranger.get("/orders").text
    phone.post(response.headers["Location"], data={"password": "words of my own"})
    assert order.number in phone.get("/orders").text


def test_verifying_after_login_keeps_the_password(
    new_client: Callable[[], FormClient], dora: User, emailed_link: Callable[[], str]
) -> None:
    here, phone = new_client(), new_client()
    login(here, dora)
    here.post("/verify")
    path = emailed_link()
    credentials = {"email": dora.email, "password": PASSWORD}
    assert phone.post(f"/log-in?next={path}", data=credentials).headers["Location"] == path
    assert "password stops working" not in phone.get(path).text
    assert phone.post(path).headers["Location"] == "/dashboard"
    assert is_logged_in(here)
    assert is_logged_in(phone)


def test_verifying_in_the_browser_of_another_user_logs_everyone_out(
    new_client: Callable[[], FormClient], dora: User, cleo: User, emailed_link: Callable[[], str]
) -> None:
    here, cleo_client = new_client(), new_client()
    login(here, dora)
    here.post("/verify")
    login(cleo_client, cleo)
    assert cleo_client.post(emailed_link()).headers["Location"].startswith("/set-password/")
    assert not is_logged_in(cleo_client)
    assert not is_logged_in(here)


def test_a_guest_cart_survives_verifying(
    new_client: Callable[[], FormClient], dora: User, emailed_link: Callable[[], str]
) -> None:
    here, phone = new_client(), new_client()
    login(here, dora)
    here.post("/verify")
    phone.post(f"/cart/add/{seeds.create_product('Bottle').slug}", data={"quantity": "1"})
    assert "Bottle" in phone.get("/cart").text
    response = phone.post(emailed_link())
    phone.post(response.headers["Location"], data={"password": "words of my own"})
    assert "Bottle" in phone.get("/cart").text


def test_a_second_verification_link_does_not_reset_the_password(
    new_client: Callable[[], FormClient], dora: User, last_email: Callable[[], EmailMessage]
) -> None:
    here, phone = new_client(), new_client()
    login(here, dora)
    here.post("/verify")
    first = link_in(last_email())
    here.post("/verify")
    here.post(link_in(last_email()))
    assert "password stops working" not in phone.get(first).text
    assert phone.post(first).headers["Location"] == "/log-in"
    assert is_logged_in(here)


def test_verifying_requires_the_csrf_token(client: FormClient, dora: User, emailed_link: Callable[[], str]) -> None:
    login(client, dora)
    client.post("/verify")
    assert client.post(emailed_link(), csrf=False).status_code == 400
    db.session.refresh(dora)
    assert not dora.is_verified


def test_a_verification_link_works_once(client: FormClient, dora: User, emailed_link: Callable[[], str]) -> None:
    login(client, dora)
    client.post("/verify")
    path = emailed_link()
    client.post(path)
    assert client.get(path).status_code == 410
    assert "already been used" in client.post(path).text


def test_a_verification_link_expires_after_a_week(
    client: FormClient, dora: User, emailed_link: Callable[[], str]
) -> None:
    login(client, dora)
    client.post("/verify")
    path = emailed_link()
    row = db.session.scalars(select(LinkToken)).one()
    assert row.expires_at - row.created_at == timedelta(days=7)
    row.expires_at = utcnow()
    db.session.commit()
    assert client.get(path).status_code == 410
    assert client.post(path).status_code == 410


@pytest.mark.parametrize("path", ["/verify/", "/set-password/", "/account/email/confirm/", "/account/email/undo/"])
@pytest.mark.parametrize("token", ["x", "%00", "..", "%F0%9F%8E%89", "A" * 2000, "' OR 1=1 --", "%E0%A4%A"])
def test_an_invented_link_has_an_error_page(client: FormClient, path: str, token: str) -> None:
    for response in (client.get(path + token), client.post(path + token)):
        assert response.status_code in (404, 410, 308)


def test_the_verification_email_is_sent_at_most_five_times_an_hour(
    client: FormClient, dora: User, outbox: Callable[[], list[str]]
) -> None:
    login(client, dora)
    codes = [client.post("/verify").status_code for _time in range(6)]
    assert codes == [302] * 5 + [429]
    assert outbox() == ["mail.verify_email"] * 5


def test_no_verification_email_is_sent_to_a_verified_user(
    client: FormClient, ada: User, outbox: Callable[[], list[str]]
) -> None:
    login(client, ada)
    client.post("/verify")
    assert outbox() == []


def test_no_verification_email_is_sent_without_login(client: FormClient, outbox: Callable[[], list[str]]) -> None:
    assert client.post("/verify").headers["Location"] == "/log-in"
    assert outbox() == []


# --- changes ----------------------------------------------------------------------------------------------------------


def request_change(client: FormClient, email: str = NEW_EMAIL, password: str = PASSWORD) -> int:
    return client.post("/account/email", data={"email": email, "current": password}).status_code


def test_an_email_address_changes_only_after_the_new_one_confirms(
    client: FormClient, new_client: Callable[[], FormClient], ada: User, last_email: Callable[[], EmailMessage]
) -> None:
    """H22: a change took effect before it was verified and locked users out."""
    login(client, ada)
    assert request_change(client, "Lovelace@Example.com") == 302
    mail = last_email()
    assert mail["To"] == NEW_EMAIL
    assert "ada@example.com" in plain_text(mail)
    assert login(new_client(), ada).status_code == 302
    assert "ada@example.com" in client.get(link_in(mail)).text
    db.session.refresh(ada)
    assert ada.email == "ada@example.com"

    before = session_id(client)
    assert client.post(link_in(mail)).status_code == 302
    assert is_logged_in(client)
    assert session_id(client) != before
    db.session.refresh(ada)
    assert ada.email == NEW_EMAIL
    assert login(new_client(), ada).status_code == 302


def test_the_former_address_gets_an_email_that_undoes_the_change(
    client: FormClient, new_client: Callable[[], FormClient], ada: User, last_email: Callable[[], EmailMessage]
) -> None:
    login(client, ada)
    request_change(client)
    client.post(link_in(last_email()))
    notice = last_email()
    assert notice["To"] == "ada@example.com"
    assert NEW_EMAIL in plain_text(notice)

    owner = new_client()
    assert owner.get(link_in(notice)).status_code == 200
    response = owner.post(link_in(notice))
    assert response.headers["Location"].startswith("/set-password/")
    db.session.refresh(ada)
    assert ada.email == "ada@example.com"
    assert not is_logged_in(client)
    assert login(new_client(), ada).status_code == 422
    owner.post(response.headers["Location"], data={"password": "words of my own"})
    assert is_logged_in(owner)
    assert login(new_client(), ada, "words of my own").status_code == 302
    assert owner.post(link_in(notice)).status_code == 410


def test_only_the_account_holder_can_confirm_a_new_address(
    client: FormClient, new_client: Callable[[], FormClient], ada: User, cleo: User, emailed_link: Callable[[], str]
) -> None:
    """Orders belong to whoever verifies their address, and the address of a change may be mistyped."""
    order = create_order(None, seeds.create_product(), email=NEW_EMAIL)
    created_user = order.user
    order.user = None
    db.session.flush()
    db.session.delete(created_user)  # no change email is sent to an address with an account
    login(client, ada)
    request_change(client)
    phone, cleo_client, path = new_client(), new_client(), emailed_link()
    login(cleo_client, cleo)
    for browser in (phone, cleo_client):
        page = browser.post(path).text
        assert "To confirm the change, log in to that account" in page
        assert "ada@example.com" not in page
    db.session.refresh(ada)
    assert ada.email == "ada@example.com"
    db.session.refresh(order)
    assert order.user_id is None

    assert f'href="/log-in?next={path}"' in phone.get(path).text
    credentials = {"email": "ada@example.com", "password": PASSWORD}
    assert phone.post(f"/log-in?next={path}", data=credentials).headers["Location"] == path
    assert phone.post(path).headers["Location"] == "/dashboard"
    assert NEW_EMAIL in client.get("/account").text
    db.session.refresh(order)
    assert order.user_id == ada.id


def test_requesting_a_used_address_gets_the_same_response_and_no_email(
    client: FormClient, ada: User, cleo: User, run_worker: Callable[[], None], mailbox: Callable[[], list[EmailMessage]]
) -> None:
    login(client, ada)
    free = client.post("/account/email", data={"email": NEW_EMAIL, "current": PASSWORD})
    taken = client.post("/account/email", data={"email": cleo.email, "current": PASSWORD})
    assert (free.status_code, free.headers["Location"]) == (taken.status_code, taken.headers["Location"])
    run_worker()
    assert mailbox() == []  # the second request replaced the first


def test_confirming_an_address_that_was_taken_since_shows_an_error(
    client: FormClient, ada: User, create_user: Callable[..., User], emailed_link: Callable[[], str]
) -> None:
    login(client, ada)
    request_change(client)
    path = emailed_link()
    create_user(NEW_EMAIL)
    response = client.post(path)
    assert response.status_code == 422
    assert "Another account is already using this email address." in response.text
    db.session.refresh(ada)
    assert ada.email == "ada@example.com"


@pytest.mark.parametrize(
    ("email", "password", "field"),
    [
        (NEW_EMAIL, "wrong password", "current"),
        (NEW_EMAIL, "", "current"),
        ("", PASSWORD, "email"),
        ("lovelace", PASSWORD, "email"),
        ("ADA@example.com", PASSWORD, "email"),
        ("a" * 300 + "@example.com", PASSWORD, "email"),
    ],
)
def test_a_refused_change_of_address_changes_nothing(
    client: FormClient, ada: User, outbox: Callable[[], list[str]], email: str, password: str, field: str
) -> None:
    login(client, ada)
    response = client.post("/account/email", data={"email": email, "current": password})
    assert response.status_code == 422
    assert f'id="{field}-error"' in response.text
    assert f'value="{email}"' in response.text
    assert PASSWORD not in response.text
    assert outbox() == []
    db.session.refresh(ada)
    assert ada.email == "ada@example.com"
    assert db.session.scalars(select(LinkToken)).all() == []


def test_address_changes_are_limited_to_five_an_hour(client: FormClient, ada: User) -> None:
    login(client, ada)
    assert [request_change(client, f"a{number}@example.com") for number in range(6)] == [302] * 5 + [429]


@pytest.mark.parametrize("path", ["/account", "/account/email", "/account/password"])
def test_account_pages_require_login(client: FormClient, path: str) -> None:
    assert client.get(path).headers["Location"] == f"/log-in?next={path}"
    assert client.post(path, data={"email": NEW_EMAIL}).headers["Location"] == "/log-in"
