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
    """Reads this host's spool into the database; any number may run, each line is stored once."""

    spool: Spool
    recorder: ReadingStore
    stop: threading.Event = field(default_factory=threading.Event)
    offsets: dict[str, int] = field(default_factory=dict)  # of what is committed; spares a look at idle files

    def drain(self) -> int:
        """Store every whole line there is, unless told to stop; tells how many taps it stored."""
        with self.spool.draining() as may_read:
            if not may_read:
                return 0
            zone = taps.shop_zone()
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
                return stored  # another drainer has just finished with it
            if chunk.end == offset:
                db.session.commit()
                self.offsets[name] = offset
                break
            number = self._store(name, offset, chunk, zone)
            if number is None:
                return stored  # another drainer is at this file; what it leaves is for the next pass
            self.offsets[name] = chunk.end
            stored += number
        if name in self.offsets and self.spool.remove(name, self.offsets[name]):
            ingest.mark_finished(name, utcnow())
            db.session.commit()
        return stored

    def _store(self, name: str, offset: int, chunk: Chunk, zone: str) -> int | None:
        """One transaction: rows, roll-ups, mark. None when somebody else stored the same lines first."""
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
            number = self.recorder.store(db.session.connection(), readings, zone)
            if ingest.advance_offset(name, offset, chunk.end, len(bad)):
                if bad:
                    self.spool.store_bad_lines(name, bad)
                    logger.error("%d unreadable lines in the tap spool", len(bad))
                db.session.commit()
                self.recorder.committed()
                return number
        except IntegrityError:
            logger.info("taps already stored by another drainer")
        db.session.rollback()
        self.recorder.rolled_back()
        return None


def drainer(stop: threading.Event | None = None) -> Drainer:
    """A drainer of this application's spool, which leaves off between two transactions when told to stop."""
    recorder = ReadingStore(current_app.extensions["keys"])
    return Drainer(current_app.extensions["spool"], recorder, stop or threading.Event())
