"""The worker: keeps promises once, does what the clock asks for, waits for what is away, stops when told."""

import errno
import os
import signal
import subprocess
import sys
import threading
import time
from collections import Counter
from collections.abc import Callable, Iterator
from datetime import datetime, timedelta
from pathlib import Path
from threading import Barrier
from typing import Any

import psycopg
import pytest
import sqlalchemy as sa
from flask import Flask
from sqlalchemy.exc import OperationalError

from config import Config
from tapcard import files, mail, outbox, registry, worker
from tapcard.clock import utcnow
from tapcard.db import db
from tapcard.models import (
    Card,
    Design,
    LinkPurpose,
    LinkToken,
    OutboxMessage,
    Schedule,
    SpoolFile,
    ThrottleCounter,
    User,
    WebSession,
)
from tapcard.registry import Job
from tapcard.services.taps import ingest
from tapcard.workflows import core, draining
from tests import needs
from tests.taps import ask, counts, fields_of, reading
from tests.watching import together

ROOT = Path(__file__).resolve().parents[1]
MINUTE = timedelta(minutes=1)


@pytest.fixture
def sent(app: Flask, monkeypatch: pytest.MonkeyPatch) -> Counter[int]:
    """How often a promise of kind `test` was kept; those with a number below 0 cannot be."""
    sent: Counter[int] = Counter()

    def keep(number: int) -> None:
        if number < 0:
            raise ConnectionRefusedError("nobody there")
        sent[number] += 1

    monkeypatch.setitem(mail.KINDS, "test", keep)
    return sent


def promise(*numbers: int) -> None:
    for number in numbers:
        outbox.post("test", number=number)
    db.session.commit()


def messages() -> list[OutboxMessage]:
    db.session.expire_all()
    return list(db.session.scalars(sa.select(OutboxMessage).order_by(OutboxMessage.id)))


# --- promises ---------------------------------------------------------------------------------------------------------


def test_what_is_promised_is_done_and_not_again(app: Flask, sent: Counter[int]) -> None:
    promise(1, 2, 3)
    assert worker.deliver() == 3
    assert worker.deliver() == 0
    assert sent == {1: 1, 2: 1, 3: 1}
    assert all(message.done_at is not None for message in messages())


def test_several_workers_deliver_each_message_once(app: Flask, sent: Counter[int]) -> None:
    promise(*range(20))
    delivered = together(app, 4, lambda _place: worker.deliver())
    assert sum(delivered) == 20  # type: ignore[arg-type]
    assert sent == dict.fromkeys(range(20), 1)


def test_a_worker_that_dies_while_it_sends_leaves_the_message_to_another(
    app: Flask, sent: Counter[int], monkeypatch: pytest.MonkeyPatch
) -> None:
    class Killed(BaseException):
        pass

    def die(number: int) -> None:
        raise Killed

    promise(1)
    now = utcnow()
    with monkeypatch.context() as patch:
        patch.setitem(mail.KINDS, "test", die)
        with pytest.raises(Killed):
            worker.deliver_one(now)
    db.session.rollback()
    assert not worker.deliver_one(now + outbox.LEASE - MINUTE)
    assert worker.deliver_one(now + outbox.LEASE)
    assert sent == {1: 1}


def test_a_sender_that_fails_holds_up_nobody_and_is_asked_again(app: Flask, sent: Counter[int]) -> None:
    promise(-1, 1, -2, 2)
    worker.deliver()
    assert sent == {1: 1, 2: 1}
    refused = [message for message in messages() if message.done_at is None]
    assert [message.error for message in refused] == ["ConnectionRefusedError: nobody there"] * 2
    assert all(message.due_at > utcnow() for message in refused)
    assert worker.deliver() == 0


def test_a_sender_that_never_works_is_given_up_after_days_not_minutes(
    app: Flask, sent: Counter[int], monkeypatch: pytest.MonkeyPatch
) -> None:
    promise(-1)
    clock = [utcnow()]
    monkeypatch.setattr(worker, "utcnow", lambda: clock[0])
    began, tries = clock[0], 0
    while messages()[0].failed_at is None:
        assert worker.deliver() == 1
        tries += 1
        clock[0] = max(clock[0], messages()[0].due_at)
    assert clock[0] - began >= outbox.GIVEN_UP_AFTER
    assert 10 < tries < 100
    clock[0] += timedelta(days=400)
    assert worker.deliver() == 0


def test_a_mail_waits_for_a_server_to_be_configured(
    app: Flask, sent: Counter[int], monkeypatch: pytest.MonkeyPatch
) -> None:
    def refuse(number: int) -> None:
        raise mail.MailNotConfigured

    promise(1)
    with monkeypatch.context() as patch:
        patch.setitem(mail.KINDS, "test", refuse)
        worker.deliver()
    [message] = messages()
    assert (message.failed_at, message.error) == (None, "not configured")
    assert message.due_at <= utcnow() + outbox.UNTIL_CONFIGURED
    worker.deliver_one(message.due_at)
    assert sent == {1: 1}


def test_a_sender_that_works_again_delivers_late(
    app: Flask, sent: Counter[int], monkeypatch: pytest.MonkeyPatch
) -> None:
    promise(1)
    with monkeypatch.context() as patch:
        patch.setitem(mail.KINDS, "test", lambda number: 1 / 0)
        worker.deliver()
    assert messages()[0].error == "ZeroDivisionError: division by zero"
    worker.deliver_one(messages()[0].due_at)
    [message] = messages()
    assert (sent, message.error, message.done_at is None) == ({1: 1}, "", False)


def test_a_promise_nobody_can_keep_is_kept_in_view(app: Flask) -> None:
    outbox.post("mail.of_a_later_version", user_id=1)
    db.session.commit()
    assert worker.deliver() == 1
    [message] = messages()
    assert (message.done_at, message.payload) == (None, {"user_id": 1})
    assert "mail.of_a_later_version" in message.error


def test_what_a_mail_needs_is_committed_before_it_is_sent_and_nothing_is_open_meanwhile(
    app: Flask, ada: User, monkeypatch: pytest.MonkeyPatch
) -> None:
    seen = []

    def look(_message: object) -> None:
        seen.append(db.session().in_transaction())
        with db.engine.connect() as other:
            seen.append(other.scalar(sa.select(sa.func.count()).select_from(LinkToken)))

    monkeypatch.setattr(mail, "send", look)
    outbox.post("mail.set_password", email=ada.email)
    db.session.commit()
    assert worker.deliver() == 1
    assert seen == [False, 1]


def test_a_failed_sender_keeps_nothing_of_what_it_began(app: Flask, ada: User, monkeypatch: pytest.MonkeyPatch) -> None:
    def half(number: int) -> None:
        db.session.add(Design(name="half done"))
        db.session.flush()
        raise ValueError("no")

    monkeypatch.setitem(mail.KINDS, "test", half)
    promise(1)
    worker.deliver()
    assert db.session.scalar(sa.select(Design.id)) is None


# --- the clock --------------------------------------------------------------------------------------------------------


@pytest.fixture
def jobs(monkeypatch: pytest.MonkeyPatch) -> Counter[str]:
    """Two jobs instead of the usual ones; they count how often they ran, and the first can be made to fail."""
    ran: Counter[str] = Counter()

    def job(name: str) -> None:
        ran[name] += 1
        if ran["broken"] and name == "first":
            raise RuntimeError("a bug of ours")

    monkeypatch.setattr(
        registry,
        "jobs",
        {"first": Job(MINUTE, lambda: job("first")), "second": Job(2 * MINUTE, lambda: job("second"))},
    )
    return ran


def test_a_job_runs_when_its_time_has_come_and_not_before(app: Flask, jobs: Counter[str]) -> None:
    now = utcnow()
    worker.plan(now)
    assert worker.run_due(now) == 2
    assert worker.run_due(now) == 0
    assert worker.run_due(now + MINUTE - timedelta(seconds=1)) == 0
    assert worker.run_due(now + MINUTE) == 1
    assert worker.run_due(now + 2 * MINUTE) == 2
    assert jobs == {"first": 3, "second": 2}


def test_planning_again_moves_nothing(app: Flask, jobs: Counter[str]) -> None:
    now = utcnow()
    worker.plan(now)
    worker.run_due(now)
    before = dict(db.session.execute(sa.select(Schedule.name, Schedule.due_at)).all())
    worker.plan(now + MINUTE)
    assert dict(db.session.execute(sa.select(Schedule.name, Schedule.due_at)).all()) == before


def test_two_workers_run_a_job_once(app: Flask, jobs: Counter[str], monkeypatch: pytest.MonkeyPatch) -> None:
    now, start, run = utcnow(), Barrier(2), worker._run

    def both_have_looked(*given: Any) -> bool:
        start.wait(30)
        return run(*given)

    worker.plan(now)
    monkeypatch.setattr(worker, "_run", both_have_looked)
    done = together(app, 2, lambda _place: worker.run_due(now))
    assert sum(done) == 2  # type: ignore[arg-type]
    assert jobs == {"first": 1, "second": 1}


def test_a_job_that_fails_says_so_and_stops_no_other(app: Flask, jobs: Counter[str]) -> None:
    now = utcnow()
    jobs["broken"] = 1
    worker.plan(now)
    worker.run_due(now)
    assert (jobs["first"], jobs["second"]) == (1, 1)
    row = db.session.get_one(Schedule, "first")
    assert (row.error, row.due_at) == ("RuntimeError: a bug of ours", now + MINUTE)
    jobs["broken"] = 0
    worker.run_due(now + MINUTE)
    db.session.expire_all()
    assert (jobs["first"], db.session.get_one(Schedule, "first").error) == (2, "")


def test_a_job_of_another_version_is_left_alone(app: Flask, jobs: Counter[str]) -> None:
    now = utcnow()
    db.session.add(Schedule(name="of.a.later.version", due_at=now))
    db.session.commit()
    assert worker.run_due(now) == 0
    assert db.session.get_one(Schedule, "of.a.later.version").due_at == now


def test_every_job_of_the_schedule_works_on_an_empty_database(app: Flask) -> None:
    worker.plan(utcnow())
    assert worker.run_due(utcnow()) == len(registry.jobs)
    assert set(db.session.scalars(sa.select(Schedule.error))) == {""}


def test_only_what_is_past_its_time_is_purged(app: Flask, ada: User) -> None:
    now = utcnow()
    month = timedelta(days=30)
    for number, later in enumerate((-MINUTE, MINUTE)):
        session = {"sid_hash": str(number), "data": b"{}", "seen_at": now, "device": ""}
        db.session.add(WebSession(**session, expires_at=now + later))
        db.session.add(ThrottleCounter(scope="test", subject=str(number), window_ends_at=now + later, count=1))
        link, _token = LinkToken.issue(ada, LinkPurpose.SET_PASSWORD, ada.email, now)
        link.expires_at = now - month + later
        db.session.add(link)
        done_at = now - month + later
        db.session.add(OutboxMessage(kind="done", payload={"number": number}, due_at=done_at, done_at=done_at))
        db.session.add(SpoolFile(name=f"{number}", done_at=done_at))
    old = now - timedelta(days=400)
    db.session.add(OutboxMessage(kind="failed", payload={"number": 1}, due_at=old, failed_at=old))
    db.session.add(OutboxMessage(kind="open", payload={"number": 1}, due_at=old))
    db.session.add(SpoolFile(name="open", done_at=None))
    db.session.commit()
    core.purge()
    db.session.commit()
    assert list(db.session.scalars(sa.select(WebSession.sid_hash))) == ["1"]
    assert list(db.session.scalars(sa.select(ThrottleCounter.subject))) == ["1"]
    assert db.session.scalars(sa.select(LinkToken.expires_at)).one() == now - month + MINUTE
    kept = [(message.kind, message.payload) for message in messages()]
    assert kept == [("done", {"number": 1}), ("failed", {"number": 1}), ("open", {"number": 1})]
    assert sorted(db.session.scalars(sa.select(SpoolFile.name))) == ["1", "open"]


def test_only_pictures_that_nothing_shows_for_a_day_are_swept_away(
    app: Flask, create_design: Callable[..., Design], create_profile: Callable[..., Any], ada: User
) -> None:
    folder = files.folder(app.instance_path)
    names = [files.store(text, folder) for text in (b"front", b"rear", b"photo", b"banner", b"left over", b"fresh")]
    create_design(front_picture=names[0], rear_picture=names[1])
    create_profile(ada, photo=names[2], banner=names[3])
    old = time.time() - 25 * 3600
    for name in names[:5]:
        os.utime(folder / name, (old, old))
    core.sweep_uploads()
    assert [name for name in names if not files.exists(name, folder)] == [names[4]]


# --- the loop ---------------------------------------------------------------------------------------------------------


def test_one_pass_stores_taps_folds_them_delivers_and_does_what_is_due(
    app: Flask, card: Card, sent: Counter[int], jobs: Counter[str]
) -> None:
    promise(1)
    worker.plan(utcnow())
    ask(app.wsgi_app, "/t/ADASCARD")
    worker.one_pass(draining.drainer())
    assert counts() == (1, 1, 1)
    assert sent == {1: 1}
    assert jobs == {"first": 1, "second": 1}


@pytest.fixture
def handlers() -> Iterator[None]:
    """Put the signals' handlers back."""
    before = {number: signal.getsignal(number) for number in (signal.SIGTERM, signal.SIGINT)}
    yield
    for number, handler in before.items():
        signal.signal(number, handler)


class Script:
    """What happens in each pass of the worker; after the last it is told to stop."""

    def __init__(self, monkeypatch: pytest.MonkeyPatch, *passes: BaseException | Callable[[], object]) -> None:
        self.passes, self.began = list(passes), 0
        self.one_pass = worker.one_pass
        monkeypatch.setattr(worker, "one_pass", self)
        monkeypatch.setattr(worker, "PAUSE", 0.001)

    def __call__(self, drain: draining.Drainer) -> None:
        now = self.passes[self.began]
        self.began += 1
        if self.began == len(self.passes):
            os.kill(os.getpid(), signal.SIGINT)
        if isinstance(now, BaseException):
            raise now
        now()
        self.one_pass(drain)


def nothing() -> None:
    """A pass without trouble."""


@pytest.mark.parametrize(
    "trouble",
    [
        OperationalError("SELECT 1", {}, Exception("server closed the connection unexpectedly")),
        sa.exc.TimeoutError("QueuePool limit reached"),
        OSError(errno.ENOSPC, "No space left on device"),
    ],
    ids=lambda error: type(error).__name__,
)
def test_a_database_or_a_disk_in_trouble_is_waited_for(
    app: Flask, card: Card, monkeypatch: pytest.MonkeyPatch, handlers: None, trouble: Exception
) -> None:
    ask(app.wsgi_app, "/t/ADASCARD")
    script = Script(monkeypatch, nothing, trouble, trouble, lambda: ask(app.wsgi_app, "/t/ADASCARD"), nothing)
    worker.run()
    assert script.began == 5
    assert counts() == (2, 2, 2)


def test_waiting_for_a_database_takes_longer_each_time_up_to_a_limit(
    app: Flask, monkeypatch: pytest.MonkeyPatch, handlers: None
) -> None:
    pauses: list[float] = []

    class Told(threading.Event):
        def wait(self, timeout: float | None = None) -> bool:
            pauses.append(timeout or 0)
            return super().wait(0)

    trouble = OperationalError("SELECT 1", {}, Exception())
    Script(monkeypatch, *[trouble] * 7, nothing, nothing)
    monkeypatch.setattr(worker, "PAUSE", 1.0)
    monkeypatch.setattr(worker.threading, "Event", Told)
    worker.run()
    assert pauses == [2, 4, 8, 16, 30, 30, 30, 1, 1]


def test_a_fault_of_ours_is_not_slept_over(app: Flask, monkeypatch: pytest.MonkeyPatch, handlers: None) -> None:
    Script(monkeypatch, nothing, ZeroDivisionError(), nothing)
    with pytest.raises(ZeroDivisionError):
        worker.run()


@pytest.mark.postgresql
def test_a_worker_whose_connections_were_cut_goes_on(
    base_config: Config,
    other_app: Callable[..., Flask],
    tmp_path: Path,
    monkeypatch: pytest.MonkeyPatch,
    handlers: None,
) -> None:
    with needs.new_database("worker") as url:
        there = other_app(database_url=url.replace("://", "+psycopg://", 1), instance_path=tmp_path)
        with there.app_context():
            db.create_all()
            spool = there.extensions["spool"]

            def cut_off() -> None:
                spool.append(fields_of(reading()))
                with psycopg.connect(url, autocommit=True) as other:
                    other.execute(
                        "SELECT pg_terminate_backend(pid, 5000) FROM pg_stat_activity "
                        "WHERE datname = current_database() AND pid <> pg_backend_pid()"
                    )

            script = Script(monkeypatch, nothing, cut_off, nothing, nothing)
            worker.run()
            assert script.began == 4
            assert counts() == (1, 1, 1)
            spool.rotate()
            db.session.remove()
            db.engine.dispose()


# --- stopping ---------------------------------------------------------------------------------------------------------


def test_a_drainer_leaves_off_between_two_transactions(app: Flask, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(ingest, "BATCH_SIZE", 3)
    for _number in range(10):
        app.extensions["spool"].append(fields_of(reading()))
    stop = threading.Event()
    drain = draining.drainer(stop)
    store = drain.recorder.store

    def store_and_be_told(*given: Any) -> int:
        if counts()[0]:
            stop.set()
        return store(*given)

    monkeypatch.setattr(drain.recorder, "store", store_and_be_told)
    assert drain.drain() == 6
    assert counts()[:2] == (6, 6)
    assert draining.drainer().drain() == 4


def test_a_long_queue_is_left_when_the_worker_is_told_to_stop(
    app: Flask, sent: Counter[int], monkeypatch: pytest.MonkeyPatch
) -> None:
    stop = threading.Event()
    promise(*range(10))
    monkeypatch.setitem(mail.KINDS, "test", lambda number: stop.set() if number == 3 else None)
    assert worker.deliver(stop) == 4
    assert sum(message.done_at is not None for message in messages()) == 4


def test_the_command_works_until_it_is_told_to_stop(app: Flask, base_config: Config, tmp_path: Path) -> None:
    spool = draining.Spool(tmp_path / "spool")
    spool.append(fields_of(reading()))
    spool.rotate()
    db.session.commit()
    environ = {
        **os.environ,
        "APP_ENV": "testing",
        "INSTANCE_PATH": str(tmp_path),
        "DATABASE_URL": base_config.database_url,
        "SECRET_KEY": base_config.secret_key,
    }
    command = [sys.executable, "-m", "flask", "--app", "wsgi", "worker"]
    running = subprocess.Popen(command, cwd=ROOT, env=environ, stderr=subprocess.PIPE, text=True)
    try:
        wait_until(lambda: not spool.files(), running)
        told = time.monotonic()
        running.send_signal(signal.SIGTERM)
        assert running.wait(20) == 0
        assert time.monotonic() - told < 10
    finally:
        running.kill()
        said = running.communicate()[1]
    assert "worker started" in said
    assert "worker stopped" in said
    assert "Traceback" not in said
    assert counts() == (1, 1, 1)


def wait_until(is_so: Callable[[], bool], running: "subprocess.Popen[str]") -> None:
    deadline = time.monotonic() + 30
    while not is_so():
        assert running.poll() is None, running.communicate()[1]
        assert time.monotonic() < deadline
        time.sleep(0.05)


def test_one_pass_can_be_asked_for_by_itself(app: Flask, card: Card) -> None:
    ask(app.wsgi_app, "/t/ADASCARD")
    result = app.test_cli_runner().invoke(args=["worker", "--once"])
    assert result.exit_code == 0, result.output
    assert counts() == (1, 1, 1)
    assert db.session.scalar(sa.select(sa.func.count()).select_from(Schedule)) == len(registry.jobs)


def test_the_spool_can_be_drained_by_a_command(app: Flask, card: Card) -> None:
    ask(app.wsgi_app, "/t/ADASCARD")
    ask(app.wsgi_app, "/q/ADASCARD")
    result = app.test_cli_runner().invoke(args=["taps", "drain"])
    assert result.output == "Taps stored: 2.\n"
    assert counts() == (2, 2, 2)


def test_times_of_schedules_are_instants(app: Flask) -> None:
    worker.plan(utcnow())
    for due_at in db.session.scalars(sa.select(Schedule.due_at)):
        assert isinstance(due_at, datetime)
        assert due_at.tzinfo is not None
