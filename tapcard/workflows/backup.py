"""Backup and restore of the database, the tap spool and the uploads in one archive.

No tap is lost or duplicated between database and spool: this host's drainers wait while both are copied. Each line is
either in the copied tables or in the copied spool, as the copied offsets (`spool_files`) tell. The spool belongs
to one host. With several hosts, each host's backup contains only its own spool.
"""

import json
import os
import shutil
import sqlite3
import subprocess
import tarfile
import tempfile
from collections.abc import Iterator
from contextlib import closing, contextmanager
from dataclasses import asdict, dataclass
from pathlib import Path, PurePosixPath

import psycopg
from alembic.script import ScriptDirectory
from alembic.util import CommandError
from sqlalchemy.engine import make_url

from config import Config

from ..clock import utcnow
from ..errors import DomainError
from ..spool import NAME, Spool
from .health import MIGRATIONS

FORMAT = 1
PARTS = MANIFEST, DATABASE, SPOOL, UPLOADS, SECRET = "manifest.json", "database", "spool", "uploads", "secret_key"
EMPTY_DATABASE = """
DO $$ DECLARE name text; BEGIN
  FOR name IN SELECT quote_ident(tablename) FROM pg_tables WHERE schemaname = 'public' LOOP
    EXECUTE 'DROP TABLE public.' || name || ' CASCADE';
  END LOOP;
END $$;
"""


class BackupError(DomainError):
    """A backup can't be created or restored. The message says why and what to do."""


@dataclass(frozen=True)
class Manifest:
    """Metadata of an archive."""

    format: int
    made_at: str
    dialect: str
    revision: str


def create(config: Config, destination: Path) -> Path:
    """Write an archive, readable by its owner alone, to a file or folder and return its path.

    The application may keep running. Raise `BackupError`.
    """
    if destination.is_dir():
        destination = destination / f"tapcard-{utcnow():%Y%m%d-%H%M%S}.tar.gz"
    if destination.exists():
        raise BackupError(f"{destination} already exists. Choose another file name.")
    if not destination.parent.is_dir():
        raise BackupError(f"The folder {destination.parent} doesn't exist. Create it first.")
    dialect, revision = "sqlite" if config.is_sqlite else "postgresql", _revision(config)
    with tempfile.TemporaryDirectory(prefix=".tapcard-backup-", dir=destination.parent) as folder:
        copy = Path(folder)
        (copy / SPOOL).mkdir()
        spool = Spool(config.instance_path / SPOOL)
        with spool.frozen():
            _dump(config, copy / DATABASE)
            _copy_spool(spool.folder, copy / SPOOL)
        key = config.instance_path / SECRET
        if key.is_file() and key.read_text().strip() == config.secret_key:
            shutil.copyfile(key, copy / SECRET)
        manifest = Manifest(FORMAT, utcnow().isoformat(), dialect, revision)
        (copy / MANIFEST).write_text(json.dumps(asdict(manifest), indent=1))
        _pack(copy, config.instance_path / UPLOADS, copy / "archive")
        os.replace(copy / "archive", destination)
    return destination


def restore(config: Config, archive: Path, *, force: bool = False) -> Manifest:
    """Restore an archive into a stopped installation; `force` replaces existing data. Raise `BackupError`.

    The previous database of a SQLite installation and the previous spool are moved to `instance/replaced-…`; uploads
    are only added.
    """
    config.instance_path.mkdir(parents=True, exist_ok=True)
    with tempfile.TemporaryDirectory(prefix=".tapcard-restore-", dir=config.instance_path) as folder:
        copy = Path(folder)
        _unpack(archive, copy)
        manifest = _read_manifest(config, copy)
        spool = Spool(config.instance_path / SPOOL)
        with spool.frozen():
            _refuse_if_running(config)
            if not force and (existing := _existing_data(config)):
                raise BackupError(f"This installation already has data: {existing}. Use --force to replace it.")
            replaced = config.instance_path / f"replaced-{utcnow():%Y%m%d-%H%M%S-%f}"
            _load(config, copy / DATABASE, replaced)
            for path in _spool_files(spool.folder):
                _move_aside(path, replaced / SPOOL)
            for path in _spool_files(copy / SPOOL):
                os.replace(path, spool.folder / path.name)
        _add_uploads(copy / UPLOADS, config.instance_path / UPLOADS)
        if (copy / SECRET).is_file():
            if (config.instance_path / SECRET).is_file():
                _move_aside(config.instance_path / SECRET, replaced)
            os.replace(copy / SECRET, config.instance_path / SECRET)
    return manifest


# --- archive ----------------------------------------------------------------------------------------------------------


def _pack(copy: Path, uploads: Path, archive: Path) -> None:
    with (
        open(archive, "xb", opener=lambda path, flags: os.open(path, flags, 0o600)) as file,
        tarfile.open(fileobj=file, mode="w:gz", compresslevel=6) as tar,
    ):
        tar.add(copy / MANIFEST, MANIFEST)
        for name in (DATABASE, SPOOL, SECRET):
            if (copy / name).exists():
                tar.add(copy / name, name)
        for path in sorted(uploads.rglob("*")) if uploads.is_dir() else []:
            if path.is_file() and not path.is_symlink() and not path.name.startswith("."):
                tar.add(path, f"{UPLOADS}/{path.relative_to(uploads).as_posix()}")
        tar.close()
        file.flush()
        os.fsync(file.fileno())


def _unpack(archive: Path, folder: Path) -> None:
    try:
        with tarfile.open(archive, "r:gz") as tar:
            for member in tar:
                path = PurePosixPath(member.name)
                if not (member.isfile() or member.isdir()) or path.parts[0] not in PARTS or ".." in path.parts:
                    raise BackupError(f"{archive} isn't a valid backup. It contains an unexpected file: {member.name}.")
                tar.extract(member, folder, filter="data")
    except (OSError, EOFError, tarfile.TarError) as error:
        raise BackupError(f"Can't read {archive}: {error}") from error


def _read_manifest(config: Config, folder: Path) -> Manifest:
    try:
        manifest = Manifest(**json.loads((folder / MANIFEST).read_text()))
    except (OSError, ValueError, TypeError) as error:
        raise BackupError("This isn't a tapcard backup: its manifest can't be read.") from error
    if manifest.format != FORMAT:
        raise BackupError(f"The backup has format {manifest.format}, but this version needs format {FORMAT}.")
    if (manifest.dialect == "sqlite") is not config.is_sqlite:
        raise BackupError(
            f"The backup is from {manifest.dialect}, but DATABASE_URL names a different type of database."
        )
    if not (folder / DATABASE).is_file():
        raise BackupError("The backup doesn't contain a database.")
    try:
        ScriptDirectory(str(MIGRATIONS)).get_revision(manifest.revision)
    except CommandError as error:
        raise BackupError(
            f"The backup (revision {manifest.revision}) was made by a newer version of tapcard. Upgrade tapcard first."
        ) from error
    return manifest


# --- spool and uploads -----------------------------------------------------------------------------------------------


def _spool_files(folder: Path) -> list[Path]:
    """Return the spool files, those of unreadable lines and the failure counter."""
    return sorted(path for path in folder.iterdir() if NAME.match(path.name) or path.name == "failures")


def _copy_spool(spool: Path, destination: Path) -> None:
    for path in _spool_files(spool):
        data = path.read_bytes()
        if NAME.fullmatch(path.name):  # it is still being written: skip an incomplete last line
            data = data[: data.rfind(b"\n") + 1]
        (destination / path.name).write_bytes(data)


def _add_uploads(copies: Path, uploads: Path) -> None:
    for path in sorted(copies.rglob("*")) if copies.is_dir() else []:
        if path.is_file():
            target = uploads / path.relative_to(copies)
            target.parent.mkdir(parents=True, exist_ok=True)
            os.replace(path, target)


def _move_aside(path: Path, folder: Path) -> None:
    folder.mkdir(parents=True, exist_ok=True)
    shutil.move(path, folder / path.name)


# --- existing data ---------------------------------------------------------------------------------------------------


def _existing_data(config: Config) -> str | None:
    if _has_tables(config):
        return "the database has tables"
    if any(NAME.fullmatch(path.name) for path in (config.instance_path / SPOOL).iterdir()):
        return f"taps in {config.instance_path / SPOOL}"
    uploads = config.instance_path / UPLOADS
    if uploads.is_dir() and any(uploads.iterdir()):
        return f"files in {uploads}"
    return None


def _has_tables(config: Config) -> bool:
    if config.is_sqlite:
        path = _sqlite_path(config)
        if not path.exists():
            return False
        with closing(sqlite3.connect(path)) as connection:
            return connection.execute("SELECT 1 FROM sqlite_schema LIMIT 1").fetchone() is not None
    with _connect_postgresql(config) as connection_:
        return connection_.execute("SELECT 1 FROM pg_tables WHERE schemaname = 'public' LIMIT 1").fetchone() is not None


def _refuse_if_running(config: Config) -> None:
    stop = "Stop web and worker first. Anything they write during a restore would be lost."
    if config.is_sqlite:
        path = _sqlite_path(config)
        if not path.exists():
            return
        with closing(sqlite3.connect(path, timeout=1, isolation_level=None)) as connection:
            try:
                connection.execute("PRAGMA locking_mode=EXCLUSIVE")
                connection.execute("BEGIN EXCLUSIVE")
            except sqlite3.OperationalError as error:
                raise BackupError(f"The database is in use. {stop}") from error
            except sqlite3.DatabaseError:
                return  # damaged databases may be replaced
        return
    with _connect_postgresql(config) as connection_:
        other_connections = connection_.execute(
            "SELECT count(*) FROM pg_stat_activity"
            " WHERE datname = current_database() AND pid <> pg_backend_pid() AND backend_type = 'client backend'"
        ).fetchone()
    if other_connections and other_connections[0]:
        raise BackupError(f"The database is in use by {other_connections[0]} connections. {stop}")


def _revision(config: Config) -> str:
    query = "SELECT version_num FROM alembic_version"
    try:
        if config.is_sqlite:
            with closing(sqlite3.connect(f"{_sqlite_path(config).as_uri()}?mode=ro", uri=True)) as connection:
                row = connection.execute(query).fetchone()
        else:
            with _connect_postgresql(config) as connection_:
                row = connection_.execute(query).fetchone()
    except (sqlite3.OperationalError, psycopg.errors.UndefinedTable) as error:
        raise BackupError("The database has no tables yet, so there's nothing to back up.") from error
    if row is None:
        raise BackupError("The database has no migration revision. Run `flask --app wsgi db upgrade` first.")
    return str(row[0])


# --- database ---------------------------------------------------------------------------------------------------------


def _dump(config: Config, destination: Path) -> None:
    if config.is_sqlite:
        with (
            closing(sqlite3.connect(f"{_sqlite_path(config).as_uri()}?mode=ro", uri=True)) as source,
            closing(sqlite3.connect(destination)) as copy,
        ):
            source.backup(copy)  # in one step: a consistent snapshot, and writers do not wait
    else:
        _run_command(config, ["pg_dump", "--format=custom", "--no-owner", "--no-privileges", f"--file={destination}"])


def _load(config: Config, dump: Path, replaced: Path) -> None:
    if not config.is_sqlite:
        script = dump.with_suffix(".sql")
        _run_command(config, ["pg_restore", "--no-owner", "--no-privileges", f"--file={script}", str(dump)])
        empty = dump.with_suffix(".empty.sql")
        empty.write_text(EMPTY_DATABASE)
        psql = [
            "psql",
            "--no-psqlrc",
            "--quiet",
            "--output=/dev/null",
            "--single-transaction",
            "--set=ON_ERROR_STOP=1",
        ]
        _run_command(config, [*psql, f"--file={empty}", f"--file={script}"])
        return
    with closing(sqlite3.connect(dump)) as connection:
        try:
            integrity = connection.execute("PRAGMA quick_check").fetchone()[0]
        except sqlite3.DatabaseError as error:
            integrity = str(error)
    if integrity != "ok":
        raise BackupError(f"The database in the backup is damaged: {integrity}.")
    path = _sqlite_path(config)
    path.parent.mkdir(parents=True, exist_ok=True)
    restored_path = path.with_name(path.name + ".restored")
    shutil.move(dump, restored_path)
    for old in (path, path.with_name(path.name + "-wal"), path.with_name(path.name + "-shm")):
        if old.exists():
            _move_aside(old, replaced)
    os.replace(restored_path, path)


def _sqlite_path(config: Config) -> Path:
    return Path(config.database_url.removeprefix("sqlite:///"))


@contextmanager
def _connect_postgresql(config: Config) -> Iterator[psycopg.Connection]:
    try:
        connection = psycopg.connect(config.database_url.replace("+psycopg", "", 1))
    except psycopg.OperationalError as error:
        raise BackupError(f"Can't connect to the database: {error}") from error
    with connection:
        yield connection


def _run_command(config: Config, command: list[str]) -> None:
    """Run a PostgreSQL client program against the configured database; raise `BackupError` when it fails."""
    url = make_url(config.database_url)
    settings: dict[str, object] = {"HOST": url.host, "PORT": url.port, "USER": url.username, "PASSWORD": url.password}
    settings["DATABASE"] = url.database
    for name in ("host", "port", "sslmode", "sslrootcert", "sslcert", "sslkey"):
        if name in url.query:
            settings[name.upper()] = str(url.query[name])
    environment = os.environ | {f"PG{name}": str(value) for name, value in settings.items() if value}
    try:
        process = subprocess.run(command, env=environment, check=False, capture_output=True, text=True)
    except FileNotFoundError as error:
        raise BackupError(
            f"{command[0]} isn't installed. Install the PostgreSQL client programs (apt install postgresql-client)."
        ) from error
    if process.returncode:
        hint = (
            " Install the PostgreSQL client programs that match the server version."
            if "version mismatch" in process.stderr
            else ""
        )
        raise BackupError(f"{command[0]} failed: {process.stderr.strip()[-1000:]}{hint}")
