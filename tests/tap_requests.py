"""Send taps through the fast or the slow path, create readings, and count stored taps."""

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
TAP_PATHS = ("fast", "slow")
both_paths = pytest.mark.parametrize("tap_path", TAP_PATHS)
NONCE = re.compile(rb"nonce(?:=\"|-)[\w-]+")
_numbers = itertools.count(1)


@dataclass(frozen=True)
class WsgiResponse:
    """A WSGI response without its nonces and request id."""

    status: int
    headers: tuple[tuple[str, str], ...]
    body: bytes

    def get(self, name: str) -> str | None:
        """Return the value of a header that occurs at most once."""
        values = [value for key, value in self.headers if key.lower() == name.lower()]
        assert len(values) < 2, f"{name} occurs twice"
        return values[0] if values else None


def app_for_path(app: Flask, tap_path: str) -> Any:
    """Return the application with the fast path, or only what is behind it."""
    return app.wsgi_app if tap_path == "fast" else app.extensions["without_fast_taps"]


def fast_path(app: Flask) -> FastTaps:
    """Return the fast path of an application without proxies."""
    front = app.wsgi_app
    assert isinstance(front, FastTaps)
    return front


def send_request(
    wsgi: Any, raw_path: str, method: str = "GET", *, cookies: dict[str, str] | None = None, **environ: str
) -> WsgiResponse:
    """Send a request like a server; the path stays percent-encoded as entered."""
    base = create_environ("/", "http://localhost/", method=method, environ_base={"REMOTE_ADDR": "127.0.0.1"})
    path, _mark, query = raw_path.partition("?")
    base |= {"HTTP_USER_AGENT": PHONE, "QUERY_STRING": query, "REQUEST_URI": raw_path, "RAW_URI": raw_path, **environ}
    base["PATH_INFO"] = unquote_to_bytes(path).decode("latin-1")
    if cookies:
        base["HTTP_COOKIE"] = "; ".join(f"{name}={value}" for name, value in cookies.items())
    db.session.commit()  # otherwise the transaction of the test would block the request
    body, status, headers = contextvars.Context().run(run_wsgi_app, wsgi, base, buffered=True)
    db.session.expire_all()
    plain = [(name, "made up" if name == "X-Request-ID" else without_nonce(value)) for name, value in headers]
    return WsgiResponse(int(status.split()[0]), tuple(sorted(plain)), NONCE.sub(b"nonce", b"".join(body)))


def without_nonce(value: str) -> str:
    """Return a header value without the nonce."""
    return NONCE.sub(b"nonce", value.encode()).decode()


def reading(**values: Any) -> Reading:
    """Return a reading of card 1, owned by user 1, with a new uid."""
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


def fields_of(tap_reading: Reading) -> list[Any]:
    """Return the fields of a reading in the order of a spool line."""
    return [getattr(tap_reading, name) for name in tap_reading.__struct_fields__]


def spool_lines(spool: Spool) -> Iterator[dict[str, Any]]:
    """Yield the lines of the spool as dictionaries."""
    for name in spool.files():
        for _raw, fields in spool.read(name, 0, 100_000).lines:
            yield dict(zip(Reading.__struct_fields__, fields, strict=True))


def drain() -> int:
    """Store the taps of the spool and fold them; return how many were stored."""
    db.session.commit()
    stored = draining.create_drainer().drain()
    tap_jobs.fold()
    db.session.expire_all()
    return stored


def stored_taps() -> list[Tap]:
    """Return all stored taps by id."""
    return list(db.session.scalars(sa.select(Tap).order_by(Tap.id)))


def tap_counts() -> tuple[int, int, int]:
    """Return the number of taps in rows, hours and days; days of cards and of the shop must agree."""
    rows = db.session.scalar(sa.select(sa.func.count()).select_from(Tap))
    sums = [
        db.session.scalar(sa.select(sa.func.coalesce(sa.func.sum(table.tap_count), 0)))
        for table in (TapHour, TapDay, ShopTapDay)
    ]
    assert sums[1] == sums[2]
    return rows or 0, int(sums[0] or 0), int(sums[1] or 0)


def unreachable_engine() -> Engine:
    """Return an engine of a server that is not running."""
    return sa.create_engine("postgresql+psycopg://nobody@127.0.0.1:1/none?connect_timeout=2")
