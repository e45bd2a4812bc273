"""The fast path in front of Flask: equal responses, immediate effect of edits, failing databases."""

import dataclasses
import json
import os
import sqlite3
import subprocess
import sys
from collections.abc import Callable
from pathlib import Path
from typing import Any

import psycopg
import pytest
import sqlalchemy as sa
from flask import Flask
from hypothesis import HealthCheck, example, given, settings
from hypothesis import strategies as st

from config import Config
from tapcard.db import db
from tapcard.models import Card, CardStatus, ClaimPolicy, LockedBecause, Profile, Target, User
from tapcard.services.cards import blocked_hosts, cards, transitions
from tapcard.tap.fast import FastTaps
from tests.tap_requests import (
    WsgiResponse,
    app_for_path,
    both_paths,
    drain,
    fast_path,
    send_request,
    spool_lines,
    stored_taps,
)

pytestmark = pytest.mark.sql

ROOT = Path(__file__).resolve().parents[2]
TOKENS = ("FASTCARD", "PROCARD", "NEWCARD", "LOSTCARD", "OLDCARD", "BLANKCARD", "NOSUCHCARD")
UNUSUAL = (
    "",
    "%00",
    "%20",
    "%0A",
    "%09",
    "%7F",
    "%C3%A9",
    "%FF",
    "%E2%80%AE",
    "%EF%BC%A1",
    ";a=1",
    "%2F",
    "%3F",
    "+",
    ".",
)


@pytest.fixture
def all_cards(create_card: Callable[..., Card], ada: User, profile: Profile) -> None:
    """Create a card of every kind."""
    create_card(ada, token="FASTCARD", url="https://example.com/caf%C3%A9?x=1")
    create_card(ada, token="PROCARD", profile=profile)
    create_card(token="NEWCARD", policy=ClaimPolicy.OPEN)
    lost = {"status": CardStatus.LOCKED, "locked_because": LockedBecause.LOST}
    create_card(ada, token="LOSTCARD", url="https://example.com/", **lost)
    create_card(ada, token="OLDCARD", url="https://example.com/", status=CardStatus.RETIRED)
    create_card(ada, token="BLANKCARD")


# --- equal responses --------------------------------------------------------------------------------------------------


def random_case(token: str) -> st.SearchStrategy[str]:
    return st.lists(st.booleans(), min_size=len(token), max_size=len(token)).map(
        lambda lower: "".join(
            character.lower() if low else character for character, low in zip(token, lower, strict=True)
        )
    )


def partly_encoded(token: str) -> st.SearchStrategy[str]:
    return st.lists(st.booleans(), min_size=len(token), max_size=len(token)).map(
        lambda coded: "".join(
            f"%{ord(character):02x}" if code else character for character, code in zip(token, coded, strict=True)
        )
    )


a_token = st.sampled_from(TOKENS).flatmap(random_case).flatmap(partly_encoded)
anything = st.one_of(
    st.text(alphabet="AZaz09", min_size=19, max_size=25),
    st.lists(st.integers(0, 255), max_size=25).map(lambda values: "".join(f"%{value:02X}" for value in values)),
)
paths = st.builds(
    "{}{}{}{}{}".format,
    st.sampled_from(["/t/"] * 4 + ["/q/", "/card/", "/t//", "//t/", "/T/", "/t%2F", "/./t/", "/activate/"]),
    st.sampled_from(["", "", "", *UNUSUAL]),
    st.one_of(a_token, a_token, a_token, anything),
    st.sampled_from(["", "", "", *UNUSUAL]),
    st.sampled_from(["", "/", "//", "?x=1&x=2", "/?next=//evil.example"]),
)
cookies = st.sampled_from([{}, {}, {"tc_checkin": "1"}, {"x": "1", "tc_checkin": "a.b"}, {"tc_me": "1.forged"}])


@given(
    path=paths,
    method=st.sampled_from(["GET", "GET", "HEAD"]),
    script_name=st.sampled_from(["", "", "/shop", "/a b"]),
    cookies=cookies,
    purpose=st.sampled_from(["", "prefetch"]),
)
@example(path="/t/fastcard/", method="GET", script_name="/shop", cookies={}, purpose="")
@example(path="/card/%46ASTCARD", method="HEAD", script_name="", cookies={"tc_checkin": "1"}, purpose="")
@example(path="/t/FASTCARD%0A", method="GET", script_name="", cookies={}, purpose="")
@example(path="/t/" + "A" * 25, method="GET", script_name="", cookies={}, purpose="")
@settings(
    max_examples=250, deadline=None, derandomize=True, suppress_health_check=[HealthCheck.function_scoped_fixture]
)
def test_both_paths_give_identical_responses(
    app: Flask, all_cards: None, path: str, method: str, script_name: str, cookies: dict[str, str], purpose: str
) -> None:
    environ = {"SCRIPT_NAME": script_name, "HTTP_SEC_PURPOSE": purpose}
    fast, slow = (
        send_request(app_for_path(app, tap_path), path, method, cookies=cookies, **environ)
        for tap_path in ("fast", "slow")
    )
    assert fast == slow
    assert fast.status < 500


@both_paths
def test_a_redirect_has_exactly_these_headers(app: Flask, all_cards: None, tap_path: str) -> None:
    response = send_request(app_for_path(app, tap_path), "/t/FASTCARD")
    assert response == WsgiResponse(
        302,
        (
            ("Cache-Control", "no-store"),
            ("Content-Length", "0"),
            ("Location", "https://example.com/caf%C3%A9?x=1"),
            ("X-Content-Type-Options", "nosniff"),
        ),
        b"",
    )


@both_paths
def test_a_redirect_in_production_sends_strict_transport_security(
    app: Flask, all_cards: None, monkeypatch: pytest.MonkeyPatch, tap_path: str
) -> None:
    production = dataclasses.replace(app.config["TAPCARD"], environment="production")
    monkeypatch.setitem(app.config, "TAPCARD", production)
    front = fast_path(app)
    strict = FastTaps(front.wsgi_app, front.recorder.engine, front.recorder, is_secure=production.is_production)
    response = send_request(strict if tap_path == "fast" else front.wsgi_app, "/t/FASTCARD")
    assert response.get("Strict-Transport-Security") == "max-age=31536000; includeSubDomains"


@pytest.mark.parametrize("path", ["/t/FASTCARD", "/q/fastcard", "/card/FastCard/", "/card/FASTCARD"])
def test_a_plain_redirect_never_reaches_flask(app: Flask, all_cards: None, path: str) -> None:
    front = fast_path(app)
    passed_on: list[str] = []
    alone = FastTaps(
        lambda environ, _start: passed_on.append(environ["PATH_INFO"]) or [], front.recorder.engine, front.recorder
    )
    assert send_request(alone, path).status == 302
    assert passed_on == []


@pytest.mark.parametrize(
    ("path", "cookies"),
    [
        ("/t/FASTCARD", {"tc_checkin": "1"}),
        ("/t/FASTCARD", {"tc_me": "1.x", "tc_checkin": "1"}),
        *((f"/t/{token}", {}) for token in TOKENS[1:]),
        ("/t/FASTCARD/more", {}),
        ("/p/ada", {}),
    ],
)
def test_every_other_request_is_passed_to_flask(
    app: Flask, all_cards: None, path: str, cookies: dict[str, str]
) -> None:
    front = fast_path(app)
    alone = FastTaps(unexpected, front.recorder.engine, front.recorder)
    with pytest.raises(AssertionError, match="the fast path should have answered"):
        send_request(alone, path, cookies=cookies)
    assert list(spool_lines(app.extensions["spool"])) == []


def test_taps_are_recorded_with_the_fast_path_switched_off(other_app: Callable[..., Flask], all_cards: None) -> None:
    app = other_app(tap_fast=False)
    assert app.wsgi_app is app.extensions["without_fast_taps"]
    assert send_request(app.wsgi_app, "/q/FASTCARD").get("Location") == "https://example.com/caf%C3%A9?x=1"
    assert [line["channel"] for line in spool_lines(app.extensions["spool"])] == ["qr"]


# --- immediate effect -------------------------------------------------------------------------------------------------


def set_target(card: Card, owner: User, url: str) -> None:
    cards.edit(card, owner, cards.CardChanges(target=Target.URL, reroute_url=url), own_hosts=())
    db.session.commit()


@both_paths
def test_an_edit_applies_from_the_next_tap(app: Flask, card: Card, ada: User, tap_path: str) -> None:
    for number in range(3):
        set_target(card, ada, f"https://example.com/{number}")
        assert (
            send_request(app_for_path(app, tap_path), "/t/ADASCARD").get("Location") == f"https://example.com/{number}"
        )


@both_paths
def test_locking_and_blocking_apply_from_the_next_tap(
    app: Flask, card: Card, ada: User, ben: User, tap_path: str
) -> None:
    def location() -> str | None:
        return send_request(app_for_path(app, tap_path), "/t/ADASCARD").get("Location")

    assert location() == "https://example.com/"
    transitions.lock(card, LockedBecause.LOST, ada)
    assert location() is None
    transitions.unlock(card, ada)
    assert location() == "https://example.com/"
    blocked_hosts.block_host("example.com", ben)
    assert location() is None
    blocked_hosts.unblock_host("example.com", ben)
    assert location() == "https://example.com/"


def test_an_uncommitted_edit_is_not_visible(app: Flask, card: Card, ada: User) -> None:
    set_target(card, ada, "https://example.com/kept")
    card_id = card.id
    db.session.commit()
    with sa.create_engine(app.config["SQLALCHEMY_DATABASE_URI"]).connect() as connection:
        connection.execute(sa.update(Card).where(Card.id == card_id).values(reroute_url="https://example.com/draft"))
        assert send_request(app.wsgi_app, "/t/ADASCARD").get("Location") == "https://example.com/kept"
        connection.rollback()


# --- failing databases ------------------------------------------------------------------------------------------------


@pytest.fixture(params=["no server", "no database file"])
def broken_app(request: pytest.FixtureRequest, other_app: Callable[..., Flask], tmp_path: Path) -> Flask:
    """Create an application with an unusable database."""
    if request.param == "no server":
        return other_app(database_url="postgresql+psycopg://nobody@127.0.0.1:1/none?connect_timeout=2")
    (tmp_path / "broken.sqlite").write_bytes(b"This is a letter, not a database. " * 300)
    return other_app(database_url=f"sqlite:///{tmp_path / 'broken.sqlite'}")


@both_paths
@pytest.mark.parametrize("method", ["GET", "HEAD"])
@pytest.mark.parametrize("path", ["/t/FASTCARD", "/q/NOSUCHCARD", "/card/PROCARD/"])
def test_an_unavailable_database_gives_a_503_response(
    broken_app: Flask, all_cards: None, tap_path: str, method: str, path: str
) -> None:
    response = send_request(
        app_for_path(broken_app, tap_path), path, method, cookies={"tc_session": "x", "tc_me": "1.x"}
    )
    assert response.status == 503
    assert int(response.get("Retry-After") or 0) > 0
    assert response.get("Location") is None
    assert response.get("Set-Cookie") is None
    for trace in (b"Traceback", b"sqlite3", b"psycopg", b"sqlalchemy", b"File &#34;"):
        assert trace not in response.body
    assert list(spool_lines(broken_app.extensions["spool"])) == []


def test_a_broken_connection_is_replaced(app: Flask, all_cards: None) -> None:
    front = fast_path(app)
    alone = FastTaps(unexpected, front.recorder.engine, front.recorder)
    assert send_request(alone, "/t/FASTCARD").status == 302
    break_connection(alone)
    assert send_request(alone, "/t/FASTCARD").status == 302


def unexpected(*_arguments: object) -> Any:
    raise AssertionError("the fast path should have answered")


def break_connection(front: FastTaps) -> None:
    """Break the connection that this thread uses for lookups."""
    look_up = front._local.look_up
    if hasattr(look_up, "connection"):
        with psycopg.connect(look_up.connection.info.dsn, autocommit=True) as connection:
            pid = look_up.connection.info.backend_pid
            assert connection.execute("SELECT pg_terminate_backend(%s, 5000)", [pid]).fetchone() == (True,)
    else:
        (execute,) = (cell.cell_contents for cell in look_up.__closure__ if callable(cell.cell_contents))
        execute.__self__.close()


def test_a_lookup_that_fails_twice_is_passed_to_flask(
    app: Flask, all_cards: None, monkeypatch: pytest.MonkeyPatch
) -> None:
    tried = []

    def fail() -> Any:
        tried.append(1)
        raise sqlite3.OperationalError("disk I/O error")

    front = FastTaps(fast_path(app).wsgi_app, fast_path(app).recorder.engine, fast_path(app).recorder)
    monkeypatch.setattr(front, "_connect", fail)
    assert send_request(front, "/t/FASTCARD").get("Location") == "https://example.com/caf%C3%A9?x=1"
    assert len(tried) == 2


# --- proxies, processes, storage --------------------------------------------------------------------------------------


@both_paths
@pytest.mark.parametrize(("trusted", "is_told_apart"), [(0, False), (1, True)])
def test_a_forwarded_address_is_used_only_behind_trusted_proxies(
    other_app: Callable[..., Flask], all_cards: None, tap_path: str, trusted: int, is_told_apart: bool
) -> None:
    app = other_app(trusted_proxies=trusted, tap_fast=tap_path == "fast")
    for address in ("203.0.113.1", "203.0.113.2", "203.0.113.2"):
        assert send_request(app.wsgi_app, "/t/FASTCARD", HTTP_X_FORWARDED_FOR=address).status == 302
    visitors = [line["visitor"] for line in spool_lines(app.extensions["spool"])]
    assert visitors[1] == visitors[2]
    assert (visitors[0] != visitors[1]) is is_told_apart


FORKING = """
import json, os, sys
from config import Config
from tapcard.app import create_app
from tests.tap_requests import fast_path, send_request, spool_lines

app = create_app(Config.from_env())
front = fast_path(app)
with app.app_context():
    assert send_request(front, "/t/FASTCARD").status == 302
    before = front._local.look_up
    if os.fork() == 0:
        try:
            assert send_request(front, "/t/FASTCARD").status == 302
            assert front._local.look_up is not before
        except BaseException as error:
            print(repr(error), file=sys.stderr, flush=True)
            os._exit(1)
        os._exit(0)
    _pid, status = os.wait()
    assert send_request(front, "/t/FASTCARD").status == 302
    spool = app.extensions["spool"]
    print(json.dumps({
        "status": status,
        "is_kept": front._local.look_up is before,
        "files": len(spool.files()),
        "lots": [line["uid"][12:26] for line in spool_lines(spool)],
    }))
"""


def test_a_forked_process_shares_no_connection_file_or_uid_prefix(
    base_config: Config, all_cards: None, tmp_path: Path
) -> None:
    environ = {
        **os.environ,
        "APP_ENV": "testing",
        "INSTANCE_PATH": str(tmp_path),
        "DATABASE_URL": base_config.database_url,
        "SECRET_KEY": base_config.secret_key,
    }
    done = subprocess.run(
        [sys.executable, "-c", FORKING], cwd=ROOT, env=environ, capture_output=True, text=True, timeout=60, check=False
    )
    assert done.returncode == 0, done.stderr
    report = json.loads(done.stdout.splitlines()[-1])
    assert (report["status"], report["is_kept"], report["files"]) == (0, True, 2)
    assert len(report["lots"]) == 3
    assert len(set(report["lots"])) == 2


def test_every_redirect_is_stored_once(app: Flask, all_cards: None) -> None:
    for number in range(25):
        assert send_request(app.wsgi_app, "/t/FASTCARD", HTTP_USER_AGENT=f"phone {number}").status == 302
    assert drain() == 25
    assert drain() == 0
    assert len({tap.uid for tap in stored_taps()}) == 25
