"""The fast way in front of Flask: the same answers, at once after an edit, and never a wrong page."""

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
from tests.taps import Answer, ask, both_ways, drain, fast_way, lines, taps, wsgi_of

pytestmark = pytest.mark.sql

ROOT = Path(__file__).resolve().parents[2]
TOKENS = ("FASTCARD", "PROCARD", "NEWCARD", "LOSTCARD", "OLDCARD", "BLANKCARD", "NOSUCHCARD")
ODD = ("", "%00", "%20", "%0A", "%09", "%7F", "%C3%A9", "%FF", "%E2%80%AE", "%EF%BC%A1", ";a=1", "%2F", "%3F", "+", ".")


@pytest.fixture
def hand(create_card: Callable[..., Card], ada: User, profile: Profile) -> None:
    """A card of every kind."""
    create_card(ada, token="FASTCARD", url="https://example.com/caf%C3%A9?x=1")
    create_card(ada, token="PROCARD", profile=profile)
    create_card(token="NEWCARD", policy=ClaimPolicy.OPEN)
    lost = {"status": CardStatus.LOCKED, "locked_because": LockedBecause.LOST}
    create_card(ada, token="LOSTCARD", url="https://example.com/", **lost)
    create_card(ada, token="OLDCARD", url="https://example.com/", status=CardStatus.RETIRED)
    create_card(ada, token="BLANKCARD")


# --- the same by both ways --------------------------------------------------------------------------------------------


def in_any_case(token: str) -> st.SearchStrategy[str]:
    return st.lists(st.booleans(), min_size=len(token), max_size=len(token)).map(
        lambda lower: "".join(each.lower() if low else each for each, low in zip(token, lower, strict=True))
    )


def partly_encoded(token: str) -> st.SearchStrategy[str]:
    return st.lists(st.booleans(), min_size=len(token), max_size=len(token)).map(
        lambda coded: "".join(f"%{ord(each):02x}" if code else each for each, code in zip(token, coded, strict=True))
    )


a_token = st.sampled_from(TOKENS).flatmap(in_any_case).flatmap(partly_encoded)
anything = st.one_of(
    st.text(alphabet="AZaz09", min_size=19, max_size=25),
    st.lists(st.integers(0, 255), max_size=25).map(lambda values: "".join(f"%{value:02X}" for value in values)),
)
paths = st.builds(
    "{}{}{}{}{}".format,
    st.sampled_from(["/t/"] * 4 + ["/q/", "/card/", "/t//", "//t/", "/T/", "/t%2F", "/./t/", "/activate/"]),
    st.sampled_from(["", "", "", *ODD]),
    st.one_of(a_token, a_token, a_token, anything),
    st.sampled_from(["", "", "", *ODD]),
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
def test_both_ways_give_the_same_answer_to_the_last_header(
    app: Flask, hand: None, path: str, method: str, script_name: str, cookies: dict[str, str], purpose: str
) -> None:
    environ = {"SCRIPT_NAME": script_name, "HTTP_SEC_PURPOSE": purpose}
    fast, slow = (ask(wsgi_of(app, way), path, method, cookies=cookies, **environ) for way in ("fast", "slow"))
    assert fast == slow
    assert fast.status < 500


@both_ways
def test_a_redirect_carries_these_headers_and_no_others(app: Flask, hand: None, way: str) -> None:
    answer = ask(wsgi_of(app, way), "/t/FASTCARD")
    assert answer == Answer(
        302,
        (
            ("Cache-Control", "no-store"),
            ("Content-Length", "0"),
            ("Location", "https://example.com/caf%C3%A9?x=1"),
            ("X-Content-Type-Options", "nosniff"),
        ),
        b"",
    )


@both_ways
def test_in_production_a_redirect_insists_on_encryption(
    app: Flask, hand: None, monkeypatch: pytest.MonkeyPatch, way: str
) -> None:
    production = dataclasses.replace(app.config["TAPCARD"], environment="production")
    monkeypatch.setitem(app.config, "TAPCARD", production)
    front = fast_way(app)
    strict = FastTaps(front.wsgi_app, front.recorder.engine, front.recorder, is_secure=production.is_production)
    answer = ask(strict if way == "fast" else front.wsgi_app, "/t/FASTCARD")
    assert answer.get("Strict-Transport-Security") == "max-age=31536000; includeSubDomains"


@pytest.mark.parametrize("path", ["/t/FASTCARD", "/q/fastcard", "/card/FastCard/", "/card/FASTCARD"])
def test_a_plain_redirect_never_reaches_flask(app: Flask, hand: None, path: str) -> None:
    front = fast_way(app)
    asked: list[str] = []
    alone = FastTaps(
        lambda environ, _start: asked.append(environ["PATH_INFO"]) or [], front.recorder.engine, front.recorder
    )
    assert ask(alone, path).status == 302
    assert asked == []


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
def test_everything_else_is_left_to_flask(app: Flask, hand: None, path: str, cookies: dict[str, str]) -> None:
    front = fast_way(app)
    alone = FastTaps(unexpected, front.recorder.engine, front.recorder)
    with pytest.raises(AssertionError, match="the fast way should have answered"):
        ask(alone, path, cookies=cookies)
    assert list(lines(app.extensions["spool"])) == []


def test_a_tap_that_is_answered_without_the_fast_way_is_counted_as_well(
    other_app: Callable[..., Flask], hand: None
) -> None:
    app = other_app(tap_fast=False)
    assert app.wsgi_app is app.extensions["without_fast_taps"]
    assert ask(app.wsgi_app, "/q/FASTCARD").get("Location") == "https://example.com/caf%C3%A9?x=1"
    assert [line["channel"] for line in lines(app.extensions["spool"])] == ["qr"]


# --- no cache ---------------------------------------------------------------------------------------------------------


def lead(card: Card, owner: User, url: str) -> None:
    cards.edit(card, owner, cards.CardChanges(target=Target.URL, reroute_url=url), own_hosts=())
    db.session.commit()


@both_ways
def test_the_very_next_tap_after_an_edit_goes_to_the_new_place(app: Flask, card: Card, ada: User, way: str) -> None:
    for number in range(3):
        lead(card, ada, f"https://example.com/{number}")
        assert ask(wsgi_of(app, way), "/t/ADASCARD").get("Location") == f"https://example.com/{number}"


@both_ways
def test_the_very_next_tap_after_a_card_is_lost_or_its_host_blocked_leads_nowhere(
    app: Flask, card: Card, ada: User, ben: User, way: str
) -> None:
    def location() -> str | None:
        return ask(wsgi_of(app, way), "/t/ADASCARD").get("Location")

    assert location() == "https://example.com/"
    transitions.lock(card, LockedBecause.LOST, ada)
    assert location() is None
    transitions.unlock(card, ada)
    assert location() == "https://example.com/"
    blocked_hosts.block_host("example.com", ben)
    assert location() is None
    blocked_hosts.unblock_host("example.com", ben)
    assert location() == "https://example.com/"


def test_an_edit_that_is_not_committed_does_not_show(app: Flask, card: Card, ada: User) -> None:
    lead(card, ada, "https://example.com/kept")
    card_id = card.id
    db.session.commit()
    with sa.create_engine(app.config["SQLALCHEMY_DATABASE_URI"]).connect() as other:
        other.execute(sa.update(Card).where(Card.id == card_id).values(reroute_url="https://example.com/draft"))
        assert ask(app.wsgi_app, "/t/ADASCARD").get("Location") == "https://example.com/kept"
        other.rollback()


# --- a database in trouble --------------------------------------------------------------------------------------------


@pytest.fixture(params=["no server", "no database file"])
def broken_app(request: pytest.FixtureRequest, other_app: Callable[..., Flask], tmp_path: Path) -> Flask:
    """An application whose database cannot be used."""
    if request.param == "no server":
        return other_app(database_url="postgresql+psycopg://nobody@127.0.0.1:1/none?connect_timeout=2")
    (tmp_path / "broken.sqlite").write_bytes(b"This is a letter, not a database. " * 300)
    return other_app(database_url=f"sqlite:///{tmp_path / 'broken.sqlite'}")


@both_ways
@pytest.mark.parametrize("method", ["GET", "HEAD"])
@pytest.mark.parametrize("path", ["/t/FASTCARD", "/q/NOSUCHCARD", "/card/PROCARD/"])
def test_a_database_that_cannot_be_used_is_a_pause_and_never_a_wrong_page(
    broken_app: Flask, hand: None, way: str, method: str, path: str
) -> None:
    answer = ask(wsgi_of(broken_app, way), path, method, cookies={"tc_session": "x", "tc_me": "1.x"})
    assert answer.status == 503
    assert int(answer.get("Retry-After") or 0) > 0
    assert answer.get("Location") is None
    assert answer.get("Set-Cookie") is None
    for trace in (b"Traceback", b"sqlite3", b"psycopg", b"sqlalchemy", b"File &#34;"):
        assert trace not in answer.body
    assert list(lines(broken_app.extensions["spool"])) == []


def test_a_connection_that_broke_is_replaced_before_anybody_notices(app: Flask, hand: None) -> None:
    front = fast_way(app)
    alone = FastTaps(unexpected, front.recorder.engine, front.recorder)
    assert ask(alone, "/t/FASTCARD").status == 302
    close(alone)
    assert ask(alone, "/t/FASTCARD").status == 302


def unexpected(*_arguments: object) -> Any:
    raise AssertionError("the fast way should have answered")


def close(front: FastTaps) -> None:
    """Break the connection that this thread looks up by."""
    look_up = front._local.look_up
    if hasattr(look_up, "connection"):
        with psycopg.connect(look_up.connection.info.dsn, autocommit=True) as other:
            pid = look_up.connection.info.backend_pid
            assert other.execute("SELECT pg_terminate_backend(%s, 5000)", [pid]).fetchone() == (True,)
    else:
        (execute,) = (cell.cell_contents for cell in look_up.__closure__ if callable(cell.cell_contents))
        execute.__self__.close()


def test_a_lookup_that_fails_twice_is_left_to_flask(app: Flask, hand: None, monkeypatch: pytest.MonkeyPatch) -> None:
    tried = []

    def fail() -> Any:
        tried.append(1)
        raise sqlite3.OperationalError("disk I/O error")

    front = FastTaps(fast_way(app).wsgi_app, fast_way(app).recorder.engine, fast_way(app).recorder)
    monkeypatch.setattr(front, "_connect", fail)
    assert ask(front, "/t/FASTCARD").get("Location") == "https://example.com/caf%C3%A9?x=1"
    assert len(tried) == 2


# --- around it --------------------------------------------------------------------------------------------------------


@both_ways
@pytest.mark.parametrize(("trusted", "is_told_apart"), [(0, False), (1, True)])
def test_the_address_a_proxy_tells_counts_only_when_proxies_are_trusted(
    other_app: Callable[..., Flask], hand: None, way: str, trusted: int, is_told_apart: bool
) -> None:
    app = other_app(trusted_proxies=trusted, tap_fast=way == "fast")
    for address in ("203.0.113.1", "203.0.113.2", "203.0.113.2"):
        assert ask(app.wsgi_app, "/t/FASTCARD", HTTP_X_FORWARDED_FOR=address).status == 302
    visitors = [line["visitor"] for line in lines(app.extensions["spool"])]
    assert visitors[1] == visitors[2]
    assert (visitors[0] != visitors[1]) is is_told_apart


FORKING = """
import json, os, sys
from config import Config
from tapcard.app import create_app
from tests.taps import ask, fast_way, lines

app = create_app(Config.from_env())
front = fast_way(app)
with app.app_context():
    assert ask(front, "/t/FASTCARD").status == 302
    before = front._local.look_up
    if os.fork() == 0:
        try:
            assert ask(front, "/t/FASTCARD").status == 302
            assert front._local.look_up is not before
        except BaseException as error:
            print(repr(error), file=sys.stderr, flush=True)
            os._exit(1)
        os._exit(0)
    _pid, status = os.wait()
    assert ask(front, "/t/FASTCARD").status == 302
    spool = app.extensions["spool"]
    print(json.dumps({
        "status": status,
        "is_kept": front._local.look_up is before,
        "files": len(spool.files()),
        "lots": [line["uid"][12:26] for line in lines(spool)],
    }))
"""


def test_a_forked_process_shares_neither_connection_nor_file_nor_lot(
    base_config: Config, hand: None, tmp_path: Path
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
    told = json.loads(done.stdout.splitlines()[-1])
    assert (told["status"], told["is_kept"], told["files"]) == (0, True, 2)
    assert len(told["lots"]) == 3
    assert len(set(told["lots"])) == 2


def test_every_answer_of_the_fast_way_is_in_the_tables_once(app: Flask, hand: None) -> None:
    for number in range(25):
        assert ask(app.wsgi_app, "/t/FASTCARD", HTTP_USER_AGENT=f"phone {number}").status == 302
    assert drain() == 25
    assert drain() == 0
    assert len({tap.uid for tap in taps()}) == 25
