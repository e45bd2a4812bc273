"""`flask serve`: tells where it is, and leaves nothing behind."""

import os
import signal
import subprocess
import sys
import time
from pathlib import Path

import pytest

from tests.web_server import free_port

ROOT = Path(__file__).resolve().parents[2]


def left_running(mark: str) -> list[str]:
    """The processes that carry a mark in their environment."""
    found = []
    for path in Path("/proc").glob("[0-9]*/environ"):
        try:
            if mark.encode() in path.read_bytes():
                found.append((path.parent / "cmdline").read_bytes().replace(b"\0", b" ").decode())
        except OSError:
            continue
    return found


@pytest.fixture(scope="module")
def instance(tmp_path_factory: pytest.TempPathFactory) -> Path:
    """An instance folder: the first start fills it with demo data, the next finds them."""
    return tmp_path_factory.mktemp("instance")


@pytest.mark.parametrize("number", [signal.SIGTERM, signal.SIGINT])
def test_it_starts_with_demo_data_and_stops_cleanly(instance: Path, number: signal.Signals) -> None:
    port = free_port()
    environment = {**os.environ, "INSTANCE_PATH": str(instance), "PORT": str(port), "PYTHONUNBUFFERED": "1"}
    environment["DATABASE_URL"] = f"sqlite:///{instance / 'tapcard.sqlite'}"
    process = subprocess.Popen(
        [sys.executable, "-m", "flask", "--app", "wsgi", "serve"],
        cwd=ROOT,
        env=environment,
        stdout=subprocess.PIPE,
        stderr=subprocess.STDOUT,
        text=True,
        start_new_session=True,
    )
    assert process.stdout is not None
    lines = []
    for line in process.stdout:
        lines.append(line)
        if "worker started" in line and "tapcard.worker" in line:
            break
    assert len(left_running(str(instance))) >= 4, "web, its workers and the worker are there"
    process.send_signal(number)
    lines.extend(process.stdout)
    process.stdout.close()
    process.wait(timeout=30)
    for _attempt in range(50):
        if not left_running(str(instance)):
            break
        time.sleep(0.1)
    assert left_running(str(instance)) == []
    assert process.returncode == 0
    told = "".join(lines)
    assert f"http://127.0.0.1:{port}" in told
    assert "ada@example.com" in told
    assert "Traceback" not in told
