"""Recording taps: the fields of a line, and errors of disk and database."""

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
from tests.concurrency import run_concurrently
from tests.tap_requests import (
    PHONE,
    app_for_path,
    both_paths,
    drain,
    send_request,
    spool_lines,
    stored_taps,
    tap_counts,
    unreachable_engine,
)

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


# --- recorded requests ------------------------------------------------------------------------------------------------


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
def test_prefetches_and_head_requests_are_not_recorded(
    spool: Spool, recorder: TapRecorder, values: dict[str, str]
) -> None:
    assert not is_counted(environ(**values))
    record(recorder, **values)
    assert list(spool_lines(spool)) == []


@pytest.mark.parametrize("values", [{}, {"HTTP_SEC_PURPOSE": ""}, {"HTTP_PURPOSE": "navigate"}], ids=str)
def test_an_ordinary_request_is_recorded(spool: Spool, recorder: TapRecorder, values: dict[str, str]) -> None:
    record(recorder, **values)
    assert len(list(spool_lines(spool))) == 1


# --- fields of a line -------------------------------------------------------------------------------------------------


def test_a_line_contains_all_fields(spool: Spool, recorder: TapRecorder) -> None:
    record(
        recorder,
        HTTP_USER_AGENT=PHONE,
        HTTP_ACCEPT_LANGUAGE="en-GB,en;q=0.9,fr;q=0.8",
        HTTP_REFERER="https://user:secret@Search.Example:8443/private/path?q=me",
        HTTP_COOKIE="x=1; tc_me=7.signature; y=2",
    )
    [line] = spool_lines(spool)
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
    ("values", "name", "expected"),
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
def test_any_header_becomes_a_line_that_can_be_stored(
    spool: Spool, recorder: TapRecorder, values: dict[str, str], name: str, expected: object
) -> None:
    record(recorder, **values)
    [line] = spool_lines(spool)
    assert line[name] == expected
    assert drain() == 1
    assert spool.failure_count() == 0


class MemorySpool:
    """A spool that keeps its lines in memory."""

    def __init__(self) -> None:
        self.lines: list[bytes] = []

    def append(self, fields: list[Any]) -> None:
        self.lines.append(encode(fields))


HEADERS = ("USER_AGENT", "ACCEPT_LANGUAGE", "REFERER", "COOKIE", "CF_IPCOUNTRY", "X_FORWARDED_FOR")
sent = st.text(st.characters(max_codepoint=255), max_size=40)  # as a server passes it on
values_sent = st.one_of(
    sent, sent.map("https://{}/".format), sent.map("tc_me={}".format), sent.map(lambda text: text * 30)
)


@given(headers=st.fixed_dictionaries({}, optional={f"HTTP_{name}": values_sent for name in HEADERS}), address=sent)
@settings(
    max_examples=300, deadline=None, derandomize=True, suppress_health_check=[HealthCheck.function_scoped_fixture]
)
def test_random_headers_never_make_an_invalid_line(app: Flask, headers: dict[str, str], address: str) -> None:
    paper = MemorySpool()
    recorder = TapRecorder(paper, ReadingStore(app.extensions["keys"]), db.engine, "CF-IPCountry")  # type: ignore[arg-type]
    db.session.commit()
    record(recorder, REMOTE_ADDR=address, **headers)
    [line] = paper.lines
    fields = decode(line[:-1])
    assert fields is not None
    assert parse_reading(fields) is not None


def test_only_the_cookie_with_the_exact_name_is_read() -> None:
    header = "xtc_me=1; tc_me2=2;  tc_me = 3 ;tc_me=4; tc_me=5"
    assert cookie({"HTTP_COOKIE": header}, "tc_me") == "4"
    assert cookie({}, "tc_me") is None


def test_uids_are_unique_and_ordered_by_time(
    app: Flask, spool: Spool, recorder: TapRecorder, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr("tapcard.tap.recorder.time.time_ns", lambda: 1_900_000_000_123_456_789)
    run_concurrently(app, 4, lambda _place: [record(recorder) for _number in range(50)])
    uids = [line["uid"] for line in spool_lines(spool)]
    assert len(uids) == len(set(uids)) == 200
    assert {uid[:12] for uid in uids} == {f"{1_900_000_000_123:012x}"}
    assert all(len(uid) == 32 for uid in uids)
    monkeypatch.setattr("tapcard.tap.recorder.time.time_ns", lambda: 1_900_000_000_124_456_789)
    record(recorder)
    assert max(line["uid"] for line in spool_lines(spool)) > max(uids)


@pytest.mark.parametrize(
    ("header", "expected"),
    [("GB", "GB"), ("ng", "NG"), ("XX", ""), ("T1", ""), ("", ""), ("é", ""), ("G", "")],
)
def test_the_country_is_read_from_the_header_of_a_trusted_proxy(
    app: Flask, spool: Spool, header: str, expected: str
) -> None:
    recorder = TapRecorder(spool, ReadingStore(app.extensions["keys"]), db.engine, country_header="CF-IPCountry")
    record(recorder, HTTP_CF_IPCOUNTRY=header)
    assert [line["country"] for line in spool_lines(spool)] == [expected]


class FakeGeoip:
    """A GeoIP database with one network."""

    def get(self, address: str) -> Any:
        if address == "not an address":
            raise ValueError(address)
        return {"203.0.113.9": {"country": {"iso_code": "NG"}}, "203.0.113.10": {"country": {}}}.get(address)


@pytest.mark.parametrize(
    ("address", "expected"),
    [("203.0.113.9", "NG"), ("203.0.113.10", ""), ("::1", ""), ("not an address", ""), ("", "")],
)
def test_the_country_is_read_from_a_geoip_file(app: Flask, spool: Spool, address: str, expected: str) -> None:
    recorder = TapRecorder(spool, ReadingStore(app.extensions["keys"]), db.engine, geoip=FakeGeoip())
    record(recorder, REMOTE_ADDR=address)
    assert [line["country"] for line in spool_lines(spool)] == [expected]


# --- write errors -----------------------------------------------------------------------------------------------------


class FaultyDisk:
    """Fail writes of the spool as instructed, one instruction per write."""

    def __init__(self) -> None:
        self.instructions: list[str] = []

    def write(self, fd: int, data: bytes) -> int:
        if not data.endswith(b"]\n") or not self.instructions:
            return real_write(fd, data)
        instruction = self.instructions.pop(0)
        if instruction == "short":
            return real_write(fd, data[: len(data) // 2])
        raise OSError(errno.ENOSPC, "No space left on device")


@pytest.fixture
def faulty_disk(monkeypatch: pytest.MonkeyPatch) -> FaultyDisk:
    faulty_disk = FaultyDisk()
    monkeypatch.setattr(os, "write", faulty_disk.write)
    return faulty_disk


def bad_lines(spool: Spool) -> list[bytes]:
    return [line for path in sorted(spool.folder.glob("*.bad")) for line in path.read_bytes().splitlines()]


@both_paths
@pytest.mark.parametrize("trouble", ["short", "full"])
def test_a_new_file_is_started_after_a_write_error(
    app: Flask, card: Card, spool: Spool, faulty_disk: FaultyDisk, tap_path: str, trouble: str
) -> None:
    wsgi = app_for_path(app, tap_path)
    assert send_request(wsgi, "/t/ADASCARD", HTTP_USER_AGENT="first").status == 302
    faulty_disk.instructions = [trouble]
    assert send_request(wsgi, "/t/ADASCARD", HTTP_USER_AGENT="second").get("Location") == "https://example.com/"
    assert send_request(wsgi, "/t/ADASCARD", HTTP_USER_AGENT="third").status == 302
    assert len(spool.files()) == 2
    assert drain() == 3
    assert tap_counts() == (3, 3, 3)
    assert spool.failure_count() == 0


def test_a_partial_line_is_stored_as_bad_once(app: Flask, card: Card, spool: Spool, faulty_disk: FaultyDisk) -> None:
    send_request(app.wsgi_app, "/t/ADASCARD")
    [name] = spool.files()
    faulty_disk.instructions = ["short"]
    send_request(app.wsgi_app, "/t/ADASCARD")
    torn = (spool.folder / name).read_bytes().splitlines()[-1]
    for _pass in range(3):
        drain()
    assert bad_lines(spool) == [torn]
    assert db.session.get_one(SpoolFile, name).bad_count == 1
    assert name not in spool.files()
    assert tap_counts() == (2, 2, 2)


@both_paths
def test_a_tap_is_stored_in_the_database_when_no_file_can_be_written(
    app: Flask, card: Card, spool: Spool, faulty_disk: FaultyDisk, tap_path: str
) -> None:
    faulty_disk.instructions = ["full", "full"]
    assert send_request(app_for_path(app, tap_path), "/q/ADASCARD").get("Location") == "https://example.com/"
    assert [(tap.card_id, tap.channel, tap.outcome) for tap in stored_taps()] == [
        (card.id, Channel.QR, Outcome.REDIRECT)
    ]
    assert tap_counts()[:2] == (1, 1)
    assert drain() == 0
    tap_jobs.fold()
    assert tap_counts() == (1, 1, 1)
    assert spool.failure_count() == 0


def test_partial_lines_of_a_tap_stored_in_the_database_are_not_counted(
    app: Flask, card: Card, spool: Spool, faulty_disk: FaultyDisk
) -> None:
    faulty_disk.instructions = ["short", "short"]
    send_request(app.wsgi_app, "/t/ADASCARD")
    assert drain() == 0
    assert len(bad_lines(spool)) == 2
    assert tap_counts()[0] == 1
    assert spool.files() == []


def test_a_line_whose_sync_failed_is_not_counted_twice(
    app: Flask, spool: Spool, monkeypatch: pytest.MonkeyPatch
) -> None:
    careful = Spool(spool.folder, sync=True)
    recorder = TapRecorder(careful, ReadingStore(app.extensions["keys"]), db.engine)
    db.session.commit()
    with monkeypatch.context() as patch:
        patch.setattr(os, "fdatasync", lambda _fd: (_ for _ in ()).throw(OSError(errno.EIO, "I/O error")))
        record(recorder)
    assert len(list(spool_lines(spool))) == 2
    assert tap_counts()[0] == 1
    drain()
    assert tap_counts()[0] == tap_counts()[1] == 1


@both_paths
def test_a_missing_spool_folder_does_not_stop_taps(app: Flask, card: Card, spool: Spool, tap_path: str) -> None:
    spool.rotate()
    shutil.rmtree(spool.folder)
    try:
        assert send_request(app_for_path(app, tap_path), "/t/ADASCARD").get("Location") == "https://example.com/"
        assert tap_counts()[0] == 1
    finally:
        spool.folder.mkdir()


@pytest.fixture
def unwritable(recorder: TapRecorder, faulty_disk: FaultyDisk, monkeypatch: pytest.MonkeyPatch) -> Iterator[Engine]:
    """Make file and database unwritable for taps."""
    engine = unreachable_engine()
    monkeypatch.setattr(recorder, "engine", engine)
    faulty_disk.instructions = ["full"] * 1000
    yield engine
    engine.dispose()


@both_paths
def test_a_tap_that_cannot_be_recorded_is_answered_and_counted_as_lost(
    app: Flask, card: Card, spool: Spool, unwritable: Engine, tap_path: str
) -> None:
    for _number in range(3):
        assert send_request(app_for_path(app, tap_path), "/t/ADASCARD").get("Location") == "https://example.com/"
    assert spool.failure_count() == 3
    assert Spool(spool.folder).failure_count() == 3, "other processes see the same count"
    assert tap_counts()[0] == 0


@both_paths
def test_a_page_is_shown_when_its_tap_cannot_be_recorded(
    app: Flask, create_card: Callable[..., Card], spool: Spool, unwritable: Engine, tap_path: str
) -> None:
    create_card(token="NEWCARD7")
    assert send_request(app_for_path(app, tap_path), "/t/NEWCARD7").status == 200
    assert spool.failure_count() == 1


def test_lost_taps_are_counted_exactly_across_threads(app: Flask, spool: Spool) -> None:
    run_concurrently(app, 8, lambda _place: [spool.count_failure() for _number in range(25)])
    assert spool.failure_count() == 200


def test_lost_taps_are_kept_in_memory_until_they_can_be_written(spool: Spool) -> None:
    spool.folder.joinpath("failures").mkdir()
    spool.count_failure()
    spool.count_failure()
    spool.folder.joinpath("failures").rmdir()
    assert spool.failure_count() == 2
    spool.count_failure()
    assert (spool.folder / "failures").stat().st_size == spool.failure_count() == 3


def test_a_tap_is_recorded_without_a_visitor_when_the_key_cannot_be_read(
    spool: Spool, recorder: TapRecorder, monkeypatch: pytest.MonkeyPatch
) -> None:
    def refuse(*_arguments: object) -> str:
        raise sa.exc.TimeoutError("QueuePool limit reached")

    monkeypatch.setattr(recorder.visitors, "hash", refuse)
    record(recorder)
    assert [line["visitor"] for line in spool_lines(spool)] == [""]
    assert spool.failure_count() == 0


# --- privacy ----------------------------------------------------------------------------------------------------------


@pytest.mark.parametrize("address", ["203.0.113.77", "2001:db8:77::abcd"])
def test_ip_addresses_are_never_stored(
    app: Flask, card: Card, create_card: Callable[..., Card], ada: User, address: str
) -> None:
    create_card(token="NEWCARD7")
    for path in ("/t/ADASCARD", "/q/NEWCARD7", "/t/NOSUCHCARD", "/card/ADASCARD/"):
        for tap_path in ("fast", "slow"):
            send_request(app_for_path(app, tap_path), path, REMOTE_ADDR=address)
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
