"""Draining of the tap spool into the database."""

import logging
import threading
from dataclasses import dataclass, field

from flask import current_app
from sqlalchemy.exc import IntegrityError

from ..clock import utcnow
from ..db import db
from ..services.taps import ingest, rollups
from ..services.taps.ingest import Reading, ReadingStore
from ..spool import Chunk, Spool
from . import taps

logger = logging.getLogger(__name__)


@dataclass
class Drainer:
    """Stores this host's spooled taps in the database; several may run at once, each line is stored once."""

    spool: Spool
    store: ReadingStore
    stop: threading.Event = field(default_factory=threading.Event)
    offsets: dict[str, int] = field(default_factory=dict)  # committed offsets, which save queries for idle files

    def drain(self) -> int:
        """Store all complete lines until `stop` is set; return the number of stored taps."""
        with self.spool.draining() as may_read:
            if not may_read:
                return 0
            zone = taps.shop_time_zone()
            names = self.spool.files()
            stored = sum(self._drain_file(name, zone) for name in names)
            self.spool.sweep()
        self.offsets = {name: offset for name, offset in self.offsets.items() if name in names}
        return stored

    def _drain_file(self, name: str, zone: str) -> int:
        stored = 0
        while not self.stop.is_set() and not self.spool.is_read(name, self.offsets.get(name)):
            offset = ingest.get_or_create_offset(name)
            try:
                chunk = self.spool.read(name, offset, ingest.BATCH_SIZE)
            except FileNotFoundError:
                db.session.rollback()
                return stored  # another drainer has just finished this file
            if chunk.end == offset:
                db.session.commit()
                self.offsets[name] = offset
                break
            count = self._store(name, offset, chunk, zone)
            if count is None:
                return stored  # another drainer is reading this file; the rest waits for the next pass
            self.offsets[name] = chunk.end
            stored += count
        if name in self.offsets and self.spool.remove(name, self.offsets[name]):
            ingest.mark_finished(name, utcnow())
            db.session.commit()
        return stored

    def _store(self, name: str, offset: int, chunk: Chunk, zone: str) -> int | None:
        """Store rows, roll-ups and offset in one transaction; return None if another drainer stored the lines first."""
        readings: list[Reading] = []
        bad = list(chunk.bad)
        for raw, fields in chunk.lines:
            reading = ingest.parse_reading(fields)
            if reading is None:
                bad.append(raw)
            else:
                readings.append(reading)
        try:
            rollups.lock_rollups(shared=True)
            count = self.store.store(db.session.connection(), readings, zone)
            if ingest.advance_offset(name, offset, chunk.end, len(bad)):
                if bad:
                    self.spool.store_bad_lines(name, bad)
                    logger.error("%d unreadable lines in the tap spool", len(bad))
                db.session.commit()
                self.store.committed()
                return count
        except IntegrityError:
            logger.info("taps already stored by another drainer")
        db.session.rollback()
        self.store.rolled_back()
        return None


def create_drainer(stop: threading.Event | None = None) -> Drainer:
    """Return a drainer of this application's spool, which stops between two transactions when `stop` is set."""
    store = ReadingStore(current_app.extensions["keys"])
    return Drainer(current_app.extensions["spool"], store, stop or threading.Event())
