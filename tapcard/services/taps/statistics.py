"""Statistics of a card owner over a period, read from roll-ups except for lists of single taps.

Taps belong to the owner of the card at that moment, so every query names the owner, even about a single card.
"""

from collections import Counter
from collections.abc import Iterable, Iterator, Sequence
from dataclasses import dataclass, replace
from datetime import UTC, date, datetime, time, timedelta
from functools import cache, lru_cache
from typing import Any, NamedTuple, cast
from zoneinfo import ZoneInfo

import sqlalchemy as sa
from sqlalchemy.engine import Engine

from ...db import db, transactions
from ...errors import DomainError
from ...errors import mark as _
from ...models import Card, Channel, Device, Outcome, Tap, TapDay, TapHour, User, UserAgent
from ..cards import cards
from . import rollups
from .routing import OUTCOMES_WITHOUT_INTEREST

MAX_DAYS = 731
MIN_DAY = date(2000, 1, 1)
HOURS_PER_WEEK = 7 * 24
FETCH_SIZE = 1000


class InvalidPeriod(DomainError):
    """The two days are not a valid period."""

    status = 400


@dataclass(frozen=True)
class TapQuery:
    """A query for the taps of an owner in a period, of one card or all."""

    owner: User
    first: date
    last: date
    card: Card | None = None
    with_everything: bool = False  # including bots and the owner's own taps

    @property
    def day_count(self) -> int:
        return (self.last - self.first).days + 1

    def before(self) -> "TapQuery":
        """Return the same query for the preceding period of equal length."""
        return replace(self, first=self.first - timedelta(days=self.day_count), last=self.first - timedelta(days=1))


@dataclass(frozen=True)
class CardTapCount:
    """Number of taps of one card; the alias only if the card still belongs to the owner."""

    token: str
    alias: str | None
    tap_count: int


class TapRecord(NamedTuple):
    """One tap; the alias only if the card still belongs to the owner."""

    tapped_at: datetime
    token: str
    alias: str | None
    channel: Channel
    device: Device | None
    os_family: str | None
    country: str
    outcome: Outcome
    is_bot: bool
    is_own: bool


@dataclass(frozen=True)
class TapBreakdown:
    """Numbers of taps by channel, device, country and outcome, highest first."""

    channels: list[tuple[Channel, int]]
    devices: list[tuple[Device, int]]
    countries: list[tuple[str, int]]
    outcomes: list[tuple[Outcome, int]]


def check_period(first: date | None, last: date | None, today: date) -> tuple[date, date]:
    """Return a valid period, with today as the default end; raise `InvalidPeriod` otherwise."""
    if first is None:
        raise InvalidPeriod(_("Choose a start date."), field="since")
    last = last or today
    if last > today:
        raise InvalidPeriod(_("The end date can't be in the future."), field="until")
    if first > last:
        raise InvalidPeriod(_("The start date can't be after the end date."), field="since")
    if first < MIN_DAY:
        raise InvalidPeriod(_("Statistics don't go back that far. Choose a later start date."), field="since")
    if (last - first).days >= MAX_DAYS:
        raise InvalidPeriod(_("Choose a range of %(days)s days or fewer."), field="since", days=MAX_DAYS)
    return first, last


def per_day(query: TapQuery) -> list[tuple[date, int]]:
    """Return the number of taps for each day of the period, including zeros."""
    numbers = {day: int(number) for day, number in map(tuple, _sum_days_by(query, TapDay.day_on))}
    days = [query.first + timedelta(days=place) for place in range(query.day_count)]
    return [(day, numbers.get(day, 0)) for day in days]


def total(query: TapQuery) -> int:
    """Return the number of taps in the period."""
    conditions = _day_conditions(query)
    return int(db.session.scalar(sa.select(sa.func.coalesce(sa.func.sum(TapDay.tap_count), 0)).where(*conditions)) or 0)


def per_card(query: TapQuery) -> list[CardTapCount]:
    """Return the number of taps per card, highest first; those of a replaced card count for its replacement."""
    sums = (
        sa.select(TapDay.card_id, sa.func.sum(TapDay.tap_count).label("tap_count"))
        .where(*_day_conditions(query))
        .group_by(TapDay.card_id)
        .subquery()
    )
    joined = sa.outerjoin(sums, Card, Card.id == sums.c.card_id)
    columns = (Card.token, Card.alias, Card.owner_id)
    columns_and_sums = sa.select(sums.c.card_id, *columns, Card.replaced_by_id, sums.c.tap_count)
    rows = db.session.execute(columns_and_sums.select_from(joined)).all()
    names = {row[0]: row[1:4] for row in rows}
    replacements = rollups.replacements_of_owner(query.owner) if any(row.replaced_by_id for row in rows) else {}
    numbers: Counter[int] = Counter()
    for card_id, *_names, number in rows:
        numbers[rollups.final_replacement(card_id, replacements)] += int(number)
    if untapped := [card_id for card_id in numbers if card_id not in names]:
        names |= {
            row[0]: row[1:] for row in db.session.execute(sa.select(Card.id, *columns).where(Card.id.in_(untapped)))
        }
    counts = []
    for card_id, number in numbers.items():
        token, alias, owner_id = names[card_id]
        counts.append(CardTapCount(token or "", alias if owner_id == query.owner.id else None, number))
    return sorted(counts, key=lambda card: (-card.tap_count, card.token))


def breakdown(query: TapQuery) -> TapBreakdown:
    """Return the numbers of taps by channel, device, country and outcome, with one query."""
    columns = (TapDay.channel, TapDay.device, TapDay.country, TapDay.outcome)
    counters: tuple[Counter[Any], ...] = tuple(Counter() for _column in columns)
    for row in _sum_days_by(query, *columns):
        *values, number = tuple(row)
        for counter, value in zip(counters, values, strict=True):
            counter[value] += int(number)
    return TapBreakdown(*([*counter.most_common()] for counter in counters))


def per_hour_of_week(query: TapQuery, zone: str) -> list[list[int]]:
    """Return the number of taps for each hour of the week in local time, shape 7 × 24, from Monday."""
    statement = _select_hours_of_week(query.first, query.last, zone, query.with_everything)
    if query.card is not None:
        statement = statement.where(TapHour.card_id.in_(cards.replacement_chain_query(query.card.id)))
    week = [0] * HOURS_PER_WEEK
    # on the connection, because reading rows through the session takes a fifth longer
    for slot, number in db.session.connection().execute(statement, {"owner_id": query.owner.id}):
        week[int(slot)] = int(number)
    return [week[start : start + 24] for start in range(0, HOURS_PER_WEEK, 24)]


@lru_cache(maxsize=256)
def _select_hours_of_week(first: date, last: date, zone: str, with_everything: bool) -> sa.Select[Any]:
    """Return the statement with the parameter `owner_id`; cached, because building it takes longer than running it."""
    start, end = _period_bounds(first, last, zone)
    epoch = sa.cast(sa.extract("epoch", TapHour.hour_at), sa.BigInteger)
    *earlier, (_until, last_shift) = _utc_offsets(start, end, zone)
    shift: Any = sa.literal(last_shift, sa.BigInteger)
    if earlier:
        shift = sa.case(*((TapHour.hour_at < until, seconds) for until, seconds in earlier), else_=last_shift)
    # 1 January 1970 was a Thursday
    slot = ((epoch + shift + 3 * 86400) // 3600 % HOURS_PER_WEEK).label("slot")
    in_period = (TapHour.hour_at >= start, TapHour.hour_at < end, _interest_condition(TapHour, with_everything))
    return (
        sa.select(slot, sa.func.sum(TapHour.tap_count))
        .where(TapHour.owner_id == sa.bindparam("owner_id"), *in_period)
        .group_by(sa.text("slot"))
    )


def period_bounds(query: TapQuery, zone: str) -> tuple[datetime, datetime]:
    """Return the instants at which the period begins and ends in local time."""
    return _period_bounds(query.first, query.last, zone)


def _period_bounds(first: date, last: date, zone: str) -> tuple[datetime, datetime]:
    time_zone = ZoneInfo(zone)
    start, end = (
        datetime.combine(day, time.min, time_zone).astimezone(UTC) for day in (first, last + timedelta(days=1))
    )
    return start, end


@lru_cache(maxsize=256)
def _utc_offsets(start: datetime, end: datetime, zone: str) -> list[tuple[datetime, int]]:
    """Return the UTC offsets in a period as (valid until, seconds) pairs."""
    time_zone = ZoneInfo(zone)

    def offset_at(instant: datetime) -> int:
        offset = instant.astimezone(time_zone).utcoffset()
        return int(offset.total_seconds()) if offset is not None else 0

    offsets, instant = [], start
    while instant < end:
        next_instant = min(instant + timedelta(days=1), end)
        if offset_at(next_instant) != offset_at(instant):
            low, high = instant, next_instant  # the offset changes between the two
            while high - low > timedelta(seconds=1):
                middle = low + (high - low) / 2
                low, high = (middle, high) if offset_at(middle) == offset_at(instant) else (low, middle)
            offsets.append((high.replace(microsecond=0), offset_at(instant)))
        instant = next_instant
    return [*offsets, (end, offset_at(end - timedelta(seconds=1)))]


def latest_taps(query: TapQuery, zone: str, limit: int) -> list[TapRecord]:
    """Return the latest taps of the period."""
    return list(_tap_records(query.owner.id, db.session.execute(_select_taps(query, zone).limit(limit))))


def stream_taps(query: TapQuery, zone: str) -> Iterator[TapRecord]:
    """Yield all taps of the period, newest first, streamed over a separate connection."""
    return _tap_records(query.owner.id, _stream_rows(db.engine, _select_taps(query, zone)))


def _tap_records(owner_id: int, rows: Iterable[Any]) -> Iterator[TapRecord]:
    """Yield tap records without the alias of cards that belong to another user now."""
    for card_owner_id, tapped_at, token, alias, *values in rows:
        yield TapRecord(tapped_at, token or "", alias if card_owner_id == owner_id else None, *values)


def _stream_rows(engine: Engine, statement: sa.Select[Any]) -> Iterator[Any]:
    with engine.connect() as connection:
        with transactions(writing=False):  # only while it begins, because the context may change between two rows
            result = connection.execution_options(yield_per=FETCH_SIZE).execute(statement)
        yield from result


def _select_taps(query: TapQuery, zone: str) -> sa.Select[Any]:
    """Select the current owner of the card and the columns of a `TapRecord`."""
    start, end = period_bounds(query, zone)
    columns: tuple[Any, ...] = (
        Card.owner_id,
        Tap.tapped_at,
        Card.token,
        Card.alias,
        Tap.channel,
        UserAgent.device,
        UserAgent.os_family,
        Tap.country,
        Tap.outcome,
        Tap.is_bot,
        Tap.is_own,
    )
    return (
        sa.select(*columns)
        .select_from(Tap)
        .outerjoin(Card, Card.id == Tap.card_id)
        .outerjoin(UserAgent, UserAgent.id == Tap.user_agent_id)
        .where(Tap.tapped_at >= start, Tap.tapped_at < end, *_conditions(query, Tap))
        .order_by(Tap.tapped_at.desc(), Tap.id.desc())
    )


def _sum_days_by(query: TapQuery, *columns: Any) -> Sequence[sa.Row[Any]]:
    grouped: sa.Select[Any] = (
        sa.select(*columns, sa.func.sum(TapDay.tap_count)).where(*_day_conditions(query)).group_by(*columns)
    )
    return db.session.execute(grouped).all()


def _day_conditions(query: TapQuery) -> list[sa.ColumnElement[bool]]:
    return [TapDay.day_on.between(query.first, query.last), *_conditions(query, TapDay)]


def _conditions(query: TapQuery, table: type[Tap] | type[TapDay] | type[TapHour]) -> list[sa.ColumnElement[bool]]:
    conditions = [table.owner_id == query.owner.id, _interest_condition(table, query.with_everything)]
    if query.card is not None:
        conditions.append(table.card_id.in_(cards.replacement_chain_query(query.card.id)))
    return conditions


@cache
def _interest_condition(
    table: type[Tap] | type[TapDay] | type[TapHour], with_everything: bool
) -> sa.ColumnElement[bool]:
    """Return the condition for taps that statistics count; cached, because building it is slow."""
    outcome = cast(sa.ColumnElement[Outcome], table.outcome)
    is_interest = sa.and_(*(outcome != other for other in OUTCOMES_WITHOUT_INTEREST))
    return is_interest if with_everything else sa.and_(~table.is_bot, ~table.is_own, is_interest)
