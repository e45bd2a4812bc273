"""Measure how many taps per second are stored from the spool, including roll-ups."""

import random
import time
from collections.abc import Iterator
from statistics import median
from typing import Any

import msgspec
from flask import Flask

from tapcard.models import Channel, Outcome
from tapcard.services.taps.ingest import Reading
from tapcard.workflows import draining, taps

from .figures import Figure, at_least
from .installation import databases, temporary_installation

TAPS, ROUNDS = 20_000, 3
CARDS = 10_000
AGENTS = [
    f"Mozilla/5.0 ({system}) AppleWebKit/537.36 (KHTML, like Gecko) {browser}/{version}.0 Mobile Safari/537.36"
    for system in ("Linux; Android 14; Pixel 8", "Linux; Android 13; SM-G991B", "Windows NT 10.0", "Macintosh")
    for browser in ("Chrome", "Firefox")
    for version in range(90, 130)
]


def figures() -> Iterator[Figure]:
    for database in databases():
        with temporary_installation(database, demo=False) as installation, installation.application() as app:
            run(app, CARDS)  # warm up: afterwards, the user agents are known, as in production
            for name, card_count in (("one card", 1), ("10,000 cards", CARDS)):
                rates = [run(app, card_count) for _ in range(ROUNDS)]
                yield at_least(f"drain with roll-ups, {name}, {database}", median(rates), 5000, "taps/s")


def run(app: Flask, card_count: int) -> float:
    """Spool taps and return how many per second are moved to the database."""
    spool = app.extensions["spool"]
    rng = random.Random(1)
    for _ in range(TAPS):
        spool.append(tap(rng, rng.randrange(card_count) + 1))
    spool.rotate()
    drainer = draining.create_drainer()
    started = time.perf_counter()
    stored = drainer.drain()
    taps.fold()
    duration = time.perf_counter() - started
    assert stored == TAPS
    return TAPS / duration


def tap(rng: random.Random, card_id: int) -> list[Any]:
    """Return a random tap on a card as a spool record."""
    at = time.time_ns() // 1_000_000
    reading = Reading(
        uid=f"{at:012x}{rng.randbytes(10).hex()}",
        at=at,
        card_id=card_id,
        owner_id=(card_id + 1) // 2,
        design_id=1 + card_id % 12,
        token=None,
        channel=Channel.QR if rng.random() < 0.3 else Channel.NFC,
        outcome=Outcome.REDIRECT,
        visitor=rng.randbytes(16).hex(),
        user_agent=rng.choice(AGENTS),
        language="en-GB",
        referrer_host="",
        country=rng.choice(("GB", "GB", "GB", "DE", "NG")),
        me=None,
    )
    return list(msgspec.structs.astuple(reading))
