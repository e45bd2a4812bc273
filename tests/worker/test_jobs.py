"""The worker runs scheduled jobs when they are due, and the jobs delete what has expired."""

import os
import time
from collections import Counter
from collections.abc import Callable
from datetime import datetime, timedelta
from threading import Barrier
from typing import Any

import pytest
import sqlalchemy as sa
from flask import Flask

from tapcard import files, registry, worker
from tapcard.clock import utcnow
from tapcard.db import db
from tapcard.models import (
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
from tapcard.workflows import core
from tests.concurrency import run_concurrently
from tests.worker.conftest import MINUTE, messages


def test_a_job_runs_only_when_due(app: Flask, jobs: Counter[str]) -> None:
    now = utcnow()
    worker.create_schedules(now)
    assert worker.run_due_jobs(now) == 2
    assert worker.run_due_jobs(now) == 0
    assert worker.run_due_jobs(now + MINUTE - timedelta(seconds=1)) == 0
    assert worker.run_due_jobs(now + MINUTE) == 1
    assert worker.run_due_jobs(now + 2 * MINUTE) == 2
    assert jobs == {"first": 3, "second": 2}


def test_creating_schedules_again_changes_nothing(app: Flask, jobs: Counter[str]) -> None:
    now = utcnow()
    worker.create_schedules(now)
    worker.run_due_jobs(now)
    before = dict(db.session.execute(sa.select(Schedule.name, Schedule.due_at)).all())
    worker.create_schedules(now + MINUTE)
    assert dict(db.session.execute(sa.select(Schedule.name, Schedule.due_at)).all()) == before


def test_concurrent_workers_run_a_job_once(app: Flask, jobs: Counter[str], monkeypatch: pytest.MonkeyPatch) -> None:
    now, start, run = utcnow(), Barrier(2), worker._run_job

    def both_have_looked(*given: Any) -> bool:
        start.wait(30)
        return run(*given)

    worker.create_schedules(now)
    monkeypatch.setattr(worker, "_run_job", both_have_looked)
    done = run_concurrently(app, 2, lambda _place: worker.run_due_jobs(now))
    assert sum(done) == 2  # type: ignore[arg-type]
    assert jobs == {"first": 1, "second": 1}


def test_a_failed_job_stores_its_error_and_stops_no_other(app: Flask, jobs: Counter[str]) -> None:
    now = utcnow()
    jobs["broken"] = 1
    worker.create_schedules(now)
    worker.run_due_jobs(now)
    assert (jobs["first"], jobs["second"]) == (1, 1)
    row = db.session.get_one(Schedule, "first")
    assert (row.error, row.due_at) == ("RuntimeError: a bug of ours", now + MINUTE)
    jobs["broken"] = 0
    worker.run_due_jobs(now + MINUTE)
    db.session.expire_all()
    assert (jobs["first"], db.session.get_one(Schedule, "first").error) == (2, "")


def test_an_unknown_job_is_left_alone(app: Flask, jobs: Counter[str]) -> None:
    now = utcnow()
    db.session.add(Schedule(name="of.a.later.version", due_at=now))
    db.session.commit()
    assert worker.run_due_jobs(now) == 0
    assert db.session.get_one(Schedule, "of.a.later.version").due_at == now


def test_every_job_runs_on_an_empty_database(app: Flask) -> None:
    worker.create_schedules(utcnow())
    assert worker.run_due_jobs(utcnow()) == len(registry.jobs)
    assert set(db.session.scalars(sa.select(Schedule.error))) == {""}


def test_only_expired_rows_are_purged(app: Flask, ada: User) -> None:
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
    core.purge_rows()
    db.session.commit()
    assert list(db.session.scalars(sa.select(WebSession.sid_hash))) == ["1"]
    assert list(db.session.scalars(sa.select(ThrottleCounter.subject))) == ["1"]
    assert db.session.scalars(sa.select(LinkToken.expires_at)).one() == now - month + MINUTE
    remaining = [(message.kind, message.payload) for message in messages()]
    assert remaining == [("done", {"number": 1}), ("failed", {"number": 1}), ("open", {"number": 1})]
    assert sorted(db.session.scalars(sa.select(SpoolFile.name))) == ["1", "open"]


def test_only_unused_pictures_are_deleted_after_a_day(
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


def test_due_times_have_a_time_zone(app: Flask) -> None:
    worker.create_schedules(utcnow())
    for due_at in db.session.scalars(sa.select(Schedule.due_at)):
        assert isinstance(due_at, datetime)
        assert due_at.tzinfo is not None
