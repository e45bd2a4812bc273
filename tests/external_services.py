"""Skip tests whose server or browser is missing, and fail them under REQUIRE=all."""

import json
import os
import secrets
import shutil
import socket
from collections import Counter
from collections.abc import Callable, Iterator
from contextlib import contextmanager
from functools import cache
from pathlib import Path
from urllib.parse import urlsplit

import psycopg
import pytest
from psycopg import sql
from xdist.remote import Producer
from xdist.scheduler import LoadScopeScheduling

REDIS_URL = os.environ.get("TEST_REDIS_URL", "redis://127.0.0.1:6379/15")
POSTGRESQL_URL = os.environ.get("TEST_POSTGRESQL_URL", "postgresql+psycopg://postgres@127.0.0.1:5432")
# the headless shell opens pages three times as fast
BROWSERS = ("chromium-headless-shell", "chromium", "chromium-browser", "google-chrome")
FOR_WANT_OF = "because of missing "
JOURNEYS = "tests/journeys/"


def _answers(url: str, port: int) -> bool:
    parts = urlsplit(url)
    try:
        socket.create_connection((parts.hostname or "127.0.0.1", parts.port or port), timeout=2).close()
    except OSError:
        return False
    return True


@cache
def redis() -> bool:
    """Return whether a Redis server is running."""
    return _answers(REDIS_URL, 6379)


@cache
def postgresql() -> bool:
    """Return whether a PostgreSQL server is running."""
    return _answers(POSTGRESQL_URL, 5432)


@contextmanager
def new_database(purpose: str) -> Iterator[str]:
    """Create a PostgreSQL database for a block and give its URL."""
    name = f"tapcard_{purpose}_{secrets.token_hex(4)}"
    server = POSTGRESQL_URL.replace("+psycopg", "", 1)
    with psycopg.connect(f"{server}/postgres", autocommit=True) as connection:
        connection.execute(sql.SQL("CREATE DATABASE {}").format(sql.Identifier(name)))
        try:
            yield f"{server}/{name}"
        finally:
            connection.execute(sql.SQL("DROP DATABASE {} WITH (FORCE)").format(sql.Identifier(name)))


@cache
def chromium() -> str | None:
    """Return the path of the browser, if there is one."""
    return os.environ.get("CHROMIUM") or next(filter(None, map(shutil.which, BROWSERS)), None)


NEEDS: dict[str, tuple[str, Callable[[], object]]] = {
    "redis": ("Redis", redis),
    "postgresql": ("PostgreSQL", postgresql),
    "browser": ("Chromium", chromium),
}


class OneBrowser(LoadScopeScheduling):
    """Distribute single tests to workers, but all journeys to one, which starts one browser."""

    def _split_scope(self, nodeid: str) -> str:
        return JOURNEYS if nodeid.startswith(JOURNEYS) else nodeid


def pytest_xdist_make_scheduler(config: pytest.Config, log: Producer) -> OneBrowser:
    return OneBrowser(config, log)


def pytest_runtest_setup(item: pytest.Item) -> None:
    for marker, (name, is_there) in NEEDS.items():
        if item.get_closest_marker(marker) and not is_there():
            pytest.skip(FOR_WANT_OF + name)


@pytest.hookimpl(wrapper=True)
def pytest_runtest_makereport(item: pytest.Item) -> object:
    report = yield
    if report.skipped and not hasattr(report, "wasxfail") and os.environ.get("REQUIRE") == "all":
        report.outcome = "failed"
        report.longrepr = f"REQUIRE=all doesn't allow skipped tests: {report.longrepr[2]}"
    return report


def pytest_terminal_summary(terminalreporter: pytest.TerminalReporter) -> None:
    stats = terminalreporter.stats
    skipped = Counter(str(report.longrepr[2]).removeprefix("Skipped: ") for report in stats.get("skipped", []))
    for reason, number in sorted(skipped.items()):
        terminalreporter.write_line(f"{number} skipped {reason}", yellow=True)
    if path := os.environ.get("TEST_SUMMARY"):
        counts = {kind: len(stats.get(kind, [])) for kind in ("passed", "failed", "error")}
        Path(path).write_text(json.dumps({**counts, "skipped": skipped}))
