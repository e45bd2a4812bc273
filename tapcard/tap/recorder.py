"""Recording of taps: as a spool line, directly in the database if the spool fails, or as a counted failure."""

import itertools
import logging
import os
import secrets
import threading
import time
from functools import lru_cache
from typing import TYPE_CHECKING, Any, NamedTuple
from urllib.parse import urlsplit

import maxminddb
import msgspec
import sqlalchemy as sa
from sqlalchemy.engine import Engine

from ..db import transactions
from ..keys import ME_COOKIE
from ..models import Setting
from ..services.taps.ingest import Reading, ReadingStore
from ..services.taps.visitor_hash import VisitorKeys
from ..settings import ShopSettings
from ..spool import Spool, SpoolError

if TYPE_CHECKING:
    from _typeshed.wsgi import WSGIEnvironment

logger = logging.getLogger(__name__)
MAX_USER_AGENT_LENGTH = 512
PREFETCH_PURPOSES = ("prefetch", "preview", "prerender")
UNKNOWN_CARD = (None, None, None)


def is_counted(environ: "WSGIEnvironment") -> bool:
    """Return whether a request counts as a tap: a GET that is not a prefetch."""
    if environ["REQUEST_METHOD"] != "GET":
        return False
    for name in ("HTTP_SEC_PURPOSE", "HTTP_PURPOSE", "HTTP_X_PURPOSE", "HTTP_X_MOZ"):
        if (value := environ.get(name)) and any(word in value.lower() for word in PREFETCH_PURPOSES):
            return False
    return True


def cookie(environ: "WSGIEnvironment", name: str) -> str | None:
    """Return the value of a cookie, without parsing the others."""
    header = environ.get("HTTP_COOKIE", "")
    if name not in header:
        return None
    for part in header.split(";"):
        key, _equals, value = part.strip().partition("=")
        if key == name:
            return value.strip('"')[:200]
    return None


class CardIds(NamedTuple):
    """The ids that a tap of a known card is recorded with; a tuple, because taps are the hot path."""

    card_id: int
    owner_id: int | None
    design_id: int | None


class TapRecorder:
    """Records requests as `Reading`s; a failure to store one never raises."""

    def __init__(
        self,
        spool: Spool,
        store: ReadingStore,
        engine: Engine,
        country_header: str | None = None,
        geoip: Any = None,
    ) -> None:
        self.spool = spool
        self.store = store
        self.engine = engine
        self.visitors = VisitorKeys(engine)
        self.country_key = "HTTP_" + country_header.upper().replace("-", "_") if country_header else None
        self.geoip = geoip
        self._local = threading.local()
        os.register_at_fork(after_in_child=self._reset)

    def record(
        self,
        environ: "WSGIEnvironment",
        channel: str,
        outcome: str,
        card_ids: CardIds | None,
        token: str | None = None,
    ) -> None:
        """Record the tap of a request, if it counts as one; `token` is stored if no card has it."""
        if not is_counted(environ):
            return
        try:
            now = time.time_ns() // 1_000_000
            agent = environ.get("HTTP_USER_AGENT", "")[:MAX_USER_AGENT_LENGTH].replace("\0", "")
            address = environ.get("REMOTE_ADDR") or ""
            fields = [  # in the order of `Reading`
                self._uid(now),
                now,
                *(card_ids or UNKNOWN_CARD),
                token,
                channel,
                outcome,
                self._visitor(address, agent),
                agent,
                _language(environ.get("HTTP_ACCEPT_LANGUAGE", "")[:64]),
                _referrer_host(environ.get("HTTP_REFERER", "")[:2000]),
                self._country(environ, address),
                cookie(environ, ME_COOKIE),
            ]
            try:
                self.spool.append(fields)
            except SpoolError:
                self._store_directly(msgspec.convert(fields, Reading))
        except Exception:  # a failure to record never stops the redirect
            logger.exception("tap not recorded")
            self.spool.count_failure()

    def _uid(self, now: int) -> str:
        """Return a sortable id of 32 hex digits: milliseconds, random digits of the thread, a counter."""
        local = self._local
        try:
            return f"{now:012x}{local.random}{next(local.counter) & 0xFFFFFF:06x}"
        except AttributeError:
            local.random, local.counter = secrets.token_hex(7), itertools.count()
            return self._uid(now)

    def _reset(self) -> None:
        """Use other random digits in a forked child."""
        self._local = threading.local()

    def _visitor(self, address: str, agent: str) -> str:
        try:
            return self.visitors.hash(address, agent)
        except sa.exc.SQLAlchemyError:
            return ""  # the key cannot be read now; the tap counts anyway

    def _country(self, environ: "WSGIEnvironment", address: str) -> str:
        if self.country_key is not None:
            code = environ.get(self.country_key, "")[:2].upper()
            return code if code.isascii() and code.isalpha() and len(code) == 2 and code != "XX" else ""
        if self.geoip is not None and address:
            try:
                record = self.geoip.get(address) or {}
            except (ValueError, maxminddb.InvalidDatabaseError):
                return ""
            return str((record.get("country") or {}).get("iso_code", ""))[:2]
        return ""

    def _store_directly(self, reading: Reading) -> None:
        with transactions(writing=True), self.engine.begin() as connection:
            name = sa.select(Setting.value).where(Setting.name == "time_zone")
            zone = connection.execute(name).scalar_one_or_none() or ShopSettings.time_zone
            ReadingStore(self.store.keys).store(connection, [reading], zone)


@lru_cache(maxsize=1024)
def _language(header: str) -> str:
    """Return the first language of an Accept-Language header, such as en-GB."""
    first = header.split(",", 1)[0].split(";", 1)[0].strip()
    return first[:12] if first.replace("-", "").isalnum() and first.isascii() else ""


@lru_cache(maxsize=1024)
def _referrer_host(referrer: str) -> str:
    """Return the host of a Referer header."""
    if not referrer:
        return ""
    try:
        return (urlsplit(referrer).hostname or "")[:255].replace("\0", "")
    except ValueError:
        return ""
