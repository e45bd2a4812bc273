"""WSGI fast path for taps: a plain redirect is answered in front of Flask, with one indexed read and one spool line.

Only taps that `routing.is_plain_redirect` allows, without a running check-in, are answered here. Everything else, and
every error, goes on to Flask, whose view gives the same answer by the same rules. Nothing is cached, so an edit takes
effect with the next tap.
"""

import logging
import os
import re
import sqlite3
import threading
from collections.abc import Callable, Iterable, Mapping
from typing import TYPE_CHECKING, Any

import psycopg
from psycopg.pq import ExecStatus
from sqlalchemy.engine import Engine

from ..db import LOCK_TIMEOUT
from ..models.cards import MAX_TOKEN_LENGTH
from ..services.taps.routing import is_plain_redirect
from .recorder import CardIds, TapRecorder

if TYPE_CHECKING:
    from _typeshed.wsgi import StartResponse, WSGIApplication, WSGIEnvironment

logger = logging.getLogger(__name__)

CHANNELS = {"t": "nfc", "q": "qr", "card": "nfc"}
CHECK_IN_COOKIE = "tc_checkin"
COLUMNS = "SELECT id, owner_id, design_id, status, target, reroute_url, is_blocked FROM cards WHERE token = "
match_path = re.compile(rf"/(t|q|card)/([0-9A-Za-z]{{1,{MAX_TOKEN_LENGTH}}})/?").fullmatch


def redirect_headers(url: str, is_secure: bool) -> list[tuple[str, str]]:
    """Return all headers of a tap redirect, the same here and in the view."""
    headers = [("Location", url), ("Cache-Control", "no-store"), ("X-Content-Type-Options", "nosniff")]
    if is_secure:
        headers.append(("Strict-Transport-Security", "max-age=31536000; includeSubDomains"))
    return [*headers, ("Content-Length", "0")]


class FastTaps:
    """WSGI middleware that answers plain redirects."""

    def __init__(
        self,
        wsgi_app: "WSGIApplication",
        engine: Engine,
        recorder: TapRecorder,
        *,
        is_secure: bool = False,
        timeouts: Mapping[str, Any] | None = None,
    ) -> None:
        self.wsgi_app = wsgi_app
        self.recorder = recorder
        self.is_secure = is_secure
        self._local = threading.local()
        is_sqlite = engine.dialect.name == "sqlite"
        self._connect = _sqlite_lookup(engine) if is_sqlite else _postgresql_lookup(engine, timeouts or {})
        os.register_at_fork(after_in_child=self._reset)

    def __call__(self, environ: "WSGIEnvironment", start_response: "StartResponse") -> Iterable[bytes]:
        match = match_path(environ.get("PATH_INFO", ""))
        if (
            match is None
            or environ["REQUEST_METHOD"] not in ("GET", "HEAD")
            or CHECK_IN_COOKIE in environ.get("HTTP_COOKIE", "")
        ):
            return self.wsgi_app(environ, start_response)
        channel, token = CHANNELS[match[1]], match[2].upper()
        row = self._look_up(token)
        if row is None or not is_plain_redirect(row[3], row[4], row[5], bool(row[6])):
            return self.wsgi_app(environ, start_response)
        self.recorder.record(environ, channel, "redirect", CardIds(row[0], row[1], row[2]))
        start_response("302 FOUND", redirect_headers(row[5], self.is_secure))
        return [b""]

    def _reset(self) -> None:
        """Open new connections in a forked child, because two processes cannot share one."""
        self._abandoned, self._local = self._local, threading.local()

    def _look_up(self, token: str) -> Any:
        """Return the row of a token by this thread's connection; after a second failure None, so that Flask answers."""
        for _attempt in range(2):
            try:
                look_up: Callable[[str], Any] | None = getattr(self._local, "look_up", None)
                if look_up is None:
                    look_up = self._local.look_up = self._connect()
                return look_up(token)
            except (sqlite3.Error, psycopg.Error):
                self._local.look_up = None
        logger.warning("tap lookup failed")
        return None


def _sqlite_lookup(engine: Engine) -> Callable[[], Callable[[str], Any]]:
    path = engine.url.database
    sql = COLUMNS + "?"

    def connect() -> Callable[[str], Any]:
        connection = sqlite3.connect(str(path), timeout=LOCK_TIMEOUT, isolation_level=None)
        connection.execute("PRAGMA query_only=ON")
        execute = connection.execute

        def look_up(token: str) -> Any:
            rows = execute(sql, (token,)).fetchall()  # read all rows, so that no transaction stays open
            return rows[0] if rows else None

        return look_up

    return connect


def _postgresql_lookup(engine: Engine, timeouts: Mapping[str, Any]) -> Callable[[], Callable[[str], Any]]:
    """Return a function that connects; it uses libpq directly, because a cursor takes three times as long."""
    dsn = engine.url.set(drivername="postgresql").render_as_string(hide_password=False)
    sql = (COLUMNS + "$1").encode()

    def connect() -> Callable[[str], Any]:
        connection = psycopg.connect(dsn, autocommit=True, **timeouts)
        link = connection.pgconn
        _checked(link.prepare(b"tap", sql), ExecStatus.COMMAND_OK)

        def look_up(token: str) -> Any:
            result = _checked(link.exec_prepared(b"tap", [token.encode()]), ExecStatus.TUPLES_OK)
            if not result.ntuples:
                return None
            value = result.get_value
            owner, design, target, url = value(0, 1), value(0, 2), value(0, 4), value(0, 5)
            return (
                int(value(0, 0) or 0),
                None if owner is None else int(owner),
                None if design is None else int(design),
                (value(0, 3) or b"").decode(),
                None if target is None else target.decode(),
                None if url is None else url.decode(),
                value(0, 6) == b"t",
            )

        look_up.connection = connection  # type: ignore[attr-defined]  # so that it is not closed
        return look_up

    return connect


def _checked(result: Any, expected: ExecStatus) -> Any:
    if result.status != expected:
        raise psycopg.OperationalError(result.error_message.decode(errors="replace") if result else "no result")
    return result
