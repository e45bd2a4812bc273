"""Health checks of this installation, each with a number, a detail and the fix."""

import os
import stat
from collections.abc import Iterator
from dataclasses import dataclass
from datetime import UTC, datetime, timedelta
from functools import lru_cache
from pathlib import Path
from typing import Any
from urllib.parse import urlsplit

import maxminddb
import redis
import sqlalchemy as sa
from alembic.runtime.migration import MigrationContext
from alembic.script import ScriptDirectory
from argon2 import PasswordHasher
from argon2.exceptions import InvalidHashError, VerificationError

from config import Config

from ..clock import utcnow
from ..db import db
from ..models import OutboxMessage, Schedule, SpoolFile, User
from ..services.taps.ingest import parse_reading
from ..spool import Spool, decode

MIGRATIONS = Path(__file__).resolve().parents[2] / "migrations"
LATEST_MESSAGE = timedelta(minutes=5)
LATEST_TAP = timedelta(minutes=2)
LATEST_JOB = timedelta(minutes=15)
LONGEST_LINE = 16 * 1024
LEAST_FREE_BYTES = 200 * 1024 * 1024
DEMO_PASSWORD = "tapcard-demo"
DEMO_ADDRESSES = ("ada@example.com", "ben@example.com", "olu@example.com")


@dataclass(frozen=True)
class Finding:
    """One thing looked at; `is_vital` when this host cannot serve without it."""

    name: str
    ok: bool
    detail: str
    what_to_do: str = ""
    number: float | None = None
    is_vital: bool = False


@dataclass(frozen=True)
class State:
    """The findings that a load balancer or a monitor asks for, every few seconds."""

    findings: list[Finding]

    @property
    def is_ready(self) -> bool:
        return all(finding.ok for finding in self.findings if finding.is_vital)

    def as_dict(self) -> dict[str, Any]:
        """Names and numbers only."""
        checks = {each.name: {"ok": each.ok, "number": each.number} for each in self.findings}
        well = all(finding.ok for finding in self.findings)
        return {"status": "ok" if well else "degraded" if self.is_ready else "unavailable", "checks": checks}


def state(config: Config, spool: Spool, now: datetime | None = None) -> State:
    """Look at what changes by the minute."""
    now = now or utcnow()
    return State([*_of_the_database(config, now), *_of_the_spool(spool, now)])


def findings(config: Config, spool: Spool, now: datetime | None = None) -> list[Finding]:
    """Look at everything."""
    return [*state(config, spool, now).findings, *_of_the_configuration(config)]


# --- database --------------------------------------------------------------------------------------------------------


def _of_the_database(config: Config, now: datetime) -> Iterator[Finding]:
    start = "Check that the database is running and that DATABASE_URL is correct."
    try:
        context = MigrationContext.configure(db.session.connection())
        present = set(context.get_current_heads())
    except (sa.exc.DBAPIError, sa.exc.TimeoutError) as error:
        db.session.rollback()
        yield Finding("database", False, f"unreachable ({type(error).__name__})", start, is_vital=True)
        return
    yield Finding("database", True, "reachable", is_vital=True)
    wanted = _heads()
    if present != wanted:
        detail = f"database is at {', '.join(sorted(present)) or 'no revision'}, expected {', '.join(wanted)}"
        yield Finding("migrations", False, detail, "Run `flask --app wsgi db upgrade`.", is_vital=True)
        return
    yield Finding("migrations", True, f"at {', '.join(wanted)}", is_vital=True)
    yield from _of_the_worker(config, now)


@lru_cache(maxsize=1)
def _heads() -> frozenset[str]:
    return frozenset(ScriptDirectory(str(MIGRATIONS)).get_heads())


def _of_the_worker(config: Config, now: datetime) -> Iterator[Finding]:
    worker = "Check that a worker is running: `flask --app wsgi worker`."
    is_open = OutboxMessage.done_at.is_(None) & OutboxMessage.failed_at.is_(None)
    due_at = db.session.scalar(sa.select(sa.func.min(OutboxMessage.due_at)).where(is_open))
    late = _seconds(now, due_at)
    ok = late <= LATEST_MESSAGE.total_seconds()
    yield Finding("outbox_age", ok, f"oldest due message has been waiting for {late:.0f} s", worker, late)
    failed = db.session.scalar(sa.select(sa.func.count()).where(OutboxMessage.failed_at.is_not(None))) or 0
    look = "Check outbox.error, fix the cause, then run `flask --app wsgi outbox retry`."
    yield Finding("outbox_failed", not failed, f"failed messages: {failed}", look, failed)
    job = db.session.execute(sa.select(Schedule.name, Schedule.due_at).order_by(Schedule.due_at).limit(1)).first()
    late = _seconds(now, job.due_at) if job else 0.0
    ok = late <= LATEST_JOB.total_seconds()
    yield Finding("schedules_age", ok, f"{job.name if job else 'no job'} is {late:.0f} s overdue", worker, late)
    if config.is_production:
        yield _demo_passwords()


def _demo_passwords() -> Finding:
    demo = sa.select(User.email, User.password_hash).where(User.email.in_(DEMO_ADDRESSES), User.is_active)
    count = sum(_is_demo_password(password_hash) for _email, password_hash in db.session.execute(demo))
    change = "Change the passwords of these accounts or close them: the demo passwords are public."
    return Finding("demo_passwords", not count, f"accounts with the demo password: {count}", change, count)


@lru_cache(maxsize=16)
def _is_demo_password(password_hash: str | None) -> bool:
    try:
        return password_hash is not None and PasswordHasher().verify(password_hash, DEMO_PASSWORD)
    except (VerificationError, InvalidHashError):
        return False


def _seconds(now: datetime, instant: datetime | None) -> float:
    return max(0.0, (now - instant).total_seconds()) if instant is not None else 0.0


# --- spool -----------------------------------------------------------------------------------------------------------


def _of_the_spool(spool: Spool, now: datetime) -> Iterator[Finding]:
    folder = spool.folder
    if not folder.is_dir() or not os.access(folder, os.R_OK | os.W_OK | os.X_OK):
        grant = f"Create {folder} and make it writable for the user the application runs as."
        yield Finding("spool", False, "not writable", grant, is_vital=True)
        return
    disk = os.statvfs(folder)
    free = disk.f_bavail * disk.f_frsize
    room = free >= LEAST_FREE_BYTES and not disk.f_flag & os.ST_RDONLY
    make_room = f"Free up disk space for {folder}. Taps can't be recorded on a full disk."
    yield Finding("spool", room, f"{free // 1024**2} MB free", make_room, free, is_vital=True)
    late = _seconds(now, _oldest_tap(spool))
    ok = late <= LATEST_TAP.total_seconds()
    drain = "Check that a worker is running on this host, or run `flask --app wsgi taps drain`."
    yield Finding("spool_age", ok, f"oldest tap has been waiting for {late:.0f} s", drain, late)
    failed = spool.failure_count()
    look = f"Find the cause in the logs (“tap not recorded”), fix it, then delete {folder / 'failures'}."
    yield Finding("failed_recordings", not failed, f"taps answered but not recorded: {failed}", look, failed)
    bad = sum(1 for path in folder.glob("*.bad"))
    look = f"Check {folder}/*.bad. A truncated last line comes from a crashed process. No answered tap is lost."
    yield Finding("bad_lines", not bad, f"files with unreadable lines: {bad}", look, bad)


def _oldest_tap(spool: Spool) -> datetime | None:
    """The instant of the oldest line that is not in the database yet; by the file's time where it is unreadable."""
    names = spool.files()
    marks: dict[str, int] = {}
    try:
        read = db.session.execute(sa.select(SpoolFile.name, SpoolFile.off).where(SpoolFile.name.in_(names)))
        marks = {row.name: row.off for row in read}
    except (sa.exc.DBAPIError, sa.exc.TimeoutError):
        db.session.rollback()  # nothing is known of what was read; everything waits
    oldest = None
    for name in names:
        try:
            with open(spool.folder / name, "rb") as file:
                file.seek(marks.get(name, 0))
                line = file.readline(LONGEST_LINE)
        except FileNotFoundError:
            continue  # drained in this moment
        if line.endswith(b"\n"):
            reading = parse_reading(decode(line[:-1]) or [])
            instant = reading.instant if reading else datetime.fromtimestamp(int(name[:13]) / 1000, UTC)
            oldest = min(oldest or instant, instant)
    return oldest


# --- configuration ---------------------------------------------------------------------------------------------------


def _of_the_configuration(config: Config) -> Iterator[Finding]:
    yield _secret_key(config)
    host = urlsplit(config.site_url).hostname
    here = config.is_production and host in ("127.0.0.1", "localhost", "::1")
    name_it = "Set SITE_URL to your public URL. Links in emails start with it."
    yield Finding("site_url", not here, f"links in emails start with {config.site_url}", name_it)
    lacking = config.is_production and not config.mail.get("MAIL_SERVER")
    detail = f"sent to {config.mail.get('MAIL_SERVER') or config.instance_path / 'mail'}"
    yield Finding("mail", not lacking, detail, "Set MAIL_SERVER. Until then, emails are saved to files and not sent.")
    if config.redis_url:
        yield _redis(config.redis_url)
    if config.geoip_path:
        yield _geoip(config.geoip_path)


def _secret_key(config: Config) -> Finding:
    path = config.instance_path / "secret_key"
    if not path.exists():
        return Finding("secret_key", True, "set by SECRET_KEY")
    is_private = not path.stat().st_mode & (stat.S_IRWXG | stat.S_IRWXO)
    return Finding("secret_key", is_private, f"stored in {path}", f"Run `chmod 600 {path}`: other users can read it.")


def _redis(url: str) -> Finding:
    client = redis.Redis.from_url(url, socket_connect_timeout=2, socket_timeout=2)
    try:
        client.ping()
    except redis.RedisError as error:
        detail = f"unreachable ({type(error).__name__})"
        return Finding(
            "redis",
            False,
            detail,
            "Check that Redis is running and REDIS_URL is correct. Rate limits apply per process until then.",
        )
    finally:
        client.close()
    return Finding("redis", True, "reachable")


def _geoip(path: Path) -> Finding:
    get_one = "Put a readable GeoIP country file at GEOIP_PATH, or unset GEOIP_PATH."
    try:
        with maxminddb.open_database(path) as reader:
            kind = reader.metadata().database_type
    except (OSError, maxminddb.InvalidDatabaseError) as error:
        return Finding("geoip", False, f"{path} isn't readable ({type(error).__name__})", get_one)
    return Finding("geoip", True, kind)
