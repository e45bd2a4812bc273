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
from flask.cli import with_appcontext
from sqlalchemy.exc import DBAPIError, SQLAlchemyError

from . import mail, outbox, registry
from .clock import utcnow
from .db import db, execute_update, insert, transactions
from .models import OutboxMessage, Schedule
from .workflows import draining, taps

logger = logging.getLogger(__name__)

POLL_SECONDS = 1.0
MAX_BACKOFF_SECONDS = 30.0
MAX_DELIVERIES_PER_PASS = 50


# --- outbox -----------------------------------------------------------------------------------------------------------


HANDLERS: ChainMap[str, Callable[..., Any]] = ChainMap(mail.KINDS, registry.outbox_handlers)


def deliver_one(now: datetime) -> bool:
    """Deliver one due outbox message; return False when none is due.

    An email is composed, and the rows its links need are committed, before it is sent. If the worker dies in between,
    another one claims the message when its lease has run out.
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
        _update_message(message_id, lambda message: outbox.postpone(message, utcnow()))
    except Exception as error:  # any failure of a handler is recorded and retried
        logger.exception("outbox message failed")
        db.session.rollback()
        description = f"{type(error).__name__}: {error}"
        _update_message(message_id, lambda message: outbox.mark_failed(message, utcnow(), description))
    else:
        _update_message(message_id, lambda message: outbox.mark_done(message, utcnow()))
    db.session.commit()
    return True


def _update_message(message_id: int, update: Callable[[OutboxMessage], None]) -> None:
    """Record the outcome of a delivery, unless the message was erased with its recipient meanwhile."""
    message = db.session.get(OutboxMessage, message_id)
    if message is not None:
        update(message)


def deliver_due(stop: threading.Event | None = None) -> int:
    """Deliver due messages, at most `MAX_DELIVERIES_PER_PASS`, until `stop` is set; return how many."""
    count = 0
    is_stopped = stop.is_set if stop is not None else bool
    while count < MAX_DELIVERIES_PER_PASS and not is_stopped() and _has_due_message() and deliver_one(utcnow()):
        count += 1
    return count


def _has_due_message() -> bool:
    """Return whether a message is due, without taking the write lock."""
    is_open = OutboxMessage.done_at.is_(None) & OutboxMessage.failed_at.is_(None)
    with transactions(writing=False):
        message_id = db.session.scalar(
            sa.select(OutboxMessage.id).where(is_open, OutboxMessage.due_at <= utcnow()).limit(1)
        )
        db.session.rollback()
    return message_id is not None


# --- scheduled jobs ---------------------------------------------------------------------------------------------------


def create_schedules(now: datetime) -> None:
    """Insert a schedule for each declared job that has none, due at `now`."""
    values = [{"name": name, "due_at": now, "error": ""} for name in registry.jobs]
    db.session.execute(insert(Schedule).on_conflict_do_nothing(), values)
    db.session.commit()


def run_due_jobs(now: datetime) -> int:
    """Run the due jobs and return how many ran; the worker that updates the schedule runs the job."""
    with transactions(writing=False):
        schedules = db.session.execute(sa.select(Schedule.name, Schedule.due_at).where(Schedule.due_at <= now)).all()
        db.session.rollback()
    return sum(_run_job(name, due_at, now) for name, due_at in schedules if name in registry.jobs)


def _run_job(name: str, due_at: datetime, now: datetime) -> bool:
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
    except Exception as error:  # a failing job must not stop the others
        db.session.rollback()
        logger.exception("job %s failed", name)
        values = {"error": f"{type(error).__name__}: {error}"[:500]}
        db.session.execute(sa.update(Schedule).where(Schedule.name == name).values(values))
        db.session.commit()
    return True


# --- main loop --------------------------------------------------------------------------------------------------------


def run_once(drainer: draining.Drainer) -> None:
    """Drain the spool, deliver due messages and run due jobs."""
    if drainer.drain():
        taps.fold()
    deliver_due(drainer.stop)
    run_due_jobs(utcnow())


def run() -> None:
    """Run until SIGTERM or SIGINT; retry with increasing delays while the database or the disk is unavailable."""
    stop = threading.Event()
    for signal_number in (signal.SIGTERM, signal.SIGINT):
        signal.signal(signal_number, lambda *_: stop.set())
    drainer = draining.create_drainer(stop)
    delay, has_schedules = POLL_SECONDS, False
    logger.info("worker started")
    while not stop.is_set():
        try:
            if not has_schedules:
                create_schedules(utcnow())
                has_schedules = True
            run_once(drainer)
            delay = POLL_SECONDS
        except (SQLAlchemyError, OSError) as error:
            cause = error.orig if isinstance(error, DBAPIError) else error
            logger.error("worker error: %s", type(cause).__name__)
            db.session.rollback()
            drainer = draining.create_drainer(stop)
            delay = min(delay * 2, MAX_BACKOFF_SECONDS)
        stop.wait(delay)
    logger.info("worker stopped")


# --- command ----------------------------------------------------------------------------------------------------------


def init_app(app: Flask) -> None:
    """Add the command that runs the worker."""
    app.cli.add_command(run_worker)


@click.command("worker")
@click.option("--once", is_flag=True, help="Run once, then exit.")
@with_appcontext
def run_worker(once: bool) -> None:
    """Store taps, send emails and run scheduled jobs."""
    if once:
        create_schedules(utcnow())
        run_once(draining.create_drainer())
    else:
        run()
