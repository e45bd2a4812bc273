"""Shared fixtures: Ada owns cards, Ben is staff, Olu owns the shop, Cleo is a stranger."""

import contextvars
import dataclasses
import email
import email.policy
import gc
import os
import secrets
import shutil
from collections.abc import Callable, Iterator
from email.message import EmailMessage
from functools import cache
from pathlib import Path
from typing import Any

import pytest
import sqlalchemy as sa
from flask import Flask
from flask.testing import FlaskClient
from flask_migrate import upgrade
from itsdangerous import URLSafeTimedSerializer
from jinja2 import FileSystemBytecodeCache
from werkzeug.test import Client, TestResponse

from config import Config
from tapcard import seeds, worker
from tapcard.app import create_app
from tapcard.db import db, transactions
from tapcard.keys import Keys
from tapcard.models import (
    Card,
    Category,
    Collection,
    DeliveryMethod,
    Design,
    OutboxMessage,
    Product,
    ProductOption,
    Profile,
    Promotion,
    Setting,
    User,
)
from tapcard.services.accounts import credentials, roles
from tapcard.workflows import draining

PASSWORD = "correct horse battery"
DATABASE = os.environ.get("TEST_DATABASE", "sqlite")
POSTGRESQL = os.environ.get("TEST_POSTGRESQL_URL", "postgresql+psycopg://postgres@127.0.0.1:5432")
TEMPLATE_CACHE = Path(__file__).resolve().parent.parent / ".cache" / "jinja"
TEMPLATE_CACHE.mkdir(parents=True, exist_ok=True)
COMPILED_TEMPLATES = FileSystemBytecodeCache(str(TEMPLATE_CACHE))  # of all applications and processes
KEPT_TABLES = {"alembic_version", "roles"}


# page tests don't depend on the database, so they run on one
PAGES = tuple(f"tests/{folder}/" for folder in ("admin", "auth", "journeys", "shop", "tap", "web"))


# slow tests start first, so that they don't keep one process busy at the end
SLOWEST = (
    "tests/journeys/", "tests/test_bad_input.py", "tests/workflows/test_backup.py", "tests/test_seeds.py",
    "tests/test_migrations.py", "tests/test_images.py", "tests/races/",
)  # fmt: skip


def pytest_collection_finish() -> None:
    """Keep the garbage collector from looking at what lives until the end: code, models and collected tests."""
    gc.collect()
    gc.freeze()
    gc.set_threshold(20_000, 20, 50)


@pytest.hookimpl(tryfirst=True)  # before -m selects
def pytest_collection_modifyitems(items: list[pytest.Item]) -> None:
    """Mark tests that run on one database only: those without one, and page tests not marked `sql`."""
    items.sort(key=lambda item: not item.nodeid.startswith(SLOWEST))
    for item in items:
        if any(map(item.get_closest_marker, ("fuzz", "sql"))):
            continue
        if not {"database_url", "served"} & set(getattr(item, "fixturenames", ())):
            item.add_marker("no_database")
        elif item.nodeid.startswith(PAGES):
            item.add_marker("ui")


@pytest.fixture(scope="session")
def worker_name(request: pytest.FixtureRequest) -> str:
    """Return the name of this process among the parallel ones."""
    return getattr(request.config, "workerinput", {}).get("workerid", "main")


@pytest.fixture(scope="session")
def database_url(tmp_path_factory: pytest.TempPathFactory, worker_name: str) -> Iterator[str]:
    """Yield the URL of an empty database that only this process uses."""
    if DATABASE == "sqlite":
        yield f"sqlite:///{tmp_path_factory.mktemp('database') / 'test.sqlite'}"
        return
    name = f"tapcard_test_{os.getpid()}_{worker_name}"
    server = sa.create_engine(f"{POSTGRESQL}/postgres", isolation_level="AUTOCOMMIT")
    with server.connect() as connection:
        connection.execute(sa.text(f"DROP DATABASE IF EXISTS {name} WITH (FORCE)"))
        connection.execute(sa.text(f"CREATE DATABASE {name}"))
        connection.execute(sa.text(f"ALTER DATABASE {name} SET synchronous_commit = off"))  # no test cuts the power
    yield f"{POSTGRESQL}/{name}"
    with server.connect() as connection:
        connection.execute(sa.text(f"DROP DATABASE IF EXISTS {name} WITH (FORCE)"))
    server.dispose()


@pytest.fixture(scope="session")
def base_config(database_url: str, tmp_path_factory: pytest.TempPathFactory) -> Config:
    """Return the configuration for tests; change it with `dataclasses.replace`."""
    return Config(
        secret_key="a key for the tests alone, long enough",
        environment="testing",
        site_url="http://localhost",
        instance_path=tmp_path_factory.mktemp("instance"),
        database_url=database_url,
        flood_limit="100000 per minute",
        unknown_token_limit="1000 per minute",
        sandbox_gateway=True,
        mail={"MAIL_SERVER": "", "MAIL_DEFAULT_SENDER": "tapcard <no-reply@example.com>"},
    )


@pytest.fixture(scope="session")
def application(base_config: Config) -> Iterator[Flask]:
    """Yield the application with a migrated database, shared by all tests of this process."""
    app = create_app(base_config)
    app.test_client_class = FormClient
    app.jinja_env.bytecode_cache = COMPILED_TEMPLATES
    with app.app_context():
        upgrade()
        roles.seed_roles()
        db.session.commit()
    yield app
    with app.app_context():
        db.session.remove()
        db.engine.dispose()


class FormClient(FlaskClient):
    """Test client whose requests run in their own context and send the CSRF token unless `csrf=False`."""

    def open(self, *args: Any, csrf: bool = True, **kwargs: Any) -> TestResponse:
        db.session.commit()  # otherwise the test's transaction would block the request
        if csrf and kwargs.get("method", "GET").upper() not in ("GET", "HEAD", "OPTIONS") and "json" not in kwargs:
            data = kwargs.get("data")
            if data is None or (isinstance(data, dict) and "csrf_token" not in data):
                kwargs["data"] = {**(data or {}), "csrf_token": self.csrf_token()}
        response: TestResponse = contextvars.Context().run(super().open, *args, **kwargs)
        db.session.expire_all()
        return response

    _token: tuple[str, str] | None = None  # session id and its token

    def csrf_token(self) -> str:
        """Return the CSRF token of this client's session."""
        sid = self._sid()
        if self._token is None or sid is None or self._token[0] != sid:
            token = contextvars.Context().run(self._read_token)
            self._token = (self._sid() or "", token)
        return self._token[1]

    def _sid(self) -> str | None:
        cookie = self.get_cookie("tc_session")
        return cookie.value if cookie is not None else None

    def _read_token(self) -> str:
        """Put a token into the session, as rendering a form does; requesting a page would be slow."""
        with self.session_transaction() as session:
            raw = session.setdefault("csrf_token", secrets.token_hex(20))
        return URLSafeTimedSerializer(self.application.secret_key or "", salt="wtf-csrf-token").dumps(raw)  # type: ignore[return-value]


@pytest.fixture
def app(application: Flask) -> Iterator[Flask]:
    """Yield the application with an empty database, in an application context."""
    with application.app_context(), transactions(writing=True):
        empty()
        clean_instance(Path(application.instance_path))
        application.extensions["rate_limiter"].reset()
        yield application
        db.session.rollback()
        db.session.remove()


def empty() -> None:
    """Delete all rows except those that every installation has."""
    connection = db.session.connection()
    names, query = _tables()
    filled = set(connection.exec_driver_sql(query).scalars())
    for name in reversed(names):
        if name in filled:
            connection.exec_driver_sql(f'DELETE FROM "{name}"')
    db.session.commit()


@cache
def _tables() -> tuple[list[str], str]:
    """Return the tables in order of dependency, and the query for those with rows.

    One query, because emptying empty tables takes PostgreSQL longer than most tests; as text, because building it takes
    longer than running it.
    """
    names = [table.name for table in db.metadata.sorted_tables if table.name not in KEPT_TABLES]
    return names, " UNION ALL ".join(f"SELECT '{name}' WHERE EXISTS (SELECT 1 FROM \"{name}\")" for name in names)


def clean_instance(instance: Path) -> None:
    """Delete the emails, uploads and spooled taps of the previous test."""
    for name in ("mail", "uploads"):
        shutil.rmtree(instance / name, ignore_errors=True)
    for path in (instance / "spool").glob("*"):
        path.unlink()


@pytest.fixture(autouse=True)
def fresh_spool(request: pytest.FixtureRequest) -> Iterator[None]:
    """Write each test's taps to their own file."""
    yield
    if "app" in request.fixturenames:
        request.getfixturevalue("application").extensions["spool"].rotate()


@pytest.fixture
def keys(app: Flask) -> Keys:
    """Return the keys of the application."""
    return app.extensions["keys"]  # type: ignore[no-any-return]


@pytest.fixture
def client(app: Flask) -> FormClient:
    """Return a logged-out client."""
    return app.test_client()  # type: ignore[return-value]


@pytest.fixture
def new_client(app: Flask) -> Callable[[], FormClient]:
    """Return a function that creates clients."""
    return app.test_client  # type: ignore[return-value]


@pytest.fixture
def slow_client(app: Flask) -> Client:
    """Return a client that bypasses the fast tap path."""
    return Client(app.extensions["without_fast_taps"])


def login(client: FormClient, user: User, password: str = PASSWORD, **fields: Any) -> TestResponse:
    """Log a user in through the form."""
    return client.post("/log-in", data={"email": user.email, "password": password, **fields})


def _committed(row: Any) -> Any:
    db.session.commit()
    return row


@pytest.fixture
def create_user(app: Flask) -> Callable[..., User]:
    """Create a user with the password `PASSWORD` by default."""
    return lambda *args, **kwargs: _committed(seeds.create_user(*args, **{"password": PASSWORD, **kwargs}))


@pytest.fixture
def ada(create_user: Callable[..., User]) -> User:
    """Return Ada, who owns cards."""
    return create_user("ada@example.com", first_name="Ada", last_name="Obi")


@pytest.fixture
def ben(create_user: Callable[..., User]) -> User:
    """Return Ben, who is staff."""
    return create_user("ben@example.com", first_name="Ben", last_name="Marsh", roles=["staff"])


@pytest.fixture
def olu(create_user: Callable[..., User]) -> User:
    """Return Olu, who owns the shop."""
    return create_user("olu@example.com", first_name="Olu", last_name="Ade", roles=["owner"])


@pytest.fixture
def cleo(create_user: Callable[..., User]) -> User:
    """Return Cleo, a stranger with an account."""
    return create_user("cleo@example.com", first_name="Cleo", last_name="Nemo")


@pytest.fixture
def create_design(app: Flask) -> Callable[..., Design]:
    """Create a design."""
    return lambda *args, **kwargs: _committed(seeds.create_design(*args, **kwargs))


@pytest.fixture
def design(create_design: Callable[..., Design]) -> Design:
    """Return a public design without a picture."""
    return create_design()


@pytest.fixture
def create_profile(app: Flask) -> Callable[..., Profile]:
    """Create a profile."""
    return lambda *args, **kwargs: _committed(seeds.create_profile(*args, **kwargs))


@pytest.fixture
def profile(create_profile: Callable[..., Profile], ada: User) -> Profile:
    """Return Ada's public profile."""
    return create_profile(ada, "ada")


@pytest.fixture
def create_card(app: Flask, keys: Keys) -> Callable[..., Card]:
    """Create a card."""
    return lambda *args, **kwargs: _committed(seeds.create_card(*args, **{"keys": keys, **kwargs}))


@pytest.fixture
def card(create_card: Callable[..., Card], ada: User, design: Design) -> Card:
    """Return Ada's card, which opens a web address."""
    return create_card(ada, token="ADASCARD", url="https://example.com/", design=design, alias="Everyday")


@pytest.fixture
def create_category(app: Flask) -> Callable[..., Category]:
    """Create a category."""
    return lambda *args, **kwargs: _committed(seeds.create_category(*args, **kwargs))


@pytest.fixture
def create_collection(app: Flask) -> Callable[..., Collection]:
    """Create a collection."""
    return lambda *args, **kwargs: _committed(seeds.create_collection(*args, **kwargs))


@pytest.fixture
def create_product(app: Flask) -> Callable[..., Product]:
    """Create a product."""
    return lambda *args, **kwargs: _committed(seeds.create_product(*args, **kwargs))


@pytest.fixture
def product(create_product: Callable[..., Product]) -> Product:
    """Return a journal for 10.00 without stock tracking."""
    return create_product()


@pytest.fixture
def bottle(create_product: Callable[..., Product]) -> Product:
    """Return a bottle for 24.00 with ten in stock."""
    return create_product("Steel bottle", unit_amount=2400, tax_rate=2000, stock=10)


@pytest.fixture
def create_option(app: Flask) -> Callable[..., ProductOption]:
    """Create a product option."""
    return lambda *args, **kwargs: _committed(seeds.create_option(*args, **kwargs))


@pytest.fixture
def create_promotion(app: Flask) -> Callable[..., Promotion]:
    """Create a promotion."""
    return lambda *args, **kwargs: _committed(seeds.create_promotion(*args, **kwargs))


@pytest.fixture
def create_delivery_method(app: Flask) -> Callable[..., DeliveryMethod]:
    """Create a delivery method."""
    return lambda *args, **kwargs: _committed(seeds.create_delivery_method(*args, **kwargs))


@pytest.fixture
def set_setting(app: Flask) -> Callable[[str, Any], None]:
    """Return a function that changes a shop setting."""

    def change(name: str, value: Any) -> None:
        db.session.merge(Setting(name=name, value=value))
        db.session.commit()

    return change


@pytest.fixture
def outbox(app: Flask) -> Callable[[], list[str]]:
    """Return a function that lists the kinds of pending outbox messages."""
    waiting = sa.select(OutboxMessage.kind).where(OutboxMessage.done_at.is_(None)).order_by(OutboxMessage.id)
    return lambda: list(db.session.scalars(waiting))


@pytest.fixture
def run_worker(app: Flask) -> Callable[[], None]:
    """Return a function that runs the worker once: drains and rolls up taps, sends emails."""

    def run_once() -> None:
        db.session.commit()
        app.extensions["spool"].rotate()
        worker.run_once(draining.create_drainer())
        db.session.expire_all()

    return run_once


@pytest.fixture
def mailbox(app: Flask) -> Callable[[], list[EmailMessage]]:
    """Return a function that reads the emails sent so far, oldest first."""

    def read() -> list[EmailMessage]:
        paths = sorted((Path(app.instance_path) / "mail").glob("*.eml"))
        return [email.message_from_bytes(path.read_bytes(), policy=email.policy.default) for path in paths]

    return read


@pytest.fixture
def other_app(base_config: Config, app: Flask) -> Iterator[Callable[..., Flask]]:
    """Return a function that creates an application with other settings on the same database."""
    made = []

    def build(**changes: Any) -> Flask:
        other = create_app(dataclasses.replace(base_config, **changes))
        other.jinja_env.bytecode_cache = COMPILED_TEMPLATES
        credentials.configure_hasher(cheap=True)  # creating a production application made it slow
        other.test_client_class = FormClient
        made.append(other)
        return other

    yield build
    for other in made:
        other.extensions["spool"].rotate()
        with other.app_context():
            db.session.remove()
            db.engine.dispose()
