"""What tests of accounts share: a browser's session id, and the links that were mailed."""

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
from tests.auth.two_factor import set_up
from tests.conftest import FormClient, login

LINK = re.compile(r"http://localhost(/\S*/[\w-]{43})")


def text_of(mail: EmailMessage) -> str:
    """The part of a mail that is written for people without HTML."""
    body = mail.get_body(("plain",))
    assert body is not None
    return str(body.get_content())


def link_in(mail: EmailMessage) -> str:
    """The path of the secret link in a mail."""
    found = LINK.findall(text_of(mail))
    assert len(found) == 1, text_of(mail)
    return urlsplit(found[0]).path


@pytest.fixture
def mailed(run_worker: Callable[[], None], mailbox: Callable[[], list[EmailMessage]]) -> Callable[[], EmailMessage]:
    """The last mail, after the worker has sent what was promised."""

    def last() -> EmailMessage:
        run_worker()
        return mailbox()[-1]

    return last


@pytest.fixture
def mailed_link(mailed: Callable[[], EmailMessage]) -> Callable[[], str]:
    """The path of the secret link in the last mail."""
    return lambda: link_in(mailed())


def session_id(client: FormClient) -> str | None:
    """The browser's session cookie."""
    cookie = client.get_cookie("tc_session")
    return cookie.value if cookie is not None else None


def is_signed_in(client: FormClient) -> bool:
    """Whether the browser gets to see an account."""
    return client.get("/account").status_code == 200


@pytest.fixture
def still(request: pytest.FixtureRequest, monkeypatch: pytest.MonkeyPatch) -> None:
    """No step of the clock ends during the test."""
    noon = utcnow().replace(second=10)
    for module in (views, helpers, request.module):
        monkeypatch.setattr(module, "utcnow", lambda: noon, raising=False)


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
