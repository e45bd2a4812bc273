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
from .stage import databases

FEW, MANY = 1_000, 10_000_000
LOOKUPS, ROUNDS, WARM_ROUNDS = 5_000, 9, 10


def figures() -> Iterator[Figure]:
    for database in databases():
        few, many = look_up_in(database, FEW), look_up_in(database, MANY)
        for _ in range(WARM_ROUNDS):
            few(), many()
        times = interleaved(ROUNDS, few, many)
        detail = f"({median(times[1]) * 1e6:.1f} : {median(times[0]) * 1e6:.1f} µs)"
        name = f"card lookup at 10 M cards, {database}"
        yield at_most(name, ratio(times[1], times[0]), 1.5, "× at 1 k", detail)


def look_up_in(database: str, count: int) -> Callable[[], float]:
    """A function that looks some thousand random cards up by the fast way's own read, and gives the time of one."""
    with data.cards(database, count).application() as app:
        with transactions(writing=False):  # from disk into memory, where a shop in use has it
            db.session.execute(sa.select(sa.func.sum(sa.func.length(Card.reroute_url)))).scalar()
            db.session.execute(sa.select(sa.func.count()).where(Card.token > "")).scalar()
        taps = FastTaps(app.extensions["without_fast_taps"], db.engine, app.extensions["tap_recorder"])
    chance = random.Random(count)

    def run() -> float:
        tokens = [data.token(chance.randrange(count) + 1) for _ in range(LOOKUPS)]
        began = time.perf_counter()
        for token in tokens:
            found = taps._look_up(token)
        duration = time.perf_counter() - began
        assert found is not None
        return duration / LOOKUPS

    return run
