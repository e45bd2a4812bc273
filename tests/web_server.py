"""Start the real web server with the settings of `flask serve`, for chaos tests and benchmarks."""

import socket
import sys

from tapcard.cli.server import GRANIAN_THREADS


def granian(app: str, port: int, workers: int = 2) -> list[str]:
    """Return the command that serves an application on the loopback address."""
    return [
        *(sys.executable, "-m", "granian", "--interface", "wsgi", "--host", "127.0.0.1", "--port", str(port)),
        *("--workers", str(workers), "--blocking-threads", str(GRANIAN_THREADS), "--no-ws", "--log-level", "warning"),
        *("--respawn-failed-workers", app),
    ]


def free_port() -> int:
    """Return a free port."""
    with socket.create_server(("127.0.0.1", 0)) as server:
        return int(server.getsockname()[1])
