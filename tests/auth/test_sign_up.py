"""Signing up: login, verification email, rate limits, `next` and the card to claim."""

import re
from collections.abc import Callable

import pytest
from sqlalchemy import select

from tapcard.db import db
from tapcard.models import Card, ClaimPolicy, User
from tapcard.services.accounts import credentials, registration
from tests.auth.conftest import is_logged_in, session_id
from tests.conftest import PASSWORD, FormClient, login

DORA = {
    "first_name": "Dora",
    "last_name": "Lu",
    "email": "Dora@Example.com",
    "password": "correct horse battery",
    "terms": "y",
}


def find_dora() -> User | None:
    return registration.find_user("dora@example.com")


def test_signing_up_logs_in_and_sends_a_verification_email(client: FormClient, outbox: Callable[[], list[str]]) -> None:
    response = client.post("/sign-up", data=DORA)
    assert response.status_code == 302
    assert response.headers["Location"] == "/dashboard"
    assert "dora@example.com" in client.get("/account").text
    assert outbox() == ["mail.verify_email"]
    user = find_dora()
    assert user is not None
    assert not user.is_verified


def test_signing_up_changes_the_session_id(client: FormClient) -> None:
    client.get("/sign-up")
    before = session_id(client)
    client.post("/sign-up", data=DORA)
    assert session_id(client) not in (None, before)


def test_the_sign_up_form_cannot_set_other_columns(client: FormClient) -> None:
    more = {"roles": "owner", "roles-0": "1", "is_active": "", "email_verified": "1", "verified_at": "2026-01-01",
            "is_staff": "1", "id": "1", "password_hash": "x", "seen_at": "2026-01-01"}  # fmt: skip
    client.post("/sign-up", data={**DORA, **more})
    user = find_dora()
    assert user is not None
    assert (user.roles, user.is_active, user.verified_at, user.seen_at) == ([], True, None, None)
    assert credentials.authenticate("dora@example.com", DORA["password"], user.created_at) == user


def test_signing_up_requires_the_csrf_token(client: FormClient) -> None:
    response = client.post("/sign-up", data=DORA, csrf=False)
    assert response.status_code == 400
    assert find_dora() is None


@pytest.mark.parametrize("email", ["ada@example.com", "ADA@Example.com"])
def test_a_used_address_shows_an_error_and_the_form_keeps_the_values(client: FormClient, ada: User, email: str) -> None:
    response = client.post("/sign-up", data={**DORA, "email": email})
    assert response.status_code == 422
    assert "An account with this email already exists." in response.text
    assert f'value="{email}"' in response.text
    assert 'value="Dora"' in response.text
    assert DORA["password"] not in response.text
    assert not is_logged_in(client)


def test_signing_up_to_an_account_without_a_password_sends_a_link(
    client: FormClient, create_user: Callable[..., User], emailed_link: Callable[[], str]
) -> None:
    create_user("dora@example.com", first_name="D.", password=None, verified=False)
    response = client.post("/sign-up", data=DORA)
    assert response.headers["Location"] == "/forgot-password/sent"
    assert "Check your email" in client.get("/forgot-password/sent").text
    assert not is_logged_in(client)
    client.post(emailed_link(), data={"password": "my own words here"})
    assert is_logged_in(client)
    user = find_dora()
    assert user is not None
    assert user.is_verified
    assert user.first_name == "D."


def test_sign_ups_are_limited_by_ip_address(client: FormClient, ada: User) -> None:
    for number in range(20):
        fields = {**DORA, "email": f"ada+{number}@example.com", "password": "1234567890"}
        assert client.post("/sign-up", data=fields).status_code == 422
    response = client.post("/sign-up", data=DORA)
    assert response.status_code == 429
    assert 3500 < int(response.headers["Retry-After"]) <= 3600
    assert 'value="Dora@Example.com"' in response.text
    assert "Too many attempts" in response.text
    assert find_dora() is None
    assert client.post("/sign-up", data=DORA, environ_base={"REMOTE_ADDR": "192.0.2.9"}).status_code == 302


def test_next_is_kept_between_login_and_sign_up(client: FormClient) -> None:
    page = client.get("/log-in?next=/activate/ABC").text
    assert 'href="/sign-up?next=/activate/ABC"' in page
    page = client.get("/sign-up?next=/activate/ABC").text
    assert 'href="/log-in?next=/activate/ABC"' in page
    assert 'action="/sign-up?next=/activate/ABC"' in page
    refused = client.post("/sign-up?next=/activate/ABC", data={**DORA, "password": "short"}).text
    assert 'action="/sign-up?next=/activate/ABC"' in refused
    assert client.post("/sign-up?next=/activate/ABC", data=DORA).headers["Location"] == "/activate/ABC"


@pytest.mark.parametrize("path", ["https://evil.example/", "//evil.example", "/\t/evil.example", "/%09/evil.example"])
@pytest.mark.parametrize("how", ["query", "form"])
def test_next_never_redirects_to_another_site(client: FormClient, path: str, how: str) -> None:
    """H05: `next` was an open redirect at sign-up."""
    page = client.get("/sign-up", query_string={"next": path}).text
    assert "evil.example" not in page
    if how == "query":
        response = client.post("/sign-up", data=DORA, query_string={"next": path})
    else:
        response = client.post("/sign-up", data={**DORA, "next": path})
    assert response.headers["Location"] == "/dashboard"


def test_next_never_redirects_through_a_card(client: FormClient, card: Card) -> None:
    """The activation page of a card with an owner responds like a tap and redirects wherever its owner likes."""
    for path in ("/t/ADASCARD", "/q/adascard", "/card/ADASCARD/", "/activate/ADASCARD", "/%74/ADASCARD"):
        browser = client.application.test_client()
        assert isinstance(browser, FormClient)
        response = browser.post("/log-in", data={"email": "ada@example.com", "password": PASSWORD, "next": path})
        assert response.headers["Location"] == "/dashboard", path


def test_the_sign_up_page_shows_the_card_to_claim(
    client: FormClient, create_card: Callable[..., Card], ada: User
) -> None:
    create_card(None, token="WAITING234", policy=ClaimPolicy.OPEN)
    for path in ("/activate/WAITING234", "/activate/waiting234/"):
        page = client.get("/sign-up", query_string={"next": path}).text
        assert '<h1 class="h2">Sign up to claim this card</h1>' in page
        assert "tc-card" in page
    assert "Log in to claim this card" in client.get("/log-in?next=/activate/WAITING234").text


@pytest.mark.parametrize("path", ["/activate/NOSUCHCARD", "/dashboard", "/nowhere", "/activate/ADASCARD", "/", ""])
def test_the_sign_up_page_is_ordinary_without_a_card_to_claim(client: FormClient, card: Card, path: str) -> None:
    page = client.get("/sign-up", query_string={"next": path})
    assert page.status_code == 200
    assert '<h1 class="h2">Sign up</h1>' in page.text


@pytest.mark.parametrize("path", ["/sign-up", "/log-in"])
def test_a_logged_in_user_is_redirected(client: FormClient, ada: User, path: str) -> None:
    login(client, ada)
    assert client.get(path).headers["Location"] == "/dashboard"
    assert client.get(f"{path}?next=/account").headers["Location"] == "/account"
    response = client.post(path, data={**DORA, "csrf_token": client.csrf_token()})
    assert response.headers["Location"] == "/dashboard"
    assert db.session.scalars(select(User.email)).all() == ["ada@example.com"]


def test_sign_up_and_login_pages_are_not_cached(client: FormClient) -> None:
    for path in ("/sign-up", "/log-in", "/forgot-password", "/forgot-password/sent", "/verify/x"):
        assert client.get(path).headers["Cache-Control"] == "no-store"


def test_the_sign_up_page_asks_to_accept_the_terms(client: FormClient) -> None:
    page = client.get("/sign-up").text
    assert re.search(r'<input[^>]*name="terms"[^>]*type="checkbox"|<input[^>]*type="checkbox"[^>]*name="terms"', page)
    assert 'href="/terms"' in page


def test_signing_up_requires_accepting_the_terms(client: FormClient) -> None:
    response = client.post("/sign-up", data={name: value for name, value in DORA.items() if name != "terms"})
    assert response.status_code == 422
    assert find_dora() is None
