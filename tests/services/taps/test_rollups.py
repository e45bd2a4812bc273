"""Tap counts by hour and day: equal to the taps in any grouping, time zone and order."""

from collections import Counter
from collections.abc import Callable, Iterator
from contextlib import contextmanager
from datetime import UTC, date, datetime, timedelta
from itertools import combinations
from typing import Any
from zoneinfo import ZoneInfo

import pytest
import sqlalchemy as sa
from flask import Flask
from hypothesis import HealthCheck, example, given, settings
from hypothesis import strategies as st

from tapcard.clock import today_in
from tapcard.db import db
from tapcard.models import Card, Channel, Outcome, Profile, ShopTapDay, Tap, TapDay, TapHour, User, UserAgent
from tapcard.models.taps import ROLLUP_KEY, SHOP_KEY
from tapcard.services.taps import rollups, user_agents
from tapcard.services.taps.ingest import Reading, ReadingStore
from tests.conftest import FormClient, login
from tests.tap_requests import BOT, PHONE, app_for_path, both_paths, drain, reading, send_request, tap_counts

ZONES = ("Europe/London", "Asia/Kolkata", "Asia/Kathmandu", "America/St_Johns", "Australia/Lord_Howe")
DESKTOP = "Mozilla/5.0 (X11; Linux x86_64; rv:132.0) Gecko/20100101 Firefox/132.0"

# clock changes in these time zones, and a few other times
TURNS = [
    datetime(2026, 3, 29, 1, tzinfo=UTC),  # London on, to +1
    datetime(2026, 10, 25, 1, tzinfo=UTC),  # London back
    datetime(2026, 3, 8, 5, 30, tzinfo=UTC),  # St. John's on, to -2:30
    datetime(2026, 11, 1, 4, 30, tzinfo=UTC),  # St. John's back, to -3:30
    datetime(2026, 4, 4, 15, tzinfo=UTC),  # Lord Howe back, by half an hour
    datetime(2026, 10, 3, 15, 30, tzinfo=UTC),  # Lord Howe on
    datetime(2026, 12, 31, 18, 15, tzinfo=UTC),  # midnight in Kathmandu
    datetime(2026, 12, 31, 18, 30, tzinfo=UTC),  # midnight in Kolkata
    datetime(2024, 2, 29, 0, tzinfo=UTC),
]
instants = st.one_of(
    st.builds(
        lambda turn, seconds: turn + timedelta(seconds=seconds),
        st.sampled_from(TURNS),
        st.integers(-36 * 3600, 36 * 3600),
    ),
    st.datetimes(datetime(2020, 1, 1), datetime(2030, 1, 1), timezones=st.just(UTC)),
)
zones = st.sampled_from(ZONES)
few = st.sampled_from([None, 1, 2])
readings = st.lists(
    st.builds(
        lambda at, **rest: (at, rest),
        instants,
        card_id=few,
        owner_id=few,
        design_id=few,
        channel=st.sampled_from(list(Channel)),
        outcome=st.sampled_from(list(Outcome)),
        user_agent=st.sampled_from([PHONE, DESKTOP, BOT, ""]),
        country=st.sampled_from(["", "GB", "NG"]),
    ),
    max_size=40,
)
in_a_transaction = settings(
    max_examples=40, deadline=None, derandomize=True, suppress_health_check=[HealthCheck.function_scoped_fixture]
)


def build_readings(many: list[tuple[datetime, dict[str, Any]]], keys: Any) -> list[Reading]:
    """Return readings of generated values; every third has the cookie of an owner."""
    return [
        reading(at=int(at.timestamp() * 1000), me=keys.sign_me(1) if number % 3 == 0 else None, **rest)
        for number, (at, rest) in enumerate(many)
    ]


@contextmanager
def rolled_back() -> Iterator[None]:
    """Roll back everything in a block."""
    with db.session.begin_nested() as attempt:
        yield
        attempt.rollback()


def store(app: Flask, many: list[Reading], zone: str) -> None:
    ReadingStore(app.extensions["keys"]).store(db.session.connection(), many, zone)


def taps_by(names: tuple[str, ...], day: Callable[[datetime], object]) -> Counter[tuple[Any, ...]]:
    """Count taps by some columns of the roll-ups."""
    columns = [Tap.tapped_at, *(UserAgent.device if name == "device" else getattr(Tap, name) for name in names)]
    rows = db.session.execute(sa.select(*columns).join(UserAgent, UserAgent.id == Tap.user_agent_id))
    none: dict[str, Any] = {"card_id": 0, "owner_id": 0, "design_id": 0}
    return Counter(
        (day(at), *(none[name] if value is None else value for name, value in zip(names, rest, strict=True)))
        for at, *rest in rows
    )


def rollups_by(table: Any, time: Any, names: tuple[str, ...]) -> Counter[tuple[Any, ...]]:
    columns = [time, *(getattr(table, name) for name in names)]
    rows = db.session.execute(sa.select(*columns, sa.func.sum(table.tap_count)).group_by(*columns))
    return Counter({tuple(row[:-1]): int(row[-1]) for row in rows})


# --- counts -----------------------------------------------------------------------------------------------------------


@given(many=readings, zone=zones)
@in_a_transaction
def test_hour_and_day_counts_add_up_to_the_taps_in_any_grouping(
    app: Flask, many: list[tuple[datetime, dict[str, Any]]], zone: str
) -> None:
    with rolled_back():
        store(app, build_readings(many, app.extensions["keys"]), zone)
        rollups.fold_hours_into_days(zone)
        assert tap_counts() == (len(many),) * 3
        for names in (*combinations(ROLLUP_KEY, 1), *combinations(ROLLUP_KEY, 2), ROLLUP_KEY, ()):
            by_day = taps_by(names, lambda at: at.astimezone(ZoneInfo(zone)).date())
            assert rollups_by(TapDay, TapDay.day_on, names) == by_day
            if set(names) <= set(SHOP_KEY):
                assert rollups_by(ShopTapDay, ShopTapDay.day_on, names) == by_day
        by_hour = taps_by(ROLLUP_KEY, lambda at: rollups.hour_of(at, zone))
        assert rollups_by(TapHour, TapHour.hour_at, ROLLUP_KEY) == by_hour


@given(at=instants, zone=zones)
@example(at=datetime(2026, 10, 25, 1, 30, tzinfo=UTC), zone="Europe/London")
@example(at=datetime(2026, 4, 4, 15, 15, tzinfo=UTC), zone="Australia/Lord_Howe")
@example(at=datetime(2026, 10, 3, 15, 45, tzinfo=UTC), zone="Australia/Lord_Howe")
@settings(max_examples=500, deadline=None, derandomize=True)
def test_an_hour_starts_on_the_local_clock_of_the_shop(at: datetime, zone: str) -> None:
    began = rollups.hour_of(at, zone)
    here, then = at.astimezone(ZoneInfo(zone)), began.astimezone(ZoneInfo(zone))
    assert (then.date(), then.hour) == (here.date(), here.hour)
    assert began <= at
    assert at - began < timedelta(hours=2), "a repeated hour counts as one"
    assert rollups.hour_of(began, zone) == began
    assert rollups.day_of(began, zone) == here.date()
    assert rollups.hour_of(at + timedelta(hours=3), zone) > began


@pytest.mark.parametrize(
    ("zone", "instant", "hour", "day"),
    [
        ("Asia/Kolkata", "2026-06-30T18:29:59", "2026-06-30T17:30", "2026-06-30"),
        ("Asia/Kolkata", "2026-06-30T18:30:00", "2026-06-30T18:30", "2026-07-01"),
        ("Asia/Kathmandu", "2026-06-30T18:14:59", "2026-06-30T17:15", "2026-06-30"),
        ("Asia/Kathmandu", "2026-06-30T18:15:00", "2026-06-30T18:15", "2026-07-01"),
        ("America/St_Johns", "2026-07-01T02:29:59", "2026-07-01T01:30", "2026-06-30"),
        ("America/St_Johns", "2026-07-01T02:30:00", "2026-07-01T02:30", "2026-07-01"),
        ("Australia/Lord_Howe", "2026-07-01T13:30:00", "2026-07-01T13:30", "2026-07-02"),
        ("Australia/Lord_Howe", "2026-12-01T13:00:00", "2026-12-01T13:00", "2026-12-02"),
        ("Europe/London", "2026-06-30T23:00:00", "2026-06-30T23:00", "2026-07-01"),
        ("Europe/London", "2026-12-31T23:59:59", "2026-12-31T23:00", "2026-12-31"),
    ],
)
def test_a_tap_counts_in_the_local_hour_and_day(app: Flask, zone: str, instant: str, hour: str, day: str) -> None:
    at = datetime.fromisoformat(instant).replace(tzinfo=UTC)
    store(app, [reading(at=int(at.timestamp() * 1000))], zone)
    rollups.fold_hours_into_days(zone)
    assert db.session.scalar(sa.select(TapHour.hour_at)) == datetime.fromisoformat(hour).replace(tzinfo=UTC)
    assert db.session.scalar(sa.select(TapDay.day_on)) == date.fromisoformat(day)


# --- folding ----------------------------------------------------------------------------------------------------------


@given(parts=st.lists(readings, min_size=1, max_size=4), most=st.integers(1, 7), zone=zones)
@in_a_transaction
def test_folding_in_parts_equals_folding_at_once(
    app: Flask, parts: list[list[tuple[datetime, dict[str, Any]]]], most: int, zone: str
) -> None:
    with rolled_back():
        for part in parts:
            store(app, build_readings(part, app.extensions["keys"]), zone)
            rollups.fold_hours_into_days(zone, most)
        while rollups.fold_hours_into_days(zone, most):
            pass
        total = sum(map(len, parts))
        assert tap_counts() == (total,) * 3
        by_day = taps_by(ROLLUP_KEY, lambda at: at.astimezone(ZoneInfo(zone)).date())
        assert rollups_by(TapDay, TapDay.day_on, ROLLUP_KEY) == by_day
        assert rollups.fold_hours_into_days(zone) == 0
        assert rollups_by(TapDay, TapDay.day_on, ROLLUP_KEY) == by_day


def test_a_rolled_back_fold_can_be_repeated(app: Flask) -> None:
    store(app, [reading(), reading()], "Europe/London")
    db.session.commit()
    assert rollups.fold_hours_into_days("Europe/London") == 1
    db.session.rollback()
    assert tap_counts() == (2, 2, 0)
    assert rollups.fold_hours_into_days("Europe/London") == 1
    assert tap_counts() == (2, 2, 2)


# --- recounting -------------------------------------------------------------------------------------------------------


def recount(app: Flask) -> str:
    db.session.commit()
    result = app.test_cli_runner().invoke(args=["taps", "recount"])
    assert result.exit_code == 0, result.output
    db.session.expire_all()
    return result.output


def stored_counts() -> tuple[Counter[tuple[Any, ...]], ...]:
    return (
        rollups_by(TapHour, TapHour.hour_at, ROLLUP_KEY),
        rollups_by(TapDay, TapDay.day_on, ROLLUP_KEY),
        rollups_by(ShopTapDay, ShopTapDay.day_on, SHOP_KEY),
    )


@pytest.mark.parametrize("zone", ZONES[1:])
def test_a_recount_in_another_time_zone_equals_counting_there_from_the_start(
    app: Flask, set_setting: Callable[[str, Any], None], zone: str
) -> None:
    many = [
        reading(at=int((turn + timedelta(minutes=number * 17)).timestamp() * 1000), card_id=1 + number % 2)
        for turn in TURNS
        for number in range(-40, 40, 3)
    ]
    with rolled_back():
        store(app, many, zone)
        rollups.fold_hours_into_days(zone)
        from_the_start = stored_counts()
    store(app, many, "Europe/London")
    rollups.fold_hours_into_days("Europe/London")
    assert stored_counts() != from_the_start
    set_setting("time_zone", zone)
    recount(app)
    assert stored_counts() == from_the_start
    assert tap_counts() == (len(many),) * 3
    assert rollups.fold_hours_into_days(zone) == 0


def test_a_recount_without_changes_changes_nothing(app: Flask, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr("tapcard.cli.taps.RECOUNT_BATCH_SIZE", 7)
    chance = [
        reading(at=(1_790_000_000 + number * 1234) * 1000, user_agent=(PHONE, BOT)[number % 2]) for number in range(50)
    ]
    store(app, chance, "Europe/London")
    rollups.fold_hours_into_days("Europe/London")
    before = stored_counts()
    for _time in range(2):
        assert "User agents reclassified: 0." in recount(app)
        assert stored_counts() == before


def test_a_recount_applies_the_current_rules_for_bots(app: Flask, monkeypatch: pytest.MonkeyPatch) -> None:
    many = [reading(user_agent=agent) for agent in (PHONE, "FetchThing/1", "FetchThing/1", DESKTOP)]
    store(app, many, "Europe/London")
    rollups.fold_hours_into_days("Europe/London")
    classify = user_agents.classify

    def stricter(text: str) -> user_agents.ParsedUserAgent:
        return user_agents.ParsedUserAgent(user_agents.Device.OTHER, "", True) if "Fetch" in text else classify(text)

    monkeypatch.setattr(user_agents, "classify", stricter)
    assert "User agents reclassified: 1." in recount(app)
    assert list(db.session.scalars(sa.select(Tap.is_bot).order_by(Tap.id))) == [False, True, True, False]
    for table in (TapHour, TapDay, ShopTapDay):
        assert db.session.scalar(sa.select(sa.func.sum(table.tap_count)).where(table.is_bot)) == 2
    assert tap_counts() == (4, 4, 4)


def test_a_recount_without_taps_changes_nothing(app: Flask) -> None:
    recount(app)
    assert tap_counts() == (0, 0, 0)


# --- statistics -------------------------------------------------------------------------------------------------------


NOON = datetime(2026, 6, 15, 12, tzinfo=UTC)
WEEK = (date(2026, 6, 9), date(2026, 6, 15))


def surrounding_days() -> tuple[date, date]:
    today = today_in("Europe/London")
    return today - timedelta(days=1), today + timedelta(days=1)


def recent_tap_count(owner: User) -> int:
    return sum(number for _day, number in rollups.taps_per_day(owner, *surrounding_days()))


@both_paths
def test_own_taps_bots_and_prefetches_are_not_counted(
    app: Flask, card: Card, ada: User, ben: User, client: FormClient, tap_path: str
) -> None:
    wsgi = app_for_path(app, tap_path)
    login(client, ada)
    cookies = {"tc_me": client.get_cookie("tc_me").value}  # type: ignore[union-attr]
    send_request(wsgi, "/t/ADASCARD", cookies=cookies)
    send_request(wsgi, "/t/ADASCARD", HTTP_USER_AGENT=BOT)
    send_request(wsgi, "/t/ADASCARD", HTTP_USER_AGENT="WhatsApp/2.24.20.89 A")
    send_request(wsgi, "/t/ADASCARD", HTTP_USER_AGENT="")
    send_request(wsgi, "/t/ADASCARD", HTTP_SEC_PURPOSE="prefetch")
    send_request(wsgi, "/t/ADASCARD", "HEAD")
    drain()
    assert recent_tap_count(ada) == 0
    assert rollups.taps_per_card(ada, *surrounding_days()) == {}
    send_request(wsgi, "/t/ADASCARD")
    send_request(wsgi, "/q/ADASCARD")
    drain()
    assert recent_tap_count(ada) == 2
    assert rollups.shop_total(*surrounding_days()) == 2
    assert rollups.taps_per_card(ada, *surrounding_days()) == {card.id: 2}
    assert tap_counts()[0] == 6


def test_reloading_the_target_page_is_not_a_tap(
    app: Flask, client: FormClient, create_card: Callable[..., Card], ada: User, profile: Profile
) -> None:
    create_card(ada, token="PROCARD7", profile=profile)
    where = client.get("/t/PROCARD7", headers={"User-Agent": PHONE}).headers["Location"]
    for _time in range(3):
        assert client.get(where, headers={"User-Agent": PHONE}).status_code == 200
    drain()
    assert recent_tap_count(ada) == 1


@pytest.mark.parametrize("outcome", sorted(set(Outcome)))
def test_only_taps_on_cards_in_use_are_counted_for_the_holder(app: Flask, ada: User, outcome: Outcome) -> None:
    store(app, [reading(at=int(NOON.timestamp() * 1000), owner_id=ada.id, outcome=outcome)], "Europe/London")
    rollups.fold_hours_into_days("Europe/London")
    seen = rollups.taps_per_day(ada, *WEEK)[-1][1]
    assert seen == (outcome not in ("activation", "orphan", "retired", "switched_off"))


def test_days_without_taps_are_included_and_other_holders_are_not(app: Flask, ada: User, cleo: User) -> None:
    first, last = WEEK
    for days, owner, card_id in ((0, ada, 5), (0, ada, 6), (3, ada, 5), (6, ada, 5), (7, ada, 5), (2, cleo, 5)):
        at = int((NOON - timedelta(days=days)).timestamp() * 1000)
        store(app, [reading(at=at, owner_id=owner.id, card_id=card_id)], "Europe/London")
    rollups.fold_hours_into_days("Europe/London")
    assert [day for day, _number in rollups.taps_per_day(ada, first, last)] == [
        first + timedelta(days=n) for n in range(7)
    ]
    assert [number for _day, number in rollups.taps_per_day(ada, first, last)] == [1, 0, 0, 1, 0, 0, 2]
    card = Card(id=6)
    assert [number for _day, number in rollups.taps_per_day(ada, first, last, card)] == [0, 0, 0, 0, 0, 0, 1]
    assert rollups.taps_per_card(ada, first, last) == {5: 3, 6: 1}
    assert rollups.taps_per_card(cleo, first, last) == {5: 1}
    assert rollups.shop_total(first, last) == 5
    assert rollups.shop_total(first, first) == 1
