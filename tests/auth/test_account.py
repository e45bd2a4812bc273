"""The account page, and invalid input in every form of accounts."""

from collections.abc import Callable
from datetime import date
from typing import Any

import pytest
import sqlalchemy as sa

from tapcard.clock import utcnow
from tapcard.db import db
from tapcard.models import LinkPurpose, User
from tapcard.services.accounts import email_links
from tests.conftest import PASSWORD, FormClient, login

DETAILS = {"title": "Dr", "first_name": "Augusta", "last_name": "King", "born_on": "1915-12-10"}


def test_a_holder_changes_her_personal_details(client: FormClient, ada: User) -> None:
    login(client, ada)
    assert client.post("/account", data=DETAILS).headers["Location"] == "/account"
    db.session.refresh(ada)
    assert (ada.title, ada.full_name, ada.born_on) == ("Dr", "Augusta King", date(1915, 12, 10))
    page = client.get("/account").text
    assert 'value="Augusta"' in page
    assert 'value="1915-12-10"' in page


def test_optional_details_can_be_removed(client: FormClient, ada: User) -> None:
    login(client, ada)
    client.post("/account", data=DETAILS)
    client.post("/account", data={**DETAILS, "title": " ", "born_on": ""})
    db.session.refresh(ada)
    assert ada.title is None
    assert ada.born_on is None


@pytest.mark.parametrize(
    "born_on", ["1815-12-10", "2999-01-01", "yesterday", "10/12/1915", "1915-02-30", "\x00", "9" * 50]
)
def test_an_invalid_birth_date_is_refused_and_the_form_keeps_the_values(
    client: FormClient, ada: User, born_on: str
) -> None:
    login(client, ada)
    response = client.post("/account", data={**DETAILS, "born_on": born_on})
    assert response.status_code == 422
    assert 'id="born_on-error"' in response.text
    assert 'value="Augusta"' in response.text
    db.session.refresh(ada)
    assert ada.first_name == "Ada"


def test_the_account_form_cannot_set_other_columns(client: FormClient, ada: User, cleo: User) -> None:
    login(client, ada)
    more = {"roles": "owner", "is_active": "", "email": "evil@example.com", "verified_at": "", "email_verified": "0",
            "password_hash": "x", "password": "words of evil", "id": str(cleo.id), "user_id": str(cleo.id)}  # fmt: skip
    before = (ada.id, ada.email, ada.password_hash, ada.verified_at)
    client.post("/account", data={**DETAILS, **more})
    db.session.refresh(ada)
    db.session.refresh(cleo)
    assert (ada.id, ada.email, ada.password_hash, ada.verified_at) == before
    assert ada.roles == []
    assert ada.is_active
    assert cleo.first_name == "Cleo"


# --- invalid input in every form --------------------------------------------------------------------------------------

SIGN_UP = {"first_name": "Dora", "last_name": "Lu", "email": "dora@example.com", "password": PASSWORD, "terms": "y"}
FORMS: dict[str, dict[str, str]] = {
    "/sign-up": SIGN_UP,
    "/log-in": {"email": "ada@example.com", "password": PASSWORD},
    "/forgot-password": {"email": "ada@example.com"},
    "/account": DETAILS,
    "/account/password": {"current": PASSWORD, "password": "battery staple correct"},
    "/account/email": {"email": "lovelace@example.com", "current": PASSWORD},
    "/set-password": {"password": "battery staple correct"},
}
SIGNED_IN = ("/account", "/account/password", "/account/email")
OPTIONAL = ("title", "born_on", "terms", "remember")
PASSWORDS = ("password", "current")

BAD = {
    "empty": "",
    "blank": "   ",
    "long": "x" * 5000,
    "control": "a\x07b\x00c@example.com",
    "line ends": "a\r\nBcc: eve@example.com",
    "surrounded": "\u200b\u2028",
    "markup": "<script>alert(1)</script>",
    "link": "https://evil.example/ win a prize",
}
ODD = {
    "unicode": "Ünïcode 漢字 🎉",
    "right to left": "\u202eabc",
    "list": ["first", "second"],
    "quote": "'; DROP TABLE users; --",
    "template": "{{ 7 * 1234567 }} %(x)s %s",
    "number": "0",
}
CASES = [(path, name) for path, fields in FORMS.items() for name in fields]


@pytest.fixture
def form_url(client: FormClient, ada: User) -> Callable[[str], str]:
    """Return a function that gives the URL of a form, with Ada logged in where the form requires it."""

    def prepare(path: str) -> str:
        if path in SIGNED_IN:
            login(client, ada)
        if path == "/set-password":
            token = email_links.issue_link(ada, LinkPurpose.SET_PASSWORD, ada.email, utcnow())
            db.session.commit()
            return f"{path}/{token}"
        return path

    return prepare


def snapshot() -> dict[str, list[Any]]:
    """Return all rows, without rate limits and sessions, which may change."""
    left_out = {"throttle_counters", "web_sessions"}
    tables = [table for table in db.metadata.sorted_tables if table.name not in left_out]
    rows = {table.name: [tuple(row) for row in db.session.execute(sa.select(table))] for table in tables}
    db.session.rollback()
    return rows


@pytest.mark.parametrize("bad", BAD)
@pytest.mark.parametrize(("path", "name"), CASES)
def test_invalid_input_is_refused_and_changes_nothing(
    client: FormClient, form_url: Callable[[str], str], path: str, name: str, bad: str
) -> None:
    if name in OPTIONAL and bad in ("empty", "blank"):
        return
    url = form_url(path)
    before = snapshot()
    fields = {**FORMS[path], name: BAD[bad]}
    if name == "terms":
        del fields["terms"]
    if bad == "blank" and name in PASSWORDS:
        fields[name] = ""
    response = client.post(url, data=fields)
    if response.status_code == 302:
        # any ten characters are a valid password
        assert name == "password"
        assert bad in ("markup", "link")
        return
    assert response.status_code == 422
    assert "tc-errors" in response.text
    assert snapshot() == before
    for other, value in fields.items():
        if other in PASSWORDS:
            assert FORMS[path][other] not in response.text
        elif other not in (name, "terms", "csrf_token"):
            assert f'value="{value}"' in response.text


@pytest.mark.parametrize("odd", ODD)
@pytest.mark.parametrize(("path", "name"), CASES)
def test_unusual_input_does_not_break_a_page(
    client: FormClient, form_url: Callable[[str], str], path: str, name: str, odd: str
) -> None:
    response = client.post(form_url(path), data={**FORMS[path], name: ODD[odd]})
    if response.status_code == 302:
        response = client.get(response.headers["Location"])
    assert response.status_code in (200, 422)
    assert "8641969" not in (response.text.partition("<main")[2] if odd == "template" else "")


@pytest.mark.parametrize("path", FORMS)
@pytest.mark.parametrize(
    "body",
    [
        {"data": {}},
        {"data": b"\xff\xfe%00=&&&=", "content_type": "application/x-www-form-urlencoded"},
        {"data": b"not multipart at all", "content_type": "multipart/form-data; boundary=x"},
        {"json": {"email": ["a"], "password": {"$ne": ""}}},
        {"data": b"[]", "content_type": "application/json"},
    ],
    ids=["nothing", "bytes", "torn", "json", "list"],
)
def test_a_malformed_request_body_is_refused(
    client: FormClient, form_url: Callable[[str], str], path: str, body: dict[str, Any]
) -> None:
    url = form_url(path)
    before = snapshot()
    response = client.post(url, **body)
    assert response.status_code in (400, 422, 302)
    if response.status_code == 302:
        assert path == "/account"  # a form without fields changes nothing
    assert snapshot() == before


@pytest.mark.parametrize("path", FORMS)
def test_every_form_requires_its_csrf_token(client: FormClient, form_url: Callable[[str], str], path: str) -> None:
    url = form_url(path)
    before = snapshot()
    assert client.post(url, data=FORMS[path], csrf=False).status_code == 400
    assert client.post(url, data={**FORMS[path], "csrf_token": "forged"}, csrf=False).status_code == 400
    assert snapshot() == before
