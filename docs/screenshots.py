"""Take the documentation's screenshots: start the demo in an empty folder, visit it with Chromium, write small PNGs."""

import io
import os
import shutil
import signal
import socket
import subprocess
import sys
import tempfile
import time
import urllib.error
import urllib.request
from collections.abc import Iterator
from contextlib import contextmanager
from dataclasses import dataclass
from pathlib import Path

from PIL import Image
from playwright.sync_api import Browser, sync_playwright

ROOT = Path(__file__).resolve().parent.parent
IMAGES = ROOT / "docs" / "images"
BROWSERS = ("chromium-headless-shell", "chromium", "chromium-browser", "google-chrome")
DESKTOP, PHONE = (1280, 800), (390, 844)
COLORS = 256
LARGEST = 200 * 1024  # bytes
START_SECONDS = 120
PASSWORD = "tapcard-demo"


@dataclass(frozen=True)
class Shot:
    """One picture: of which page, for whom, on which screen."""

    name: str
    path: str
    login: str = ""
    size: tuple[int, int] = DESKTOP


SHOTS = (
    Shot("shop", "/"),
    Shot("dashboard", "/dashboard", "ada@example.com"),
    Shot("statistics", "/statistics", "ada@example.com"),
    Shot("profile", "/p/ada", size=PHONE),
    Shot("back-office", "/admin/", "olu@example.com"),
    Shot("orders", "/admin/orders", "olu@example.com"),
)


@contextmanager
def running_demo() -> Iterator[str]:
    """Run the demo in an empty instance folder for the length of a block; give its address."""
    with socket.create_server(("127.0.0.1", 0)) as server:
        port = server.getsockname()[1]
    with tempfile.TemporaryDirectory(prefix="tapcard-screenshots-") as instance:
        environment = {**os.environ, "INSTANCE_PATH": instance, "PORT": str(port), "APP_ENV": "development"}
        for name in ("DATABASE_URL", "SITE_URL", "REDIS_URL"):
            environment.pop(name, None)
        command = [sys.executable, "-m", "flask", "--app", "wsgi", "serve"]
        demo = subprocess.Popen(command, cwd=ROOT, env=environment, stdout=subprocess.DEVNULL)
        url = f"http://127.0.0.1:{port}"
        try:
            wait_for(f"{url}/healthz", demo)
            yield url
        finally:
            demo.send_signal(signal.SIGTERM)
            demo.wait(timeout=30)


def wait_for(url: str, demo: "subprocess.Popen[bytes]") -> None:
    """Wait until an address answers; exit with a message when the demo ends or takes too long."""
    for _ in range(START_SECONDS * 2):
        if demo.poll() is not None:
            sys.exit("The demo did not start.")
        try:
            urllib.request.urlopen(url, timeout=2).close()
            return
        except (urllib.error.URLError, OSError):
            time.sleep(0.5)
    sys.exit(f"The demo did not answer within {START_SECONDS} seconds.")


def take(browser: Browser, site: str, shot: Shot) -> bytes:
    """Visit a page and return a PNG of what the screen shows."""
    width, height = shot.size
    context = browser.new_context(
        viewport={"width": width, "height": height}, reduced_motion="reduce", color_scheme="light", locale="en-GB"
    )
    try:
        page = context.new_page()
        if shot.login:
            page.goto(f"{site}/log-in")
            page.locator("input[name=email]").fill(shot.login)
            page.locator("input[name=password]").fill(PASSWORD)
            page.locator("input[name=password]").press("Enter")
            page.wait_for_url(lambda url: "/log-in" not in url)
        page.goto(f"{site}{shot.path}", wait_until="networkidle")
        return page.screenshot()
    finally:
        context.close()


def small(png: bytes) -> bytes:
    """Return the screenshot as it is if it is small enough, else with a palette, dithered to keep gradients smooth."""
    picture = Image.open(io.BytesIO(png)).convert("RGB")
    whole = as_png(picture)
    if len(whole) <= LARGEST:
        return whole
    palette = picture.quantize(COLORS, method=Image.Quantize.MEDIANCUT, kmeans=2)
    return as_png(picture.quantize(palette=palette, dither=Image.Dither.FLOYDSTEINBERG))


def as_png(picture: Image.Image) -> bytes:
    """Return a picture as the smallest PNG that Pillow writes."""
    out = io.BytesIO()
    picture.save(out, "PNG", optimize=True)
    return out.getvalue()


def main() -> int:
    """Take all screenshots; return 1 if one is too large."""
    program = os.environ.get("CHROMIUM") or next(filter(None, map(shutil.which, BROWSERS)), None)
    if program is None:
        print("There is no Chromium. Install it (apt install chromium), or set CHROMIUM to its path.")
        return 1
    IMAGES.mkdir(exist_ok=True)
    is_fine = True
    with running_demo() as site, sync_playwright() as playwright:
        browser = playwright.chromium.launch(executable_path=program, args=["--no-sandbox", "--disable-gpu"])
        for shot in SHOTS:
            data = small(take(browser, site, shot))
            (IMAGES / f"{shot.name}.png").write_bytes(data)
            is_fine &= len(data) <= LARGEST
            note = "" if len(data) <= LARGEST else f", over {LARGEST // 1024} KB"
            print(f"docs/images/{shot.name}.png: {len(data) // 1024} KB{note}")
        browser.close()
    return 0 if is_fine else 1


if __name__ == "__main__":
    sys.exit(main())
