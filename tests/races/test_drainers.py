"""Concurrent and crashing drainers: each line is stored once, and no file is deleted too early."""

import os
import subprocess
import sys
import threading
from collections import Counter
from collections.abc import Callable
from pathlib import Path
from threading import Barrier
from typing import Any

import msgspec
import pytest
import sqlalchemy as sa
from flask import Flask

from config import Config
from tapcard.db import db
from tapcard.models import Card, SpoolFile, Tap, UserAgent
from tapcard.services.taps import ingest, rollups
from tapcard.services.taps.ingest import Reading, ReadingStore
from tapcard.spool import Spool, encode
from tapcard.workflows import draining, taps
from tests.concurrency import run_concurrently
from tests.tap_requests import drain, fields_of, reading, send_request, tap_counts

ROOT = Path(__file__).resolve().parents[2]


@pytest.fixture
def spool(app: Flask) -> Spool:
    return app.extensions["spool"]  # type: ignore[no-any-return]


@pytest.fixture
def write(spool: Spool) -> Callable[[int], list[str]]:
    """Write so many lines from a thread that ends; gives their uids."""

    def lines(number: int) -> list[str]:
        many = [reading(card_id=1 + each % 5) for each in range(number)]
        thread = threading.Thread(target=lambda: [spool.append(fields_of(one)) for one in many])
        thread.start()
        thread.join()
        return [one.uid for one in many]

    return lines


def stored() -> Counter[str]:
    db.session.expire_all()
    return Counter(db.session.scalars(sa.select(Tap.uid)))


def once(uids: list[str]) -> Counter[str]:
    return Counter(dict.fromkeys(uids, 1))


# --- one drainer ------------------------------------------------------------------------------------------------------


def test_lines_of_a_running_thread_are_stored_and_its_file_stays(app: Flask, card: Card, spool: Spool) -> None:
    for number in range(1, 4):
        send_request(app.wsgi_app, "/t/ADASCARD")
        assert drain() == 1
        assert tap_counts() == (number,) * 3
    assert len(spool.files()) == 1


def test_the_file_of_an_ended_thread_is_stored_and_deleted(spool: Spool, write: Callable[[int], list[str]]) -> None:
    uids = write(25)
    [name] = spool.files()
    assert drain() == 25
    assert stored() == once(uids)
    assert spool.files() == []
    assert db.session.get_one(SpoolFile, name).done_at is not None


def test_a_long_file_takes_several_transactions(
    spool: Spool, write: Callable[[int], list[str]], monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(ingest, "BATCH_SIZE", 10)
    uids, sizes = write(95), []
    store = ReadingStore.store

    def watch(self: ReadingStore, connection: Any, readings: list[Reading], zone: str) -> int:
        sizes.append(len(readings))
        return store(self, connection, readings, zone)

    monkeypatch.setattr(ReadingStore, "store", watch)
    assert drain() == 95
    assert sizes == [10] * 9 + [5]
    assert stored() == once(uids)


def test_a_damaged_line_is_quarantined_and_the_rest_is_stored(spool: Spool, write: Callable[[int], list[str]]) -> None:
    uids = write(9)
    [name] = spool.files()
    path = spool.folder / name
    data = path.read_bytes().splitlines()
    data[4] = data[4].replace(b"redirect", b"retired!")
    data.insert(7, encode([1, "not a reading"]).rstrip())
    path.write_bytes(b"\n".join(data) + b"\n")
    assert drain() == 8
    assert drain() == 0
    assert stored() == once(uids[:4] + uids[5:])
    assert sorted((spool.folder / f"{name}.bad").read_bytes().splitlines()) == sorted([data[4], data[7]])
    assert db.session.get_one(SpoolFile, name).bad_count == 2
    assert spool.files() == []


def test_an_incomplete_line_waits_until_its_writer_has_ended(spool: Spool) -> None:
    first, second = reading(), reading()
    spool.append(fields_of(first))
    [name] = spool.files()
    os.write(spool._local.writer.fd, b"0badf00d [half a li")
    for _pass in range(3):
        drain()
    assert stored() == once([first.uid])
    assert list(spool.folder.glob("*.bad")) == []
    spool.rotate()
    spool.append(fields_of(second))
    for _pass in range(3):
        drain()
    assert stored() == once([first.uid, second.uid])
    assert (spool.folder / f"{name}.bad").read_bytes() == b"0badf00d [half a li\n"
    assert db.session.get_one(SpoolFile, name).bad_count == 1


def test_a_line_written_while_a_file_is_deleted_is_not_lost(
    spool: Spool, write: Callable[[int], list[str]], monkeypatch: pytest.MonkeyPatch
) -> None:
    uids = write(3)
    [name] = spool.files()
    late = reading()
    remove = spool.remove

    def written_meanwhile(name: str, offset: int) -> bool:
        if late.uid not in uids:
            uids.append(late.uid)
            with open(spool.folder / name, "ab") as file:
                file.write(encode(fields_of(late)))
        return remove(name, offset)

    monkeypatch.setattr(spool, "remove", written_meanwhile)
    assert drain() == 3
    assert spool.files() == [name]
    assert drain() == 1
    assert stored() == once(uids)


def test_a_backup_pauses_the_drainer(spool: Spool, write: Callable[[int], list[str]]) -> None:
    write(3)
    with spool.frozen():
        assert drain() == 0
    assert drain() == 3


# --- a drainer that dies ----------------------------------------------------------------------------------------------


class Killed(BaseException):
    """The process ends here."""


def die(*_arguments: object) -> Any:
    raise Killed


@pytest.mark.parametrize("step", ["store", "advance_offset", "store_bad_lines", "commit", "remove", "mark_finished"])
def test_a_drainer_may_die_at_any_step(
    spool: Spool, write: Callable[[int], list[str]], monkeypatch: pytest.MonkeyPatch, step: str
) -> None:
    uids = write(12)
    with open(spool.folder / spool.files()[0], "ab") as file:
        file.write(b"noise\n")
    drainer = draining.create_drainer()
    db.session.commit()
    with monkeypatch.context() as patch:
        if step == "commit":
            commit, calls = db.session.commit, []
            patch.setattr(db.session, "commit", lambda: calls.append(commit()) or die())
        else:
            owner = {"store": drainer.store, "advance_offset": ingest, "mark_finished": ingest}.get(step, spool)
            patch.setattr(owner, step, die)
        with pytest.raises(Killed):
            drainer.drain()
    db.session.rollback()
    draining.create_drainer().drain()
    taps.fold()
    assert stored() == once(uids)
    assert tap_counts() == (12, 12, 12)
    assert spool.files() == []
    [bad] = spool.folder.glob("*.bad")
    assert set(bad.read_bytes().splitlines()) == {b"noise"}


def test_a_restored_file_is_not_read_again(spool: Spool, write: Callable[[int], list[str]]) -> None:
    write(5)
    [name] = spool.files()
    copy = (spool.folder / name).read_bytes()
    assert drain() == 5
    (spool.folder / name).write_bytes(copy)
    assert drain() == 0
    assert tap_counts() == (5, 5, 5)
    assert spool.files() == []


def test_lines_restored_under_another_name_are_not_counted_twice(
    spool: Spool, write: Callable[[int], list[str]]
) -> None:
    uids = write(5)
    [name] = spool.files()
    copy = (spool.folder / name).read_bytes()
    assert drain() == 5
    (spool.folder / f"{name[:13]}-{'f' * 16}.spool").write_bytes(copy)
    uids += write(2)
    assert drain() == 2
    assert stored() == once(uids)
    assert tap_counts() == (7, 7, 7)


# --- several at once --------------------------------------------------------------------------------------------------


def drain_until_empty(spool: Spool) -> Callable[[int], int]:
    def work(_place: int) -> int:
        drainer, number = draining.create_drainer(), 0
        while spool.files():
            number += drainer.drain()
        return number

    return work


def test_threads_that_drain_at_once_store_each_line_once(
    app: Flask, spool: Spool, write: Callable[[int], list[str]], monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(ingest, "BATCH_SIZE", 20)
    uids = [uid for _file in range(6) for uid in write(90)]
    done = run_concurrently(app, 3, drain_until_empty(spool))
    assert sum(done) == 540  # type: ignore[arg-type]
    assert stored() == once(uids)
    taps.fold()
    assert tap_counts() == (540, 540, 540)
    assert list(spool.folder.glob("*.bad")) == []


def test_a_file_finished_by_another_drainer_is_skipped(
    spool: Spool, write: Callable[[int], list[str]], monkeypatch: pytest.MonkeyPatch
) -> None:
    uids = write(5)
    [name] = spool.files()
    offset_of = ingest.get_or_create_offset

    def slow(which: str) -> int:
        offset = offset_of(which)
        (spool.folder / name).unlink(missing_ok=True)
        return offset

    other = (spool.folder / name).read_bytes()
    monkeypatch.setattr(ingest, "get_or_create_offset", slow)
    assert drain() == 0
    monkeypatch.setattr(ingest, "get_or_create_offset", offset_of)
    (spool.folder / name).write_bytes(other)
    assert drain() == 5
    assert stored() == once(uids)


DRAINING = """
import sys
from config import Config
from tapcard.app import create_app
from tapcard.services.taps import ingest
from tapcard.workflows import draining

ingest.BATCH_SIZE = 25
app = create_app(Config.from_env())
with app.app_context():
    print("ready", flush=True)
    sys.stdin.readline()
    print(draining.create_drainer().drain(), flush=True)
"""


def test_processes_that_drain_at_once_store_each_line_once(
    base_config: Config, spool: Spool, write: Callable[[int], list[str]]
) -> None:
    uids = [uid for _file in range(4) for uid in write(250)]
    db.session.commit()
    environ = {
        **os.environ,
        "APP_ENV": "testing",
        "INSTANCE_PATH": str(base_config.instance_path),
        "DATABASE_URL": base_config.database_url,
        "SECRET_KEY": base_config.secret_key,
    }
    pipes: dict[str, Any] = {"stdin": subprocess.PIPE, "stdout": subprocess.PIPE, "text": True}
    drainers = [
        subprocess.Popen([sys.executable, "-c", DRAINING], cwd=ROOT, env=environ, **pipes) for _number in range(2)
    ]
    try:
        assert [each.stdout.readline() for each in drainers] == ["ready\n"] * 2  # type: ignore[union-attr]
        for each in drainers:
            each.stdin.write("go\n")  # type: ignore[union-attr]
            each.stdin.flush()  # type: ignore[union-attr]
        numbers = [int(each.communicate(timeout=60)[0]) for each in drainers]
        assert [each.returncode for each in drainers] == [0, 0]
    finally:
        for each in drainers:
            each.kill()
            each.communicate()
    assert sum(numbers) + drain() == 1000  # a drainer that comes second to a file leaves the rest to the next pass
    taps.fold()
    assert stored() == once(uids)
    assert tap_counts() == (1000, 1000, 1000)


# --- what each guard is good for --------------------------------------------------------------------------------------


def nameless(monkeypatch: pytest.MonkeyPatch) -> None:
    """Lines cannot be told apart any more: each reading of one makes another uid."""
    reading_of = ingest.parse_reading

    def renamed(fields: list[Any]) -> Reading | None:
        found = reading_of(fields)
        return None if found is None else msgspec.structs.replace(found, uid=os.urandom(16).hex())

    monkeypatch.setattr(ingest, "parse_reading", renamed)


def both_read_the_same_mark(monkeypatch: pytest.MonkeyPatch) -> None:
    """Two drainers look at a file's mark, by transactions that are over, before either of them stores anything."""
    start, have_looked = Barrier(2), threading.local()
    offset_of = ingest.get_or_create_offset

    def look(name: str) -> int:
        offset = offset_of(name)
        db.session.commit()
        if not getattr(have_looked, "so", False):
            have_looked.so = True
            start.wait(30)
        return offset

    monkeypatch.setattr(ingest, "get_or_create_offset", look)


def careless(name: str, _old: int, new: int, bad: int) -> bool:
    """Move a mark on without looking where it was."""
    values = {"off": new, "bad_count": SpoolFile.bad_count + bad}
    db.session.execute(sa.update(SpoolFile).where(SpoolFile.name == name).values(values))
    return True


@pytest.mark.parametrize(("is_guarded", "times"), [(True, 1), (False, 2)])
def test_the_conditional_offset_prevents_duplicates(
    app: Flask,
    spool: Spool,
    write: Callable[[int], list[str]],
    monkeypatch: pytest.MonkeyPatch,
    is_guarded: bool,
    times: int,
) -> None:
    write(30)
    nameless(monkeypatch)
    both_read_the_same_mark(monkeypatch)
    if not is_guarded:
        monkeypatch.setattr(ingest, "advance_offset", careless)
    run_concurrently(app, 2, lambda _place: draining.create_drainer().drain())
    monkeypatch.undo()
    assert drain() == 0
    assert tap_counts() == (30 * times,) * 3


def test_the_uid_prevents_duplicates_without_the_offset(
    app: Flask, spool: Spool, write: Callable[[int], list[str]], monkeypatch: pytest.MonkeyPatch
) -> None:
    uids = write(30)
    both_read_the_same_mark(monkeypatch)
    monkeypatch.setattr(ingest, "advance_offset", careless)
    run_concurrently(app, 2, lambda _place: draining.create_drainer().drain())
    monkeypatch.undo()
    drain()
    assert stored() == once(uids)
    assert tap_counts() == (30, 30, 30)


def test_a_late_drainer_stores_nothing(
    spool: Spool, write: Callable[[int], list[str]], monkeypatch: pytest.MonkeyPatch
) -> None:
    write(10)
    nameless(monkeypatch)
    [name] = spool.files()
    chunk = spool.read(name, ingest.get_or_create_offset(name), 1000)
    db.session.commit()
    first, late = draining.create_drainer(), draining.create_drainer()
    assert first._store(name, 0, chunk, "Europe/London") == 10
    assert late._store(name, 0, chunk, "Europe/London") is None
    assert tap_counts()[:2] == (10, 10)
    monkeypatch.setattr(ingest, "advance_offset", careless)
    assert late._store(name, 0, chunk, "Europe/London") == 10, "this is what the mark is good for"


def test_a_drainer_that_finds_stored_lines_retries(
    spool: Spool, write: Callable[[int], list[str]], monkeypatch: pytest.MonkeyPatch
) -> None:
    uids = write(5)
    [name] = spool.files()
    copy = (spool.folder / name).read_bytes()
    assert drain() == 5
    (spool.folder / f"{name[:13]}-{'f' * 16}.spool").write_bytes(copy)
    drainer = draining.create_drainer()
    with monkeypatch.context() as patch:
        patch.setattr(ReadingStore, "_known", lambda *_arguments: set())  # as if the other had committed a moment later
        assert drainer.drain() == 0
    assert len(spool.files()) == 1
    assert drainer.drain() == 0
    assert spool.files() == []
    assert stored() == once(uids)
    assert tap_counts()[:2] == (5, 5)


def test_caches_of_a_failed_transaction_are_discarded(spool: Spool, monkeypatch: pytest.MonkeyPatch) -> None:
    drainer = draining.create_drainer()

    def drained(agent: str) -> int:
        spool.append(fields_of(reading(user_agent=agent)))
        db.session.commit()
        return drainer.drain()

    with monkeypatch.context() as patch:
        patch.setattr(ingest, "advance_offset", lambda *_arguments: False)
        assert drained("first") == 0
    [name] = spool.files()
    spool.rotate()
    (spool.folder / name).unlink()
    assert (drained("second"), drained("first")) == (1, 1)
    agents = sa.select(UserAgent.text).join(Tap, Tap.user_agent_id == UserAgent.id).order_by(Tap.id)
    assert list(db.session.scalars(agents)) == ["second", "first"]


def test_taps_during_a_recount_are_counted_once(
    app: Flask, spool: Spool, write: Callable[[int], list[str]], monkeypatch: pytest.MonkeyPatch
) -> None:
    write(5)
    drain()
    late = threading.Event()
    empty = rollups.delete_rollups

    def meanwhile() -> None:
        empty()
        start.wait(30)
        late.wait(0.5)  # the drainer, were it not held off, would be through by then

    def work(place: int) -> int:
        if place == 0:
            result = app.test_cli_runner().invoke(args=["taps", "recount"])
            assert result.exit_code == 0, result.output
            return 0
        start.wait(30)
        stored = draining.create_drainer().drain()
        late.set()
        return stored

    start = Barrier(2)
    spool.append(fields_of(reading(card_id=99)))
    monkeypatch.setattr(rollups, "delete_rollups", meanwhile)
    assert run_concurrently(app, 2, work) == [0, 1]
    taps.fold()
    assert tap_counts() == (6, 6, 6)
