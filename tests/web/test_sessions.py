"""Server-side sessions: ids, cookies, lifetime and rollback."""

from collections.abc import Callable
from datetime import datetime, timedelta

import pytest
import sqlalchemy as sa
from flask import Flask, abort, flash, session
from werkzeug.http import parse_cookie

from tapcard.clock import utcnow
from tapcard.db import db
from tapcard.errors import DomainError
from tapcard.models import Card, CardBatch, User, WebSession
from tapcard.web import sessions
from tapcard.web.sessions import hash_session_id
from tests.conftest import FormClient, login

pytestmark = pytest.mark.sql

MADE_UP = "an-id-that-somebody-else-has-chosen"


def cookie_of(client: FormClient, name: str = "tc_session") -> str:
    cookie = client.get_cookie(name)
    return cookie.value if cookie is not None else ""


def row_of(client: FormClient) -> WebSession | None:
    return db.session.scalar(sa.select(WebSession).where(WebSession.sid_hash == hash_session_id(cookie_of(client))))


def rows() -> int:
    return db.session.scalar(sa.select(sa.func.count()).select_from(WebSession)) or 0


def change(client: FormClient, **values: datetime) -> None:
    db.session.execute(
        sa.update(WebSession).where(WebSession.sid_hash == hash_session_id(cookie_of(client))).values(**values)
    )
    db.session.commit()


def set_cookies(response) -> dict[str, str]:
    """Return the Set-Cookie headers of a response by cookie name."""
    return {next(iter(parse_cookie(header))): header for header in response.headers.getlist("Set-Cookie")}


# --- start ------------------------------------------------------------------------------------------------------------


@pytest.mark.parametrize(
    "path",
    [
        "/",
        "/designs",
        "/terms",
        "/privacy",
        "/find-card",
        "/p/ada",
        "/t/ADASCARD",
        "/t/NO",
        "/activate/WAITING2",
        "/no/such",
        "/healthz",
        "/readyz",
        "/dashboard",
    ],
)
def test_viewing_pages_starts_no_session(
    client: FormClient, card: Card, create_card: Callable[..., Card], profile: object, path: str
) -> None:
    create_card(token="WAITING2", code="CARD2345")
    response = client.get(path)
    assert response.headers.getlist("Set-Cookie") == []
    assert rows() == 0


def test_a_form_with_a_csrf_token_starts_a_session(client: FormClient) -> None:
    client.get("/log-in")
    row = row_of(client)
    assert row is not None
    assert (row.user_id, rows()) == (None, 1)
    client.get("/log-in")
    assert rows() == 1


def test_two_browsers_have_two_sessions(new_client: Callable[[], FormClient]) -> None:
    one, other = new_client(), new_client()
    one.get("/log-in")
    other.get("/log-in")
    assert cookie_of(one) != cookie_of(other)
    assert rows() == 2


def test_a_session_row_holds_user_browser_and_time(client: FormClient, ada: User) -> None:
    client.environ_base["HTTP_USER_AGENT"] = "A phone " + "x" * 300
    login(client, ada)
    row = row_of(client)
    assert row is not None
    assert (row.user_id, row.device) == (ada.id, ("A phone " + "x" * 300)[:200])
    assert row.created_at <= row.seen_at <= utcnow() < row.expires_at


# --- session ids ------------------------------------------------------------------------------------------------------


def test_a_session_id_invented_by_the_browser_is_never_accepted(client: FormClient, ada: User) -> None:
    client.set_cookie("tc_session", MADE_UP)
    client.get("/log-in")
    assert cookie_of(client) not in ("", MADE_UP)
    client.set_cookie("tc_session", MADE_UP)
    login(client, ada)
    hashes = db.session.scalars(sa.select(WebSession.sid_hash)).all()
    assert hashes
    assert hash_session_id(MADE_UP) not in hashes


def test_login_invalidates_the_former_session_id(
    client: FormClient, new_client: Callable[[], FormClient], ada: User
) -> None:
    client.get("/log-in")
    planted = cookie_of(client)
    login(client, ada)
    thief = new_client()
    thief.set_cookie("tc_session", planted)
    assert thief.get("/dashboard").status_code == 302
    assert client.get("/dashboard").status_code == 200


def test_the_session_id_is_not_stored_in_the_database(client: FormClient, ada: User) -> None:
    login(client, ada)
    value = cookie_of(client)
    assert len(value) >= 43
    everything = [str(row) for table in db.metadata.sorted_tables for row in db.session.execute(sa.select(table))]
    assert any(hash_session_id(value) in row for row in everything)
    assert not [row for row in everything if value in row]


@pytest.mark.parametrize("odd", ["", " ", "x" * 3000, "\u00fc", "a;b", "%00", '"quoted"', "' OR 1=1 --"])
def test_an_invalid_cookie_gives_no_session(client: FormClient, odd: str) -> None:
    client.set_cookie("tc_session", odd)
    assert client.get("/dashboard").status_code == 302
    assert rows() == 0


# --- cookies ----------------------------------------------------------------------------------------------------------


def test_cookies_are_http_only_and_same_site(client: FormClient, ada: User) -> None:
    cookies = set_cookies(login(client, ada))
    assert set(cookies) == {"tc_session", "tc_me"}
    for header in cookies.values():
        flags = {part.strip() for part in header.split(";")[1:]}
        assert flags == {"HttpOnly", "SameSite=Lax", "Path=/"}


def test_cookies_are_secure_on_https_sites(other_app: Callable[..., Flask], ada: User) -> None:
    client = other_app(site_url="https://cards.example.com").test_client()
    client.environ_base["wsgi.url_scheme"] = "https"
    cookies = set_cookies(login(client, ada))
    assert set(cookies) == {"tc_session", "tc_me"}
    assert all("; Secure" in header for header in cookies.values())


def test_the_own_taps_cookie_is_set_and_cleared_with_the_session(app: Flask, client: FormClient, ada: User) -> None:
    login(client, ada)
    assert app.extensions["keys"].unsign_me(cookie_of(client, "tc_me")) == ada.id
    gone = set_cookies(client.post("/log-out"))["tc_me"]
    assert gone.startswith("tc_me=;")
    assert "Expires=Thu, 01 Jan 1970" in gone
    assert "HttpOnly" in gone
    assert cookie_of(client, "tc_me") == ""


def test_a_forged_own_taps_cookie_is_ignored(app: Flask, client: FormClient, ada: User, cleo: User) -> None:
    login(client, ada)
    signature = cookie_of(client, "tc_me").rpartition(".")[2]
    for forged in (f"{cleo.id}.{signature}", str(cleo.id), f"{ada.id}.", "", None, "x" * 300):
        assert app.extensions["keys"].unsign_me(forged) is None


# --- lifetime ---------------------------------------------------------------------------------------------------------


def test_the_last_seen_time_is_written_at_most_once_a_minute(client: FormClient, ada: User) -> None:
    login(client, ada)
    client.get("/dashboard")  # stores the CSRF token in the session, which is a write of its own
    lately, long_ago = utcnow() - timedelta(seconds=30), utcnow() - timedelta(seconds=61)
    change(client, seen_at=lately)
    client.get("/dashboard")
    row = row_of(client)
    assert row is not None
    assert row.seen_at == lately
    change(client, seen_at=long_ago, expires_at=utcnow() + timedelta(hours=1))
    client.get("/dashboard")
    db.session.refresh(row)
    assert row.seen_at > lately
    assert row.expires_at > utcnow() + sessions.IDLE_LIFETIME - timedelta(minutes=1)


def test_remember_me_extends_the_session_and_the_cookie(client: FormClient, ada: User) -> None:
    header = set_cookies(login(client, ada, remember="y"))["tc_session"]
    row = row_of(client)
    assert row is not None
    assert row.expires_at > utcnow() + sessions.REMEMBERED_LIFETIME - timedelta(minutes=1)
    assert "Expires=" in header


def test_a_session_ends_with_the_browser_or_after_half_a_day(client: FormClient, ada: User) -> None:
    header = set_cookies(login(client, ada))["tc_session"]
    row = row_of(client)
    assert row is not None
    assert row.expires_at < utcnow() + sessions.IDLE_LIFETIME + timedelta(minutes=1)
    assert "Expires=" not in header


def test_an_expired_session_is_refused(client: FormClient, ada: User) -> None:
    login(client, ada)
    change(client, expires_at=utcnow() - timedelta(seconds=1))
    assert client.get("/dashboard").location == "/log-in?next=/dashboard"


def test_the_worker_deletes_expired_sessions(
    client: FormClient, new_client: Callable[[], FormClient], ada: User
) -> None:
    other = new_client()
    for browser in (client, other):
        login(browser, ada)
    change(client, expires_at=utcnow() - timedelta(seconds=1))
    assert sessions.delete_expired() == 1
    db.session.commit()
    assert row_of(client) is None
    assert row_of(other) is not None
    assert other.get("/dashboard").status_code == 200


def test_logging_out_ends_only_this_session(
    client: FormClient, new_client: Callable[[], FormClient], ada: User
) -> None:
    other = new_client()
    for browser in (client, other):
        login(browser, ada)
    stolen = cookie_of(client)
    client.post("/log-out")
    client.set_cookie("tc_session", stolen)
    assert client.get("/dashboard").status_code == 302
    assert other.get("/dashboard").status_code == 200


# --- failing views ----------------------------------------------------------------------------------------------------


@pytest.fixture
def stage(other_app: Callable[..., Flask]) -> Flask:
    """Create an application with views that start a change and then raise an error."""
    other = other_app()
    other.config["PROPAGATE_EXCEPTIONS"] = False

    def begin() -> None:
        db.session.add(CardBatch(name="half done"))
        db.session.flush()  # sent to the database, not committed
        flash("You cannot do that.")

    def refused(how: str) -> tuple[str, int]:
        begin()
        if how == "by a rule":
            raise DomainError("No.")
        if how == "by a status":
            abort(404)
        if how == "by a fault":
            raise ZeroDivisionError
        return "no", 422

    def ended() -> str:
        with sessions.separate_transaction() as connection:
            connection.execute(sa.delete(WebSession))
        flash("Too late.")
        return "ended"

    other.add_url_rule("/test/refused/<how>", view_func=refused, methods=["GET", "POST"])
    other.add_url_rule("/test/ended", view_func=ended, methods=["POST"])
    other.add_url_rule("/test/what", view_func=lambda: str(session.get("_flashes")))
    return other


@pytest.mark.parametrize("how", ["by a rule", "by a status", "by a fault", "by an answer"])
def test_a_failing_view_changes_nothing_but_keeps_its_message(stage: Flask, ada: User, how: str) -> None:
    client: FormClient = stage.test_client()  # type: ignore[assignment]
    login(client, ada)
    response = client.post(f"/test/refused/{how}")
    assert response.status_code >= 400
    assert db.session.scalar(sa.select(sa.func.count()).select_from(CardBatch)) == 0
    assert "You cannot do that." in response.text + client.get("/dashboard").text, "what it said is shown all the same"


def test_a_session_ended_during_a_request_is_not_restored(stage: Flask, ada: User) -> None:
    client: FormClient = stage.test_client()  # type: ignore[assignment]
    login(client, ada)
    assert client.post("/test/ended").text == "ended"
    assert rows() == 0
    assert client.get("/dashboard").status_code == 302


def test_session_data_is_not_shared_between_browsers(stage: Flask, ada: User) -> None:
    one, other = stage.test_client(), stage.test_client()
    for client in (one, other):
        login(client, ada)  # type: ignore[arg-type]
    one.post("/test/refused/by an answer")
    assert "You cannot do that." in one.get("/test/what").text
    assert other.get("/test/what").text == "None"
