"""Taps for tests: requests by both ways, readings made by hand, and what became of them."""

import contextvars
import itertools
import re
from collections.abc import Iterator
from dataclasses import dataclass
from typing import Any
from urllib.parse import unquote_to_bytes

import pytest
import sqlalchemy as sa
from flask import Flask
from sqlalchemy.engine import Engine
from werkzeug.test import create_environ, run_wsgi_app

from tapcard.clock import utcnow
from tapcard.db import db
from tapcard.models import ShopTapDay, Tap, TapDay, TapHour
from tapcard.services.taps.ingest import Reading
from tapcard.spool import Spool
from tapcard.tap.fast import FastTaps
from tapcard.workflows import draining
from tapcard.workflows import taps as tap_jobs

PHONE = (
    "Mozilla/5.0 (Linux; Android 10; K) AppleWebKit/537.36 (KHTML, like Gecko) Chrome/130.0.0.0 Mobile Safari/537.36"
)
BOT = "Twitterbot/1.0"
WAYS = ("fast", "slow")
both_ways = pytest.mark.parametrize("way", WAYS)
NONCE = re.compile(rb"nonce(?:=\"|-)[\w-]+")
_numbers = itertools.count(1)


@dataclass(frozen=True)
class Answer:
    """What a WSGI application answered, without what is made up for each request: nonces and its number."""

    status: int
    headers: tuple[tuple[str, str], ...]
    body: bytes

    def get(self, name: str) -> str | None:
        """The value of a header that may be there once."""
        values = [value for key, value in self.headers if key.lower() == name.lower()]
        assert len(values) < 2, f"{name} is there twice"
        return values[0] if values else None


def wsgi_of(app: Flask, way: str) -> Any:
    """The application with the fast way in front, or what lies behind it."""
    return app.wsgi_app if way == "fast" else app.extensions["without_fast_taps"]


def fast_way(app: Flask) -> FastTaps:
    """The fast way of an application without proxies."""
    found = app.wsgi_app
    assert isinstance(found, FastTaps)
    return found


def ask(
    wsgi: Any, raw_path: str, method: str = "GET", *, cookies: dict[str, str] | None = None, **environ: str
) -> Answer:
    """Send a request as a server would hand it on; the path comes as it was typed, percent signs and all."""
    base = create_environ("/", "http://localhost/", method=method, environ_base={"REMOTE_ADDR": "127.0.0.1"})
    path, _mark, query = raw_path.partition("?")
    base |= {"HTTP_USER_AGENT": PHONE, "QUERY_STRING": query, "REQUEST_URI": raw_path, "RAW_URI": raw_path, **environ}
    base["PATH_INFO"] = unquote_to_bytes(path).decode("latin-1")
    if cookies:
        base["HTTP_COOKIE"] = "; ".join(f"{name}={value}" for name, value in cookies.items())
    db.session.commit()  # else the test's own transaction would lock the request out
    body, status, headers = contextvars.Context().run(run_wsgi_app, wsgi, base, buffered=True)
    db.session.expire_all()
    plain = [(name, "made up" if name == "X-Request-ID" else without_nonce(value)) for name, value in headers]
    return Answer(int(status.split()[0]), tuple(sorted(plain)), NONCE.sub(b"nonce", b"".join(body)))


def without_nonce(value: str) -> str:
    """A header's value without the nonce of this answer."""
    return NONCE.sub(b"nonce", value.encode()).decode()


def reading(**values: Any) -> Reading:
    """A reading of card 1, owned by user 1; each has a uid of its own."""
    number = next(_numbers)
    usual = {
        "uid": f"{number:032x}",
        "at": int(utcnow().timestamp() * 1000),
        "card_id": 1,
        "owner_id": 1,
        "design_id": None,
        "token": None,
        "channel": "nfc",
        "outcome": "redirect",
        "visitor": "",
        "user_agent": PHONE,
        "language": "",
        "referrer_host": "",
        "country": "",
        "me": None,
    }
    return Reading(**{**usual, **values})


def fields_of(one: Reading) -> list[Any]:
    """What the writer puts into a line."""
    return [getattr(one, name) for name in one.__struct_fields__]


def lines(spool: Spool) -> Iterator[dict[str, Any]]:
    """What lies in the spool, line by line."""
    for name in spool.files():
        for _raw, fields in spool.read(name, 0, 100_000).lines:
            yield dict(zip(Reading.__struct_fields__, fields, strict=True))


def drain() -> int:
    """Store what the spool holds; tells how many taps."""
    db.session.commit()
    stored = draining.create_drainer().drain()
    tap_jobs.fold()
    db.session.expire_all()
    return stored


def taps() -> list[Tap]:
    """Every tap stored, in the order of storing."""
    return list(db.session.scalars(sa.select(Tap).order_by(Tap.id)))


def counts() -> tuple[int, int, int]:
    """How many taps there are: in rows, in hours, in days; all cards' days must hold as many as each card's."""
    rows = db.session.scalar(sa.select(sa.func.count()).select_from(Tap))
    sums = [
        db.session.scalar(sa.select(sa.func.coalesce(sa.func.sum(each.tap_count), 0)))
        for each in (TapHour, TapDay, ShopTapDay)
    ]
    assert sums[1] == sums[2]
    return rows or 0, int(sums[0] or 0), int(sums[1] or 0)


def unreachable() -> Engine:
    """An engine of a server that does not listen."""
    return sa.create_engine("postgresql+psycopg://nobody@127.0.0.1:1/none?connect_timeout=2")
