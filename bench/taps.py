"""Compare a recorded tap with a bare redirect on the same server."""

from collections.abc import Iterator
from statistics import median

from .figures import Figure, at_least, at_most, interleaved, ratio, skipped
from .installation import Server, databases, has_wrk, temporary_installation, wrk

BUDGETS = {"SQLite": 2.5, "PostgreSQL": 1.0}
ROUNDS, SECONDS = 7, 3
CONNECTIONS = 32
PATH = "/t/BENCHURL"


def figures() -> Iterator[Figure]:
    if not has_wrk():
        yield skipped("tap against bare Flask", "wrk")
        return
    for database in databases():
        with (
            temporary_installation(database) as installation,
            installation.serving("bench.bare:app") as bare,
            installation.serving() as tapcard,
        ):
            for server in (bare, tapcard):
                wrk(server, PATH, 1)  # warm up
            rates = interleaved(
                ROUNDS,
                lambda bare=bare: wrk(bare, PATH, SECONDS).rate,
                lambda app=tapcard: wrk(app, PATH, SECONDS).rate,
            )
            detail = f"({median(rates[1]):,.0f} : {median(rates[0]):,.0f} per second)"
            yield at_least(f"durable tap, {database}", ratio(rates[1], rates[0]), BUDGETS[database], "× bare", detail)
            yield latency(database, bare, tapcard)


def latency(database: str, bare: Server, tapcard: Server) -> Figure:
    """Compare the p99 of taps with that of bare Flask, both at the maximum rate of bare Flask."""
    full = wrk(bare, PATH, SECONDS, CONNECTIONS)
    pause = CONNECTIONS / full.rate * 1000
    for _ in range(6):
        paced = wrk(tapcard, PATH, SECONDS, CONNECTIONS, "pace.lua", PAUSE=f"{pause}")
        if 0.98 <= paced.rate / full.rate <= 1.1:
            break
        pause *= paced.rate / full.rate
    detail = f"({paced.p99:.1f} : {full.p99:.1f} ms at {paced.rate:,.0f} : {full.rate:,.0f} per second)"
    return at_most(f"p99 of a tap at bare Flask's throughput, {database}", paced.p99 / full.p99, 1.0, "× bare", detail)
