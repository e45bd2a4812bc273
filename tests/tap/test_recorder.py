"""Writing a tap down: what a line says, and what happens when there is no place to write it."""

import errno
import os
import shutil
from collections.abc import Callable, Iterator
from pathlib import Path
from typing import Any

import pytest
import sqlalchemy as sa
from flask import Flask
from hypothesis import HealthCheck, given, settings
from hypothesis import strategies as st
from sqlalchemy.engine import Engine
from werkzeug.test import EnvironBuilder

from tapcard.db import db
from tapcard.models import Card, Channel, Outcome, SpoolFile, User
from tapcard.services.taps.ingest import ReadingStore, parse_reading
from tapcard.spool import Spool, decode, encode
from tapcard.tap.recorder import CardIds, TapRecorder, cookie, is_counted
from tapcard.workflows import taps as tap_jobs
from tests.taps import PHONE, ask, both_ways, counts, drain, lines, taps, unreachable, wsgi_of
from tests.watching import together

pytestmark = pytest.mark.sql

real_write = os.write


@pytest.fixture
def spool(app: Flask) -> Spool:
    return app.extensions["spool"]  # type: ignore[no-any-return]


@pytest.fixture
def recorder(app: Flask) -> TapRecorder:
    return app.extensions["tap_recorder"]  # type: ignore[no-any-return]


def environ(method: str = "GET", **values: str) -> dict[str, Any]:
    return {**EnvironBuilder(method=method).get_environ(), "REMOTE_ADDR": "203.0.113.9", **values}


def record(recorder: TapRecorder, **values: str) -> None:
    recorder.record(environ(**values), "nfc", "redirect", CardIds(1, 2, 3))


# --- what counts ------------------------------------------------------------------------------------------------------


@pytest.mark.parametrize(
    "values",
    [
        {"method": "HEAD"},
        {"HTTP_SEC_PURPOSE": "prefetch"},
        {"HTTP_SEC_PURPOSE": "prefetch;prerender"},
        {"HTTP_SEC_PURPOSE": "prefetch; anonymous-client-ip"},
        {"HTTP_PURPOSE": "prefetch"},
        {"HTTP_PURPOSE": "Prefetch"},
        {"HTTP_X_PURPOSE": "preview"},
        {"HTTP_X_MOZ": "prefetch"},
    ],
    ids=str,
)
def test_a_look_ahead_is_no_reading(spool: Spool, recorder: TapRecorder, values: dict[str, str]) -> None:
    assert not is_counted(environ(**values))
    record(recorder, **values)
    assert list(lines(spool)) == []


@pytest.mark.parametrize("values", [{}, {"HTTP_SEC_PURPOSE": ""}, {"HTTP_PURPOSE": "navigate"}], ids=str)
def test_a_reading_is_one(spool: Spool, recorder: TapRecorder, values: dict[str, str]) -> None:
    record(recorder, **values)
    assert len(list(lines(spool))) == 1


# --- what a line says -------------------------------------------------------------------------------------------------


def test_a_line_says_all_there_is_to_know(spool: Spool, recorder: TapRecorder) -> None:
    record(
        recorder,
        HTTP_USER_AGENT=PHONE,
        HTTP_ACCEPT_LANGUAGE="en-GB,en;q=0.9,fr;q=0.8",
        HTTP_REFERER="https://user:secret@Search.Example:8443/private/path?q=me",
        HTTP_COOKIE="x=1; tc_me=7.signature; y=2",
    )
    [line] = lines(spool)
    assert line | {"uid": "", "at": 0, "visitor": ""} == {
        "uid": "",
        "at": 0,
        "card_id": 1,
        "owner_id": 2,
        "design_id": 3,
        "token": None,
        "channel": "nfc",
        "outcome": "redirect",
        "visitor": "",
        "user_agent": PHONE,
        "language": "en-GB",
        "referrer_host": "search.example",
        "country": "",
        "me": "7.signature",
    }
    assert len(line["visitor"]) == 24


@pytest.mark.parametrize(
    ("values", "name", "wanted"),
    [
        ({"HTTP_USER_AGENT": "x" * 5000}, "user_agent", "x" * 512),
        ({"HTTP_USER_AGENT": "a\0b"}, "user_agent", "ab"),
        ({"HTTP_USER_AGENT": "caf\xe9 \xff"}, "user_agent", "caf\xe9 \xff"),
        ({"HTTP_ACCEPT_LANGUAGE": "*"}, "language", ""),
        ({"HTTP_ACCEPT_LANGUAGE": ""}, "language", ""),
        ({"HTTP_ACCEPT_LANGUAGE": "de;q=1"}, "language", "de"),
        ({"HTTP_ACCEPT_LANGUAGE": "x" * 40}, "language", "x" * 12),
        ({"HTTP_ACCEPT_LANGUAGE": "<script>"}, "language", ""),
        ({"HTTP_REFERER": "http://[::1"}, "referrer_host", ""),
        ({"HTTP_REFERER": "nonsense"}, "referrer_host", ""),
        ({"HTTP_REFERER": f"https://{'h' * 300}.example/"}, "referrer_host", "h" * 255),
        ({"HTTP_REFERER": "https://a\0b.example/"}, "referrer_host", "ab.example"),
        ({"HTTP_COOKIE": 'tc_me="1.sig"'}, "me", "1.sig"),
        ({"HTTP_COOKIE": "tc_me_too=1"}, "me", None),
        ({"HTTP_COOKIE": "tc_me=" + "9" * 5000}, "me", "9" * 200),
        ({"HTTP_COOKIE": ";;=;tc_me"}, "me", ""),
        ({"REMOTE_ADDR": ""}, "country", ""),
    ],
)
def test_whatever_a_browser_sends_becomes_a_line_that_can_be_stored(
    spool: Spool, recorder: TapRecorder, values: dict[str, str], name: str, wanted: object
) -> None:
    record(recorder, **values)
    [line] = lines(spool)
    assert line[name] == wanted
    assert drain() == 1
    assert spool.failure_count() == 0


class Paper:
    """A spool that keeps its lines in mind."""

    def __init__(self) -> None:
        self.lines: list[bytes] = []

    def append(self, fields: list[Any]) -> None:
        self.lines.append(encode(fields))


HEADERS = ("USER_AGENT", "ACCEPT_LANGUAGE", "REFERER", "COOKIE", "CF_IPCOUNTRY", "X_FORWARDED_FOR")
sent = st.text(st.characters(max_codepoint=255), max_size=40)  # as a server hands it on
values_sent = st.one_of(
    sent, sent.map("https://{}/".format), sent.map("tc_me={}".format), sent.map(lambda text: text * 30)
)


@given(headers=st.fixed_dictionaries({}, optional={f"HTTP_{name}": values_sent for name in HEADERS}), address=sent)
@settings(
    max_examples=300, deadline=None, derandomize=True, suppress_health_check=[HealthCheck.function_scoped_fixture]
)
def test_no_header_makes_a_line_that_would_be_refused(app: Flask, headers: dict[str, str], address: str) -> None:
    paper = Paper()
    recorder = TapRecorder(paper, ReadingStore(app.extensions["keys"]), db.engine, "CF-IPCountry")  # type: ignore[arg-type]
    db.session.commit()
    record(recorder, REMOTE_ADDR=address, **headers)
    [line] = paper.lines
    fields = decode(line[:-1])
    assert fields is not None
    assert parse_reading(fields) is not None


def test_no_other_cookie_is_mistaken_for_the_one_that_says_it_is_me() -> None:
    header = "xtc_me=1; tc_me2=2;  tc_me = 3 ;tc_me=4; tc_me=5"
    assert cookie({"HTTP_COOKIE": header}, "tc_me") == "4"
    assert cookie({}, "tc_me") is None


def test_lines_are_numbered_in_order_of_time_and_never_alike(
    app: Flask, spool: Spool, recorder: TapRecorder, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr("tapcard.tap.recorder.time.time_ns", lambda: 1_900_000_000_123_456_789)
    together(app, 4, lambda _place: [record(recorder) for _number in range(50)])
    uids = [line["uid"] for line in lines(spool)]
    assert len(uids) == len(set(uids)) == 200
    assert {uid[:12] for uid in uids} == {f"{1_900_000_000_123:012x}"}
    assert all(len(uid) == 32 for uid in uids)
    monkeypatch.setattr("tapcard.tap.recorder.time.time_ns", lambda: 1_900_000_000_124_456_789)
    record(recorder)
    assert max(line["uid"] for line in lines(spool)) > max(uids)


@pytest.mark.parametrize(
    ("header", "wanted"),
    [("GB", "GB"), ("ng", "NG"), ("XX", ""), ("T1", ""), ("", ""), ("é", ""), ("G", "")],
)
def test_a_country_comes_from_the_header_of_a_trusted_proxy(app: Flask, spool: Spool, header: str, wanted: str) -> None:
    recorder = TapRecorder(spool, ReadingStore(app.extensions["keys"]), db.engine, country_header="CF-IPCountry")
    record(recorder, HTTP_CF_IPCOUNTRY=header)
    assert [line["country"] for line in lines(spool)] == [wanted]


class Atlas:
    """A GeoIP file with one network."""

    def get(self, address: str) -> Any:
        if address == "not an address":
            raise ValueError(address)
        return {"203.0.113.9": {"country": {"iso_code": "NG"}}, "203.0.113.10": {"country": {}}}.get(address)


@pytest.mark.parametrize(
    ("address", "wanted"), [("203.0.113.9", "NG"), ("203.0.113.10", ""), ("::1", ""), ("not an address", ""), ("", "")]
)
def test_a_country_comes_from_a_geoip_file(app: Flask, spool: Spool, address: str, wanted: str) -> None:
    recorder = TapRecorder(spool, ReadingStore(app.extensions["keys"]), db.engine, geoip=Atlas())
    record(recorder, REMOTE_ADDR=address)
    assert [line["country"] for line in lines(spool)] == [wanted]


# --- no place to write ------------------------------------------------------------------------------------------------


class Disk:
    """Writes of the spool fail as told, one instruction a write; all others work."""

    def __init__(self) -> None:
        self.instructions: list[str] = []

    def write(self, fd: int, data: bytes) -> int:
        if not data.endswith(b"]\n") or not self.instructions:
            return real_write(fd, data)
        told = self.instructions.pop(0)
        if told == "short":
            return real_write(fd, data[: len(data) // 2])
        raise OSError(errno.ENOSPC, "No space left on device")


@pytest.fixture
def disk(monkeypatch: pytest.MonkeyPatch) -> Disk:
    disk = Disk()
    monkeypatch.setattr(os, "write", disk.write)
    return disk


def bad_lines(spool: Spool) -> list[bytes]:
    return [line for path in sorted(spool.folder.glob("*.bad")) for line in path.read_bytes().splitlines()]


@both_ways
@pytest.mark.parametrize("trouble", ["short", "full"])
def test_a_file_that_refuses_a_line_is_left_for_a_new_one(
    app: Flask, card: Card, spool: Spool, disk: Disk, way: str, trouble: str
) -> None:
    wsgi = wsgi_of(app, way)
    assert ask(wsgi, "/t/ADASCARD", HTTP_USER_AGENT="first").status == 302
    disk.instructions = [trouble]
    assert ask(wsgi, "/t/ADASCARD", HTTP_USER_AGENT="second").get("Location") == "https://example.com/"
    assert ask(wsgi, "/t/ADASCARD", HTTP_USER_AGENT="third").status == 302
    assert len(spool.files()) == 2
    assert drain() == 3
    assert counts() == (3, 3, 3)
    assert spool.failure_count() == 0


def test_half_a_line_is_put_aside_once(app: Flask, card: Card, spool: Spool, disk: Disk) -> None:
    ask(app.wsgi_app, "/t/ADASCARD")
    [name] = spool.files()
    disk.instructions = ["short"]
    ask(app.wsgi_app, "/t/ADASCARD")
    torn = (spool.folder / name).read_bytes().splitlines()[-1]
    for _pass in range(3):
        drain()
    assert bad_lines(spool) == [torn]
    assert db.session.get_one(SpoolFile, name).bad_count == 1
    assert name not in spool.files()
    assert counts() == (2, 2, 2)


@both_ways
def test_a_tap_that_no_file_takes_goes_into_the_table_at_once(
    app: Flask, card: Card, spool: Spool, disk: Disk, way: str
) -> None:
    disk.instructions = ["full", "full"]
    assert ask(wsgi_of(app, way), "/q/ADASCARD").get("Location") == "https://example.com/"
    assert [(tap.card_id, tap.channel, tap.outcome) for tap in taps()] == [(card.id, Channel.QR, Outcome.REDIRECT)]
    assert counts()[:2] == (1, 1)
    assert drain() == 0
    tap_jobs.fold()
    assert counts() == (1, 1, 1)
    assert spool.failure_count() == 0


def test_pieces_left_by_a_tap_that_went_into_the_table_count_for_nothing(
    app: Flask, card: Card, spool: Spool, disk: Disk
) -> None:
    disk.instructions = ["short", "short"]
    ask(app.wsgi_app, "/t/ADASCARD")
    assert drain() == 0
    assert len(bad_lines(spool)) == 2
    assert counts()[0] == 1
    assert spool.files() == []


def test_a_line_whose_sync_failed_after_all_is_not_counted_twice(
    app: Flask, spool: Spool, monkeypatch: pytest.MonkeyPatch
) -> None:
    careful = Spool(spool.folder, sync=True)
    recorder = TapRecorder(careful, ReadingStore(app.extensions["keys"]), db.engine)
    db.session.commit()
    with monkeypatch.context() as patch:
        patch.setattr(os, "fdatasync", lambda _fd: (_ for _ in ()).throw(OSError(errno.EIO, "I/O error")))
        record(recorder)
    assert len(list(lines(spool))) == 2
    assert counts()[0] == 1
    drain()
    assert counts()[0] == counts()[1] == 1


@both_ways
def test_a_spool_folder_that_is_gone_stops_nothing(app: Flask, card: Card, spool: Spool, way: str) -> None:
    spool.rotate()
    shutil.rmtree(spool.folder)
    try:
        assert ask(wsgi_of(app, way), "/t/ADASCARD").get("Location") == "https://example.com/"
        assert counts()[0] == 1
    finally:
        spool.folder.mkdir()


@pytest.fixture
def nowhere(recorder: TapRecorder, disk: Disk, monkeypatch: pytest.MonkeyPatch) -> Iterator[Engine]:
    """Neither a file nor the table takes a tap."""
    engine = unreachable()
    monkeypatch.setattr(recorder, "engine", engine)
    disk.instructions = ["full"] * 1000
    yield engine
    engine.dispose()


@both_ways
def test_a_tap_that_can_be_kept_nowhere_is_answered_and_counted_as_lost(
    app: Flask, card: Card, spool: Spool, nowhere: Engine, way: str
) -> None:
    for _number in range(3):
        assert ask(wsgi_of(app, way), "/t/ADASCARD").get("Location") == "https://example.com/"
    assert spool.failure_count() == 3
    assert Spool(spool.folder).failure_count() == 3, "other processes see them too"
    assert counts()[0] == 0


@both_ways
def test_a_page_is_shown_as_well_when_its_tap_cannot_be_kept(
    app: Flask, create_card: Callable[..., Card], spool: Spool, nowhere: Engine, way: str
) -> None:
    create_card(token="NEWCARD7")
    assert ask(wsgi_of(app, way), "/t/NEWCARD7").status == 200
    assert spool.failure_count() == 1


def test_losses_are_counted_exactly_by_many_threads(app: Flask, spool: Spool) -> None:
    together(app, 8, lambda _place: [spool.count_failure() for _number in range(25)])
    assert spool.failure_count() == 200


def test_losses_are_remembered_until_they_can_be_written_down(spool: Spool) -> None:
    spool.folder.joinpath("failures").mkdir()
    spool.count_failure()
    spool.count_failure()
    spool.folder.joinpath("failures").rmdir()
    assert spool.failure_count() == 2
    spool.count_failure()
    assert (spool.folder / "failures").stat().st_size == spool.failure_count() == 3


def test_a_day_key_that_cannot_be_read_costs_the_visitor_and_not_the_tap(
    spool: Spool, recorder: TapRecorder, monkeypatch: pytest.MonkeyPatch
) -> None:
    def refuse(*_arguments: object) -> str:
        raise sa.exc.TimeoutError("QueuePool limit reached")

    monkeypatch.setattr(recorder.visitors, "hash", refuse)
    record(recorder)
    assert [line["visitor"] for line in lines(spool)] == [""]
    assert spool.failure_count() == 0


# --- privacy ----------------------------------------------------------------------------------------------------------


@pytest.mark.parametrize("address", ["203.0.113.77", "2001:db8:77::abcd"])
def test_an_address_is_written_down_nowhere(
    app: Flask, card: Card, create_card: Callable[..., Card], ada: User, address: str
) -> None:
    create_card(token="NEWCARD7")
    for path in ("/t/ADASCARD", "/q/NEWCARD7", "/t/NOSUCHCARD", "/card/ADASCARD/"):
        for way in ("fast", "slow"):
            ask(wsgi_of(app, way), path, REMOTE_ADDR=address)
    instance = Path(app.instance_path)
    for path in (instance / "spool").iterdir():
        assert address.encode() not in path.read_bytes()
    assert drain() == 8
    for table in db.metadata.sorted_tables:
        for row in db.session.execute(sa.select(table)):
            assert address not in repr(tuple(row)), table.name
    db.session.commit()
    if db.engine.dialect.name == "sqlite":
        for path in Path(str(db.engine.url.database)).parent.glob("test.sqlite*"):
            assert address.encode() not in path.read_bytes()
