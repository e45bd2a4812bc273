"""Shared helpers for the tests of accounts: emails and their links, sessions, two-factor authentication."""

import re
from collections.abc import Callable
from email.message import EmailMessage
from urllib.parse import urlsplit

import pytest
import sqlalchemy as sa
from flask import Flask

from tapcard.auth import two_factor as views
from tapcard.clock import utcnow
from tapcard.db import db
from tapcard.models import TwoFactor, User
from tests.auth import two_factor as helpers
from tests.auth.two_factor import set_up_two_factor
from tests.conftest import FormClient, login

LINK = re.compile(r"http://localhost(/\S*/[\w-]{43})")


def plain_text(mail: EmailMessage) -> str:
    """Return the plain text of an email."""
    body = mail.get_body(("plain",))
    assert body is not None
    return str(body.get_content())


def link_in(mail: EmailMessage) -> str:
    """Return the path of the secret link in an email."""
    links = LINK.findall(plain_text(mail))
    assert len(links) == 1, plain_text(mail)
    return urlsplit(links[0]).path


@pytest.fixture
def last_email(run_worker: Callable[[], None], mailbox: Callable[[], list[EmailMessage]]) -> Callable[[], EmailMessage]:
    """Return a function that runs the worker and returns the last email."""

    def last() -> EmailMessage:
        run_worker()
        return mailbox()[-1]

    return last


@pytest.fixture
def emailed_link(last_email: Callable[[], EmailMessage]) -> Callable[[], str]:
    """Return a function that runs the worker and returns the path of the link in the last email."""
    return lambda: link_in(last_email())


def session_id(client: FormClient) -> str | None:
    """Return the session id in the cookie of a client."""
    cookie = client.get_cookie("tc_session")
    return cookie.value if cookie is not None else None


def is_logged_in(client: FormClient) -> bool:
    """Return whether the client is logged in."""
    return client.get("/account").status_code == 200


@pytest.fixture
def stopped_clock(request: pytest.FixtureRequest, monkeypatch: pytest.MonkeyPatch) -> None:
    """Stop the clock, so that no time step ends during a test."""
    noon = utcnow().replace(second=10)
    for module in (views, helpers, request.module):
        monkeypatch.setattr(module, "utcnow", lambda: noon, raising=False)


@pytest.fixture
def reset_time_steps(app: Flask) -> Callable[[], None]:
    """Return a function that makes the code of the current time step usable again."""

    def forget() -> None:
        db.session.execute(sa.update(TwoFactor).values(last_step=None))
        db.session.commit()

    return forget


@pytest.fixture
def ada_two_factor(
    new_client: Callable[[], FormClient], ada: User, reset_time_steps: Callable[[], None]
) -> tuple[str, list[str]]:
    """Switch on two-factor authentication for Ada; return its secret and the recovery codes."""
    client = new_client()
    login(client, ada)
    secret_and_codes = set_up_two_factor(client)
    client.post("/log-out")
    reset_time_steps()
    return secret_and_codes
