"""Roll-ups: taps counted by hour and by day of the shop's own zone; every figure shown is read from here."""

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
from .routing import NOT_INTEREST


@lru_cache(maxsize=4096)
def _hour_of(quarter: int, zone: str) -> datetime:
    """When the hour of the shop's zone began that holds a quarter of an hour; offsets are whole quarters."""
    local = datetime.fromtimestamp(quarter * 900, UTC).astimezone(ZoneInfo(zone))
    return (local - timedelta(minutes=local.minute, seconds=local.second)).astimezone(UTC)


def hour_of(instant: datetime, zone: str) -> datetime:
    """The instant at which the hour on the shop's clock began."""
    return _hour_of(int(instant.timestamp()) // 900, zone)


@lru_cache(maxsize=4096)
def day_of(hour_at: datetime, zone: str) -> date:
    """The date on the shop's calendar."""
    return hour_at.astimezone(ZoneInfo(zone)).date()


def count(connection: Connection, rows: Iterable[tuple[dict[str, Any], Device]], zone: str) -> None:
    """Add taps to the hours they belong to, in one order, so that two drainers never wait for each other in a ring."""
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
    _add(connection, TapHour, unique, ("hour_at", *ROLLUP_KEY), counts, folded_count=0)


def _add(
    connection: Connection,
    model: type[TapHour] | type[TapDay] | type[ShopTapDay],
    unique: tuple[str, ...],
    names: tuple[str, ...],
    counts: Counter[tuple[Any, ...]],
    **fixed: Any,
) -> None:
    """Add numbers to rows, making those that are new; `names` says what the keys of `counts` are made of."""
    # the engine is named, because a tap may be stored where there is no application context
    fresh = insert(model, connection.engine)
    upsert = fresh.on_conflict_do_update(
        index_elements=unique, set_={"tap_count": model.tap_count + fresh.excluded.tap_count}
    )
    values = [
        {**dict(zip(names, key, strict=True)), "tap_count": number, **fixed} for key, number in sorted(counts.items())
    ]
    insert_rows(connection, upsert, values)


def fold(zone: str, most: int = 5000) -> int:
    """Carry what hours have counted since the last time into the days; tells how many hours it looked at."""
    columns = [getattr(TapHour, name) for name in ROLLUP_KEY]
    waiting = db.session.execute(
        sa.select(TapHour.id, TapHour.hour_at, TapHour.tap_count, TapHour.folded_count, *columns)
        .where(TapHour.tap_count != TapHour.folded_count)
        .order_by(TapHour.id)
        .limit(most)
        .with_for_update(skip_locked=True)
    ).all()
    if not waiting:
        return 0
    days: Counter[tuple[Any, ...]] = Counter()
    shop_days: Counter[tuple[Any, ...]] = Counter()
    for _id, hour_at, tap_count, folded_count, card_id, owner_id, *shop_key in waiting:
        day, new = day_of(hour_at, zone), tap_count - folded_count
        days[(day, card_id, owner_id, *shop_key)] += new
        shop_days[(day, *shop_key)] += new
    connection = db.session.connection()
    _add(connection, TapDay, ("card_id", "day_on", *ROLLUP_KEY[1:]), ("day_on", *ROLLUP_KEY), days)
    _add(connection, ShopTapDay, ("day_on", *SHOP_KEY), ("day_on", *SHOP_KEY), shop_days)
    table = cast(sa.Table, TapHour.__table__)
    ids = [row[0] for row in waiting]  # locked above, so their counts are still what was read
    connection.execute(
        sa.update(table).where(is_any_of(table.c.id, ids, connection)).values(folded_count=table.c.tap_count)
    )
    return len(waiting)


def hold_still(*, shared: bool = False) -> None:
    """Keep recounting and counting apart until the transaction ends: drainers share, a recount is alone."""
    acquire_lock("taps.rollups", shared=shared)


def recount(zone: str, since_id: int, until_id: int) -> None:
    """Count the taps of a range of ids into the hours again; whoever asks has emptied the roll-ups before."""
    columns = (Tap.tapped_at, Tap.card_id, Tap.owner_id, Tap.design_id, Tap.channel, Tap.outcome, Tap.country)
    found = db.session.execute(
        sa.select(*columns, Tap.is_bot, Tap.is_own, UserAgent.device)
        .outerjoin(UserAgent, UserAgent.id == Tap.user_agent_id)
        .where(Tap.id > since_id, Tap.id <= until_id)
    ).mappings()
    rows = [(dict(row), row["device"] or Device.OTHER) for row in found]
    if rows:
        count(db.session.connection(), rows, zone)


def reclassify() -> int:
    """Look at every user agent with today's rules, and mark its taps anew; tells how many changed."""
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


def empty_rollups() -> None:
    """Forget every figure, before counting again."""
    db.session.execute(sa.delete(TapHour))
    db.session.execute(sa.delete(TapDay))
    db.session.execute(sa.delete(ShopTapDay))


def counted(days: type[TapDay] | type[ShopTapDay] = TapDay) -> sa.ColumnElement[bool]:
    """The condition for what figures show: people other than the owner, on a card that was theirs."""
    return sa.and_(~days.is_bot, ~days.is_own, days.outcome.not_in(NOT_INTEREST))


def of_the_shop(first: date, last: date) -> int:
    """Taps on everybody's cards in a period."""
    total = sa.select(sa.func.coalesce(sa.func.sum(ShopTapDay.tap_count), 0))
    wanted = (ShopTapDay.day_on.between(first, last), counted(ShopTapDay))
    return int(db.session.scalar(total.where(*wanted)) or 0)


def per_day(owner: User, first: date, last: date, card: Card | None = None) -> list[tuple[date, int]]:
    """Taps of each day from `first` to `last`, the empty ones too; a card's own and those of the cards it replaced."""
    wanted = [TapDay.owner_id == owner.id, TapDay.day_on.between(first, last), counted()]
    if card is not None:
        wanted.append(TapDay.card_id.in_(cards.replacement_chain_query(card.id)))
    found = db.session.execute(
        sa.select(TapDay.day_on, sa.func.sum(TapDay.tap_count)).where(*wanted).group_by(TapDay.day_on)
    )
    numbers = {day: int(number) for day, number in found}
    days = [first + timedelta(days=number) for number in range((last - first).days + 1)]
    return [(day, numbers.get(day, 0)) for day in days]


def per_card(owner: User, first: date, last: date, nexts: Mapping[int, int] | None = None) -> dict[int, int]:
    """Taps of each of a holder's cards in a period; those of a replaced card count for the one that carries on.

    Which one that is may be given by whoever knows it (`next_ones`).
    """
    found = db.session.execute(
        sa.select(TapDay.card_id, sa.func.sum(TapDay.tap_count))
        .where(TapDay.owner_id == owner.id, TapDay.day_on.between(first, last), counted())
        .group_by(TapDay.card_id)
    )
    if nexts is None:
        nexts = next_ones(owner)
    numbers: Counter[int] = Counter()
    for card_id, number in found:
        numbers[last_one(card_id, nexts)] += int(number)
    return dict(numbers)


def next_ones(owner: User) -> dict[int, int]:
    """Which card carries on for each of a holder's replaced cards; asked apart, a join would triple the time."""
    replaced = sa.select(Card.id, Card.replaced_by_id).where(
        Card.owner_id == owner.id, Card.replaced_by_id.is_not(None)
    )
    return {card_id: next_id for card_id, next_id in db.session.execute(replaced) if next_id is not None}


def last_one(card_id: int, nexts: Mapping[int, int]) -> int:
    """The card at the end of a chain; a ring has no end, so there it is the card itself."""
    place, seen = card_id, {card_id}
    while place in nexts:
        place = nexts[place]
        if place in seen:
            return card_id
        seen.add(place)
    return place
