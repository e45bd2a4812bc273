"""Roll-ups: numbers of taps by hour and by day in the shop's time zone, from which statistics are read."""

from collections import Counter
from collections.abc import Iterable, Mapping
from datetime import UTC, date, datetime, timedelta
from functools import lru_cache
from typing import Any, cast
from zoneinfo import ZoneInfo

import sqlalchemy as sa
from sqlalchemy.engine import Connection

from ...db import acquire_lock, db, insert, insert_rows, is_any_of
from ...models import Card, Device, ShopTapDay, Tap, TapDay, TapHour, User, UserAgent
from ...models.taps import ROLLUP_KEY, SHOP_KEY
from ..cards import cards
from . import user_agents
from .routing import OUTCOMES_WITHOUT_INTEREST


@lru_cache(maxsize=4096)
def _hour_of(quarter: int, zone: str) -> datetime:
    """Return when the local hour began that contains a quarter hour, counted since 1970."""
    local = datetime.fromtimestamp(quarter * 900, UTC).astimezone(ZoneInfo(zone))
    return (local - timedelta(minutes=local.minute, seconds=local.second)).astimezone(UTC)


def hour_of(instant: datetime, zone: str) -> datetime:
    """Return the instant at which the local hour began."""
    return _hour_of(int(instant.timestamp()) // 900, zone)


@lru_cache(maxsize=4096)
def day_of(hour_at: datetime, zone: str) -> date:
    """Return the local date."""
    return hour_at.astimezone(ZoneInfo(zone)).date()


def count_taps(connection: Connection, rows: Iterable[tuple[dict[str, Any], Device]], zone: str) -> None:
    """Add taps to the roll-ups by hour, in sorted order so that concurrent drainers cannot deadlock."""
    counts: Counter[tuple[Any, ...]] = Counter()
    for row, device in rows:
        key = (
            row["card_id"] or 0,
            row["owner_id"] or 0,
            row["design_id"] or 0,
            row["channel"],
            row["outcome"],
            device,
            row["country"],
            row["is_bot"],
            row["is_own"],
        )
        counts[(hour_of(row["tapped_at"], zone), *key)] += 1
    unique = ("card_id", "hour_at", *ROLLUP_KEY[1:])
    _upsert_counts(connection, TapHour, unique, ("hour_at", *ROLLUP_KEY), counts, folded_count=0)


def _upsert_counts(
    connection: Connection,
    model: type[TapHour] | type[TapDay] | type[ShopTapDay],
    unique: tuple[str, ...],
    names: tuple[str, ...],
    counts: Counter[tuple[Any, ...]],
    **fixed: Any,
) -> None:
    """Add numbers to roll-up rows, inserting new ones; `names` are the columns of the keys of `counts`."""
    # with the engine, because a tap may be stored outside an application context
    fresh = insert(model, connection.engine)
    upsert = fresh.on_conflict_do_update(
        index_elements=unique, set_={"tap_count": model.tap_count + fresh.excluded.tap_count}
    )
    values = [
        {**dict(zip(names, key, strict=True)), "tap_count": number, **fixed} for key, number in sorted(counts.items())
    ]
    insert_rows(connection, upsert, values)


def fold_hours_into_days(zone: str, limit: int = 5000) -> int:
    """Add new taps of up to `limit` hours to the days, and return the number of hours."""
    columns = [getattr(TapHour, name) for name in ROLLUP_KEY]
    unfolded = db.session.execute(
        sa.select(TapHour.id, TapHour.hour_at, TapHour.tap_count, TapHour.folded_count, *columns)
        .where(TapHour.tap_count != TapHour.folded_count)
        .order_by(TapHour.id)
        .limit(limit)
        .with_for_update(skip_locked=True)
    ).all()
    if not unfolded:
        return 0
    days: Counter[tuple[Any, ...]] = Counter()
    shop_days: Counter[tuple[Any, ...]] = Counter()
    for _id, hour_at, tap_count, folded_count, card_id, owner_id, *shop_key in unfolded:
        day, new = day_of(hour_at, zone), tap_count - folded_count
        days[(day, card_id, owner_id, *shop_key)] += new
        shop_days[(day, *shop_key)] += new
    connection = db.session.connection()
    _upsert_counts(connection, TapDay, ("card_id", "day_on", *ROLLUP_KEY[1:]), ("day_on", *ROLLUP_KEY), days)
    _upsert_counts(connection, ShopTapDay, ("day_on", *SHOP_KEY), ("day_on", *SHOP_KEY), shop_days)
    table = cast(sa.Table, TapHour.__table__)
    ids = [row[0] for row in unfolded]  # locked above, so their counts have not changed
    connection.execute(
        sa.update(table).where(is_any_of(table.c.id, ids, connection)).values(folded_count=table.c.tap_count)
    )
    return len(unfolded)


def lock_rollups(*, shared: bool = False) -> None:
    """Take the roll-up lock until the transaction ends: shared for drainers, exclusive for a recount."""
    acquire_lock("taps.rollups", shared=shared)


def recount_taps(zone: str, since_id: int, until_id: int) -> None:
    """Count the taps with ids in (since_id, until_id] again; the caller deleted the roll-ups before."""
    columns = (Tap.tapped_at, Tap.card_id, Tap.owner_id, Tap.design_id, Tap.channel, Tap.outcome, Tap.country)
    taps = db.session.execute(
        sa.select(*columns, Tap.is_bot, Tap.is_own, UserAgent.device)
        .outerjoin(UserAgent, UserAgent.id == Tap.user_agent_id)
        .where(Tap.id > since_id, Tap.id <= until_id)
    ).mappings()
    rows = [(dict(row), row["device"] or Device.OTHER) for row in taps]
    if rows:
        count_taps(db.session.connection(), rows, zone)


def reclassify_user_agents() -> int:
    """Classify all user agents again, update their taps, and return the number of changed user agents."""
    changed = 0
    for agent in db.session.scalars(sa.select(UserAgent)).all():
        now = user_agents.classify(agent.text)
        if (agent.device, agent.os_family, agent.is_bot) != (now.device, now.os_family, now.is_bot):
            agent.device, agent.os_family = now.device, now.os_family
            if agent.is_bot != now.is_bot:
                agent.is_bot = now.is_bot
                db.session.execute(sa.update(Tap).where(Tap.user_agent_id == agent.id).values(is_bot=now.is_bot))
            changed += 1
    return changed


def delete_rollups() -> None:
    """Delete all roll-ups before a recount."""
    db.session.execute(sa.delete(TapHour))
    db.session.execute(sa.delete(TapDay))
    db.session.execute(sa.delete(ShopTapDay))


def interest_condition(days: type[TapDay] | type[ShopTapDay] = TapDay) -> sa.ColumnElement[bool]:
    """Return the condition for taps that show interest: by other people, on a working card."""
    return sa.and_(~days.is_bot, ~days.is_own, days.outcome.not_in(OUTCOMES_WITHOUT_INTEREST))


def shop_total(first: date, last: date) -> int:
    """Return the number of taps on all cards in a period."""
    total = sa.select(sa.func.coalesce(sa.func.sum(ShopTapDay.tap_count), 0))
    conditions = (ShopTapDay.day_on.between(first, last), interest_condition(ShopTapDay))
    return int(db.session.scalar(total.where(*conditions)) or 0)


def taps_per_day(owner: User, first: date, last: date, card: Card | None = None) -> list[tuple[date, int]]:
    """Return the number of taps for each day of a period, including zeros; with `card`, of it and those it replaced."""
    conditions = [TapDay.owner_id == owner.id, TapDay.day_on.between(first, last), interest_condition()]
    if card is not None:
        conditions.append(TapDay.card_id.in_(cards.replacement_chain_query(card.id)))
    rows = db.session.execute(
        sa.select(TapDay.day_on, sa.func.sum(TapDay.tap_count)).where(*conditions).group_by(TapDay.day_on)
    )
    numbers = {day: int(number) for day, number in rows}
    days = [first + timedelta(days=number) for number in range((last - first).days + 1)]
    return [(day, numbers.get(day, 0)) for day in days]


def taps_per_card(
    owner: User, first: date, last: date, replacements: Mapping[int, int] | None = None
) -> dict[int, int]:
    """Return the number of taps by card id in a period; those of a replaced card count for its replacement.

    `replacements` is the result of `replacements_of_owner` if the caller already has it.
    """
    rows = db.session.execute(
        sa.select(TapDay.card_id, sa.func.sum(TapDay.tap_count))
        .where(TapDay.owner_id == owner.id, TapDay.day_on.between(first, last), interest_condition())
        .group_by(TapDay.card_id)
    )
    if replacements is None:
        replacements = replacements_of_owner(owner)
    numbers: Counter[int] = Counter()
    for card_id, number in rows:
        numbers[final_replacement(card_id, replacements)] += int(number)
    return dict(numbers)


def replacements_of_owner(owner: User) -> dict[int, int]:
    """Return the replacement of each replaced card of an owner; a join would be three times slower."""
    replaced = sa.select(Card.id, Card.replaced_by_id).where(
        Card.owner_id == owner.id, Card.replaced_by_id.is_not(None)
    )
    return {card_id: next_id for card_id, next_id in db.session.execute(replaced) if next_id is not None}


def final_replacement(card_id: int, replacements: Mapping[int, int]) -> int:
    """Return the last card of a replacement chain, or the card itself if the chain is a cycle."""
    current, visited = card_id, {card_id}
    while current in replacements:
        current = replacements[current]
        if current in visited:
            return card_id
        visited.add(current)
    return current
