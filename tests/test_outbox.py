"""The outbox: transactions, leases, retries and failures."""

from collections.abc import Callable
from datetime import UTC, datetime, timedelta

import pytest
import sqlalchemy as sa
from flask import Flask

from tapcard import outbox
from tapcard.clock import utcnow
from tapcard.db import db
from tapcard.models import OutboxMessage
from tests.concurrency import run_concurrently

NOW = datetime(2026, 11, 20, 12, tzinfo=UTC)
SECOND = timedelta(seconds=1)


@pytest.fixture
def post(app: Flask) -> Callable[..., int]:
    """Return a function that inserts a message due at a time and returns its id."""

    def promise(due_at: datetime = NOW, kind: str = "mail.test") -> int:
        message = OutboxMessage(kind=kind, payload={"user_id": 1}, due_at=due_at, created_at=due_at)
        db.session.add(message)
        db.session.commit()
        return message.id

    return promise


def claim(now: datetime) -> int | None:
    message = outbox.claim(now)
    db.session.commit()
    return None if message is None else message.id


def message_of(number: int) -> OutboxMessage:
    return db.session.get_one(OutboxMessage, number)


def test_a_message_is_due_at_once(app: Flask) -> None:
    before = utcnow()
    outbox.post("mail.test", user_id=7, again=True)
    db.session.commit()
    message = db.session.scalars(sa.select(OutboxMessage)).one()
    assert (message.kind, message.payload, message.attempt_count) == ("mail.test", {"user_id": 7, "again": True}, 0)
    assert before <= message.due_at <= utcnow()


def test_a_message_is_rolled_back_with_its_transaction(app: Flask) -> None:
    outbox.post("mail.test", user_id=7)
    db.session.rollback()
    assert outbox.claim(utcnow() + timedelta(days=1)) is None


def test_a_message_is_claimed_only_when_due(post: Callable[..., int]) -> None:
    number = post(NOW)
    assert claim(NOW - SECOND) is None
    assert claim(NOW) == number


def test_the_oldest_due_message_is_claimed_first(post: Callable[..., int]) -> None:
    numbers = [post(NOW - minutes * timedelta(minutes=1)) for minutes in (1, 3, 2)]
    assert [claim(NOW) for _time in range(4)] == [numbers[1], numbers[2], numbers[0], None]


def test_a_claimed_message_is_leased(post: Callable[..., int]) -> None:
    number = post()
    assert claim(NOW) == number
    assert claim(NOW) is None
    assert claim(NOW + outbox.LEASE - SECOND) is None
    assert message_of(number).attempt_count == 1


def test_a_message_is_claimed_again_after_its_lease(post: Callable[..., int]) -> None:
    number = post()
    assert claim(NOW) == number
    assert claim(NOW + outbox.LEASE) == number
    assert message_of(number).attempt_count == 2


def test_a_message_that_crashes_every_worker_fails_after_days(post: Callable[..., int]) -> None:
    number, now, times = post(), NOW, 0
    while claim(now) == number:
        now, times = now + outbox.LEASE, times + 1
    message = message_of(number)
    assert message.failed_at == now == NOW + outbox.GIVE_UP_AFTER
    assert message.attempt_count == times
    assert message.error == outbox.INTERRUPTED
    assert claim(now + timedelta(days=400)) is None


def test_a_message_that_waited_for_days_is_still_tried(post: Callable[..., int]) -> None:
    number = post()
    assert claim(NOW + outbox.GIVE_UP_AFTER * 2) == number


def test_a_rolled_back_claim_frees_the_message(post: Callable[..., int]) -> None:
    number = post()
    assert outbox.claim(NOW) is not None
    db.session.rollback()
    assert claim(NOW) == number
    assert message_of(number).attempt_count == 1


def test_concurrent_workers_claim_each_message_once(app: Flask, post: Callable[..., int]) -> None:
    numbers = [post() for _number in range(24)]

    def take_all(_place: int) -> list[int]:
        claimed = []
        while (number := claim(NOW)) is not None:
            claimed.append(number)
        return claimed

    claimed = run_concurrently(app, 6, take_all)
    assert sorted(number for ids in claimed for number in ids) == numbers  # type: ignore[attr-defined]
    assert set(db.session.scalars(sa.select(OutboxMessage.attempt_count))) == {1}


def test_a_delivered_message_is_not_claimed_again_and_loses_its_payload(post: Callable[..., int]) -> None:
    number = post()
    claim(NOW)
    outbox.mark_failed(message_of(number), NOW, "once")
    outbox.mark_done(message_of(number), NOW)
    db.session.commit()
    assert claim(NOW + timedelta(days=400)) is None
    message = message_of(number)
    assert (message.done_at, message.error, message.payload) == (NOW, "", {})


def test_a_failed_message_is_retried_with_growing_delays_and_finally_fails(
    post: Callable[..., int],
) -> None:
    number, now, waits = post(), NOW, []
    while claim(now) == number:
        outbox.mark_failed(message_of(number), now, "ConnectionRefusedError: nobody there")
        db.session.commit()
        if message_of(number).failed_at is not None:
            break
        waits.append(message_of(number).due_at - now)
        assert claim(message_of(number).due_at - SECOND) is None
        now = message_of(number).due_at
    assert waits == sorted(waits)
    assert timedelta(seconds=15) <= waits[0] <= timedelta(minutes=1)
    assert waits[-1] == outbox.MAX_RETRY_DELAY
    assert outbox.GIVE_UP_AFTER <= now - NOW <= outbox.GIVE_UP_AFTER + outbox.MAX_RETRY_DELAY
    message = message_of(number)
    assert (message.failed_at, message.done_at) == (now, None)
    assert message.error == "ConnectionRefusedError: nobody there"
    assert claim(now + timedelta(days=400)) is None


def test_a_long_error_is_truncated(post: Callable[..., int]) -> None:
    number = post()
    outbox.mark_failed(message_of(number), NOW, "x" * 5000)
    db.session.commit()
    assert len(message_of(number).error) == 500


def test_the_retry_delay_has_a_maximum(post: Callable[..., int]) -> None:
    number = post()
    message_of(number).attempt_count = 5000
    outbox.mark_failed(message_of(number), NOW, "again")
    assert message_of(number).due_at == NOW + outbox.MAX_RETRY_DELAY


def test_a_postponed_message_never_fails(post: Callable[..., int]) -> None:
    number, now = post(), NOW
    for _time in range(50):
        assert claim(now) == number
        outbox.postpone(message_of(number), now)
        db.session.commit()
        assert claim(now + SECOND) is None
        now += timedelta(days=1)
    message = message_of(number)
    assert (message.failed_at, message.done_at, message.error) == (None, None, "not configured")


def test_the_retry_command_queues_failed_messages_again(app: Flask, post: Callable[..., int]) -> None:
    number, later, delivered = post(), post(), post()
    late = NOW + outbox.GIVE_UP_AFTER
    outbox.mark_failed(message_of(number), late, "given up")
    outbox.mark_done(message_of(delivered), NOW)
    message_of(later).due_at = late + timedelta(days=9)
    db.session.commit()
    assert claim(late) is None
    result = app.test_cli_runner().invoke(args=["outbox", "retry"])
    assert result.output == "Failed messages queued again: 1.\n"
    db.session.expire_all()
    assert claim(utcnow()) == number
    outbox.mark_failed(message_of(number), utcnow(), "again")
    assert message_of(number).failed_at is None, "the period starts again"
