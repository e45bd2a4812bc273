"""Measure how much the memory of a web process grows with the number of requests."""

import re
from collections.abc import Iterator
from pathlib import Path

from .figures import Figure, at_most, skipped
from .stage import Server, databases, has_wrk, stage, wrk

EARLY, LATE = 1_000, 100_000
STEP = 4


def figures() -> Iterator[Figure]:
    if not has_wrk():
        yield skipped("memory of one web process", "wrk")
        return
    for database in databases():
        with stage(database) as house, house.serving(workers=1) as server:
            answered, early = 0, 0.0
            while answered < LATE:
                seconds = STEP if early else 1
                answered += wrk(server, "/", seconds, 8, "mix.lua").requests
                if not early and answered >= EARLY:
                    early, first = resident(server), answered
            late = resident(server)
            detail = f"({late:.0f} MB after {answered:,}, {early:.0f} MB after {first:,} requests)"
            yield at_most(f"memory of one web process, {database}", late / early, 1.2, "×", detail)


def resident(server: Server) -> float:
    """Megabytes that the process which answers holds for itself and shares."""
    [pid] = server.workers()
    found = re.search(r"VmRSS:\s+(\d+) kB", Path(f"/proc/{pid}/status").read_text())
    assert found
    return int(found[1]) / 1024
