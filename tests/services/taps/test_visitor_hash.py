"""Visitor hashes: stable for a day, dependent on a key that is deleted."""

import hashlib
import os
import subprocess
import sys
from collections.abc import Callable
from datetime import UTC, date, datetime, timedelta
from pathlib import Path
from threading import Barrier
from types import SimpleNamespace

import pytest
import sqlalchemy as sa
from flask import Flask

from config import Config
from tapcard import registry
from tapcard.db import db
from tapcard.models import Card, VisitorKey
from tapcard.services.taps import visitor_hash
from tapcard.services.taps.visitor_hash import VisitorKeys
from tapcard.workflows import taps as tap_jobs
from tests.concurrency import run_concurrently
from tests.tap_requests import PHONE, send_request, spool_lines

ROOT = Path(__file__).resolve().parents[3]
NOON = datetime(2026, 11, 20, 12, tzinfo=UTC)
DAY = timedelta(days=1)


@pytest.fixture
def set_visitor_clock(monkeypatch: pytest.MonkeyPatch) -> Callable[[datetime], None]:
    """Return a function that sets the clock of visitor hashes."""

    def set_clock(instant: datetime) -> None:
        monkeypatch.setattr(visitor_hash, "time", SimpleNamespace(time=instant.timestamp))
        monkeypatch.setattr(visitor_hash, "utcnow", lambda: instant)

    return set_clock


def key_days() -> list[date]:
    return list(db.session.scalars(sa.select(VisitorKey.day_on).order_by(VisitorKey.day_on)))


def test_the_hash_of_a_visitor_stays_the_same_for_a_day(
    app: Flask, set_visitor_clock: Callable[[datetime], None]
) -> None:
    db.session.commit()
    keys = VisitorKeys(db.engine)
    set_visitor_clock(NOON.replace(hour=0, minute=0))
    first = keys.hash("203.0.113.9", PHONE)
    set_visitor_clock(NOON.replace(hour=23, minute=59, second=59))
    assert keys.hash("203.0.113.9", PHONE) == first
    assert len(first) == 24
    assert int(first, 16)


def test_another_address_or_user_agent_has_another_hash(
    app: Flask, set_visitor_clock: Callable[[datetime], None]
) -> None:
    db.session.commit()
    set_visitor_clock(NOON)
    keys = VisitorKeys(db.engine)
    people = [("203.0.113.9", PHONE), ("203.0.113.8", PHONE), ("203.0.113.9", "x"), ("203.0.113.9x", ""), ("", PHONE)]
    assert len({keys.hash(*person) for person in people}) == len(people)


def test_the_hash_of_a_visitor_changes_every_day(app: Flask, set_visitor_clock: Callable[[datetime], None]) -> None:
    db.session.commit()
    keys, seen = VisitorKeys(db.engine), set()
    for number in range(3):
        set_visitor_clock(NOON + number * DAY)
        seen.add(keys.hash("203.0.113.9", PHONE))
    assert len(seen) == 3


def test_a_hash_depends_on_the_key(app: Flask, set_visitor_clock: Callable[[datetime], None]) -> None:
    db.session.commit()
    set_visitor_clock(NOON)
    visitor = VisitorKeys(db.engine).hash("203.0.113.9", PHONE)
    text = f"203.0.113.9\0{PHONE}".encode()
    [key] = db.session.scalars(sa.select(VisitorKey.key))
    assert len(key) == 32
    assert visitor == hashlib.blake2b(text, key=key, digest_size=12).hexdigest()
    assert visitor != hashlib.blake2b(text, digest_size=12).hexdigest()


def test_the_key_of_the_day_is_read_once(app: Flask, set_visitor_clock: Callable[[datetime], None]) -> None:
    db.session.commit()
    set_visitor_clock(NOON)
    recorded: list[str] = []
    keys = VisitorKeys(db.engine)
    keys.hash("203.0.113.9", PHONE)
    sa.event.listen(db.engine, "before_cursor_execute", lambda *given: recorded.append(given[2]), once=True)
    for number in range(20):
        keys.hash(f"203.0.113.{number}", PHONE)
    assert recorded == []
    db.session.scalar(sa.select(1))  # triggers the listener, which is called once
    assert len(recorded) == 1


def test_processes_that_start_together_use_one_key(app: Flask, set_visitor_clock: Callable[[datetime], None]) -> None:
    set_visitor_clock(NOON)
    start, engine = Barrier(8), db.engine

    def of_a_process_of_its_own(_place: int) -> str:
        keys = VisitorKeys(engine)
        make = keys._make

        def together_make(day: date) -> None:
            start.wait(30)  # all threads found no key
            make(day)

        keys._make = together_make  # type: ignore[method-assign]
        return keys.hash("203.0.113.9", PHONE)

    assert len(set(run_concurrently(app, 8, of_a_process_of_its_own))) == 1
    assert key_days() == [NOON.date()]


def test_another_process_uses_the_same_key(app: Flask, base_config: Config, tmp_path: Path) -> None:
    script = (
        "from config import Config; from tapcard.app import create_app\n"
        "app = create_app(Config.from_env())\n"
        f"print(app.extensions['tap_recorder'].visitors.hash('203.0.113.9', {PHONE!r}), flush=True)"
    )
    db.session.commit()
    ours = VisitorKeys(db.engine)
    environ = {"APP_ENV": "testing", "INSTANCE_PATH": str(tmp_path), "DATABASE_URL": base_config.database_url}
    before = ours.hash("203.0.113.9", PHONE)
    done = subprocess.run(
        [sys.executable, "-c", script], cwd=ROOT, env={**os.environ, **environ}, capture_output=True, text=True,
        timeout=60, check=True,
    )  # fmt: skip
    after = ours.hash("203.0.113.9", PHONE)
    assert done.stdout.strip() in (before, after), "the day may have changed during the test"


# --- rotation ---------------------------------------------------------------------------------------------------------


def test_the_key_of_tomorrow_is_created_early_and_that_of_today_is_kept(
    app: Flask, set_visitor_clock: Callable[[datetime], None]
) -> None:
    set_visitor_clock(NOON)
    visitor_hash.rotate_keys()
    db.session.commit()
    keys = VisitorKeys(db.engine)
    today = keys.hash("203.0.113.9", PHONE)
    before = dict(db.session.execute(sa.select(VisitorKey.day_on, VisitorKey.key)).all())
    visitor_hash.rotate_keys()
    assert dict(db.session.execute(sa.select(VisitorKey.day_on, VisitorKey.key)).all()) == before
    assert key_days() == [NOON.date(), (NOON + DAY).date()]
    db.session.commit()
    assert VisitorKeys(db.engine).hash("203.0.113.9", PHONE) == today


@pytest.mark.parametrize(
    ("later", "is_there"),
    [
        (timedelta(hours=47, minutes=59), True),
        (timedelta(hours=48), False),
        (timedelta(hours=49), False),
        (timedelta(days=30), False),
    ],
)
def test_a_key_is_deleted_48_hours_after_the_start_of_its_day(
    app: Flask, set_visitor_clock: Callable[[datetime], None], later: timedelta, is_there: bool
) -> None:
    midnight = NOON.replace(hour=0)
    db.session.add(VisitorKey(day_on=midnight.date(), key=b"k" * 32))
    db.session.commit()
    set_visitor_clock(midnight + later)
    visitor_hash.rotate_keys()
    assert (midnight.date() in key_days()) is is_there


def test_keys_are_rotated_by_an_hourly_job(app: Flask) -> None:
    job = registry.jobs["visitors.rotate"]
    assert (job.every, job.run) == (timedelta(hours=1), tap_jobs.rotate_visitor_key)


def test_a_visitor_is_identified_by_connection_and_not_by_forwarded_headers(app: Flask, card: Card) -> None:
    for address, claimed in (("203.0.113.9", "1.1.1.1"), ("203.0.113.9", "2.2.2.2"), ("203.0.113.8", "1.1.1.1")):
        send_request(app.wsgi_app, "/t/ADASCARD", REMOTE_ADDR=address, HTTP_X_FORWARDED_FOR=claimed)
    first, second, third = (line["visitor"] for line in spool_lines(app.extensions["spool"]))
    assert first == second != third
