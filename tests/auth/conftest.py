"""What tests of accounts share: a browser's session id, and the links that were mailed."""

import re
from collections.abc import Callable
from email.message import EmailMessage
from urllib.parse import urlsplit

import pytest

from tests.conftest import FormClient

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
