"""Compare the time to find a card among ten million cards and among a thousand."""

import random
import time
from collections.abc import Callable, Iterator
from statistics import median

import sqlalchemy as sa

from tapcard.db import db, transactions
from tapcard.models import Card
from tapcard.tap.fast import FastTaps

from . import data
from .figures import Figure, at_most, interleaved, ratio
from .installation import databases

FEW, MANY = 1_000, 10_000_000
LOOKUPS, ROUNDS, WARM_ROUNDS = 5_000, 9, 10


def figures() -> Iterator[Figure]:
    for database in databases():
        few, many = lookup_timer(database, FEW), lookup_timer(database, MANY)
        for _ in range(WARM_ROUNDS):
            few(), many()
        times = interleaved(ROUNDS, few, many)
        detail = f"({median(times[1]) * 1e6:.1f} : {median(times[0]) * 1e6:.1f} µs)"
        name = f"card lookup at 10 M cards, {database}"
        yield at_most(name, ratio(times[1], times[0]), 1.5, "× at 1 k", detail)


def lookup_timer(database: str, count: int) -> Callable[[], float]:
    """Return a function that looks up random cards as the fast tap path does and returns the seconds per lookup."""
    with data.cards(database, count).application() as app:
        with transactions(writing=False):  # load the table into memory, as in production
            db.session.execute(sa.select(sa.func.sum(sa.func.length(Card.reroute_url)))).scalar()
            db.session.execute(sa.select(sa.func.count()).where(Card.token > "")).scalar()
        taps = FastTaps(app.extensions["without_fast_taps"], db.engine, app.extensions["tap_recorder"])
    rng = random.Random(count)

    def run() -> float:
        tokens = [data.token(rng.randrange(count) + 1) for _ in range(LOOKUPS)]
        started = time.perf_counter()
        for token in tokens:
            card = taps._look_up(token)
        duration = time.perf_counter() - started
        assert card is not None
        return duration / LOOKUPS

    return run
