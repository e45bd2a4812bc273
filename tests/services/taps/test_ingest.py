"""Storing spool lines as taps: validation, uniqueness, user agents, own taps and offsets."""

from collections.abc import Callable
from datetime import UTC, datetime, timedelta
from typing import Any

import pytest
import sqlalchemy as sa
from flask import Flask
from hypothesis import HealthCheck, given, settings
from hypothesis import strategies as st
from sqlalchemy.exc import IntegrityError

from tapcard.clock import utcnow
from tapcard.db import db
from tapcard.keys import Keys
from tapcard.models import Card, Channel, ClaimPolicy, Design, Device, Outcome, SpoolFile, Tap, User, UserAgent
from tapcard.services.cards import claims
from tapcard.services.taps import ingest, rollups
from tapcard.services.taps.ingest import MAX_TIMESTAMP_MS, Reading, ReadingStore, parse_reading
from tests.tap_requests import BOT, PHONE, drain, fields_of, reading, send_request, stored_taps, tap_counts

ZONE = "Pacific/Auckland"


@pytest.fixture
def recorder(keys: Keys, app: Flask) -> ReadingStore:
    return ReadingStore(keys)


def store(recorder: ReadingStore, *readings: Reading) -> int:
    number = recorder.store(db.session.connection(), readings, ZONE)
    db.session.commit()
    recorder.committed()
    return number


# --- validation -------------------------------------------------------------------------------------------------------

numbers = st.integers(-(2**70), 2**70) | st.sampled_from(
    [0, 1, 2**31, 2**63 - 1, 2**63, MAX_TIMESTAMP_MS, MAX_TIMESTAMP_MS + 1]
)
words = st.text(st.characters(exclude_categories=["Cs"]), max_size=600) | st.sampled_from(
    ["\0", "a\0b", "nfc", "GB", "x" * 999]
)
values = st.none() | st.booleans() | numbers | st.floats(allow_nan=False) | words | st.lists(st.none(), max_size=2)
changes = st.dictionaries(st.integers(0, 13), values, min_size=1, max_size=3)


@given(changes=changes)
@settings(
    max_examples=300, deadline=None, derandomize=True, suppress_health_check=[HealthCheck.function_scoped_fixture]
)
def test_any_line_is_refused_or_fits_the_database(app: Flask, recorder: ReadingStore, changes: dict[int, Any]) -> None:
    fields = [changes.get(place, field) for place, field in enumerate(fields_of(reading()))]
    parsed = parse_reading(fields)
    if parsed is None:
        return
    with db.session.begin_nested() as attempt:
        assert recorder.store(db.session.connection(), [parsed], ZONE) == 1
        assert rollups.fold_hours_into_days(ZONE) == 1
        attempt.rollback()
    recorder.rolled_back()


@pytest.mark.parametrize(
    ("name", "value"),
    [
        ("uid", ""),
        ("uid", "A" * 32),
        ("uid", "0" * 31),
        ("uid", "0" * 32 + "\n"),
        ("at", -1),
        ("at", 1.5),
        ("at", True),
        ("at", MAX_TIMESTAMP_MS + 1),
        ("card_id", "1"),
        ("card_id", 0),
        ("owner_id", 2**63),
        ("token", "X" * 21),
        ("token", "lower"),
        ("channel", "smoke"),
        ("outcome", "strange"),
        ("visitor", None),
        ("user_agent", "\0"),
        ("country", 7),
        ("me", 7),
    ],
)
def test_an_invalid_field_makes_the_line_invalid(name: str, value: object) -> None:
    place = Reading.__struct_fields__.index(name)
    fields = fields_of(reading())
    assert parse_reading(fields) is not None
    fields[place] = value
    assert parse_reading(fields) is None


def test_a_line_with_a_wrong_number_of_fields_is_invalid() -> None:
    fields = fields_of(reading())
    assert parse_reading([*fields, None]) is None
    assert parse_reading(fields[:-1]) is None
    assert parse_reading([]) is None


def test_a_reading_is_parsed_as_it_was_written() -> None:
    written = reading(card_id=5, channel=Channel.QR, outcome=Outcome.SETUP, user_agent="é", me="1.x")
    assert parse_reading(fields_of(written)) == written


# --- storing ----------------------------------------------------------------------------------------------------------


def test_a_reading_is_stored_as_a_tap_with_all_fields(app: Flask, recorder: ReadingStore) -> None:
    at = int(datetime(2026, 11, 20, 14, 5, 6, 789000, UTC).timestamp() * 1000)
    tap_reading = reading(
        at=at, card_id=3, owner_id=4, design_id=5, channel="qr", outcome="profile", visitor="v" * 24, language="en-GB",
        referrer_host="search.example", country="NG",
    )  # fmt: skip
    assert store(recorder, tap_reading) == 1
    [tap] = stored_taps()
    assert (tap.uid, tap.card_id, tap.owner_id, tap.design_id, tap.token) == (tap_reading.uid, 3, 4, 5, None)
    assert (tap.channel, tap.outcome, tap.is_bot, tap.is_own) == (Channel.QR, Outcome.PROFILE, False, False)
    assert (tap.language, tap.referrer_host, tap.country, tap.visitor) == ("en-GB", "search.example", "NG", "v" * 24)
    assert tap.tapped_at == datetime(2026, 11, 20, 14, 5, 6, 789000, UTC)
    agent = db.session.get_one(UserAgent, tap.user_agent_id)
    assert (agent.text, agent.device, agent.os_family, agent.is_bot) == (PHONE, Device.PHONE, "Android", False)


def test_a_stored_reading_is_neither_stored_nor_counted_again(app: Flask, recorder: ReadingStore) -> None:
    first, second = reading(), reading()
    assert store(recorder, first) == 1
    assert store(recorder, first, second) == 1
    assert store(recorder, first, second) == 0
    assert store(ReadingStore(app.extensions["keys"]), second, first) == 0
    rollups.fold_hours_into_days(ZONE)
    assert tap_counts() == (2, 2, 2)


def test_a_reading_repeated_in_one_batch_is_stored_once(app: Flask, recorder: ReadingStore) -> None:
    tap_reading = reading()
    assert store(recorder, tap_reading, tap_reading, reading(), tap_reading) == 2
    rollups.fold_hours_into_days(ZONE)
    assert tap_counts() == (2, 2, 2)


def test_the_database_refuses_a_second_tap_with_the_same_uid(
    app: Flask, recorder: ReadingStore, monkeypatch: pytest.MonkeyPatch
) -> None:
    tap_reading = reading()
    store(recorder, tap_reading)
    monkeypatch.setattr(ReadingStore, "_known", lambda *_arguments: set())
    with pytest.raises(IntegrityError):
        store(recorder, tap_reading)
    db.session.rollback()
    assert tap_counts()[:2] == (1, 1)


def test_an_empty_batch_is_accepted(app: Flask, recorder: ReadingStore) -> None:
    assert store(recorder) == 0


def test_a_user_agent_is_stored_once(app: Flask, recorder: ReadingStore) -> None:
    long = "x" * 512
    store(
        recorder,
        reading(),
        reading(user_agent=BOT),
        reading(),
        reading(user_agent=long),
        reading(user_agent=long + "y"),
    )
    store(ReadingStore(app.extensions["keys"]), reading(), reading(user_agent=BOT))
    texts = list(db.session.scalars(sa.select(UserAgent.text)))
    assert sorted(texts) == sorted([PHONE, BOT, long])
    used = db.session.execute(
        sa.select(UserAgent.text, sa.func.count()).join(Tap, Tap.user_agent_id == UserAgent.id).group_by(UserAgent.text)
    )
    assert {text: number for text, number in used} == {PHONE: 3, BOT: 2, long: 2}  # noqa: C416


def test_a_rolled_back_user_agent_is_not_cached(app: Flask, recorder: ReadingStore) -> None:
    recorder.store(db.session.connection(), [reading(user_agent="new")], ZONE)
    db.session.rollback()
    recorder.rolled_back()
    store(recorder, reading(user_agent="other"))
    store(recorder, reading(user_agent="new"))
    agents = sa.select(UserAgent.text).join(Tap, Tap.user_agent_id == UserAgent.id).order_by(Tap.id)
    assert list(db.session.scalars(agents)) == ["other", "new"]


def test_bots_are_stored_and_flagged(app: Flask, recorder: ReadingStore) -> None:
    store(recorder, reading(), reading(user_agent=BOT), reading(user_agent=""))
    assert [tap.is_bot for tap in stored_taps()] == [False, True, True]


# --- ownership --------------------------------------------------------------------------------------------------------


def test_an_own_tap_is_recognized_only_by_its_signed_cookie(app: Flask, keys: Keys, recorder: ReadingStore) -> None:
    mine, forged = keys.sign_me(4), keys.sign_me(4)[:-1] + "x"
    others = Keys("another secret, as long as the first one").sign_me(4)
    for me in (mine, keys.sign_me(5), forged, others, "4", "4.", ".", "", "\0", None):
        store(recorder, reading(owner_id=4, me=me))
    store(recorder, reading(owner_id=None, me=mine), reading(owner_id=5, me=mine))
    assert [tap.is_own for tap in stored_taps()] == [True] + [False] * 11


def test_a_cookie_signed_with_the_former_secret_key_is_valid(app: Flask, keys: Keys) -> None:
    former = app.config["TAPCARD"].secret_key
    now = ReadingStore(Keys("a new secret, as long as the former one was", [former]))
    store(now, reading(owner_id=4, me=keys.sign_me(4)))
    assert [tap.is_own for tap in stored_taps()] == [True]


def test_taps_keep_the_holder_and_design_of_their_time(
    app: Flask, card: Card, design: Design, ada: User, cleo: User, keys: Keys, create_design: Callable[..., Design]
) -> None:
    today = utcnow().date()
    week = (today - timedelta(days=3), today + timedelta(days=3))
    for _number in range(2):
        send_request(app.wsgi_app, "/t/ADASCARD")
    code = claims.release(card, ada, keys)
    send_request(app.wsgi_app, "/t/ADASCARD")
    claims.claim(card, cleo, keys, code=code)
    card.design = create_design("Another one")
    db.session.commit()
    send_request(app.wsgi_app, "/t/ADASCARD")
    drain()  # drain after all changes of ownership
    assert [(tap.owner_id, tap.outcome) for tap in stored_taps()] == [
        (ada.id, Outcome.REDIRECT),
        (ada.id, Outcome.REDIRECT),
        (None, Outcome.ACTIVATION),
        (cleo.id, Outcome.SETUP),
    ]
    assert [tap.design_id for tap in stored_taps()] == [design.id] * 3 + [card.design_id]
    assert rollups.taps_per_card(ada, *week) == {card.id: 2}
    assert rollups.taps_per_card(cleo, *week) == {card.id: 1}


def test_an_own_tap_stays_one_after_the_card_is_released(
    app: Flask, create_card: Callable[..., Card], ada: User, keys: Keys
) -> None:
    card = create_card(token="FREECARD", policy=ClaimPolicy.OPEN)
    claims.claim(card, ada, keys)
    db.session.commit()
    send_request(app.wsgi_app, "/t/FREECARD", cookies={"tc_me": keys.sign_me(ada.id)})
    claims.release(card, ada, keys)
    drain()
    assert [(tap.owner_id, tap.is_own) for tap in stored_taps()] == [(ada.id, True)]


# --- offsets ----------------------------------------------------------------------------------------------------------


def test_an_offset_advances_only_from_its_current_value(app: Flask) -> None:
    assert ingest.get_or_create_offset("a.spool") == 0
    assert ingest.advance_offset("a.spool", 0, 100, 0)
    assert not ingest.advance_offset("a.spool", 0, 100, 0)
    assert not ingest.advance_offset("a.spool", 99, 200, 0)
    assert ingest.advance_offset("a.spool", 100, 250, 2)
    assert ingest.get_or_create_offset("a.spool") == 250
    assert db.session.scalar(sa.select(SpoolFile.bad_count)) == 2
    assert not ingest.advance_offset("other.spool", 0, 1, 0)


def test_offsets_of_finished_files_are_deleted_after_a_month(app: Flask) -> None:
    now = utcnow()
    for name, age in (("old", 31), ("new", 29), ("open", None)):
        ingest.get_or_create_offset(name)
        if age is not None:
            ingest.mark_finished(name, now - timedelta(days=age))
    ingest.delete_finished(now)
    assert sorted(db.session.scalars(sa.select(SpoolFile.name))) == ["new", "open"]


@pytest.mark.parametrize("zone", ["Pacific/Auckland", "America/Los_Angeles", "UTC"])
@pytest.mark.parametrize("at", [0, MAX_TIMESTAMP_MS])
def test_the_first_and_the_last_timestamp_are_counted_in_every_time_zone(app: Flask, zone: str, at: int) -> None:
    assert ReadingStore(app.extensions["keys"]).store(db.session.connection(), [reading(at=at)], zone) == 1
    assert rollups.fold_hours_into_days(zone) == 1
    assert tap_counts() == (1, 1, 1)
