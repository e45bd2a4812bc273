"""Daily visitor hashes: equal for one visitor on one day, and not linkable across days."""

import hashlib
import secrets
import threading
import time
from datetime import date, timedelta

import sqlalchemy as sa
from sqlalchemy.engine import Engine

from ...clock import utcnow
from ...db import db, insert, transactions
from ...models import VisitorKey

KEY_RETENTION = timedelta(hours=48)


class VisitorKeys:
    """Caches the key of the day until midnight UTC; the first process of the day creates it in the database."""

    def __init__(self, engine: Engine) -> None:
        self._engine = engine
        self._lock = threading.Lock()
        self._today: tuple[int, bytes] = (0, b"")  # days since 1970, the key

    def hash(self, address: str, user_agent: str) -> str:
        """Return today's hash of an IP address and user agent: 24 hex digits."""
        text = f"{address}\0{user_agent}".encode()
        number = int(time.time()) // 86_400
        today, key = self._today
        return hashlib.blake2b(text, key=key if number == today else self._key(number), digest_size=12).hexdigest()

    def _key(self, number: int) -> bytes:
        day = date(1970, 1, 1) + timedelta(days=number)
        with self._lock:
            key = self._read(day)
            if key is None:
                self._make(day)
                key = self._read(day)
                assert key is not None
            self._today = (number, key)
        return key

    def _read(self, day: date) -> bytes | None:
        with transactions(writing=False), self._engine.begin() as connection:
            return connection.execute(sa.select(VisitorKey.key).where(VisitorKey.day_on == day)).scalar_one_or_none()

    def _make(self, day: date) -> None:
        with transactions(writing=True), self._engine.begin() as connection:
            fresh = insert(VisitorKey, self._engine).values(day_on=day, key=secrets.token_bytes(32))
            connection.execute(fresh.on_conflict_do_nothing())


def rotate_keys() -> None:
    """Create the keys of today and tomorrow, and delete those older than 48 hours from the start of their day."""
    today = utcnow().date()
    values = [{"day_on": day, "key": secrets.token_bytes(32)} for day in (today, today + timedelta(days=1))]
    db.session.execute(insert(VisitorKey).on_conflict_do_nothing(), values)
    db.session.execute(sa.delete(VisitorKey).where(VisitorKey.day_on <= today - KEY_RETENTION))
