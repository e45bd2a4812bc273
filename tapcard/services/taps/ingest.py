"""Ingestion of card readings from spool lines into the database, exactly once."""

from collections.abc import Sequence
from dataclasses import dataclass, field
from datetime import UTC, datetime, timedelta
from typing import Annotated, Any

import msgspec
import sqlalchemy as sa
from sqlalchemy.engine import Connection

from ...db import db, execute_update, insert, insert_rows, is_any_of
from ...ids import MAX_ID
from ...keys import Keys
from ...models import Channel, Outcome, SpoolFile, Tap, UserAgent
from . import rollups, user_agents

BATCH_SIZE = 1000
SPOOL_FILE_RETENTION = timedelta(days=30)

Id = Annotated[int, msgspec.Meta(gt=0, le=MAX_ID)]
Text = Annotated[str, msgspec.Meta(pattern=r"^[^\0]*\Z")]  # PostgreSQL stores no NUL
MAX_TIMESTAMP_MS = 253_370_764_799_999  # the end of the year 9998 in UTC, so that no local time is past 9999


class Reading(msgspec.Struct, frozen=True, array_like=True, forbid_unknown_fields=True):
    """One reading of a card as a spool line; `at` in ms since 1970, `token` only of an unknown card."""

    uid: Annotated[str, msgspec.Meta(pattern=r"^[0-9a-f]{32}\Z")]
    at: Annotated[int, msgspec.Meta(ge=0, le=MAX_TIMESTAMP_MS)]
    card_id: Id | None
    owner_id: Id | None
    design_id: Id | None
    token: Annotated[str, msgspec.Meta(pattern=r"^[0-9A-Z]{1,20}\Z")] | None
    channel: Channel
    outcome: Outcome
    visitor: Text
    user_agent: Text
    language: Text
    referrer_host: Text
    country: Text
    me: str | None

    @property
    def instant(self) -> datetime:
        return datetime.fromtimestamp(self.at / 1000, UTC)


def parse_reading(fields: Sequence[Any]) -> Reading | None:
    """Return the reading in the fields of a line, or None if they are invalid."""
    try:
        return msgspec.convert(fields, Reading)
    except msgspec.ValidationError:
        return None


@dataclass
class ReadingStore:
    """Stores readings. Caches the ids of user agents, those of a transaction only once it is committed."""

    keys: Keys
    _agent_ids: dict[str, int] = field(default_factory=dict)
    _fresh_ids: dict[str, int] = field(default_factory=dict)

    def store(self, connection: Connection, readings: Sequence[Reading], zone: str) -> int:
        """Insert readings and their roll-ups in the caller's transaction, skip known ones, and return the number."""
        known_uids = self._known(connection, [reading.uid for reading in readings])
        readings = list({reading.uid: reading for reading in readings if reading.uid not in known_uids}.values())
        if not readings:
            return 0
        ids = self._ids(connection, {reading.user_agent[: user_agents.MAX_LENGTH] for reading in readings})
        rows = [self._row(reading, ids) for reading in readings]
        insert_rows(connection, sa.insert(Tap), rows)
        devices = [user_agents.classify(reading.user_agent[: user_agents.MAX_LENGTH]).device for reading in readings]
        rollups.count_taps(connection, zip(rows, devices, strict=True), zone)
        return len(rows)

    def committed(self) -> None:
        """Keep the user agent ids of the caller's transaction, which was committed."""
        if len(self._agent_ids) > 20_000:
            self._agent_ids.clear()
        self._agent_ids.update(self._fresh_ids)
        self._fresh_ids.clear()

    def rolled_back(self) -> None:
        """Discard the user agent ids of the caller's transaction, which was rolled back."""
        self._fresh_ids.clear()

    def _known(self, connection: Connection, uids: list[str]) -> set[str]:
        stored_uids = connection.execute(sa.select(Tap.uid).where(is_any_of(Tap.uid, uids, connection)))
        return set(stored_uids.scalars())

    def _row(self, reading: Reading, ids: dict[str, int]) -> dict[str, Any]:
        agent = user_agents.classify(reading.user_agent[: user_agents.MAX_LENGTH])
        return {
            "uid": reading.uid,
            "tapped_at": reading.instant,
            "card_id": reading.card_id,
            "token": reading.token,
            "owner_id": reading.owner_id,
            "design_id": reading.design_id,
            "channel": reading.channel,
            "outcome": reading.outcome,
            "user_agent_id": ids[reading.user_agent[: user_agents.MAX_LENGTH]],
            "language": reading.language[:12],
            "referrer_host": reading.referrer_host[:255],
            "country": reading.country[:2],
            "visitor": reading.visitor[:32],
            "is_bot": agent.is_bot,
            "is_own": reading.owner_id is not None and self.keys.unsign_me(reading.me) == reading.owner_id,
        }

    def _ids(self, connection: Connection, texts: set[str]) -> dict[str, int]:
        ids = {text: self._agent_ids[text] for text in texts & self._agent_ids.keys()}
        missing = sorted(texts - ids.keys())
        if missing:
            rows = []
            for text in missing:
                agent = user_agents.classify(text)
                rows.append(
                    {"text": text, "device": agent.device, "os_family": agent.os_family, "is_bot": agent.is_bot}
                )
            fresh_agents = insert(UserAgent, connection.engine).on_conflict_do_nothing(index_elements=["text"])
            insert_rows(connection, fresh_agents, rows)
            stored_agents = connection.execute(
                sa.select(UserAgent.text, UserAgent.id).where(UserAgent.text.in_(missing))
            )
            fresh = dict(stored_agents.all())
            self._fresh_ids.update(fresh)
            ids.update(fresh)
        return ids


def get_or_create_offset(name: str) -> int:
    """Return the offset up to which a spool file was read; a new file starts at 0."""
    connection = db.session.connection()
    connection.execute(insert(SpoolFile).values(name=name, off=0, bad_count=0).on_conflict_do_nothing())
    return connection.execute(sa.select(SpoolFile.off).where(SpoolFile.name == name)).scalar_one()


def advance_offset(name: str, old: int, new: int, bad: int) -> bool:
    """Advance the offset of a spool file; return False if another drainer did, and the caller must roll back."""
    at_old_offset = sa.update(SpoolFile).where(SpoolFile.name == name, SpoolFile.off == old)
    return execute_update(at_old_offset.values(off=new, bad_count=SpoolFile.bad_count + bad)) == 1


def mark_finished(name: str, now: datetime) -> None:
    """Mark a spool file as completely read and deleted."""
    db.session.execute(sa.update(SpoolFile).where(SpoolFile.name == name).values(done_at=now))


def delete_finished(now: datetime) -> None:
    """Delete the rows of spool files that were finished long ago."""
    db.session.execute(sa.delete(SpoolFile).where(SpoolFile.done_at < now - SPOOL_FILE_RETENTION))
