"""The whole application as `make run` starts it, and browsers on phones and desktops."""

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
TAKES_SCREENSHOTS = os.environ.get("SCREENSHOTS") == "1"
CHROMIUM_OPTIONS = (
    "--no-sandbox",
    "--disable-gpu",
    "--disable-quic",
    "--no-first-run",
    "--disable-background-networking",
)
PHONE = {"width": 390, "height": 844}
IPHONE = "Mozilla/5.0 (iPhone; CPU iPhone OS 18_1 like Mac OS X) Version/18.1 Mobile/15E148 Safari/604.1"
DESKTOP = {"width": 1280, "height": 900}
START_SECONDS = 180  # a busy machine needs that long
ADDRESS_NUMBERS = itertools.count(1)
TIMEOUT_MS = 15_000  # other tests run at the same time
expect.set_options(timeout=TIMEOUT_MS)


@dataclass
class Served:
    """A running installation with its demo data."""

    url: str
    instance: Path
    process: subprocess.Popen[str]
    lines: list[str] = field(default_factory=list)


@pytest.fixture(scope="session")
def served(tmp_path_factory: pytest.TempPathFactory) -> Iterator[Served]:
    """`flask serve` in an empty instance folder; SIGTERM must stop it with all its processes."""
    with ExitStack() as stack:
        instance, port = tmp_path_factory.mktemp("served"), free_port()
        environment = {**os.environ, "INSTANCE_PATH": str(instance), "PORT": str(port), "PYTHONUNBUFFERED": "1"}
        environment.pop("DATABASE_URL", None)
        environment["TRUSTED_PROXIES"] = "1"  # browsers send their address, as a proxy would
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
        assert process.returncode == 0
        assert_all_stopped(instance)


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


def running_processes(instance: Path) -> list[str]:
    """Return the command lines of the processes whose environment names an instance folder."""
    commands = []
    for path in Path("/proc").glob("[0-9]*/environ"):
        try:
            if str(instance).encode() in path.read_bytes():
                commands.append((path.parent / "cmdline").read_bytes().replace(b"\0", b" ").decode())
        except OSError:
            continue
    return commands


def assert_all_stopped(instance: Path) -> None:
    """Fail if processes of an instance folder are still running after 5 seconds."""
    for _attempt in range(50):
        if not running_processes(instance):
            break
        time.sleep(0.1)
    assert running_processes(instance) == []


@pytest.fixture(scope="session")
def chromium() -> Iterator[Browser]:
    """One browser for all journeys."""
    with sync_playwright() as playwright:
        browser = playwright.chromium.launch(executable_path=external_services.chromium(), args=list(CHROMIUM_OPTIONS))
        yield browser
        browser.close()


def headers_of_new_address() -> dict[str, str]:
    """Return the header a proxy sends for a client at an address of its own, as rate limits are by address."""
    return {"X-Forwarded-For": f"198.51.100.{next(ADDRESS_NUMBERS)}"}


@pytest.fixture
def phone(chromium: Browser, served: Served) -> Iterator[BrowserContext]:
    """A phone, logged out."""
    context = chromium.new_context(
        viewport=PHONE, has_touch=True, is_mobile=True, base_url=served.url, extra_http_headers=headers_of_new_address()
    )
    context.set_default_timeout(TIMEOUT_MS)
    yield context
    context.close()


@pytest.fixture
def iphone(chromium: Browser, served: Served) -> Iterator[BrowserContext]:
    """A phone with an iPhone's user agent, so that its taps don't count as a robot's; logged out."""
    context = chromium.new_context(
        viewport=PHONE, has_touch=True, is_mobile=True, base_url=served.url, user_agent=IPHONE,
        extra_http_headers=headers_of_new_address(),
    )  # fmt: skip
    context.set_default_timeout(TIMEOUT_MS)
    yield context
    context.close()


@pytest.fixture
def desktop(chromium: Browser, served: Served) -> Iterator[BrowserContext]:
    """A large screen, logged out."""
    context = chromium.new_context(viewport=DESKTOP, base_url=served.url, extra_http_headers=headers_of_new_address())
    context.set_default_timeout(TIMEOUT_MS)
    yield context
    context.close()


def take_screenshot(page: Page, name: str) -> None:
    """Save a picture of the page in `artefacts/` for somebody to look at; only with SCREENSHOTS=1."""
    if TAKES_SCREENSHOTS:
        ARTEFACTS.mkdir(exist_ok=True)
        page.screenshot(path=ARTEFACTS / f"{name}.png", full_page=True)


def assert_fits_width(page: Page) -> None:
    """Fail if the page scrolls sideways."""
    width: int = page.evaluate("document.documentElement.scrollWidth")
    assert page.viewport_size is not None
    assert width <= page.viewport_size["width"], f"the page is {width} pixels wide"


@pytest.fixture
def plain_phone(chromium: Browser, served: Served) -> Iterator[BrowserContext]:
    """A phone without JavaScript, logged out."""
    context = chromium.new_context(
        viewport=PHONE, has_touch=True, is_mobile=True, java_script_enabled=False, base_url=served.url,
        extra_http_headers=headers_of_new_address(),
    )  # fmt: skip
    context.set_default_timeout(TIMEOUT_MS)
    yield context
    context.close()


@pytest.fixture
def target_site() -> Iterator[str]:
    """Another site for cards to open; the heading of each page is its path."""

    class Handler(http.server.BaseHTTPRequestHandler):
        def do_GET(self) -> None:
            body = f"<title>Target</title><h1>{self.path}</h1>".encode()
            self.send_response(200)
            self.send_header("Content-Type", "text/html")
            self.send_header("Content-Length", str(len(body)))
            self.end_headers()
            self.wfile.write(body)

        def log_message(self, *_: object) -> None:
            """Log nothing."""

    server = http.server.ThreadingHTTPServer(("127.0.0.1", 0), Handler)
    threading.Thread(target=server.serve_forever, daemon=True).start()
    yield f"http://127.0.0.1:{server.server_port}"
    server.shutdown()
    server.server_close()
