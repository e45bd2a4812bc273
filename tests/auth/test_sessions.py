"""The list of own sessions: names of browsers and ending sessions."""

from collections.abc import Callable

import pytest
import sqlalchemy as sa

from tapcard.clock import utcnow
from tapcard.db import db
from tapcard.demo.demo import AGENTS
from tapcard.models import AuditEntry, Device, User, WebSession
from tapcard.services.taps.user_agents import BrowserName, name_browser
from tests.auth.conftest import is_logged_in
from tests.conftest import FormClient, login
from tests.pages import forms_on, words_of

IPHONE, PIXEL, *_others, WINDOWS = AGENTS
PAGE = "/account/sessions"


@pytest.fixture
def log_in_with(new_client: Callable[[], FormClient]) -> Callable[..., FormClient]:
    """Return a function that logs in a user with a certain user agent."""

    def make(user: User, agent: str = WINDOWS) -> FormClient:
        client = new_client()
        client.environ_base["HTTP_USER_AGENT"] = agent
        login(client, user)
        return client

    return make


def end_actions(page: str) -> list[str]:
    """Return the addresses of the forms that end one session."""
    return [form.action for form in forms_on(page) if form.action.endswith("/end")]


def test_sessions_are_listed_with_browser_and_the_current_one_is_marked(
    log_in_with: Callable[..., FormClient], ada: User
) -> None:
    log_in_with(ada, IPHONE)
    log_in_with(ada, PIXEL)
    here = log_in_with(ada, WINDOWS)
    text = words_of(here.get(PAGE).text)
    assert text.index("Chrome on Windows This device") < text.index("Safari on iPhone")
    assert "Chrome on Android" in text
    assert text.count("This device") == 1
    assert text.count("Last active") == 3
    assert len(end_actions(here.get(PAGE).text)) == 2, "the current session is ended from the menu"


def test_ending_a_session_logs_out_that_browser(log_in_with: Callable[..., FormClient], ada: User) -> None:
    there, here = log_in_with(ada, IPHONE), log_in_with(ada)
    [path] = end_actions(here.get(PAGE).text)
    assert here.post(path).location == PAGE
    assert not is_logged_in(there)
    assert is_logged_in(here)
    assert "Safari on iPhone" not in here.get(PAGE).text
    assert "user.session_ended" in db.session.scalars(sa.select(AuditEntry.tag)).all()
    assert here.post(path).status_code == 404


def test_logging_out_everywhere_else_keeps_the_current_session(
    log_in_with: Callable[..., FormClient], ada: User, cleo: User
) -> None:
    others, here, stranger = [log_in_with(ada, IPHONE), log_in_with(ada, PIXEL)], log_in_with(ada), log_in_with(cleo)
    assert here.post(f"{PAGE}/end-others").location == PAGE
    assert [is_logged_in(client) for client in (*others, here, stranger)] == [False, False, True, True]
    assert "Log out everywhere else" not in here.get(PAGE).text


def test_sessions_of_other_users_are_neither_shown_nor_ended(
    log_in_with: Callable[..., FormClient], ada: User, cleo: User
) -> None:
    ada_client, cleo_client = log_in_with(ada, IPHONE), log_in_with(cleo)
    assert "iPhone" not in cleo_client.get(PAGE).text
    for number in db.session.scalars(sa.select(WebSession.id).where(WebSession.user_id == ada.id)).all():
        assert cleo_client.post(f"{PAGE}/{number}/end").status_code == 404
    assert is_logged_in(ada_client)


def test_an_expired_session_is_not_listed(log_in_with: Callable[..., FormClient], ada: User) -> None:
    log_in_with(ada, IPHONE)
    here = log_in_with(ada)
    db.session.execute(sa.update(WebSession).where(WebSession.device == IPHONE).values(expires_at=utcnow()))
    assert "iPhone" not in here.get(PAGE).text


def test_ending_sessions_requires_a_post_with_csrf_token(log_in_with: Callable[..., FormClient], ada: User) -> None:
    there, here = log_in_with(ada, IPHONE), log_in_with(ada)
    [path] = end_actions(here.get(PAGE).text)
    for action in (path, f"{PAGE}/end-others"):
        assert here.get(action).status_code == 405
        assert here.post(action, csrf=False).status_code == 400
    assert is_logged_in(there)


def test_an_unusual_user_agent_is_listed_as_an_unknown_device(
    log_in_with: Callable[..., FormClient], ada: User
) -> None:
    for agent in ("", "<script>alert(1)</script>", "x" * 500):
        page = log_in_with(ada, agent).get(PAGE)
        assert page.status_code == 200
        assert "<script>alert" not in page.text
        assert "Unknown device" in page.text


@pytest.mark.parametrize(
    ("agent", "name"),
    [
        (IPHONE, BrowserName("Safari", "iPhone", Device.PHONE)),
        (PIXEL, BrowserName("Chrome", "Android", Device.PHONE)),
        (WINDOWS, BrowserName("Chrome", "Windows", Device.DESKTOP)),
        (AGENTS[3], BrowserName("Safari", "iPad", Device.TABLET)),
        ("", BrowserName("", "", Device.OTHER)),
        ("Mozilla/5.0 (X11; Linux x86_64; rv:120.0) Gecko/20100101 Firefox/120.0",
         BrowserName("Firefox", "Linux", Device.DESKTOP)),
    ],
)  # fmt: skip
def test_browsers_are_named_by_browser_and_system(agent: str, name: BrowserName) -> None:
    assert name_browser(agent) == name
