"""`flask serve`: tells where it is, and leaves nothing behind."""

import os
import signal
import subprocess
import sys
import time
from pathlib import Path

import pytest

from tests import needs
from tests.servers import free_port

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


@pytest.mark.parametrize("number", [signal.SIGTERM, pytest.param(signal.SIGINT, marks=pytest.mark.looks)])
def test_it_starts_with_demo_data_and_stops_cleanly(tmp_path: Path, number: signal.Signals) -> None:
    port = free_port()
    environment = {**os.environ, "INSTANCE_PATH": str(tmp_path), "PORT": str(port), "PYTHONUNBUFFERED": "1"}
    with needs.new_database("serve") if os.environ.get("TEST_DATABASE") == "postgresql" else _sqlite(tmp_path) as url:
        environment["DATABASE_URL"] = url
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
        assert len(left_running(str(tmp_path))) >= 4, "web, its workers and the worker are there"
        process.send_signal(number)
        lines.extend(process.stdout)
        process.stdout.close()
        process.wait(timeout=30)
        for _attempt in range(50):
            if not left_running(str(tmp_path)):
                break
            time.sleep(0.1)
        assert left_running(str(tmp_path)) == []
    assert process.returncode == 0
    told = "".join(lines)
    assert f"http://127.0.0.1:{port}" in told
    assert "ada@example.com" in told
    assert "Traceback" not in told


class _sqlite:  # noqa: N801
    """The default database, in the same shape as one of PostgreSQL's."""

    def __init__(self, folder: Path) -> None:
        self.folder = folder

    def __enter__(self) -> str:
        return f"sqlite:///{self.folder / 'tapcard.sqlite'}"

    def __exit__(self, *_: object) -> None:
        return None
