"""The worker delivers outbox messages once, and retries those that fail."""

import threading
from collections import Counter
from datetime import timedelta

import pytest
import sqlalchemy as sa
from flask import Flask

from tapcard import mail, outbox, worker
from tapcard.clock import utcnow
from tapcard.db import db
from tapcard.models import Design, LinkToken, User
from tests.concurrency import run_concurrently
from tests.worker.conftest import MINUTE, messages, post_messages


def test_each_message_is_delivered_once(app: Flask, deliveries: Counter[int]) -> None:
    post_messages(1, 2, 3)
    assert worker.deliver_due() == 3
    assert worker.deliver_due() == 0
    assert deliveries == {1: 1, 2: 1, 3: 1}
    assert all(message.done_at is not None for message in messages())


def test_concurrent_workers_deliver_each_message_once(app: Flask, deliveries: Counter[int]) -> None:
    post_messages(*range(20))
    delivered = run_concurrently(app, 4, lambda _place: worker.deliver_due())
    assert sum(delivered) == 20  # type: ignore[arg-type]
    assert deliveries == dict.fromkeys(range(20), 1)


def test_a_message_of_a_killed_worker_is_delivered_by_another(
    app: Flask, deliveries: Counter[int], monkeypatch: pytest.MonkeyPatch
) -> None:
    class Killed(BaseException):
        pass

    def die(number: int) -> None:
        raise Killed

    post_messages(1)
    now = utcnow()
    with monkeypatch.context() as patch:
        patch.setitem(mail.KINDS, "test", die)
        with pytest.raises(Killed):
            worker.deliver_one(now)
    db.session.rollback()
    assert not worker.deliver_one(now + outbox.LEASE - MINUTE)
    assert worker.deliver_one(now + outbox.LEASE)
    assert deliveries == {1: 1}


def test_a_failed_message_is_retried_and_delays_no_other(app: Flask, deliveries: Counter[int]) -> None:
    post_messages(-1, 1, -2, 2)
    worker.deliver_due()
    assert deliveries == {1: 1, 2: 1}
    refused = [message for message in messages() if message.done_at is None]
    assert [message.error for message in refused] == ["ConnectionRefusedError: nobody there"] * 2
    assert all(message.due_at > utcnow() for message in refused)
    assert worker.deliver_due() == 0


def test_a_message_that_always_fails_is_retried_for_days(
    app: Flask, deliveries: Counter[int], monkeypatch: pytest.MonkeyPatch
) -> None:
    post_messages(-1)
    clock = [utcnow()]
    monkeypatch.setattr(worker, "utcnow", lambda: clock[0])
    began, tries = clock[0], 0
    while messages()[0].failed_at is None:
        assert worker.deliver_due() == 1
        tries += 1
        clock[0] = max(clock[0], messages()[0].due_at)
    assert clock[0] - began >= outbox.GIVE_UP_AFTER
    assert 10 < tries < 100
    clock[0] += timedelta(days=400)
    assert worker.deliver_due() == 0


def test_an_email_waits_until_a_server_is_configured(
    app: Flask, deliveries: Counter[int], monkeypatch: pytest.MonkeyPatch
) -> None:
    def refuse(number: int) -> None:
        raise mail.MailNotConfigured

    post_messages(1)
    with monkeypatch.context() as patch:
        patch.setitem(mail.KINDS, "test", refuse)
        worker.deliver_due()
    [message] = messages()
    assert (message.failed_at, message.error) == (None, "not configured")
    assert message.due_at <= utcnow() + outbox.NOT_CONFIGURED_DELAY
    worker.deliver_one(message.due_at)
    assert deliveries == {1: 1}


def test_a_message_is_delivered_after_an_error_is_fixed(
    app: Flask, deliveries: Counter[int], monkeypatch: pytest.MonkeyPatch
) -> None:
    post_messages(1)
    with monkeypatch.context() as patch:
        patch.setitem(mail.KINDS, "test", lambda number: 1 / 0)
        worker.deliver_due()
    assert messages()[0].error == "ZeroDivisionError: division by zero"
    worker.deliver_one(messages()[0].due_at)
    [message] = messages()
    assert (deliveries, message.error, message.done_at is None) == ({1: 1}, "", False)


def test_a_message_without_a_handler_is_kept_with_an_error(app: Flask) -> None:
    outbox.post("mail.of_a_later_version", user_id=1)
    db.session.commit()
    assert worker.deliver_due() == 1
    [message] = messages()
    assert (message.done_at, message.payload) == (None, {"user_id": 1})
    assert "mail.of_a_later_version" in message.error


def test_an_email_is_sent_after_its_link_is_committed_and_outside_transactions(
    app: Flask, ada: User, monkeypatch: pytest.MonkeyPatch
) -> None:
    seen = []

    def look(_message: object) -> None:
        seen.append(db.session().in_transaction())
        with db.engine.connect() as connection:
            seen.append(connection.scalar(sa.select(sa.func.count()).select_from(LinkToken)))

    monkeypatch.setattr(mail, "send", look)
    outbox.post("mail.set_password", email=ada.email)
    db.session.commit()
    assert worker.deliver_due() == 1
    assert seen == [False, 1]


def test_a_failed_handler_is_rolled_back(app: Flask, ada: User, monkeypatch: pytest.MonkeyPatch) -> None:
    def half(number: int) -> None:
        db.session.add(Design(name="half done"))
        db.session.flush()
        raise ValueError("no")

    monkeypatch.setitem(mail.KINDS, "test", half)
    post_messages(1)
    worker.deliver_due()
    assert db.session.scalar(sa.select(Design.id)) is None


def test_a_stopped_worker_leaves_the_rest_of_the_queue(
    app: Flask, deliveries: Counter[int], monkeypatch: pytest.MonkeyPatch
) -> None:
    stop = threading.Event()
    post_messages(*range(10))
    monkeypatch.setitem(mail.KINDS, "test", lambda number: stop.set() if number == 3 else None)
    assert worker.deliver_due(stop) == 4
    assert sum(message.done_at is not None for message in messages()) == 4
