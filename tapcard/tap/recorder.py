"""Writing a tap down: one line of the spool, or a row at once when the spool refuses, or a count of the loss."""

import itertools
import logging
import os
import secrets
import threading
import time
from functools import lru_cache
from typing import TYPE_CHECKING, Any
from urllib.parse import urlsplit

import maxminddb
import msgspec
import sqlalchemy as sa
from sqlalchemy.engine import Engine

from ..db import transactions
from ..keys import ME_COOKIE
from ..models import Setting
from ..services.taps.ingest import Reading, Recorder
from ..services.taps.visitor_hash import VisitorKeys
from ..settings import ShopSettings
from ..spool import Spool, SpoolError

if TYPE_CHECKING:
    from _typeshed.wsgi import WSGIEnvironment

logger = logging.getLogger(__name__)
LONGEST_AGENT = 512
LOOKING_AHEAD = ("prefetch", "preview", "prerender")


def is_counted(environ: "WSGIEnvironment") -> bool:
    """Whether a request is a reading at all: not a HEAD, and not a browser looking ahead."""
    if environ["REQUEST_METHOD"] != "GET":
        return False
    for name in ("HTTP_SEC_PURPOSE", "HTTP_PURPOSE", "HTTP_X_PURPOSE", "HTTP_X_MOZ"):
        if (value := environ.get(name)) and any(word in value.lower() for word in LOOKING_AHEAD):
            return False
    return True


def cookie(environ: "WSGIEnvironment", name: str) -> str | None:
    """The value of a cookie, without parsing the others."""
    header = environ.get("HTTP_COOKIE", "")
    if name not in header:
        return None
    for part in header.split(";"):
        key, _equals, value = part.strip().partition("=")
        if key == name:
            return value.strip('"')[:200]
    return None


class TapRecorder:
    """Turns a request into a `Reading` and sees that it is kept; never raises for want of a place to keep it."""

    def __init__(
        self,
        spool: Spool,
        recorder: Recorder,
        engine: Engine,
        country_header: str | None = None,
        geoip: Any = None,
    ) -> None:
        self.spool = spool
        self.recorder = recorder
        self.engine = engine
        self.visitors = VisitorKeys(engine)
        self.country_key = "HTTP_" + country_header.upper().replace("-", "_") if country_header else None
        self.geoip = geoip
        self._local = threading.local()
        os.register_at_fork(after_in_child=self._forget)

    def record(
        self,
        environ: "WSGIEnvironment",
        channel: str,
        outcome: str,
        card_id: int | None,
        owner_id: int | None,
        design_id: int | None,
        token: str | None = None,
    ) -> None:
        """Keep one reading, unless the request is none."""
        if not is_counted(environ):
            return
        try:
            now = time.time_ns() // 1_000_000
            agent = environ.get("HTTP_USER_AGENT", "")[:LONGEST_AGENT].replace("\0", "")
            address = environ.get("REMOTE_ADDR") or ""
            fields = [  # in the order of `Reading`
                self._uid(now),
                now,
                card_id,
                owner_id,
                design_id,
                token,
                channel,
                outcome,
                self._visitor(address, agent),
                agent,
                _language(environ.get("HTTP_ACCEPT_LANGUAGE", "")[:64]),
                _host(environ.get("HTTP_REFERER", "")[:2000]),
                self._country(environ, address),
                cookie(environ, ME_COOKIE),
            ]
            try:
                self.spool.append(fields)
            except SpoolError:
                self._store_at_once(msgspec.convert(fields, Reading))
        except Exception:  # a failure to record never stops the redirect
            logger.exception("tap not recorded")
            self.spool.count_failure()

    def _uid(self, now: int) -> str:
        """32 hex digits in order of time: the millisecond, what this thread drew by lot, a counter."""
        local = self._local
        try:
            return f"{now:012x}{local.lot}{next(local.counter) & 0xFFFFFF:06x}"
        except AttributeError:
            local.lot, local.counter = secrets.token_hex(7), itertools.count()
            return self._uid(now)

    def _forget(self) -> None:
        """A forked child draws lots of its own."""
        self._local = threading.local()

    def _visitor(self, address: str, agent: str) -> str:
        try:
            return self.visitors.hash(address, agent)
        except sa.exc.SQLAlchemyError:
            return ""  # the day's key cannot be read now; the tap counts all the same

    def _country(self, environ: "WSGIEnvironment", address: str) -> str:
        if self.country_key is not None:
            code = environ.get(self.country_key, "")[:2].upper()
            return code if code.isascii() and code.isalpha() and len(code) == 2 and code != "XX" else ""
        if self.geoip is not None and address:
            try:
                found = self.geoip.get(address) or {}
            except (ValueError, maxminddb.InvalidDatabaseError):
                return ""
            return str((found.get("country") or {}).get("iso_code", ""))[:2]
        return ""

    def _store_at_once(self, reading: Reading) -> None:
        with transactions(writing=True), self.engine.begin() as connection:
            name = sa.select(Setting.value).where(Setting.name == "time_zone")
            zone = connection.execute(name).scalar_one_or_none() or ShopSettings.time_zone
            Recorder(self.recorder.keys).store(connection, [reading], zone)


@lru_cache(maxsize=1024)
def _language(header: str) -> str:
    """The first language of an Accept-Language header: en-GB."""
    first = header.split(",", 1)[0].split(";", 1)[0].strip()
    return first[:12] if first.replace("-", "").isalnum() and first.isascii() else ""


@lru_cache(maxsize=1024)
def _host(referrer: str) -> str:
    """The host of a referrer, nothing of its path."""
    if not referrer:
        return ""
    try:
        return (urlsplit(referrer).hostname or "")[:255].replace("\0", "")
    except ValueError:
        return ""
