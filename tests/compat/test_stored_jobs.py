"""Outbox messages, jobs and taps of the previous version are processed."""

import os
import re
from collections.abc import Callable
from datetime import UTC, datetime, timedelta
from email.message import EmailMessage
from pathlib import Path
from typing import Any

import pytest
import sqlalchemy as sa
from flask import Flask

from tapcard import registry, worker
from tapcard.db import db
from tapcard.models import OutboxMessage, Schedule, Tap, TapDay, UserAgent
from tapcard.workflows import draining
from tests.compat.stored_data import BEFORE, run_jobs, set_clock, user
from tests.conftest import FormClient

LINK = re.compile(r"http://localhost(/[^\s<>\"]+)")
# links with a new token in each email
FRESH = re.compile(r"(/verify/|/set-password/|/account/email/confirm/|/account/email/undo/).+")
pytestmark = pytest.mark.sql


def test_queued_messages_are_sent(app: Flask, mailbox: Callable[[], list[EmailMessage]]) -> None:
    """Messages of every kind go to the same recipients with the same links as in the previous version."""
    set_clock(timedelta(minutes=10))
    waiting = set(db.session.scalars(sa.select(OutboxMessage.kind).where(OutboxMessage.done_at.is_(None))))
    assert sorted(waiting) == BEFORE["outbox_kinds"]
    for path in (Path(app.instance_path) / "uploads").glob("*.webp"):
        os.utime(path, (0, 0))
    while worker.deliver_due():
        pass
    db.session.expire_all()
    left = db.session.execute(
        sa.select(OutboxMessage.kind, OutboxMessage.error).where(OutboxMessage.done_at.is_(None))
    ).all()
    assert left == []
    sent = []
    for message in mailbox():
        body = message.get_body(("plain",))
        assert body is not None
        sent.append(comparable_parts(message["To"], message["Reply-To"], LINK.findall(body.get_content())))
    assert sorted(sent) == sorted(
        comparable_parts(to, reply_to, links) for _kind, to, reply_to, links in BEFORE["mails"]
    )
    assert not (Path(app.instance_path) / "uploads" / BEFORE["unused"]).exists()
    assert (Path(app.instance_path) / "uploads" / BEFORE["photo"]).exists()


def comparable_parts(to: str, reply_to: str | None, links: list[str]) -> tuple[str, str, list[str]]:
    """Return the parts of an email that stay the same."""
    return str(to), str(reply_to or ""), sorted({FRESH.sub(r"\1", link) for link in links})


def test_jobs_run_at_their_stored_times(app: Flask) -> None:
    """Jobs run at the stored times under the stored names, each without an error."""
    stored = sorted(db.session.scalars(sa.select(Schedule.name)))
    assert stored == BEFORE["jobs"]
    assert set(stored) <= set(registry.jobs)
    run_jobs()
    assert db.session.scalars(sa.select(Schedule.last_run_at).where(Schedule.name.in_(stored))).all() == [None] * 11
    now = set_clock(timedelta(hours=2))
    run_jobs()
    ran = db.session.scalars(sa.select(Schedule.last_run_at).where(Schedule.name.in_(stored))).all()
    assert set(ran) == {now}


def test_a_closed_account_is_erased_in_time(app: Flask) -> None:
    """An account closed before the upgrade is erased in time."""
    set_clock(timedelta(days=13))
    run_jobs()
    assert user("ivy").erased_at is None
    set_clock(timedelta(days=15))
    run_jobs()
    assert user("ivy").erased_at is not None


def test_personal_data_can_be_downloaded(browser: Callable[[str], FormClient]) -> None:
    response = browser("holder").post("/account/download")
    assert response.status_code == 200
    assert len(response.data) > 1000
    response.close()


def test_spooled_taps_are_stored_once(app: Flask, client: FormClient) -> None:
    """Taps spooled by the previous version are stored once, with the same values."""
    taps_before = db.session.scalar(sa.select(sa.func.count()).select_from(Tap))
    assert taps_before == len(BEFORE["taps"]) - BEFORE["taps_drained"]
    db.session.commit()
    assert draining.create_drainer().drain() == BEFORE["taps_drained"]
    table = Tap.__table__
    columns = [column for column in table.columns if column.name != "id"]
    rows = db.session.execute(sa.select(*columns).order_by(table.c.uid)).all()
    assert [" ".join(str(utc(value)) for value in row) for row in rows] == BEFORE["taps"]
    assert list((Path(app.instance_path) / "spool").glob("*.spool")) == []
    assert draining.create_drainer().drain() == 0
    assert db.session.scalar(sa.select(sa.func.sum(TapDay.tap_count))) == taps_before


def utc(value: Any) -> Any:
    return value.astimezone(UTC) if isinstance(value, datetime) else value


def test_a_visitor_keeps_their_hash_on_the_same_day(app: Flask, client: FormClient) -> None:
    """A phone that tapped before the upgrade has the same visitor hash on the same day."""
    before = BEFORE["taps"][3].split()[-3]
    agent = db.session.scalars(sa.select(UserAgent.text)).one()
    client.get("/t/ADASCARD", headers={"User-Agent": agent})
    app.extensions["spool"].rotate()
    db.session.commit()
    draining.create_drainer().drain()
    assert db.session.scalars(sa.select(Tap.visitor).order_by(Tap.uid.desc())).first() == before
