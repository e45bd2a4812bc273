"""Fixtures for the tests of erasure."""

from collections.abc import Callable, Iterator
from datetime import date, timedelta
from pathlib import Path

import pytest
from flask import Flask
from flask_migrate import upgrade

from tapcard import worker
from tapcard.clock import utcnow
from tapcard.db import db, transactions
from tapcard.models import User
from tapcard.services.accounts import roles
from tapcard.workflows import privacy
from tests.services.privacy.personal_data import EMAIL


@pytest.fixture
def zeb(create_user: Callable[..., User]) -> User:
    """Return a user with much personal data."""
    return create_user(EMAIL, first_name="Zebulon", last_name="Quirkzahl", title="Dr-Xylo", born_on=date(1987, 6, 5))


@pytest.fixture
def move_clock(monkeypatch: pytest.MonkeyPatch) -> Callable[[timedelta], None]:
    """Return a function that moves the clock of the worker."""

    def move(by: timedelta) -> None:
        then = utcnow() + by
        for module in (worker, privacy):
            monkeypatch.setattr(module, "utcnow", lambda: then)

    return move


@pytest.fixture
def fresh_app(app: Flask, other_app: Callable[..., Flask], tmp_path: Path) -> Iterator[Flask]:
    """Return the application; on SQLite with a new database file that no other test has written."""
    if db.engine.dialect.name != "sqlite":
        yield app
        return
    url = f"sqlite:///{tmp_path / 'instance' / 'tapcard.sqlite'}"
    own = other_app(database_url=url, instance_path=tmp_path / "instance")
    with own.app_context(), transactions(writing=True):
        upgrade()
        roles.seed_roles()
        db.session.commit()
        yield own
        db.session.remove()
