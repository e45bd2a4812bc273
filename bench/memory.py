"""Measure how much the memory of a web process grows with the number of requests."""

import re
from collections.abc import Iterator
from pathlib import Path

from .figures import Figure, at_most, skipped
from .installation import Server, databases, has_wrk, temporary_installation, wrk

EARLY, LATE = 1_000, 100_000  # requests
STEP = 4  # seconds


def figures() -> Iterator[Figure]:
    if not has_wrk():
        yield skipped("memory of one web process", "wrk")
        return
    for database in databases():
        with temporary_installation(database) as installation, installation.serving(workers=1) as server:
            request_count, early = 0, 0.0
            while request_count < LATE:
                seconds = STEP if early else 1
                request_count += wrk(server, "/", seconds, 8, "mix.lua").requests
                if not early and request_count >= EARLY:
                    early, early_count = resident_memory(server), request_count
            late = resident_memory(server)
            detail = f"({late:.0f} MB after {request_count:,}, {early:.0f} MB after {early_count:,} requests)"
            yield at_most(f"memory of one web process, {database}", late / early, 1.2, "×", detail)


def resident_memory(server: Server) -> float:
    """Return the resident memory of the only worker process, in MiB."""
    [pid] = server.workers()
    match = re.search(r"VmRSS:\s+(\d+) kB", Path(f"/proc/{pid}/status").read_text())
    assert match
    return int(match[1]) / 1024
