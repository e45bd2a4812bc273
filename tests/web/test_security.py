"""Security headers of every kind of response, and CSRF protection."""

import re
from collections.abc import Callable

import pytest
from flask import Flask

from tapcard.models import Card, User
from tests.conftest import FormClient, login

PUBLIC = ("/", "/designs", "/terms", "/find-card", "/log-in", "/sign-up", "/forgot-password", "/p/ada", "/no/such/page",
          "/activate/WAITING2", "/t/NOSUCH22", "/admin/", "/healthz")  # fmt: skip
PRIVATE = ("/dashboard", "/cards/ADASCARD", "/cards/ADASCARD/release", "/cards/ADASCARD/qr.png", "/profiles",
           "/profiles/new", "/account", "/account/password", "/account/email", "/activate/WAITING2")  # fmt: skip
STAFF = ("/admin/", "/admin/cards/register", "/admin/hosts", "/admin/tables/cards/", "/admin/tables/audit/")


@pytest.fixture
def stage(card: Card, create_card: Callable[..., Card], profile: object) -> None:
    """Create the data that the pages show."""
    create_card(token="WAITING2", code="CARD2345")


def policy_of(header: str) -> dict[str, set[str]]:
    parts = [part.split() for part in header.split(";")]
    return {part[0]: set(part[1:]) for part in parts}


@pytest.mark.usefixtures("stage")
@pytest.mark.parametrize("path", PUBLIC + PRIVATE)
def test_every_page_has_the_security_headers(client: FormClient, ada: User, path: str) -> None:
    if path in PRIVATE:
        login(client, ada)
    headers = client.get(path).headers
    assert headers["X-Content-Type-Options"] == "nosniff"
    assert headers["X-Frame-Options"] == "DENY"
    assert headers["Referrer-Policy"] == "strict-origin-when-cross-origin"
    assert "camera=()" in headers["Permissions-Policy"]
    assert "Server" not in headers
    policy = policy_of(headers["Content-Security-Policy"])
    assert policy["default-src"] == {"'self'"}
    assert policy["frame-ancestors"] == policy["object-src"] == policy["base-uri"] == {"'none'"}
    assert policy["form-action"] == {"'self'"}
    for kind in ("script-src", "style-src"):
        assert all(source == "'self'" or source.startswith("'nonce-") for source in policy[kind])
    assert policy["img-src"] == {"'self'", "data:", "blob:"}


@pytest.mark.usefixtures("stage")
@pytest.mark.parametrize("path", STAFF)
def test_back_office_pages_have_the_security_headers(client: FormClient, ben: User, path: str) -> None:
    login(client, ben)
    response = client.get(path)
    assert response.status_code == 200
    policy = policy_of(response.headers["Content-Security-Policy"])
    assert not {source for sources in policy.values() for source in sources} & {"'unsafe-inline'", "'unsafe-eval'", "*"}
    nonces = {source for source in policy["script-src"] if source.startswith("'nonce-")}
    used = set(re.findall(r'nonce="([^"]+)"', response.text))
    assert {f"'nonce-{nonce}'" for nonce in used} <= nonces
    for tag in re.findall(r"<(?:script|style)\b[^>]*>", response.text):
        assert "nonce=" in tag or "src=" in tag, tag
    assert not re.search(r"<[^>]+\s(?:on[a-z]+|style)=", response.text)


@pytest.mark.usefixtures("stage")
@pytest.mark.parametrize("path", PRIVATE)
def test_private_pages_are_not_cached(client: FormClient, ada: User, path: str) -> None:
    login(client, ada)
    response = client.get(path)
    assert response.status_code == 200
    assert response.headers["Cache-Control"] == "no-store"


def test_a_redirect_to_login_is_not_cached(client: FormClient) -> None:
    assert client.get("/dashboard").headers["Cache-Control"] == "no-store"


@pytest.mark.usefixtures("stage")
def test_assets_may_be_cached(client: FormClient) -> None:
    [path] = re.findall(r'<link rel="stylesheet" href="([^"]+tapcard[^"]*)"', client.get("/").text)
    with client.get(path) as response:
        headers = response.headers
    assert "immutable" in headers["Cache-Control"]
    assert headers["X-Content-Type-Options"] == "nosniff"


@pytest.mark.usefixtures("stage")
def test_every_response_has_a_new_nonce(client: FormClient, ben: User) -> None:
    login(client, ben)
    seen = {client.get("/admin/tables/cards/").headers["Content-Security-Policy"] for _time in range(3)}
    assert len(seen) == 3 or not any("nonce" in value for value in seen)


@pytest.mark.usefixtures("stage")
@pytest.mark.parametrize("path", ["/", "/log-in", "/t/ADASCARD", "/t/WAITING2", "/no/such/page"])
def test_only_production_sends_strict_transport_security(
    client: FormClient, other_app: Callable[..., Flask], path: str
) -> None:
    assert "Strict-Transport-Security" not in client.get(path).headers
    production = other_app(environment="production", site_url="https://cards.example.com").test_client()
    header = production.get(path, base_url="https://cards.example.com").headers["Strict-Transport-Security"]
    assert header == "max-age=31536000; includeSubDomains"


@pytest.mark.usefixtures("stage")
@pytest.mark.parametrize("path", ["/t/ADASCARD", "/q/adascard", "/card/ADASCARD/"])
def test_the_redirect_of_a_tap_has_only_the_required_headers(client: FormClient, path: str) -> None:
    response = client.get(path)
    assert response.status_code == 302
    assert dict(response.headers) == {
        "Location": "https://example.com/",
        "Cache-Control": "no-store",
        "X-Content-Type-Options": "nosniff",
        "Content-Length": "0",
    }


def test_a_form_requires_the_csrf_token_of_its_session(
    client: FormClient, new_client: Callable[[], FormClient], card: Card, ada: User, cleo: User
) -> None:
    login(client, ada)
    other = new_client()
    login(other, cleo)
    for token in (other.csrf_token(), "", "made-up", client.csrf_token()[:-1]):
        response = client.post(f"/cards/{card.token}/lock", data={"csrf_token": token}, csrf=False)
        assert response.status_code == 400
        assert "This form has expired." in response.text
    assert client.post(f"/cards/{card.token}/lock", data={"csrf_token": client.csrf_token()}).status_code == 302
