"""Installations to measure on SQLite or PostgreSQL, the production server, and `wrk`."""

import contextlib
import http.client
import logging
import os
import re
import shutil
import signal
import subprocess
import sys
import tempfile
import time
from collections.abc import Iterator
from contextlib import ExitStack, contextmanager
from dataclasses import dataclass, field
from pathlib import Path

from flask import Flask
from flask_migrate import upgrade

from config import Config
from tapcard import seeds
from tapcard.app import create_app
from tapcard.db import db, transactions
from tapcard.models import Profile
from tapcard.services.accounts import roles
from tests import external_services
from tests.web_server import free_port, granian

ROOT = Path(__file__).resolve().parent.parent
DATA = Path(__file__).resolve().parent / ".data"
DATABASES = ("SQLite", "PostgreSQL")
PASSWORD = "correct horse battery"
START_TIMEOUT = 30.0  # seconds


@dataclass
class Installation:
    """An installation to measure."""

    database: str
    folder: Path
    database_url: str
    environment: dict[str, str] = field(init=False)
    config: Config = field(init=False)

    def __post_init__(self) -> None:
        self.environment = os.environ | {
            "INSTANCE_PATH": str(self.folder / "instance"),
            "DATABASE_URL": self.database_url,
            "FLOOD_LIMIT": "100000000 per second",
            "UNKNOWN_TOKEN_LIMIT": "100000000 per second",
            "SECRET_KEY": "a key for benchmarks only, long enough",
        }
        self.config = Config.from_env(self.environment)

    @contextmanager
    def application(self) -> Iterator[Flask]:
        """Run the application in this process."""
        app = create_app(self.config)
        logging.getLogger("tapcard").setLevel(logging.WARNING)
        with app.app_context(), transactions(writing=True):
            try:
                yield app
            finally:
                app.extensions["spool"].rotate()
                db.session.remove()
                db.engine.dispose()

    @contextmanager
    def serving(self, app: str = "wsgi:app", workers: int = 2) -> Iterator["Server"]:
        """Run the application, or another one, behind the production server."""
        port = free_port()
        environment = self.environment | {"PORT": str(port), "SITE_URL": f"http://127.0.0.1:{port}"}
        log = self.folder / "server.log"
        with open(log, "ab") as file:
            process = subprocess.Popen(
                granian(app, port, workers), cwd=ROOT, env=environment, stdout=file, stderr=file, start_new_session=True
            )
        try:
            server = Server(port, process.pid)
            server.wait(log)
            yield server
        finally:
            with contextlib.suppress(ProcessLookupError):
                os.killpg(process.pid, signal.SIGTERM)
            try:
                process.wait(timeout=20)
            except subprocess.TimeoutExpired:
                os.killpg(process.pid, signal.SIGKILL)
                process.wait()


@dataclass
class Server:
    """A running server."""

    port: int
    pid: int

    def wait(self, log: Path) -> None:
        """Wait until the server answers, or exit with the end of its log."""
        deadline = time.monotonic() + START_TIMEOUT
        while time.monotonic() < deadline:
            with contextlib.suppress(OSError, http.client.HTTPException):
                connection = http.client.HTTPConnection("127.0.0.1", self.port, timeout=2)
                connection.request("GET", "/healthz")
                connection.getresponse()
                return
            time.sleep(0.05)
        sys.exit(f"The server did not start:\n{log.read_text()[-3000:]}")

    def workers(self) -> list[int]:
        """Return the ids of the worker processes."""
        return [int(pid) for pid in Path(f"/proc/{self.pid}/task/{self.pid}/children").read_text().split()]


@dataclass(frozen=True)
class Load:
    """Results of `wrk`: requests, requests per second, and latencies in milliseconds."""

    requests: int
    rate: float
    p50: float
    p99: float


MILLISECONDS = {"us": 0.001, "ms": 1.0, "s": 1000.0, "m": 60_000.0}


def wrk(
    server: Server, path: str, seconds: int, connections: int = 32, script: str | None = None, **variables: str
) -> Load:
    """Load a server for some seconds, with environment variables for the script; exit on responses above 3xx."""
    command = ["wrk", "-t1", f"-c{connections}", f"-d{seconds}s", "--latency", "--timeout", "10s"]
    if script:
        command += ["-s", str(Path(__file__).with_name(script))]
    result = subprocess.run(
        [*command, f"http://127.0.0.1:{server.port}{path}"],
        capture_output=True,
        text=True,
        check=True,
        env=os.environ | variables,
    )
    text = result.stdout
    if "Non-2xx" in text or "Socket errors" in text:
        sys.exit(f"wrk reported errors:\n{text}")
    rate = re.search(r"Requests/sec:\s+([\d.]+)", text)
    requests = re.search(r"(\d+) requests in", text)
    quantiles = {
        name: float(number) * MILLISECONDS[unit] for name, number, unit in re.findall(r"(\d\d)%\s+([\d.]+)(\w+)", text)
    }
    assert rate is not None
    assert requests is not None
    return Load(int(requests[1]), float(rate[1]), quantiles["50"], quantiles["99"])


def has_wrk() -> bool:
    return shutil.which("wrk") is not None


def databases() -> list[str]:
    """Return the databases that are available on this machine."""
    return [name for name in DATABASES if name == "SQLite" or external_services.postgresql()]


@contextmanager
def temporary_installation(database: str, *, demo: bool = True) -> Iterator[Installation]:
    """Create a temporary installation, with Ada's cards and profile if `demo` is set."""
    with ExitStack() as stack:
        folder = Path(stack.enter_context(tempfile.TemporaryDirectory(prefix="tapcard-bench-")))
        if database == "SQLite":
            url = f"sqlite:///{folder}/bench.sqlite"
        else:
            url = stack.enter_context(external_services.new_database("bench"))
        installation = Installation(database, folder, url)
        with installation.application() as app:
            upgrade()
            if demo:
                seed(app)
        yield installation


def seed(app: Flask) -> None:
    """Create Ada with a profile and two cards, and the shop owner Olu."""
    roles.seed_roles()
    keys = app.extensions["keys"]
    ada = seeds.create_user("ada@example.com", password=PASSWORD)
    seeds.create_user("olu@example.com", first_name="Olu", password=PASSWORD, roles=["owner"])
    profile: Profile = seeds.create_profile(ada, "ada")
    seeds.create_card(ada, token="BENCHURL", url="https://example.com/", keys=keys)
    seeds.create_card(ada, token="BENCHPRO", profile=profile, keys=keys)
    db.session.commit()
