"""The loop of the worker: waiting for an unavailable database, stopping, and its commands."""

import errno
import os
import signal
import subprocess
import sys
import threading
import time
from collections import Counter
from collections.abc import Callable, Iterator
from pathlib import Path
from typing import Any

import psycopg
import pytest
import sqlalchemy as sa
from flask import Flask
from sqlalchemy.exc import OperationalError

from config import Config
from tapcard import registry, worker
from tapcard.clock import utcnow
from tapcard.db import db
from tapcard.models import Card, Schedule
from tapcard.services.taps import ingest
from tapcard.workflows import draining
from tests import external_services
from tests.tap_requests import fields_of, reading, send_request, tap_counts
from tests.worker.conftest import post_messages

ROOT = Path(__file__).resolve().parents[2]


def test_run_once_stores_taps_delivers_messages_and_runs_jobs(
    app: Flask, card: Card, deliveries: Counter[int], jobs: Counter[str]
) -> None:
    post_messages(1)
    worker.create_schedules(utcnow())
    send_request(app.wsgi_app, "/t/ADASCARD")
    worker.run_once(draining.create_drainer())
    assert tap_counts() == (1, 1, 1)
    assert deliveries == {1: 1}
    assert jobs == {"first": 1, "second": 1}


@pytest.fixture
def handlers() -> Iterator[None]:
    """Restore the signal handlers."""
    before = {number: signal.getsignal(number) for number in (signal.SIGTERM, signal.SIGINT)}
    yield
    for number, handler in before.items():
        signal.signal(number, handler)


class ScriptedWorker:
    """The passes of a worker, which is stopped after the last one."""

    def __init__(self, monkeypatch: pytest.MonkeyPatch, *passes: BaseException | Callable[[], object]) -> None:
        self.passes, self.began = list(passes), 0
        self.run_once = worker.run_once
        monkeypatch.setattr(worker, "run_once", self)
        monkeypatch.setattr(worker, "POLL_SECONDS", 0.001)

    def __call__(self, drain: draining.Drainer) -> None:
        now = self.passes[self.began]
        self.began += 1
        if self.began == len(self.passes):
            os.kill(os.getpid(), signal.SIGINT)
        if isinstance(now, BaseException):
            raise now
        now()
        self.run_once(drain)


def do_nothing() -> None:
    """Do nothing in a pass."""


@pytest.mark.parametrize(
    "trouble",
    [
        OperationalError("SELECT 1", {}, Exception("server closed the connection unexpectedly")),
        sa.exc.TimeoutError("QueuePool limit reached"),
        OSError(errno.ENOSPC, "No space left on device"),
    ],
    ids=lambda error: type(error).__name__,
)
def test_the_worker_continues_after_a_database_or_disk_error(
    app: Flask, card: Card, monkeypatch: pytest.MonkeyPatch, handlers: None, trouble: Exception
) -> None:
    send_request(app.wsgi_app, "/t/ADASCARD")
    script = ScriptedWorker(
        monkeypatch, do_nothing, trouble, trouble, lambda: send_request(app.wsgi_app, "/t/ADASCARD"), do_nothing
    )
    worker.run()
    assert script.began == 5
    assert tap_counts() == (2, 2, 2)


def test_pauses_after_database_errors_grow_up_to_a_maximum(
    app: Flask, monkeypatch: pytest.MonkeyPatch, handlers: None
) -> None:
    pauses: list[float] = []

    class Told(threading.Event):
        def wait(self, timeout: float | None = None) -> bool:
            pauses.append(timeout or 0)
            return super().wait(0)

    trouble = OperationalError("SELECT 1", {}, Exception())
    ScriptedWorker(monkeypatch, *[trouble] * 7, do_nothing, do_nothing)
    monkeypatch.setattr(worker, "POLL_SECONDS", 1.0)
    monkeypatch.setattr(worker.threading, "Event", Told)
    worker.run()
    assert pauses == [2, 4, 8, 16, 30, 30, 30, 1, 1]


def test_a_programming_error_stops_the_worker(app: Flask, monkeypatch: pytest.MonkeyPatch, handlers: None) -> None:
    ScriptedWorker(monkeypatch, do_nothing, ZeroDivisionError(), do_nothing)
    with pytest.raises(ZeroDivisionError):
        worker.run()


@pytest.mark.postgresql
def test_the_worker_continues_after_its_connections_were_cut(
    base_config: Config,
    other_app: Callable[..., Flask],
    tmp_path: Path,
    monkeypatch: pytest.MonkeyPatch,
    handlers: None,
) -> None:
    with external_services.new_database("worker") as url:
        there = other_app(database_url=url.replace("://", "+psycopg://", 1), instance_path=tmp_path)
        with there.app_context():
            db.create_all()
            spool = there.extensions["spool"]

            def cut_off() -> None:
                spool.append(fields_of(reading()))
                with psycopg.connect(url, autocommit=True) as connection:
                    connection.execute(
                        "SELECT pg_terminate_backend(pid, 5000) FROM pg_stat_activity "
                        "WHERE datname = current_database() AND pid <> pg_backend_pid()"
                    )

            script = ScriptedWorker(monkeypatch, do_nothing, cut_off, do_nothing, do_nothing)
            worker.run()
            assert script.began == 4
            assert tap_counts() == (1, 1, 1)
            spool.rotate()
            db.session.remove()
            db.engine.dispose()


def test_a_drainer_stops_between_two_transactions(app: Flask, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(ingest, "BATCH_SIZE", 3)
    for _number in range(10):
        app.extensions["spool"].append(fields_of(reading()))
    stop = threading.Event()
    drain = draining.create_drainer(stop)
    store = drain.recorder.store

    def store_and_be_told(*given: Any) -> int:
        if tap_counts()[0]:
            stop.set()
        return store(*given)

    monkeypatch.setattr(drain.recorder, "store", store_and_be_told)
    assert drain.drain() == 6
    assert tap_counts()[:2] == (6, 6)
    assert draining.create_drainer().drain() == 4


def test_the_worker_command_runs_until_it_is_stopped(app: Flask, base_config: Config, tmp_path: Path) -> None:
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
        stopped_at = time.monotonic()
        running.send_signal(signal.SIGTERM)
        assert running.wait(20) == 0
        assert time.monotonic() - stopped_at < 10
    finally:
        running.kill()
        log = running.communicate()[1]
    assert "worker started" in log
    assert "worker stopped" in log
    assert "Traceback" not in log
    assert tap_counts() == (1, 1, 1)


def wait_until(is_so: Callable[[], bool], running: "subprocess.Popen[str]") -> None:
    deadline = time.monotonic() + 30
    while not is_so():
        assert running.poll() is None, running.communicate()[1]
        assert time.monotonic() < deadline
        time.sleep(0.05)


def test_the_worker_command_can_run_once(app: Flask, card: Card) -> None:
    send_request(app.wsgi_app, "/t/ADASCARD")
    result = app.test_cli_runner().invoke(args=["worker", "--once"])
    assert result.exit_code == 0, result.output
    assert tap_counts() == (1, 1, 1)
    assert db.session.scalar(sa.select(sa.func.count()).select_from(Schedule)) == len(registry.jobs)


def test_the_drain_command_stores_spooled_taps(app: Flask, card: Card) -> None:
    send_request(app.wsgi_app, "/t/ADASCARD")
    send_request(app.wsgi_app, "/q/ADASCARD")
    result = app.test_cli_runner().invoke(args=["taps", "drain"])
    assert result.output == "Taps stored: 2.\n"
    assert tap_counts() == (2, 2, 2)
