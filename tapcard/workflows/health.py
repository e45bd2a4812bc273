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
MAX_MESSAGE_DELAY = timedelta(minutes=5)
MAX_TAP_DELAY = timedelta(minutes=2)
MAX_JOB_DELAY = timedelta(minutes=15)
MAX_LINE_BYTES = 16 * 1024
MIN_FREE_BYTES = 200 * 1024 * 1024
DEMO_PASSWORD = "tapcard-demo"
DEMO_ADDRESSES = ("ada@example.com", "ben@example.com", "olu@example.com")


@dataclass(frozen=True)
class CheckResult:
    """Result of one check; `is_vital` if this host cannot serve without it."""

    name: str
    ok: bool
    detail: str
    fix: str = ""
    number: float | None = None
    is_vital: bool = False


@dataclass(frozen=True)
class HealthReport:
    """Results of the checks that load balancers and monitors request every few seconds."""

    results: list[CheckResult]

    @property
    def is_ready(self) -> bool:
        return all(result.ok for result in self.results if result.is_vital)

    def as_dict(self) -> dict[str, Any]:
        """Return status, names and numbers, without details."""
        checks = {result.name: {"ok": result.ok, "number": result.number} for result in self.results}
        is_ok = all(result.ok for result in self.results)
        return {"status": "ok" if is_ok else "degraded" if self.is_ready else "unavailable", "checks": checks}


def check_runtime(config: Config, spool: Spool, now: datetime | None = None) -> HealthReport:
    """Run the checks of database, worker and spool."""
    now = now or utcnow()
    return HealthReport([*_check_database(config, now), *_check_spool(spool, now)])


def check_all(config: Config, spool: Spool, now: datetime | None = None) -> list[CheckResult]:
    """Run all checks, including those of the configuration."""
    return [*check_runtime(config, spool, now).results, *_check_configuration(config)]


# --- database --------------------------------------------------------------------------------------------------------


def _check_database(config: Config, now: datetime) -> Iterator[CheckResult]:
    start = "Check that the database is running and that DATABASE_URL is correct."
    try:
        context = MigrationContext.configure(db.session.connection())
        current = set(context.get_current_heads())
    except (sa.exc.DBAPIError, sa.exc.TimeoutError) as error:
        db.session.rollback()
        yield CheckResult("database", False, f"unreachable ({type(error).__name__})", start, is_vital=True)
        return
    yield CheckResult("database", True, "reachable", is_vital=True)
    expected = _migration_heads()
    if current != expected:
        detail = f"database is at {', '.join(sorted(current)) or 'no revision'}, expected {', '.join(expected)}"
        yield CheckResult("migrations", False, detail, "Run `flask --app wsgi db upgrade`.", is_vital=True)
        return
    yield CheckResult("migrations", True, f"at {', '.join(expected)}", is_vital=True)
    yield from _check_worker(config, now)


@lru_cache(maxsize=1)
def _migration_heads() -> frozenset[str]:
    return frozenset(ScriptDirectory(str(MIGRATIONS)).get_heads())


def _check_worker(config: Config, now: datetime) -> Iterator[CheckResult]:
    worker = "Check that a worker is running: `flask --app wsgi worker`."
    is_open = OutboxMessage.done_at.is_(None) & OutboxMessage.failed_at.is_(None)
    due_at = db.session.scalar(sa.select(sa.func.min(OutboxMessage.due_at)).where(is_open))
    late = _seconds_late(now, due_at)
    ok = late <= MAX_MESSAGE_DELAY.total_seconds()
    yield CheckResult("outbox_age", ok, f"oldest due message has been waiting for {late:.0f} s", worker, late)
    failed = db.session.scalar(sa.select(sa.func.count()).where(OutboxMessage.failed_at.is_not(None))) or 0
    fix = "Check outbox.error, fix the cause, then run `flask --app wsgi outbox retry`."
    yield CheckResult("outbox_failed", not failed, f"failed messages: {failed}", fix, failed)
    job = db.session.execute(sa.select(Schedule.name, Schedule.due_at).order_by(Schedule.due_at).limit(1)).first()
    late = _seconds_late(now, job.due_at) if job else 0.0
    ok = late <= MAX_JOB_DELAY.total_seconds()
    yield CheckResult("schedules_age", ok, f"{job.name if job else 'no job'} is {late:.0f} s overdue", worker, late)
    if config.is_production:
        yield _check_demo_passwords()


def _check_demo_passwords() -> CheckResult:
    demo = sa.select(User.email, User.password_hash).where(User.email.in_(DEMO_ADDRESSES), User.is_active)
    count = sum(_is_demo_password(password_hash) for _email, password_hash in db.session.execute(demo))
    change = "Change the passwords of these accounts or close them: the demo passwords are public."
    return CheckResult("demo_passwords", not count, f"accounts with the demo password: {count}", change, count)


@lru_cache(maxsize=16)
def _is_demo_password(password_hash: str | None) -> bool:
    try:
        return password_hash is not None and PasswordHasher().verify(password_hash, DEMO_PASSWORD)
    except (VerificationError, InvalidHashError):
        return False


def _seconds_late(now: datetime, instant: datetime | None) -> float:
    return max(0.0, (now - instant).total_seconds()) if instant is not None else 0.0


# --- spool -----------------------------------------------------------------------------------------------------------


def _check_spool(spool: Spool, now: datetime) -> Iterator[CheckResult]:
    folder = spool.folder
    if not folder.is_dir() or not os.access(folder, os.R_OK | os.W_OK | os.X_OK):
        grant = f"Create {folder} and make it writable for the user the application runs as."
        yield CheckResult("spool", False, "not writable", grant, is_vital=True)
        return
    disk = os.statvfs(folder)
    free = disk.f_bavail * disk.f_frsize
    has_space = free >= MIN_FREE_BYTES and not disk.f_flag & os.ST_RDONLY
    make_room = f"Free up disk space for {folder}. Taps can't be recorded on a full disk."
    yield CheckResult("spool", has_space, f"{free // 1024**2} MB free", make_room, free, is_vital=True)
    late = _seconds_late(now, _oldest_tap(spool))
    ok = late <= MAX_TAP_DELAY.total_seconds()
    drain = "Check that a worker is running on this host, or run `flask --app wsgi taps drain`."
    yield CheckResult("spool_age", ok, f"oldest tap has been waiting for {late:.0f} s", drain, late)
    failed = spool.failure_count()
    fix = f"Find the cause in the logs (“tap not recorded”), fix it, then delete {folder / 'failures'}."
    yield CheckResult("failed_recordings", not failed, f"taps answered but not recorded: {failed}", fix, failed)
    bad = sum(1 for path in folder.glob("*.bad"))
    fix = f"Check {folder}/*.bad. A truncated last line comes from a crashed process. No answered tap is lost."
    yield CheckResult("bad_lines", not bad, f"files with unreadable lines: {bad}", fix, bad)


def _oldest_tap(spool: Spool) -> datetime | None:
    """Return when the oldest tap that is not stored yet happened, or its file began if the line is unreadable."""
    names = spool.files()
    offsets: dict[str, int] = {}
    try:
        rows = db.session.execute(sa.select(SpoolFile.name, SpoolFile.off).where(SpoolFile.name.in_(names)))
        offsets = {row.name: row.off for row in rows}
    except (sa.exc.DBAPIError, sa.exc.TimeoutError):
        db.session.rollback()  # the offsets are unknown: count every line
    oldest = None
    for name in names:
        try:
            with open(spool.folder / name, "rb") as file:
                file.seek(offsets.get(name, 0))
                line = file.readline(MAX_LINE_BYTES)
        except FileNotFoundError:
            continue  # drained meanwhile
        if line.endswith(b"\n"):
            reading = parse_reading(decode(line[:-1]) or [])
            instant = reading.instant if reading else datetime.fromtimestamp(int(name[:13]) / 1000, UTC)
            oldest = min(oldest or instant, instant)
    return oldest


# --- configuration ---------------------------------------------------------------------------------------------------


def _check_configuration(config: Config) -> Iterator[CheckResult]:
    yield _check_secret_key(config)
    host = urlsplit(config.site_url).hostname
    here = config.is_production and host in ("127.0.0.1", "localhost", "::1")
    name_it = "Set SITE_URL to your public URL. Links in emails start with it."
    yield CheckResult("site_url", not here, f"links in emails start with {config.site_url}", name_it)
    lacking = config.is_production and not config.mail.get("MAIL_SERVER")
    detail = f"sent to {config.mail.get('MAIL_SERVER') or config.instance_path / 'mail'}"
    yield CheckResult("mail", not lacking, detail, "Set MAIL_SERVER. Until then, emails stay in the outbox.")
    if config.redis_url:
        yield _check_redis(config.redis_url)
    if config.geoip_path:
        yield _check_geoip(config.geoip_path)


def _check_secret_key(config: Config) -> CheckResult:
    path = config.instance_path / "secret_key"
    if not path.exists():
        return CheckResult("secret_key", True, "set by SECRET_KEY")
    is_private = not path.stat().st_mode & (stat.S_IRWXG | stat.S_IRWXO)
    return CheckResult(
        "secret_key", is_private, f"stored in {path}", f"Run `chmod 600 {path}`: other users can read it."
    )


def _check_redis(url: str) -> CheckResult:
    client = redis.Redis.from_url(url, socket_connect_timeout=2, socket_timeout=2)
    try:
        client.ping()
    except redis.RedisError as error:
        detail = f"unreachable ({type(error).__name__})"
        return CheckResult(
            "redis",
            False,
            detail,
            "Check that Redis is running and REDIS_URL is correct. Rate limits apply per process until then.",
        )
    finally:
        client.close()
    return CheckResult("redis", True, "reachable")


def _check_geoip(path: Path) -> CheckResult:
    get_one = "Put a readable GeoIP country file at GEOIP_PATH, or unset GEOIP_PATH."
    try:
        with maxminddb.open_database(path) as reader:
            kind = reader.metadata().database_type
    except (OSError, maxminddb.InvalidDatabaseError) as error:
        return CheckResult("geoip", False, f"{path} isn't readable ({type(error).__name__})", get_one)
    return CheckResult("geoip", True, kind)
