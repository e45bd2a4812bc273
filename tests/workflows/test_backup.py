"""Backup and restore: every tap once, every upload, and refusals."""

import fcntl
import io
import json
import os
import shutil
import stat
import tarfile
from collections import Counter
from collections.abc import Callable, Iterator
from contextlib import contextmanager
from dataclasses import replace
from pathlib import Path
from typing import Any

import msgspec
import pytest
import sqlalchemy as sa
from flask import Flask
from flask_migrate import upgrade

from config import Config
from tapcard.app import create_app
from tapcard.clock import utcnow
from tapcard.db import db, transactions
from tapcard.models import Channel, Outcome, Tap, TapHour, User, UserAgent
from tapcard.services.taps.ingest import Reading
from tapcard.workflows import backup, draining
from tests import external_services

DATABASE = os.environ.get("TEST_DATABASE", "sqlite")


@pytest.fixture
def config(base_config: Config, tmp_path: Path) -> Iterator[Config]:
    """Return the configuration of an installation with its own database."""
    instance = tmp_path / "instance"
    instance.mkdir()
    if DATABASE == "sqlite":
        yield replace(base_config, instance_path=instance, database_url=f"sqlite:///{instance / 'tapcard.sqlite'}")
        return
    with external_services.new_database("backup") as url:
        yield replace(base_config, instance_path=instance, database_url=url.replace("://", "+psycopg://", 1))


@contextmanager
def running(config: Config) -> Iterator[Flask]:
    """Run the application of an installation and close all its connections."""
    app = create_app(config)
    with app.app_context(), transactions(writing=True):
        upgrade()
        try:
            yield app
        finally:
            app.extensions["spool"].rotate()
            db.session.remove()
            db.engine.dispose()


def append_tap(app: Flask, number: int) -> None:
    at = int(utcnow().timestamp() * 1000)
    reading = Reading(
        uid=f"{number:032x}",
        at=at,
        card_id=1 + number % 3,
        owner_id=1,
        design_id=None,
        token=None,
        channel=Channel.NFC,
        outcome=Outcome.REDIRECT,
        visitor="",
        user_agent=f"backup/{number}",
        language="",
        referrer_host="",
        country="",
        me=None,
    )
    app.extensions["spool"].append(list(msgspec.structs.astuple(reading)))


def stored_taps() -> Counter[str]:
    """Count how often each tap is stored."""
    agents = sa.select(UserAgent.text).join(Tap, Tap.user_agent_id == UserAgent.id)
    return Counter(db.session.scalars(agents))


def create_data(config: Config) -> dict[str, bytes]:
    """Create taps in tables, in a partly read and in an unread spool file, and uploads; return the uploads."""
    with running(config) as app:
        db.session.add(User(email="ada@example.com", first_name="Ada", last_name="Obi"))
        db.session.commit()
        for number in range(20):
            append_tap(app, number)
        draining.create_drainer().drain()
        for number in range(20, 35):  # continues in the same file
            append_tap(app, number)
        app.extensions["spool"].rotate()
        for number in range(35, 50):
            append_tap(app, number)
        assert len(app.extensions["spool"].files()) == 2
        assert len(stored_taps()) == 20
    uploads = {f"{number:032x}.webp": os.urandom(3000 + number) for number in range(5)}
    (config.instance_path / "uploads").mkdir()
    for name, data in uploads.items():
        (config.instance_path / "uploads" / name).write_bytes(data)
    return uploads


def wipe(config: Config) -> None:
    """Empty the instance folder and the database."""
    shutil.rmtree(config.instance_path)
    config.instance_path.mkdir()
    if not config.is_sqlite:
        engine = sa.create_engine(config.database_url)
        with engine.begin() as connection:
            connection.execute(sa.text("DROP SCHEMA public CASCADE"))
            connection.execute(sa.text("CREATE SCHEMA public"))
        engine.dispose()


def rewritten(archive: Path, target: Path, change: Callable[[tarfile.TarInfo, bytes], bytes]) -> Path:
    """Copy an archive with changed members."""
    with tarfile.open(archive) as old, tarfile.open(target, "w:gz") as new:
        for member in old:
            file = old.extractfile(member)
            data = change(member, file.read() if file else b"")
            member.size = len(data)
            new.addfile(member, io.BytesIO(data))
    return target


def test_a_restored_installation_has_every_tap_once(config: Config, tmp_path: Path):
    create_data(config)
    archive = backup.create(config, tmp_path / "backup.tar.gz")
    wipe(config)
    backup.restore(config, archive)
    with running(config):
        assert len(stored_taps()) == 20
        draining.create_drainer().drain()
        assert stored_taps() == Counter({f"backup/{number}": 1 for number in range(50)})
        assert db.session.scalar(sa.select(sa.func.sum(TapHour.tap_count))) == 50
        assert db.session.scalar(sa.select(User.email)) == "ada@example.com"


def test_a_restored_installation_has_every_upload(config: Config, tmp_path: Path):
    uploads = create_data(config)
    archive = backup.create(config, tmp_path / "backup.tar.gz")
    wipe(config)
    backup.restore(config, archive)
    assert {path.name: path.read_bytes() for path in (config.instance_path / "uploads").iterdir()} == uploads


def test_a_backup_is_consistent_while_the_application_writes(config: Config, tmp_path: Path):
    create_data(config)
    with running(config) as app:
        append_tap(app, 50)
        archive = backup.create(config, tmp_path / "backup.tar.gz")
        append_tap(app, 51)
        draining.create_drainer().drain()
        assert len(stored_taps()) == 52
    wipe(config)
    backup.restore(config, archive)
    with running(config):
        draining.create_drainer().drain()
        assert stored_taps() == Counter({f"backup/{number}": 1 for number in range(51)})


def test_a_drainer_waits_for_a_backup(config: Config, tmp_path: Path, monkeypatch: pytest.MonkeyPatch):
    create_data(config)
    seen: dict[str, Any] = {}
    copy_spool = backup._copy_spool

    def look(source: Path, destination: Path) -> None:
        with open(config.instance_path / "spool" / "drain.lock", "a") as file:
            try:
                fcntl.flock(file, fcntl.LOCK_SH | fcntl.LOCK_NB)
            except BlockingIOError:
                seen["is_held_off"] = True
        copy_spool(source, destination)

    monkeypatch.setattr(backup, "_copy_spool", look)
    backup.create(config, tmp_path / "backup.tar.gz")
    assert seen == {"is_held_off": True}


def test_a_partial_line_is_not_backed_up(config: Config, tmp_path: Path):
    create_data(config)
    newest = max((config.instance_path / "spool").glob("*.spool"))
    with open(newest, "ab") as file:
        file.write(b"0badf00d [half a li")
    archive = backup.create(config, tmp_path / "backup.tar.gz")
    wipe(config)
    backup.restore(config, archive)
    with running(config):
        draining.create_drainer().drain()
        assert len(stored_taps()) == 50
    assert not list((config.instance_path / "spool").glob("*.bad"))


def test_an_archive_is_readable_only_by_its_owner(config: Config, tmp_path: Path):
    create_data(config)
    archive = backup.create(config, tmp_path / "backup.tar.gz")
    assert stat.S_IMODE(archive.stat().st_mode) == 0o600


def test_an_archive_in_a_folder_gets_a_name(config: Config, tmp_path: Path):
    create_data(config)
    (tmp_path / "backups").mkdir()
    archive = backup.create(config, tmp_path / "backups")
    assert archive.name.startswith("tapcard-")
    assert [path.name for path in (tmp_path / "backups").iterdir()] == [archive.name]


def test_the_development_key_is_restored(config: Config, tmp_path: Path):
    (config.instance_path / "secret_key").write_text(config.secret_key)
    create_data(config)
    archive = backup.create(config, tmp_path / "backup.tar.gz")
    wipe(config)
    (config.instance_path / "secret_key").write_text("made at the start of the restore")
    backup.restore(config, archive)
    assert (config.instance_path / "secret_key").read_text() == config.secret_key


def test_a_key_from_the_environment_is_not_in_the_archive(config: Config, tmp_path: Path):
    create_data(config)
    archive = backup.create(config, tmp_path / "backup.tar.gz")
    with tarfile.open(archive) as tar:
        assert "secret_key" not in tar.getnames()


def test_an_existing_archive_is_not_overwritten(config: Config, tmp_path: Path):
    create_data(config)
    (tmp_path / "backup.tar.gz").write_text("precious")
    with pytest.raises(backup.BackupError, match="already"):
        backup.create(config, tmp_path / "backup.tar.gz")
    assert (tmp_path / "backup.tar.gz").read_text() == "precious"


def test_an_empty_installation_cannot_be_backed_up(config: Config, tmp_path: Path):
    with pytest.raises(backup.BackupError, match="nothing to back up"):
        backup.create(config, tmp_path / "backup.tar.gz")


def test_existing_data_is_replaced_only_with_force(config: Config, tmp_path: Path):
    create_data(config)
    archive = backup.create(config, tmp_path / "backup.tar.gz")
    with running(config) as app:
        db.session.execute(sa.update(User).values(last_name="Changed"))
        db.session.commit()
        append_tap(app, 99)
    with pytest.raises(backup.BackupError, match="--force"):
        backup.restore(config, archive)
    with running(config):
        assert db.session.scalar(sa.select(User.last_name)) == "Changed"
    backup.restore(config, archive, force=True)
    with running(config):
        draining.create_drainer().drain()
        assert db.session.scalar(sa.select(User.last_name)) == "Obi"
        assert stored_taps() == Counter({f"backup/{number}": 1 for number in range(50)})


def test_replaced_taps_are_kept_aside(config: Config, tmp_path: Path):
    create_data(config)
    archive = backup.create(config, tmp_path / "backup.tar.gz")
    before = {path.name: path.read_bytes() for path in (config.instance_path / "spool").glob("*.spool")}
    backup.restore(config, archive, force=True)
    [replaced] = config.instance_path.glob("replaced-*")
    assert {path.name: path.read_bytes() for path in (replaced / "spool").glob("*.spool")} == before


def test_an_installation_in_use_is_not_restored(config: Config, tmp_path: Path):
    create_data(config)
    archive = backup.create(config, tmp_path / "backup.tar.gz")
    with running(config):
        db.session.scalar(sa.select(User.id))
        db.session.commit()
        with pytest.raises(backup.BackupError, match="in use"):
            backup.restore(config, archive, force=True)


def test_a_backup_of_another_database_type_is_refused(config: Config, tmp_path: Path):
    create_data(config)
    archive = backup.create(config, tmp_path / "backup.tar.gz")
    other_url = (
        "postgresql+psycopg://postgres@127.0.0.1/none" if config.is_sqlite else f"sqlite:///{tmp_path / 'other'}"
    )
    with pytest.raises(backup.BackupError, match="different type"):
        backup.restore(replace(config, instance_path=tmp_path / "other-instance", database_url=other_url), archive)


@pytest.mark.parametrize(
    ("change", "says"), [({"format": 2}, "format 2"), ({"revision": "20991231"}, "newer"), ({"more": 1}, "manifest")]
)
def test_an_invalid_manifest_is_refused(config: Config, tmp_path: Path, change: dict[str, Any], says: str):
    create_data(config)

    def edit(member: tarfile.TarInfo, data: bytes) -> bytes:
        return json.dumps({**json.loads(data), **change}).encode() if member.name == "manifest.json" else data

    archive = rewritten(backup.create(config, tmp_path / "backup.tar.gz"), tmp_path / "edited.tar.gz", edit)
    wipe(config)
    with pytest.raises(backup.BackupError, match=says):
        backup.restore(config, archive)


@pytest.mark.fuzz
@pytest.mark.parametrize("name", ["../escaped", "/tmp/escaped", "uploads/../../escaped", "elsewhere/escaped"])
def test_a_member_outside_the_installation_is_refused(config: Config, tmp_path: Path, name: str):
    create_data(config)

    def move(member: tarfile.TarInfo, data: bytes) -> bytes:
        if member.name.startswith("uploads/"):
            member.name = name
        return data

    archive = rewritten(backup.create(config, tmp_path / "backup.tar.gz"), tmp_path / "edited.tar.gz", move)
    wipe(config)
    with pytest.raises(backup.BackupError, match="unexpected file"):
        backup.restore(config, archive)
    assert not list(tmp_path.rglob("escaped"))


def test_a_link_in_an_archive_is_refused(config: Config, tmp_path: Path):
    archive = tmp_path / "links.tar.gz"
    with tarfile.open(archive, "w:gz") as tar:
        link = tarfile.TarInfo("uploads/x.webp")
        link.type, link.linkname = tarfile.SYMTYPE, "/etc/passwd"
        tar.addfile(link)
    with pytest.raises(backup.BackupError, match="unexpected file"):
        backup.restore(config, archive)


def test_a_truncated_archive_is_refused_and_changes_nothing(config: Config, tmp_path: Path):
    create_data(config)
    archive = backup.create(config, tmp_path / "backup.tar.gz")
    archive.write_bytes(archive.read_bytes()[:-2000])
    with pytest.raises(backup.BackupError, match="Can't read"):
        backup.restore(config, archive, force=True)
    with running(config):
        draining.create_drainer().drain()
        assert len(stored_taps()) == 50


def test_a_missing_program_is_named(config: Config, tmp_path: Path, monkeypatch: pytest.MonkeyPatch):
    monkeypatch.setenv("PATH", str(tmp_path))
    with pytest.raises(backup.BackupError, match=r"pg_dump isn't installed.*postgresql-client"):
        backup._run_command(config, ["pg_dump"])


def test_a_failed_program_is_reported_with_its_output(config: Config):
    with pytest.raises(backup.BackupError, match="no-such-folder"):
        backup._run_command(config, ["ls", "/no-such-folder"])
