"""Weekly digest: when it is due, who gets it, its contents and unsubscribing."""

import io
import re
from collections.abc import Callable
from datetime import UTC, date, datetime, timedelta
from email.message import EmailMessage
from typing import Any

import pytest
import sqlalchemy as sa
from flask import Flask
from PIL import Image

from tapcard.db import db
from tapcard.mails import taps
from tapcard.models import Card, Lead, OutboxMessage, User
from tapcard.services.taps import rollups, weekly_digest
from tapcard.services.taps.ingest import ReadingStore
from tapcard.workflows import taps as tap_jobs
from tests.concurrency import run_concurrently
from tests.conftest import FormClient
from tests.tap_requests import BOT, reading

MONDAY = date(2026, 11, 16)
SUNDAY_NOON = datetime(2026, 11, 15, 12, tzinfo=UTC)
WEEK_BEFORE = SUNDAY_NOON - timedelta(days=7)


@pytest.fixture
def subscriber(ada: User) -> User:
    """Return Ada, who wants the digest."""
    ada.wants_weekly_mail = True
    db.session.commit()
    return ada


@pytest.fixture
def store_taps(app: Flask) -> Callable[..., None]:
    """Return a function that stores taps on a card at a time."""

    def store(card: Card, number: int, at: datetime, **values: Any) -> None:
        milliseconds = int(at.timestamp() * 1000)
        many = [reading(card_id=card.id, owner_id=card.owner_id, at=milliseconds, **values) for _n in range(number)]
        ReadingStore(app.extensions["keys"]).store(db.session.connection(), many, "Europe/London")
        rollups.fold_hours_into_days("Europe/London")
        db.session.commit()

    return store


def parse_time(text: str) -> datetime:
    return datetime.fromisoformat(text).replace(tzinfo=UTC)


@pytest.mark.parametrize(
    ("now", "zone", "monday"),
    [
        ("2026-11-16T06:59", "Europe/London", None),
        ("2026-11-16T07:00", "Europe/London", MONDAY),
        ("2026-11-17T23:59", "Europe/London", MONDAY),
        ("2026-11-18T00:00", "Europe/London", None),
        ("2026-11-15T12:00", "Europe/London", None),
        ("2026-07-06T06:00", "Europe/London", date(2026, 7, 6)),  # 07:00 in summer time
        ("2026-11-15T18:00", "Pacific/Auckland", MONDAY),  # Monday comes earlier there
        ("2026-11-16T14:59", "America/Los_Angeles", None),
    ],
)
def test_digests_are_due_on_monday_morning_in_the_time_zone_of_the_shop(
    now: str, zone: str, monday: date | None
) -> None:
    assert weekly_digest.due_monday(parse_time(now), zone) == monday


def test_a_digest_is_queued_once_a_week(subscriber: User, outbox: Callable[[], list[str]]) -> None:
    for _time in range(3):
        weekly_digest.queue_digests(MONDAY)
        db.session.commit()
    assert outbox() == ["mail.weekly"]
    assert subscriber.weekly_mail_on == MONDAY
    weekly_digest.queue_digests(MONDAY + timedelta(days=7))
    db.session.commit()
    assert outbox() == ["mail.weekly"] * 2


def test_a_rolled_back_digest_is_queued_again(subscriber: User, outbox: Callable[[], list[str]]) -> None:
    weekly_digest.queue_digests(MONDAY)
    db.session.rollback()
    assert subscriber.weekly_mail_on is None
    assert outbox() == []
    weekly_digest.queue_digests(MONDAY)
    db.session.commit()
    assert outbox() == ["mail.weekly"]


def test_concurrent_workers_queue_one_digest(app: Flask, subscriber: User, outbox: Callable[[], list[str]]) -> None:
    run_concurrently(app, 4, lambda _place: weekly_digest.queue_digests(MONDAY))
    assert outbox() == ["mail.weekly"]


@pytest.mark.parametrize(
    "change",
    [
        {"wants_weekly_mail": False},
        {"verified_at": None},
        {"is_active": False},
        {"closed_at": SUNDAY_NOON},
    ],
)
def test_no_digest_is_sent_to_a_user_who_does_not_want_it_or_is_inactive(
    subscriber: User,
    card: Card,
    store_taps: Callable[..., None],
    outbox: Callable[[], list[str]],
    change: dict[str, Any],
) -> None:
    store_taps(card, 2, SUNDAY_NOON)
    for name, value in change.items():
        setattr(subscriber, name, value)
    db.session.commit()
    assert weekly_digest.queue_digests(MONDAY) == 0
    assert outbox() == []
    assert taps.weekly(subscriber.id, MONDAY.isoformat()) is None, "an email queued earlier is not sent either"


def test_no_digest_is_created_without_taps_or_leads(
    subscriber: User, card: Card, store_taps: Callable[..., None]
) -> None:
    store_taps(card, 2, WEEK_BEFORE)
    store_taps(card, 2, SUNDAY_NOON, user_agent=BOT)
    assert taps.weekly(subscriber.id, MONDAY.isoformat()) is None


def test_the_worker_sends_one_digest_on_monday(
    app: Flask, subscriber: User, card: Card, create_card: Callable[..., Card], store_taps: Callable[..., None],
    run_worker: Callable[[], None], mailbox: Callable[[], list[EmailMessage]], monkeypatch: pytest.MonkeyPatch,
) -> None:  # fmt: skip
    store_taps(card, 5, SUNDAY_NOON)
    store_taps(create_card(subscriber, alias="Spare"), 2, SUNDAY_NOON - timedelta(days=1))
    store_taps(card, 3, WEEK_BEFORE)
    db.session.add(
        Lead(owner_id=subscriber.id, name="Gus", email="gus@example.com", consent_text="", created_at=SUNDAY_NOON)
    )
    db.session.add(
        Lead(owner_id=subscriber.id, name="Old", email="old@example.com", consent_text="", created_at=WEEK_BEFORE)
    )
    db.session.commit()
    monkeypatch.setattr(tap_jobs, "utcnow", lambda: datetime(2026, 11, 16, 8, tzinfo=UTC))
    tap_jobs.queue_weekly_digests()
    tap_jobs.queue_weekly_digests()
    monkeypatch.undo()
    run_worker()
    run_worker()
    [mail] = mailbox()
    assert mail["To"] == "ada@example.com"
    assert mail["Subject"] == "Your tapcard summary for 9 Nov to 15 Nov 2026"
    parts = {part.get_content_type(): part for part in mail.walk()}
    text, html, picture = (parts[kind] for kind in ("text/plain", "text/html", "image/png"))
    words = text.get_content().replace("\r\n", "\n")
    assert "Your cards were tapped 7 times. There were 3 taps the week before." in words
    assert "Most tapped: “Everyday” (5 taps). One person shared their contact details with you." in words
    assert "Sat 14 Nov: 2\nSun 15 Nov: 5\n" in words
    assert "/statistics?period=free&since=2026-11-09&until=2026-11-15" in words
    assert "/account" in words
    assert picture.get_content_disposition() == "inline"
    cid = picture["Content-ID"].strip("<>")
    assert f'src="cid:{cid}"' in html.get_content()
    assert re.search(r'alt="[^"]*Sun 15 Nov 5"', html.get_content())
    with Image.open(io.BytesIO(picture.get_content())) as image:
        assert image.width == 1088
    assert mail["List-Unsubscribe-Post"] == "List-Unsubscribe=One-Click"
    assert db.session.scalars(sa.select(OutboxMessage.kind)).all() == ["mail.weekly"]


def test_the_unsubscribe_link_works_without_login(
    client: FormClient, subscriber: User, card: Card, store_taps: Callable[..., None]
) -> None:
    store_taps(card, 1, SUNDAY_NOON)
    message = taps.weekly(subscriber.id, MONDAY.isoformat())
    assert message is not None
    link = message.extra_headers["List-Unsubscribe"].strip("<>")
    assert link.startswith("http://localhost/mails/weekly/")
    path = link.removeprefix("http://localhost")
    assert "Unsubscribe from the weekly summary?" in client.get(path).text
    assert subscriber.wants_weekly_mail, "link scanners must not unsubscribe"
    response = client.post(path, data={"List-Unsubscribe": "One-Click"}, csrf=False)
    assert response.status_code == 200
    assert not subscriber.wants_weekly_mail
    assert "You've unsubscribed" in client.get(path).text


@pytest.mark.parametrize(
    "damage",
    ["", "x", "0-", "{id}-", "{id}-0", "{other}-{digest}", "{id}-{digest}0", "é-é", "9999999999999999999999-{digest}"],
)
def test_a_forged_unsubscribe_link_changes_nothing(
    app: Flask, client: FormClient, subscriber: User, cleo: User, damage: str
) -> None:
    digest = weekly_digest.unsubscribe_token(subscriber.id, app.extensions["keys"]).partition("-")[2]
    token = damage.format(id=subscriber.id, other=cleo.id, digest=digest)
    assert client.post(f"/mails/weekly/{token}", csrf=False).status_code == 404
    assert subscriber.wants_weekly_mail
