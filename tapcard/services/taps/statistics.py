"""A holder's own figures over a period; all are read from roll-ups but the latest taps and the list of all of them.

Taps belong to who held the card at that moment, so every question names the holder, also one about a single card.
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
from .routing import NOT_INTEREST

MOST_DAYS = 731
FIRST_DAY = date(2000, 1, 1)
HOURS_OF_WEEK = 7 * 24
ROWS_AT_ONCE = 1000


class BadPeriod(DomainError):
    """These two days make no period that figures could be shown for."""

    status = 400


@dataclass(frozen=True)
class Question:
    """Whose taps are asked for, from which day to which; of one card or all."""

    owner: User
    first: date
    last: date
    card: Card | None = None
    with_everything: bool = False  # bots and the holder's own taps too

    @property
    def day_count(self) -> int:
        return (self.last - self.first).days + 1

    def before(self) -> "Question":
        """The same about the period of equal length that ended the day before."""
        return replace(self, first=self.first - timedelta(days=self.day_count), last=self.first - timedelta(days=1))


@dataclass(frozen=True)
class CardCount:
    """Taps of one card; its name only for who holds it now."""

    token: str
    alias: str | None
    tap_count: int


class TapLine(NamedTuple):
    """One tap; what the card is called only for who holds it now."""

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
class KindCounts:
    """Taps by what they are counted by besides day and card, the most frequent first."""

    channels: list[tuple[Channel, int]]
    devices: list[tuple[Device, int]]
    countries: list[tuple[str, int]]
    outcomes: list[tuple[Outcome, int]]


def check_period(first: date | None, last: date | None, today: date) -> tuple[date, date]:
    """Raise `BadPeriod` unless two days, of which one may be missing, make a period; gives it."""
    if first is None:
        raise BadPeriod(_("Choose a start date."), field="since")
    last = last or today
    if last > today:
        raise BadPeriod(_("The end date can't be in the future."), field="until")
    if first > last:
        raise BadPeriod(_("The start date can't be after the end date."), field="since")
    if first < FIRST_DAY:
        raise BadPeriod(_("Statistics don't go back that far. Choose a later start date."), field="since")
    if (last - first).days >= MOST_DAYS:
        raise BadPeriod(_("Choose a range of %(days)s days or fewer."), field="since", days=MOST_DAYS)
    return first, last


def per_day(question: Question) -> list[tuple[date, int]]:
    """Taps of each day, the empty ones too."""
    numbers = {day: int(number) for day, number in map(tuple, _by_day(question, TapDay.day_on))}
    days = [question.first + timedelta(days=place) for place in range(question.day_count)]
    return [(day, numbers.get(day, 0)) for day in days]


def total(question: Question) -> int:
    """All taps of the period."""
    wanted = _of_days(question)
    return int(db.session.scalar(sa.select(sa.func.coalesce(sa.func.sum(TapDay.tap_count), 0)).where(*wanted)) or 0)


def per_card(question: Question) -> list[CardCount]:
    """Taps of each card the holder had, the most tapped first; a replaced one's count for the card that carries on."""
    sums = (
        sa.select(TapDay.card_id, sa.func.sum(TapDay.tap_count).label("tap_count"))
        .where(*_of_days(question))
        .group_by(TapDay.card_id)
        .subquery()
    )
    joined = sa.outerjoin(sums, Card, Card.id == sums.c.card_id)
    columns = (Card.token, Card.alias, Card.owner_id)
    asked = sa.select(sums.c.card_id, *columns, Card.replaced_by_id, sums.c.tap_count)
    found = db.session.execute(asked.select_from(joined)).all()
    names = {row[0]: row[1:4] for row in found}
    nexts = rollups.next_ones(question.owner) if any(row.replaced_by_id for row in found) else {}
    numbers: Counter[int] = Counter()
    for card_id, *_names, number in found:
        numbers[rollups.last_one(card_id, nexts)] += int(number)
    if untapped := [card_id for card_id in numbers if card_id not in names]:
        names |= {
            row[0]: row[1:] for row in db.session.execute(sa.select(Card.id, *columns).where(Card.id.in_(untapped)))
        }
    counts = []
    for card_id, number in numbers.items():
        token, alias, owner_id = names[card_id]
        counts.append(CardCount(token or "", alias if owner_id == question.owner.id else None, number))
    return sorted(counts, key=lambda each: (-each.tap_count, each.token))


def per_kind(question: Question) -> KindCounts:
    """Taps by channel, device, country and outcome, in one look."""
    columns = (TapDay.channel, TapDay.device, TapDay.country, TapDay.outcome)
    counters: tuple[Counter[Any], ...] = tuple(Counter() for _column in columns)
    for row in _by_day(question, *columns):
        *values, number = tuple(row)
        for counter, value in zip(counters, values, strict=True):
            counter[value] += int(number)
    return KindCounts(*([*counter.most_common()] for counter in counters))


def per_hour_of_week(question: Question, zone: str) -> list[list[int]]:
    """Taps by the clock on the shop's wall: seven days from Monday, each of 24 hours."""
    asked = _by_hour_of_week(question.first, question.last, zone, question.with_everything)
    if question.card is not None:
        asked = asked.where(TapHour.card_id.in_(cards.replacement_chain_query(question.card.id)))
    week = [0] * HOURS_OF_WEEK
    # below the session, whose own way of reading rows takes a fifth of the time
    for slot, number in db.session.connection().execute(asked, {"owner_id": question.owner.id}):
        week[int(slot)] = int(number)
    return [week[start : start + 24] for start in range(0, HOURS_OF_WEEK, 24)]


@lru_cache(maxsize=256)
def _by_hour_of_week(first: date, last: date, zone: str, with_everything: bool) -> sa.Select[Any]:
    """The question for the taps of one holder, `owner_id`; putting it together takes longer than its answer."""
    start, end = _instants(first, last, zone)
    epoch = sa.cast(sa.extract("epoch", TapHour.hour_at), sa.BigInteger)
    *earlier, (_until, last_shift) = _shifts(start, end, zone)
    shift: Any = sa.literal(last_shift, sa.BigInteger)
    if earlier:
        shift = sa.case(*((TapHour.hour_at < until, seconds) for until, seconds in earlier), else_=last_shift)
    # 1 January 1970 was a Thursday
    slot = ((epoch + shift + 3 * 86400) // 3600 % HOURS_OF_WEEK).label("slot")
    of_period = (TapHour.hour_at >= start, TapHour.hour_at < end, _counted(TapHour, with_everything))
    return (
        sa.select(slot, sa.func.sum(TapHour.tap_count))
        .where(TapHour.owner_id == sa.bindparam("owner_id"), *of_period)
        .group_by(sa.text("slot"))
    )


def instants_of(question: Question, zone: str) -> tuple[datetime, datetime]:
    """When the first day begins on the shop's clock, and when the last one is over."""
    return _instants(question.first, question.last, zone)


def _instants(first: date, last: date, zone: str) -> tuple[datetime, datetime]:
    wall = ZoneInfo(zone)
    start, end = (datetime.combine(day, time.min, wall).astimezone(UTC) for day in (first, last + timedelta(days=1)))
    return start, end


@lru_cache(maxsize=256)
def _shifts(start: datetime, end: datetime, zone: str) -> list[tuple[datetime, int]]:
    """How far the shop's clock is ahead of UTC, in seconds: for each stretch until when, and how far."""
    wall = ZoneInfo(zone)

    def shift_at(instant: datetime) -> int:
        offset = instant.astimezone(wall).utcoffset()
        return int(offset.total_seconds()) if offset is not None else 0

    found, here = [], start
    while here < end:
        there = min(here + timedelta(days=1), end)
        if shift_at(there) != shift_at(here):
            low, high = here, there  # the clock is changed between the two
            while high - low > timedelta(seconds=1):
                middle = low + (high - low) / 2
                low, high = (middle, high) if shift_at(middle) == shift_at(here) else (low, middle)
            found.append((high.replace(microsecond=0), shift_at(here)))
        here = there
    return [*found, (end, shift_at(end - timedelta(seconds=1)))]


def last_taps(question: Question, zone: str, limit: int) -> list[TapLine]:
    """The latest taps of the period."""
    return list(_lines(question.owner.id, db.session.execute(_taps(question, zone).limit(limit))))


def stream(question: Question, zone: str) -> Iterator[TapLine]:
    """All taps of the period, newest first, read little by little over a connection of their own."""
    return _lines(question.owner.id, _stream(db.engine, _taps(question, zone)))


def _lines(owner_id: int, found: Iterable[Any]) -> Iterator[TapLine]:
    """Leave out what a card is called by somebody who has it by now."""
    for card_owner_id, tapped_at, token, alias, *rest in found:
        yield TapLine(tapped_at, token or "", alias if card_owner_id == owner_id else None, *rest)


def _stream(engine: Engine, statement: sa.Select[Any]) -> Iterator[Any]:
    with engine.connect() as connection:
        with transactions(writing=False):  # only while it begins: what iterates may change between two rows
            found = connection.execution_options(yield_per=ROWS_AT_ONCE).execute(statement)
        yield from found


def _taps(question: Question, zone: str) -> sa.Select[Any]:
    """The columns of a `TapLine`, after that of who has the card now."""
    start, end = instants_of(question, zone)
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
        .where(Tap.tapped_at >= start, Tap.tapped_at < end, *_wanted(question, Tap))
        .order_by(Tap.tapped_at.desc(), Tap.id.desc())
    )


def _by_day(question: Question, *columns: Any) -> Sequence[sa.Row[Any]]:
    grouped: sa.Select[Any] = (
        sa.select(*columns, sa.func.sum(TapDay.tap_count)).where(*_of_days(question)).group_by(*columns)
    )
    return db.session.execute(grouped).all()


def _of_days(question: Question) -> list[sa.ColumnElement[bool]]:
    return [TapDay.day_on.between(question.first, question.last), *_wanted(question, TapDay)]


def _wanted(question: Question, table: type[Tap] | type[TapDay] | type[TapHour]) -> list[sa.ColumnElement[bool]]:
    wanted = [table.owner_id == question.owner.id, _counted(table, question.with_everything)]
    if question.card is not None:
        wanted.append(table.card_id.in_(cards.replacement_chain_query(question.card.id)))
    return wanted


@cache
def _counted(table: type[Tap] | type[TapDay] | type[TapHour], with_everything: bool) -> sa.ColumnElement[bool]:
    """What figures count; put together once, which is a good part of such a question's time."""
    outcome = cast(sa.ColumnElement[Outcome], table.outcome)
    is_interest = sa.and_(*(outcome != each for each in NOT_INTEREST))
    return is_interest if with_everything else sa.and_(~table.is_bot, ~table.is_own, is_interest)
