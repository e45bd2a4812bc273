"""Recording: how a reading of a card gets from a spool line into the tables, exactly once."""

from collections.abc import Sequence
from dataclasses import dataclass, field
from datetime import UTC, datetime, timedelta
from typing import Annotated, Any

import msgspec
import sqlalchemy as sa
from sqlalchemy.engine import Connection

from ...db import among, db, insert, insert_rows
from ...ids import MAX_ID
from ...keys import Keys
from ...models import Channel, Outcome, SpoolFile, Tap, UserAgent
from . import rollups, user_agents

BATCH = 1000
SPOOL_MEMORY = timedelta(days=30)

Id = Annotated[int, msgspec.Meta(gt=0, le=MAX_ID)]
Text = Annotated[str, msgspec.Meta(pattern=r"^[^\0]*\Z")]  # PostgreSQL stores no NUL
END_OF_TIME = 253_370_764_799_999  # the last millisecond of the year 9998: in some zone the next year has begun


class Reading(msgspec.Struct, frozen=True, array_like=True, forbid_unknown_fields=True):
    """One reading of a card, as the spool holds it; `at` in ms since 1970, `token` of an unknown card only."""

    uid: Annotated[str, msgspec.Meta(pattern=r"^[0-9a-f]{32}\Z")]
    at: Annotated[int, msgspec.Meta(ge=0, le=END_OF_TIME)]
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


def reading_of(fields: Sequence[Any]) -> Reading | None:
    """A reading from the fields of a line; None when they do not fit."""
    try:
        return msgspec.convert(fields, Reading)
    except msgspec.ValidationError:
        return None


@dataclass
class Recorder:
    """Puts readings into the tables. Ids of user agents read in a transaction are kept once it is committed."""

    keys: Keys
    _agent_ids: dict[str, int] = field(default_factory=dict)
    _fresh_ids: dict[str, int] = field(default_factory=dict)

    def store(self, connection: Connection, readings: Sequence[Reading], zone: str) -> int:
        """Insert readings and count them, in the caller's transaction; one that is there already is left out."""
        known = self._known(connection, [reading.uid for reading in readings])
        readings = list({reading.uid: reading for reading in readings if reading.uid not in known}.values())
        if not readings:
            return 0
        ids = self._ids(connection, {reading.user_agent[: user_agents.LONGEST] for reading in readings})
        rows = [self._row(reading, ids) for reading in readings]
        insert_rows(connection, sa.insert(Tap), rows)
        devices = [user_agents.classify(reading.user_agent[: user_agents.LONGEST]).device for reading in readings]
        rollups.count(connection, zip(rows, devices, strict=True), zone)
        return len(rows)

    def committed(self) -> None:
        """The caller's transaction is through: what was read in it may be kept."""
        if len(self._agent_ids) > 20_000:
            self._agent_ids.clear()
        self._agent_ids.update(self._fresh_ids)
        self._fresh_ids.clear()

    def rolled_back(self) -> None:
        """The caller's transaction failed: what was read in it may not exist."""
        self._fresh_ids.clear()

    def _known(self, connection: Connection, uids: list[str]) -> set[str]:
        found = connection.execute(sa.select(Tap.uid).where(among(Tap.uid, uids, connection)))
        return set(found.scalars())

    def _row(self, reading: Reading, ids: dict[str, int]) -> dict[str, Any]:
        agent = user_agents.classify(reading.user_agent[: user_agents.LONGEST])
        return {
            "uid": reading.uid,
            "tapped_at": reading.instant,
            "card_id": reading.card_id,
            "token": reading.token,
            "owner_id": reading.owner_id,
            "design_id": reading.design_id,
            "channel": reading.channel,
            "outcome": reading.outcome,
            "user_agent_id": ids[reading.user_agent[: user_agents.LONGEST]],
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
            found = connection.execute(sa.select(UserAgent.text, UserAgent.id).where(UserAgent.text.in_(missing)))
            fresh = dict(found.all())
            self._fresh_ids.update(fresh)
            ids.update(fresh)
        return ids


def offset_of(name: str) -> int:
    """How far a spool file is read; a new one is entered at 0."""
    connection = db.session.connection()
    connection.execute(insert(SpoolFile).values(name=name, off=0, bad_count=0).on_conflict_do_nothing())
    return connection.execute(sa.select(SpoolFile.off).where(SpoolFile.name == name)).scalar_one()


def advance(name: str, old: int, new: int, bad: int) -> bool:
    """Move a file's mark on; False when another drainer was faster, and all of this transaction must go."""
    moved = db.session.execute(
        sa.update(SpoolFile)
        .where(SpoolFile.name == name, SpoolFile.off == old)
        .values(off=new, bad_count=SpoolFile.bad_count + bad)
        .execution_options(synchronize_session=False)
    )
    return bool(moved.rowcount == 1)  # type: ignore[attr-defined]


def finish(name: str, now: datetime) -> None:
    """Note that a file is gone."""
    db.session.execute(sa.update(SpoolFile).where(SpoolFile.name == name).values(done_at=now))


def forget_finished(now: datetime) -> None:
    """Drop the marks of files that have been gone for long."""
    db.session.execute(sa.delete(SpoolFile).where(SpoolFile.done_at < now - SPOOL_MEMORY))
