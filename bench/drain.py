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
from .stage import databases, stage

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
        with stage(database, demo=False) as house, house.application() as app:
            run(app, CARDS)  # warm: user agents are known afterwards, as on a running system
            for name, cards in (("hot card", 1), ("10,000 cards", CARDS)):
                rates = [run(app, cards) for _ in range(ROUNDS)]
                yield at_least(f"drain with roll-ups, {name}, {database}", median(rates), 5000, "taps/s")


def run(app: Flask, cards: int) -> float:
    """Spool some taps, then take the time of moving them."""
    spool = app.extensions["spool"]
    chance = random.Random(1)
    for _ in range(TAPS):
        spool.append(tap(chance, chance.randrange(cards) + 1))
    spool.rotate()
    drain = draining.create_drainer()
    began = time.perf_counter()
    stored = drain.drain()
    taps.fold()
    duration = time.perf_counter() - began
    assert stored == TAPS
    return TAPS / duration


def tap(chance: random.Random, card: int) -> list[Any]:
    at = time.time_ns() // 1_000_000
    reading = Reading(
        uid=f"{at:012x}{chance.randbytes(10).hex()}",
        at=at,
        card_id=card,
        owner_id=(card + 1) // 2,
        design_id=1 + card % 12,
        token=None,
        channel=Channel.QR if chance.random() < 0.3 else Channel.NFC,
        outcome=Outcome.REDIRECT,
        visitor=chance.randbytes(16).hex(),
        user_agent=chance.choice(AGENTS),
        language="en-GB",
        referrer_host="",
        country=chance.choice(("GB", "GB", "GB", "DE", "NG")),
        me=None,
    )
    return list(msgspec.structs.astuple(reading))
