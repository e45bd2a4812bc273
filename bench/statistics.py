"""Measure whether statistics stay fast with very many taps."""

import time
from collections.abc import Callable, Iterator
from contextlib import ExitStack
from datetime import timedelta
from statistics import median

import sqlalchemy as sa
from flask import Flask

from tapcard import seeds
from tapcard.clock import utcnow
from tapcard.db import db, transactions
from tapcard.models import User
from tapcard.services.accounts import registration, roles
from tapcard.services.taps import rollups, statistics
from tapcard.services.taps.statistics import Question

from . import data
from .figures import Figure, at_most, interleaved, ratio
from .pages import get, signed_in
from .stage import PASSWORD, databases

FEW, MANY = 100_000, 10_000_000
HOLDER, PERIOD = 1_234, 30
REPEATS, ROUNDS = 20, 9


def figures() -> Iterator[Figure]:
    for database in databases():
        with data.taps(database, MANY).application(), transactions(writing=False):
            yield from of_a_holder(database)
        yield of_the_shop(database)


def of_a_holder(database: str) -> Iterator[Figure]:
    """What the dashboard asks of the roll-ups, against the least that the same session can ask."""
    holder = db.session.get_one(User, HOLDER)
    today = utcnow().date()
    first = today - timedelta(days=PERIOD - 1)
    asked = Question(holder, first, today)
    nothing = timed(lambda: db.session.execute(sa.select(sa.literal(1))).scalar())
    for what, question in (
        ("taps per day", lambda: rollups.per_day(holder, first, today)),
        ("taps per card", lambda: rollups.per_card(holder, first, today)),
        ("total of the period before", lambda: statistics.total(asked.before())),
        ("cards by taps", lambda: statistics.per_card(asked)),
        ("taps by kind", lambda: statistics.per_kind(asked)),
        ("hours of the week", lambda: statistics.per_hour_of_week(asked, "Europe/London")),
        ("last taps", lambda: statistics.last_taps(asked, "Europe/London", 20)),
    ):
        times = interleaved(ROUNDS, timed(question), nothing)
        detail = f"({median(times[0]) * 1e6:.0f} : {median(times[1]) * 1e6:.0f} µs)"
        name = f"a holder's {what} at 10 M taps, {database}"
        yield at_most(name, ratio(times[0], times[1]), 10, "× SELECT 1", detail)


def of_the_shop(database: str) -> Figure:
    """The back office's first page, which counts over everybody."""
    sides = []
    with ExitStack() as stack:
        for count in (MANY, FEW):
            app = stack.enter_context(data.taps(database, count).application())
            hire(app)
            client = signed_in(app, "olu@example.com")
            sides.append(timed(lambda client=client: get(client, "/admin/")))
        times = interleaved(ROUNDS, *sides)
    detail = f"({median(times[0]) * 1e3:.1f} : {median(times[1]) * 1e3:.1f} ms)"
    return at_most(f"staff's dashboard at 10 M taps, {database}", ratio(*times), 1.5, "× at 100 k", detail)


def hire(app: Flask) -> None:
    """Give the shop its owner, beside the holders that SQL made."""
    if registration.find_user("olu@example.com") is None:
        roles.seed_roles()
        seeds.create_user("olu@example.com", password=PASSWORD, roles=["owner"], id=1_000_000)
        db.session.commit()
    db.session.remove()


def timed(question: Callable[[], object]) -> Callable[[], float]:
    """A function that asks some times, and gives the time of one."""

    def run() -> float:
        began = time.perf_counter()
        for _ in range(REPEATS):
            question()
        return (time.perf_counter() - began) / REPEATS

    question()
    return run
