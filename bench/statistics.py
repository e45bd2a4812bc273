"""Measure statistics with 10 million taps."""

import time
from collections.abc import Callable, Iterator
from contextlib import ExitStack
from datetime import timedelta
from statistics import median

import sqlalchemy as sa

from tapcard import seeds
from tapcard.clock import utcnow
from tapcard.db import db, transactions
from tapcard.models import User
from tapcard.services.accounts import registration, roles
from tapcard.services.taps import rollups, statistics
from tapcard.services.taps.statistics import TapQuery

from . import data
from .figures import Figure, at_most, interleaved, ratio
from .installation import PASSWORD, databases
from .pages import get, logged_in_client

FEW, MANY = 100_000, 10_000_000
OWNER_ID, PERIOD = 1_234, 30  # days
REPEATS, ROUNDS = 20, 9


def figures() -> Iterator[Figure]:
    for database in databases():
        with data.taps(database, MANY).application(), transactions(writing=False):
            yield from owner_figures(database)
        yield shop_figure(database)


def owner_figures(database: str) -> Iterator[Figure]:
    """Compare the queries of the dashboard with the cheapest query on the same connection."""
    owner = db.session.get_one(User, OWNER_ID)
    today = utcnow().date()
    first = today - timedelta(days=PERIOD - 1)
    query = TapQuery(owner, first, today)
    baseline = timed(lambda: db.session.execute(sa.select(sa.literal(1))).scalar())
    for label, function in (
        ("taps per day", lambda: rollups.taps_per_day(owner, first, today)),
        ("taps per card", lambda: rollups.taps_per_card(owner, first, today)),
        ("total of the period before", lambda: statistics.total(query.before())),
        ("cards by taps", lambda: statistics.per_card(query)),
        ("taps by kind", lambda: statistics.breakdown(query)),
        ("hours of the week", lambda: statistics.per_hour_of_week(query, "Europe/London")),
        ("last taps", lambda: statistics.latest_taps(query, "Europe/London", 20)),
    ):
        times = interleaved(ROUNDS, timed(function), baseline)
        detail = f"({median(times[0]) * 1e6:.0f} : {median(times[1]) * 1e6:.0f} µs)"
        name = f"a card owner's {label} at 10 M taps, {database}"
        yield at_most(name, ratio(times[0], times[1]), 10, "× SELECT 1", detail)


def shop_figure(database: str) -> Figure:
    """Compare the start page of the back office with few and many taps."""
    timers = []
    with ExitStack() as stack:
        for count in (MANY, FEW):
            app = stack.enter_context(data.taps(database, count).application())
            create_owner()
            client = logged_in_client(app, "olu@example.com")
            timers.append(timed(lambda client=client: get(client, "/admin/")))
        times = interleaved(ROUNDS, *timers)
    detail = f"({median(times[0]) * 1e3:.1f} : {median(times[1]) * 1e3:.1f} ms)"
    return at_most(f"staff's dashboard at 10 M taps, {database}", ratio(*times), 1.5, "× at 100 k", detail)


def create_owner() -> None:
    """Create the shop owner, if missing."""
    if registration.find_user("olu@example.com") is None:
        roles.seed_roles()
        seeds.create_user("olu@example.com", password=PASSWORD, roles=["owner"], id=1_000_000)
        db.session.commit()
    db.session.remove()


def timed(function: Callable[[], object]) -> Callable[[], float]:
    """Return a function that calls another repeatedly and returns the seconds per call."""

    def run() -> float:
        started = time.perf_counter()
        for _ in range(REPEATS):
            function()
        return (time.perf_counter() - started) / REPEATS

    function()
    return run
