"""`flask serve` prints its address and stops with all its processes."""

import os
import signal
import sqlite3
import subprocess
import sys
from contextlib import closing
from pathlib import Path

import pytest

from tests.journeys.conftest import Served, assert_all_stopped, running_processes
from tests.web_server import free_port

ROOT = Path(__file__).resolve().parents[2]


def test_it_creates_demo_data_at_the_first_start(served: Served) -> None:
    output = "".join(served.lines)
    assert f"tapcard is running at {served.url}" in output
    assert "Created: ada@example.com" in output
    assert "45 products" in output
    assert "Traceback" not in output


@pytest.fixture(scope="module")
def instance(served: Served, tmp_path_factory: pytest.TempPathFactory) -> Path:
    """An instance folder with demo data: a copy, as creating them takes longest."""
    folder = tmp_path_factory.mktemp("instance")
    database = served.instance / "tapcard.sqlite"
    if database.exists():  # else PostgreSQL is tested, and the first start creates them
        with closing(sqlite3.connect(database)) as source, closing(sqlite3.connect(folder / "tapcard.sqlite")) as copy:
            source.backup(copy)
    return folder


def test_it_starts_again_and_stops_on_ctrl_c(instance: Path) -> None:
    """SIGTERM stops the application of all journeys, in the fixture `served`."""
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
    assert len(running_processes(instance)) >= 4  # honcho, web, two of its workers, worker
    process.send_signal(signal.SIGINT)
    lines.extend(process.stdout)
    process.stdout.close()
    process.wait(timeout=30)
    assert_all_stopped(instance)
    assert process.returncode == 0
    output = "".join(lines)
    assert f"http://127.0.0.1:{port}" in output
    assert "ada@example.com" in output
    assert "Traceback" not in output
