"""Statistics of a holder: groupings, periods, time zones and ownership."""

from collections import Counter
from collections.abc import Callable
from datetime import UTC, date, datetime, timedelta
from typing import Any
from zoneinfo import ZoneInfo

import pytest
import sqlalchemy as sa
from flask import Flask
from hypothesis import HealthCheck, given, settings
from hypothesis import strategies as st

from tapcard.db import db
from tapcard.models import Card, Channel, Outcome, Tap, User
from tapcard.services.cards import claims
from tapcard.services.taps import rollups, statistics
from tapcard.services.taps.ingest import ReadingStore
from tapcard.services.taps.routing import OUTCOMES_WITHOUT_INTEREST
from tapcard.services.taps.statistics import InvalidPeriod, TapQuery
from tests.tap_requests import BOT, PHONE, reading

TODAY = date(2026, 11, 21)
ZONES = ("Europe/London", "Asia/Kathmandu", "America/St_Johns", "Australia/Lord_Howe", "Africa/Casablanca")
TURNS = [
    datetime(2026, 3, 29, 1, tzinfo=UTC),  # London on
    datetime(2026, 10, 25, 1, tzinfo=UTC),  # London back
    datetime(2026, 3, 8, 5, 30, tzinfo=UTC),  # St. John's on
    datetime(2026, 4, 4, 15, tzinfo=UTC),  # Lord Howe back, by half an hour
    datetime(2026, 10, 3, 15, 30, tzinfo=UTC),  # Lord Howe on
    datetime(2025, 12, 31, 18, 15, tzinfo=UTC),  # midnight in Kathmandu
]
instants = st.one_of(
    st.builds(
        lambda turn, passed: turn + timedelta(seconds=passed), st.sampled_from(TURNS), st.integers(-90000, 90000)
    ),
    st.datetimes(datetime(2025, 6, 1), datetime(2026, 11, 1), timezones=st.just(UTC)),
)
drawn = st.lists(
    st.builds(
        lambda at, is_own, **rest: (at, is_own, rest),
        instants,
        st.booleans(),
        card_id=st.sampled_from([1, 2, 3]),
        owner_id=st.sampled_from([1, 2]),
        channel=st.sampled_from(list(Channel)),
        outcome=st.sampled_from(list(Outcome)),
        user_agent=st.sampled_from([PHONE, BOT, ""]),
        country=st.sampled_from(["", "GB", "NG"]),
    ),
    max_size=40,
)


def store(app: Flask, zone: str, *many: dict[str, Any]) -> None:
    """Store taps like the worker and fold them."""
    readings = [reading(**{**values, "at": int(values["at"].timestamp() * 1000)}) for values in many]
    ReadingStore(app.extensions["keys"]).store(db.session.connection(), readings, zone)
    while rollups.fold_hours_into_days(zone):
        pass


@given(
    many=drawn,
    zone=st.sampled_from(ZONES),
    first=st.dates(date(2025, 11, 1), date(2026, 10, 25)),
    length=st.integers(1, 365),
    card_id=st.sampled_from([None, 1, 2]),
    with_everything=st.booleans(),
)
@settings(max_examples=60, deadline=None, derandomize=True, suppress_health_check=[HealthCheck.function_scoped_fixture])
def test_every_grouping_counts_the_same_taps(
    app: Flask, many: Any, zone: str, first: date, length: int, card_id: int | None, with_everything: bool
) -> None:
    keys = app.extensions["keys"]
    owner, last = User(id=1), first + timedelta(days=length - 1)
    card = Card(id=card_id) if card_id else None
    question = TapQuery(owner, first, last, card, with_everything)
    with db.session.no_autoflush, db.session.begin_nested() as attempt:
        store(app, zone, *({**rest, "at": at, "me": keys.sign_me(1) if own else None} for at, own, rest in many))
        wall = ZoneInfo(zone)
        taps = [
            tap
            for tap in db.session.scalars(sa.select(Tap).where(Tap.owner_id == 1))
            if first <= tap.tapped_at.astimezone(wall).date() <= last
            and tap.outcome not in OUTCOMES_WITHOUT_INTEREST
            and (card_id is None or tap.card_id == card_id)
            and (with_everything or not (tap.is_bot or tap.is_own))
        ]
        days = statistics.per_day(question)
        assert [day for day, _number in days] == [first + timedelta(days=place) for place in range(length)]
        assert +Counter(dict(days)) == Counter(tap.tapped_at.astimezone(wall).date() for tap in taps)
        assert statistics.total(question) == len(taps)
        kinds = statistics.breakdown(question)
        assert dict(kinds.channels) == Counter(tap.channel for tap in taps)
        assert dict(kinds.countries) == Counter(tap.country for tap in taps)
        assert dict(kinds.outcomes) == Counter(tap.outcome for tap in taps)
        assert sum(number for _device, number in kinds.devices) == len(taps)
        assert sum(count.tap_count for count in statistics.per_card(question)) == len(taps)
        hours = statistics.per_hour_of_week(question, zone)
        local = [tap.tapped_at.astimezone(wall) for tap in taps]
        by_clock = Counter((local_time.weekday(), local_time.hour) for local_time in local)
        assert {(day, hour): n for day, row in enumerate(hours) for hour, n in enumerate(row) if n} == by_clock
        assert len(statistics.latest_taps(question, zone, 1000)) == len(taps)
        attempt.rollback()


def test_hours_of_one_holder_or_card_are_not_reused_for_another(
    app: Flask, ada: User, cleo: User, create_card: Callable[..., Card]
) -> None:
    """The compiled query is cached for everyone who asks for the same days."""
    statistics._select_hours_of_week.cache_clear()
    noon = datetime(2026, 11, 20, 12, tzinfo=UTC)  # a Friday
    adas, second, cleos = create_card(ada), create_card(ada), create_card(cleo)
    for card, number, agent in ((adas, 1, PHONE), (adas, 1, BOT), (second, 2, PHONE), (cleos, 4, PHONE)):
        values = {"at": noon, "card_id": card.id, "owner_id": card.owner_id, "user_agent": agent}
        store(app, "Europe/London", *([values] * number))
    for owner, card, with_everything, number in (
        (ada, None, False, 3), (ada, adas, False, 1), (cleo, None, False, 4), (cleo, adas, False, 0),
        (ada, None, True, 4), (ada, second, True, 2), (ada, None, False, 3),
    ):  # fmt: skip
        question = TapQuery(owner, date(2026, 11, 16), date(2026, 11, 22), card, with_everything)
        week = statistics.per_hour_of_week(question, "Europe/London")
        assert [len(day) for day in week] == [24] * 7
        assert (week[4][12], sum(map(sum, week))) == (number, number)
    later = TapQuery(ada, date(2026, 11, 21), date(2026, 11, 22))
    assert sum(map(sum, statistics.per_hour_of_week(later, "Europe/London"))) == 0
    assert statistics.per_hour_of_week(question, "Asia/Tokyo")[4][21] == 3
    info = statistics._select_hours_of_week.cache_info()
    assert (info.misses, info.hits) == (4, 5)


def test_the_previous_period_has_the_same_length(ada: User) -> None:
    before = TapQuery(ada, date(2026, 11, 15), TODAY).before()
    assert (before.first, before.last, before.day_count) == (date(2026, 11, 8), date(2026, 11, 14), 7)


@pytest.mark.parametrize(
    ("first", "last", "sentence"),
    [
        (None, None, "Choose a start date"),
        (None, TODAY, "Choose a start date"),
        (TODAY, date(2026, 11, 20), "after the end date"),
        (TODAY, date(2026, 11, 22), "in the future"),
        (date(2026, 11, 22), None, "after the end date"),
        (date(1999, 12, 31), date(2000, 1, 5), "go back that far"),
        (date(2024, 11, 20), TODAY, "731 days or fewer"),
        (date.min, date.max, "in the future"),
        (date.min, date.min, "go back that far"),
    ],
)
def test_an_invalid_period_is_refused(first: date | None, last: date | None, sentence: str) -> None:
    with pytest.raises(InvalidPeriod, match=sentence):
        statistics.check_period(first, last, TODAY)


@pytest.mark.parametrize(
    ("first", "last"), [(TODAY, TODAY), (date(2024, 11, 21), TODAY), (date(2026, 1, 1), date(2026, 1, 1))]
)
def test_a_valid_period_is_accepted(first: date, last: date) -> None:
    assert statistics.check_period(first, last, TODAY) == (first, last)
    assert statistics.check_period(first, None, first) == (first, first)


def test_taps_stay_with_the_holder_of_their_time(app: Flask, card: Card, ada: User, cleo: User, keys: Any) -> None:
    store(app, "UTC", {"at": datetime(2026, 11, 2, 12, tzinfo=UTC), "card_id": card.id, "owner_id": ada.id})
    code = claims.release(card, ada, keys)
    claims.claim(card, cleo, keys, code=code)
    card.alias = "Cleo's secret"
    store(app, "UTC", {"at": datetime(2026, 11, 3, 12, tzinfo=UTC), "card_id": card.id, "owner_id": cleo.id})
    period = (date(2026, 11, 1), date(2026, 11, 5))
    assert [row for row in statistics.per_day(TapQuery(ada, *period)) if row[1]] == [(date(2026, 11, 2), 1)]
    assert [row for row in statistics.per_day(TapQuery(cleo, *period, card)) if row[1]] == [(date(2026, 11, 3), 1)]
    [former], [present] = (statistics.per_card(TapQuery(who, *period)) for who in (ada, cleo))
    assert (former.token, former.alias) == ("ADASCARD", None), "the card name of the new holder is not shown"
    assert present.alias == "Cleo's secret"
    [seen] = statistics.latest_taps(TapQuery(ada, *period), "UTC", 10)
    assert (seen.token, seen.alias, seen.tapped_at.day) == ("ADASCARD", None, 2)


def test_taps_are_streamed_in_batches(app: Flask, ada: User, create_card: Callable[..., Card]) -> None:
    card, at = create_card(ada), datetime(2026, 11, 2, 12, tzinfo=UTC)
    many = [{"at": at + timedelta(seconds=place), "card_id": card.id, "owner_id": ada.id} for place in range(2500)]
    store(app, "UTC", *many)
    db.session.commit()
    rows = statistics.stream_taps(TapQuery(ada, at.date(), at.date()), "UTC")
    first = next(rows)
    assert first.tapped_at == at + timedelta(seconds=2499), "the newest first"
    assert len(list(rows)) == 2499
