"""An upgraded application with the database and files of an earlier version."""

import dataclasses
import shutil
import sqlite3
from collections.abc import Callable, Iterator
from contextlib import ExitStack
from datetime import timedelta
from pathlib import Path
from types import SimpleNamespace

import itsdangerous
import pytest
from flask import Flask
from flask_migrate import upgrade

from config import Config
from tapcard.app import create_app
from tapcard.db import db, transactions
from tests import external_services
from tests.compat.stored_data import (
    BEFORE,
    BEFORE_REVISION,
    HERE,
    Clock,
    copy_to_postgresql,
    restore,
    set_clock,
    snapshot,
)
from tests.conftest import DATABASE, FormClient, clean_instance


@pytest.fixture(scope="module")
def application(base_config: Config, tmp_path_factory: pytest.TempPathFactory) -> Iterator[Flask]:
    """Create the application with the stored database, upgraded."""
    folder = tmp_path_factory.mktemp("before")
    with ExitStack() as stack:
        if DATABASE == "sqlite":
            with sqlite3.connect(folder / "before.sqlite") as connection:
                connection.executescript((HERE / "before.sql").read_text())
            connection.close()
            url = f"sqlite:///{folder / 'before.sqlite'}"
        else:
            created = stack.enter_context(external_services.new_database("before"))
            url = created.replace("postgresql://", "postgresql+psycopg://", 1)
        config = dataclasses.replace(
            base_config, secret_key=BEFORE["secret_key"], database_url=url, instance_path=folder
        )
        app = create_app(config)
        app.test_client_class = FormClient
        with app.app_context():
            if DATABASE != "sqlite":
                upgrade(revision=BEFORE_REVISION)
                copy_to_postgresql()
            upgrade()
            db.session.remove()
            snapshot(folder)
        yield app
        with app.app_context():
            db.session.remove()
            db.engine.dispose()


@pytest.fixture
def app(application: Flask, monkeypatch: pytest.MonkeyPatch) -> Iterator[Flask]:
    """Return the application with the stored database and files, five minutes after they were made."""
    set_clock(timedelta(minutes=5))
    seconds = SimpleNamespace(
        time=lambda: Clock.present.timestamp(), time_ns=lambda: int(Clock.present.timestamp() * 1e9)
    )
    monkeypatch.setattr("tapcard.clock.datetime", Clock)
    monkeypatch.setattr("tapcard.tap.recorder.time", seconds)
    monkeypatch.setattr("tapcard.services.taps.visitor_hash.time", seconds)
    monkeypatch.setattr(itsdangerous.TimestampSigner, "get_timestamp", lambda _self: int(seconds.time()))
    folder = Path(application.instance_path)
    with application.app_context(), transactions(writing=True):
        restore(folder)
        clean_instance(folder)
        for folder_before, name in (("pictures", "uploads"), ("spool", "spool")):
            shutil.copytree(HERE / folder_before, folder / name, dirs_exist_ok=True)
        application.extensions["rate_limiter"].reset()
        yield application
        db.session.rollback()
        db.session.remove()


@pytest.fixture
def browser(app: Flask) -> Callable[[str], FormClient]:
    """Return a function that creates a client with the cookies of the previous version."""

    def with_cookies(name: str) -> FormClient:
        client: FormClient = app.test_client()  # type: ignore[assignment]
        for cookie, value in BEFORE["cookies"][name].items():
            client.set_cookie(cookie, value)
        return client

    return with_cookies
