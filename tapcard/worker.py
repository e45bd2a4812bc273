"""Worker: stores spooled taps, sends outbox messages and runs scheduled jobs."""

import logging
import signal
import threading
from collections import ChainMap
from collections.abc import Callable
from dataclasses import dataclass, field
from datetime import datetime, timedelta
from pathlib import Path

import click
import sqlalchemy as sa
from flask import Flask, current_app
from flask.cli import AppGroup, with_appcontext
from flask_mail import Message
from sqlalchemy.exc import DBAPIError, IntegrityError, SQLAlchemyError

from . import files, mail, outbox, settings
from .clock import utcnow
from .db import db, empty_log, insert, transactions
from .models import LinkToken, OutboxMessage, PaymentStatus, Schedule, Tap, ThrottleCounter
from .models.users import RETURN_WITHIN
from .services.cards import transfers
from .services.cart import carts
from .services.content import newsletter
from .services.core import uploads
from .services.orders import orders
from .services.payments import payments
from .services.privacy import erasure
from .services.privacy.erasure import NotErasable
from .services.taps import ingest, rollups, visitor_hash, weekly_digest
from .services.taps.ingest import Reading, ReadingStore
from .spool import Chunk, Spool
from .web import sessions
from .workflows import evidence

logger = logging.getLogger(__name__)

PAUSE = 1.0
LONGEST_PAUSE = 30.0
SENT_KEPT = timedelta(days=30)
DELIVERIES_A_PASS = 50
RECOUNT_STEP = 50_000
GUEST_CARTS_KEPT = timedelta(days=60)


# --- taps -------------------------------------------------------------------------------------------------------------


@dataclass
class Drainer:
    """Reads this host's spool into the database; any number may run, each line is stored once."""

    spool: Spool
    recorder: ReadingStore
    stop: threading.Event = field(default_factory=threading.Event)
    offsets: dict[str, int] = field(default_factory=dict)  # of what is committed; spares a look at idle files

    def drain(self) -> int:
        """Store every whole line there is, unless told to stop; tells how many taps it stored."""
        with self.spool.draining() as may_read:
            if not may_read:
                return 0
            zone = shop_zone()
            names = self.spool.files()
            stored = sum(self._drain_file(name, zone) for name in names)
            self.spool.sweep()
        self.offsets = {name: offset for name, offset in self.offsets.items() if name in names}
        return stored

    def _drain_file(self, name: str, zone: str) -> int:
        stored = 0
        while not self.stop.is_set() and not self.spool.is_read(name, self.offsets.get(name)):
            offset = ingest.get_or_create_offset(name)
            try:
                chunk = self.spool.read(name, offset, ingest.BATCH_SIZE)
            except FileNotFoundError:
                db.session.rollback()
                return stored  # another drainer has just finished with it
            if chunk.end == offset:
                db.session.commit()
                self.offsets[name] = offset
                break
            number = self._store(name, offset, chunk, zone)
            if number is None:
                return stored  # another drainer is at this file; what it leaves is for the next pass
            self.offsets[name] = chunk.end
            stored += number
        if name in self.offsets and self.spool.remove(name, self.offsets[name]):
            ingest.mark_finished(name, utcnow())
            db.session.commit()
        return stored

    def _store(self, name: str, offset: int, chunk: Chunk, zone: str) -> int | None:
        """One transaction: rows, roll-ups, mark. None when somebody else stored the same lines first."""
        readings: list[Reading] = []
        bad = list(chunk.bad)
        for raw, fields in chunk.lines:
            reading = ingest.parse_reading(fields)
            if reading is None:
                bad.append(raw)
            else:
                readings.append(reading)
        try:
            rollups.lock_rollups(shared=True)
            number = self.recorder.store(db.session.connection(), readings, zone)
            if ingest.advance_offset(name, offset, chunk.end, len(bad)):
                if bad:
                    self.spool.store_bad_lines(name, bad)
                    logger.error("%d unreadable lines in the tap spool", len(bad))
                db.session.commit()
                self.recorder.committed()
                return number
        except IntegrityError:
            logger.info("taps already stored by another drainer")
        db.session.rollback()
        self.recorder.rolled_back()
        return None


def shop_zone() -> str:
    """The shop's time zone, read without taking the write lock."""
    with transactions(writing=False):
        zone = settings.load().time_zone
        db.session.rollback()
    return zone


def fold() -> None:
    """Carry hours into days until nothing waits."""
    zone = shop_zone()
    while rollups.fold_hours_into_days(zone):
        db.session.commit()
    db.session.rollback()


# --- promises ---------------------------------------------------------------------------------------------------------


def delete_unused(name: str, user_id: int) -> None:
    """Delete a picture that nothing shows; one that was sent of late may be about to be shown, and waits."""
    is_used = bool(uploads.in_use([name]))
    db.session.rollback()  # nothing is held while a file is deleted
    if is_used:
        return
    may_go_at = files.delete_old(name, files.folder(current_app.instance_path), uploads.KEPT)
    if may_go_at is not None:
        uploads.leave([name], user_id, due_at=may_go_at)


HANDLERS: ChainMap[str, Callable[..., Message | None]] = ChainMap(mail.KINDS, {uploads.DELETE: delete_unused})


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


def purge() -> None:
    """Delete what is past its time."""
    now = utcnow()
    sessions.purge()
    db.session.execute(sa.delete(ThrottleCounter).where(ThrottleCounter.window_ends_at < now))
    db.session.execute(sa.delete(LinkToken).where(LinkToken.expires_at < now - SENT_KEPT))
    db.session.execute(sa.delete(OutboxMessage).where(OutboxMessage.done_at < now - SENT_KEPT))
    ingest.delete_finished(now)


def sweep_uploads() -> None:
    """Delete pictures nothing refers to any more."""
    used = uploads.in_use()
    db.session.rollback()  # looking through the folder takes its time
    files.sweep(files.folder(current_app.instance_path), used, uploads.KEPT)


def erase_closed() -> None:
    """Erase the people who closed their account and did not come back in time."""
    now = utcnow()
    waiting = erasure.due(now)
    db.session.rollback()
    for user_id in waiting:
        try:
            _erase(user_id, now)
        except NotErasable:  # came back, or another worker was faster
            db.session.rollback()
        except Exception:  # one person's trouble must not keep the others' data
            db.session.rollback()
            logger.exception("account %d could not be erased; retrying tomorrow", user_id)
    db.session.rollback()
    if not empty_log():
        logger.warning("write-ahead log in use; emptying it tomorrow")


def _erase(user_id: int, now: datetime) -> None:
    person = erasure.erase(user_id, now, closed_before=now - RETURN_WITHIN)
    db.session.commit()
    is_production = current_app.config["TAPCARD"].is_production
    erasure.forget_files(person, Path(current_app.instance_path), with_mails=not is_production)


def purge_newsletter() -> None:
    """Forget who never confirmed, and who left the newsletter long ago."""
    newsletter.purge(utcnow())


def expire_offers() -> None:
    """Mark the offers of cards that nobody answered in time."""
    transfers.expire(utcnow())


def purge_carts() -> None:
    """Forget the carts that guests left behind."""
    while carts.purge(utcnow() - GUEST_CARTS_KEPT):
        db.session.commit()


def expire_orders() -> None:
    """End the orders whose time to be paid is over, and give back what they hold."""
    while orders.expire_due(utcnow(), current_app.extensions["keys"]):
        db.session.commit()


def look_at_payments() -> None:
    """Ask the gateways about every payment that is under way: who paid and closed the browser has paid.

    Those whose time is over are closed there, and read once more.
    """
    last = 0
    while waiting := payments.to_look_at(utcnow(), after_id=last):
        for each in waiting:
            if each.gateway not in evidence.gateways():
                continue  # switched off: it is asked as soon as it is back
            try:
                if each.is_over:
                    evidence.close(each.id, each.gateway, each.reference, PaymentStatus.EXPIRED)
                else:
                    evidence.look(each.id, each.gateway, each.reference)
            except Exception as error:  # one payment's trouble must not keep the others waiting
                db.session.rollback()
                logger.warning("payment %d could not be checked: %s", each.id, type(error).__name__)
        last = waiting[-1].id
    db.session.rollback()


def promise_weekly_mails() -> None:
    """On Monday morning, promise everybody who wants one their weekly mail."""
    monday = weekly_digest.due_monday(utcnow(), shop_zone())
    while monday is not None and weekly_digest.queue_digests(monday):
        db.session.commit()
    db.session.rollback()


SCHEDULES: dict[str, tuple[timedelta, Callable[[], None]]] = {
    "taps.fold": (timedelta(minutes=1), fold),
    "visitors.rotate": (timedelta(hours=1), visitor_hash.rotate_keys),
    "rows.purge": (timedelta(hours=1), purge),
    "uploads.sweep": (timedelta(days=1), sweep_uploads),
    "users.erase": (timedelta(days=1), erase_closed),
    "transfers.expire": (timedelta(hours=1), expire_offers),
    "newsletter.purge": (timedelta(days=1), purge_newsletter),
    "mails.weekly": (timedelta(minutes=10), promise_weekly_mails),
    "carts.purge": (timedelta(days=1), purge_carts),
    "orders.expire": (timedelta(minutes=1), expire_orders),
    "payments.look": (timedelta(minutes=1), look_at_payments),
}


def plan(now: datetime) -> None:
    """Enter the schedules that are new."""
    values = [{"name": name, "due_at": now, "error": ""} for name in SCHEDULES]
    db.session.execute(insert(Schedule).on_conflict_do_nothing(), values)
    db.session.commit()


def run_due(now: datetime) -> int:
    """Do the jobs whose time has come; of several workers the one that moves the row does it."""
    with transactions(writing=False):
        due = db.session.execute(sa.select(Schedule.name, Schedule.due_at).where(Schedule.due_at <= now)).all()
        db.session.rollback()
    return sum(_run(name, due_at, now) for name, due_at in due if name in SCHEDULES)


def _run(name: str, due_at: datetime, now: datetime) -> bool:
    every, job = SCHEDULES[name]
    taken = db.session.execute(
        sa.update(Schedule)
        .where(Schedule.name == name, Schedule.due_at == due_at)
        .values(due_at=now + every, last_run_at=now, error="")
    )
    db.session.commit()
    if taken.rowcount != 1:  # type: ignore[attr-defined]
        return False
    try:
        job()
        db.session.commit()
    except Exception as error:  # one job's trouble must not stop the others
        db.session.rollback()
        logger.exception("job %s failed", name)
        values = {"error": f"{type(error).__name__}: {error}"[:500]}
        db.session.execute(sa.update(Schedule).where(Schedule.name == name).values(values))
        db.session.commit()
    return True


# --- the loop ---------------------------------------------------------------------------------------------------------


def drainer(stop: threading.Event | None = None) -> Drainer:
    """A drainer of this application's spool, which leaves off between two transactions when told to stop."""
    recorder = ReadingStore(current_app.extensions["keys"])
    return Drainer(current_app.extensions["spool"], recorder, stop or threading.Event())


def one_pass(drain: Drainer) -> None:
    """What the worker does every second."""
    if drain.drain():
        fold()
    deliver(drain.stop)
    run_due(utcnow())


def run() -> None:
    """Work until told to stop; a database that is away and a disk that is full are waited for."""
    stop = threading.Event()
    for number in (signal.SIGTERM, signal.SIGINT):
        signal.signal(number, lambda *_: stop.set())
    drain = drainer(stop)
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
            drain = drainer(stop)
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
        one_pass(drainer())
    else:
        run()


@taps_group.command("drain")
def drain_taps() -> None:
    """Store this host’s spooled taps in the database once."""
    stored = drainer().drain()
    fold()
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
