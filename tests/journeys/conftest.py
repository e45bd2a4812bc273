"""The whole application as `make run` starts it, and a phone with a browser."""

import http.server
import itertools
import os
import signal
import subprocess
import sys
import threading
import time
import urllib.request
from collections.abc import Iterator
from contextlib import ExitStack
from dataclasses import dataclass, field
from pathlib import Path

import pytest
from playwright.sync_api import Browser, BrowserContext, Page, expect, sync_playwright

from tests import external_services
from tests.web_server import free_port

ROOT = Path(__file__).resolve().parents[2]
ARTEFACTS = ROOT / "artefacts"
QUIET = ("--no-sandbox", "--disable-gpu", "--disable-quic", "--no-first-run", "--disable-background-networking")
PHONE = {"width": 390, "height": 844}
IPHONE = "Mozilla/5.0 (iPhone; CPU iPhone OS 18_1 like Mac OS X) Version/18.1 Mobile/15E148 Safari/604.1"
DESKTOP = {"width": 1280, "height": 900}
START_SECONDS = 180  # a busy machine needs that long
PLACES = itertools.count(1)
PATIENCE = 15_000  # milliseconds: other tests run beside
expect.set_options(timeout=PATIENCE)


@dataclass
class Served:
    """A running installation with its demo data."""

    url: str
    instance: Path
    process: subprocess.Popen[str]
    lines: list[str] = field(default_factory=list)


@pytest.fixture(scope="session")
def served(tmp_path_factory: pytest.TempPathFactory) -> Iterator[Served]:
    """`flask serve` in an empty instance folder; stopped by TERM, after which nothing may be left running."""
    with ExitStack() as stack:
        instance, port = tmp_path_factory.mktemp("served"), free_port()
        environment = {**os.environ, "INSTANCE_PATH": str(instance), "PORT": str(port), "PYTHONUNBUFFERED": "1"}
        environment.pop("DATABASE_URL", None)
        environment["TRUSTED_PROXIES"] = "1"  # browsers say where they are, as a proxy would
        if os.environ.get("TEST_DATABASE") == "postgresql":
            environment["DATABASE_URL"] = stack.enter_context(external_services.new_database("journey"))
        command = [sys.executable, "-m", "flask", "--app", "wsgi", "serve"]
        process = subprocess.Popen(
            command, cwd=ROOT, env=environment, stdout=subprocess.PIPE, stderr=subprocess.STDOUT, text=True
        )
        started = Served(f"http://127.0.0.1:{port}", instance, process)
        assert process.stdout is not None
        collector = threading.Thread(target=_collect, args=(started,), daemon=True)
        collector.start()
        try:
            _await(started)
            yield started
        finally:
            process.send_signal(signal.SIGTERM)
            process.wait(timeout=30)
            collector.join(timeout=10)
            process.stdout.close()
            ARTEFACTS.mkdir(exist_ok=True)
            (ARTEFACTS / f"served-{os.environ.get('PYTEST_XDIST_WORKER', 'main')}.log").write_text(
                "".join(started.lines)
            )


def _collect(served: Served) -> None:
    assert served.process.stdout is not None
    served.lines.extend(iter(served.process.stdout.readline, ""))


def _await(served: Served) -> None:
    for _number in range(START_SECONDS * 5):
        try:
            with urllib.request.urlopen(f"{served.url}/healthz", timeout=2):
                return
        except OSError:
            time.sleep(0.2)
    raise AssertionError("the application did not start:\n" + "".join(served.lines))


@pytest.fixture(scope="session")
def chromium() -> Iterator[Browser]:
    """One browser for all journeys."""
    with sync_playwright() as playwright:
        browser = playwright.chromium.launch(executable_path=external_services.chromium(), args=list(QUIET))
        yield browser
        browser.close()


def from_another_place() -> dict[str, str]:
    """What a proxy tells of a browser that is at another place than those before: they are throttled by address."""
    return {"X-Forwarded-For": f"198.51.100.{next(PLACES)}"}


@pytest.fixture
def phone(chromium: Browser, served: Served) -> Iterator[BrowserContext]:
    """A phone, signed out."""
    context = chromium.new_context(
        viewport=PHONE, has_touch=True, is_mobile=True, base_url=served.url, extra_http_headers=from_another_place()
    )
    context.set_default_timeout(PATIENCE)
    yield context
    context.close()


@pytest.fixture
def iphone(chromium: Browser, served: Served) -> Iterator[BrowserContext]:
    """A phone that says what it is, so that its taps are no robot's; signed out."""
    context = chromium.new_context(
        viewport=PHONE, has_touch=True, is_mobile=True, base_url=served.url, user_agent=IPHONE,
        extra_http_headers=from_another_place(),
    )  # fmt: skip
    context.set_default_timeout(PATIENCE)
    yield context
    context.close()


@pytest.fixture
def desktop(chromium: Browser, served: Served) -> Iterator[BrowserContext]:
    """A desk with a large screen, signed out."""
    context = chromium.new_context(viewport=DESKTOP, base_url=served.url, extra_http_headers=from_another_place())
    context.set_default_timeout(PATIENCE)
    yield context
    context.close()


def keep(page: Page, name: str) -> None:
    """Keep a picture of the page, to be looked at."""
    ARTEFACTS.mkdir(exist_ok=True)
    page.screenshot(path=ARTEFACTS / f"{name}.png", full_page=True)


@pytest.fixture
def elsewhere() -> Iterator[str]:
    """Another site, for cards to lead to; every path of it says where one has arrived."""

    class Handler(http.server.BaseHTTPRequestHandler):
        def do_GET(self) -> None:
            body = f"<title>arrived</title><h1>{self.path}</h1>".encode()
            self.send_response(200)
            self.send_header("Content-Type", "text/html")
            self.send_header("Content-Length", str(len(body)))
            self.end_headers()
            self.wfile.write(body)

        def log_message(self, *_: object) -> None:
            """Keep quiet."""

    server = http.server.ThreadingHTTPServer(("127.0.0.1", 0), Handler)
    threading.Thread(target=server.serve_forever, daemon=True).start()
    yield f"http://127.0.0.1:{server.server_port}"
    server.shutdown()
    server.server_close()
