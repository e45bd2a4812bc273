"""Worker: stores spooled taps, sends outbox messages and runs scheduled jobs."""

import logging
import signal
import threading
from collections import ChainMap
from collections.abc import Callable
from datetime import datetime
from typing import Any

import click
import sqlalchemy as sa
from flask import Flask
from flask.cli import AppGroup, with_appcontext
from sqlalchemy.exc import DBAPIError, SQLAlchemyError

from . import mail, outbox, registry, settings
from .clock import utcnow
from .db import db, execute_update, insert, transactions
from .models import OutboxMessage, Schedule, Tap
from .services.taps import rollups
from .workflows import draining, taps

logger = logging.getLogger(__name__)

PAUSE = 1.0
LONGEST_PAUSE = 30.0
DELIVERIES_A_PASS = 50
RECOUNT_STEP = 50_000


# --- promises ---------------------------------------------------------------------------------------------------------


HANDLERS: ChainMap[str, Callable[..., Any]] = ChainMap(mail.KINDS, registry.outbox_handlers)


def deliver_one(now: datetime) -> bool:
    """Keep one due promise; False when there is none.

    A mail's text is prepared, and what its link needs committed, before it is sent; a worker that dies in between
    leaves the promise to whoever takes it after the lease.
    """
    message = outbox.claim(now)
    db.session.commit()
    if message is None:
        return False
    message_id = message.id
    try:
        prepared = HANDLERS[message.kind](**message.payload)
        db.session.commit()
        if prepared is not None:
            mail.send(prepared)
    except mail.MailNotConfigured:
        db.session.rollback()
        _settle(message_id, lambda message: outbox.postpone(message, utcnow()))
    except Exception as error:  # whatever a sender raises is written down, and tried again
        logger.exception("outbox message failed")
        db.session.rollback()
        what = f"{type(error).__name__}: {error}"
        _settle(message_id, lambda message: outbox.failed(message, utcnow(), what))
    else:
        _settle(message_id, lambda message: outbox.done(message, utcnow()))
    db.session.commit()
    return True


def _settle(message_id: int, write: Callable[[OutboxMessage], None]) -> None:
    """Write down how a promise went, unless its person was erased while it was being kept."""
    message = db.session.get(OutboxMessage, message_id)
    if message is not None:
        write(message)


def deliver(stop: threading.Event | None = None) -> int:
    """Keep what is due, unless told to stop; tells how many promises."""
    number = 0
    is_stopped = stop.is_set if stop is not None else bool
    while number < DELIVERIES_A_PASS and not is_stopped() and _is_due() and deliver_one(utcnow()):
        number += 1
    return number


def _is_due() -> bool:
    """Look without taking the write lock, once a second."""
    is_open = OutboxMessage.done_at.is_(None) & OutboxMessage.failed_at.is_(None)
    with transactions(writing=False):
        found = db.session.scalar(sa.select(OutboxMessage.id).where(is_open, OutboxMessage.due_at <= utcnow()).limit(1))
        db.session.rollback()
    return found is not None


# --- the clock --------------------------------------------------------------------------------------------------------


def plan(now: datetime) -> None:
    """Enter the schedules that are new."""
    values = [{"name": name, "due_at": now, "error": ""} for name in registry.jobs]
    db.session.execute(insert(Schedule).on_conflict_do_nothing(), values)
    db.session.commit()


def run_due(now: datetime) -> int:
    """Do the jobs whose time has come; of several workers the one that moves the row does it."""
    with transactions(writing=False):
        due = db.session.execute(sa.select(Schedule.name, Schedule.due_at).where(Schedule.due_at <= now)).all()
        db.session.rollback()
    return sum(_run(name, due_at, now) for name, due_at in due if name in registry.jobs)


def _run(name: str, due_at: datetime, now: datetime) -> bool:
    job = registry.jobs[name]
    changed = execute_update(
        sa.update(Schedule)
        .where(Schedule.name == name, Schedule.due_at == due_at)
        .values(due_at=now + job.every, last_run_at=now, error="")
    )
    db.session.commit()
    if changed != 1:
        return False
    try:
        job.run()
        db.session.commit()
    except Exception as error:  # one job's trouble must not stop the others
        db.session.rollback()
        logger.exception("job %s failed", name)
        values = {"error": f"{type(error).__name__}: {error}"[:500]}
        db.session.execute(sa.update(Schedule).where(Schedule.name == name).values(values))
        db.session.commit()
    return True


# --- the loop ---------------------------------------------------------------------------------------------------------


def one_pass(drain: draining.Drainer) -> None:
    """What the worker does every second."""
    if drain.drain():
        taps.fold()
    deliver(drain.stop)
    run_due(utcnow())


def run() -> None:
    """Work until told to stop; a database that is away and a disk that is full are waited for."""
    stop = threading.Event()
    for number in (signal.SIGTERM, signal.SIGINT):
        signal.signal(number, lambda *_: stop.set())
    drain = draining.drainer(stop)
    pause, is_planned = PAUSE, False
    logger.info("worker started")
    while not stop.is_set():
        try:
            if not is_planned:
                plan(utcnow())
                is_planned = True
            one_pass(drain)
            pause = PAUSE
        except (SQLAlchemyError, OSError) as error:
            cause = error.orig if isinstance(error, DBAPIError) else error
            logger.error("worker error: %s", type(cause).__name__)
            db.session.rollback()
            drain = draining.drainer(stop)
            pause = min(pause * 2, LONGEST_PAUSE)
        stop.wait(pause)
    logger.info("worker stopped")


# --- commands ---------------------------------------------------------------------------------------------------------

taps_group = AppGroup("taps", help="Manage the tap spool and statistics.")
outbox_group = AppGroup("outbox", help="Manage outgoing emails.")


def init_app(app: Flask) -> None:
    """Add the worker's commands."""
    app.cli.add_command(run_worker)
    app.cli.add_command(taps_group)
    app.cli.add_command(outbox_group)


@click.command("worker")
@click.option("--once", is_flag=True, help="Run once, then exit.")
@with_appcontext
def run_worker(once: bool) -> None:
    """Store taps, send emails and run scheduled jobs."""
    if once:
        plan(utcnow())
        one_pass(draining.drainer())
    else:
        run()


@taps_group.command("drain")
def drain_taps() -> None:
    """Store this host's spooled taps in the database once."""
    stored = draining.drainer().drain()
    taps.fold()
    click.echo(f"Taps stored: {stored}.")


@taps_group.command("recount")
def recount_taps() -> None:
    """Rebuild tap statistics with the current time zone and bot rules. New taps wait until it finishes."""
    rollups.lock_rollups()
    zone = settings.load().time_zone
    changed = rollups.reclassify_user_agents()
    rollups.delete_rollups()
    last = db.session.scalar(sa.select(sa.func.coalesce(sa.func.max(Tap.id), 0))) or 0
    for start in range(0, last, RECOUNT_STEP):
        rollups.recount_taps(zone, start, min(start + RECOUNT_STEP, last))
    while rollups.fold_hours_into_days(zone):
        pass  # all of it is one transaction: readers see the old figures until the new ones are whole
    db.session.commit()
    click.echo(f"Statistics rebuilt. User agents reclassified: {changed}.")


@outbox_group.command("retry")
def retry_outbox() -> None:
    """Retry failed emails."""
    number = outbox.retry_failed(utcnow())
    db.session.commit()
    click.echo(f"Failed messages queued again: {number}.")
