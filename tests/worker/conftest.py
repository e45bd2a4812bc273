"""Outbox messages and jobs for the tests of the worker."""

from collections import Counter
from datetime import timedelta

import pytest
import sqlalchemy as sa
from flask import Flask

from tapcard import mail, outbox, registry
from tapcard.db import db
from tapcard.models import OutboxMessage
from tapcard.registry import Job

MINUTE = timedelta(minutes=1)


@pytest.fixture
def deliveries(app: Flask, monkeypatch: pytest.MonkeyPatch) -> Counter[int]:
    """Count how often each `test` message was delivered; negative numbers raise an error."""
    deliveries: Counter[int] = Counter()

    def keep(number: int) -> None:
        if number < 0:
            raise ConnectionRefusedError("nobody there")
        deliveries[number] += 1

    monkeypatch.setitem(mail.KINDS, "test", keep)
    return deliveries


def post_messages(*numbers: int) -> None:
    for number in numbers:
        outbox.post("test", number=number)
    db.session.commit()


def messages() -> list[OutboxMessage]:
    db.session.expire_all()
    return list(db.session.scalars(sa.select(OutboxMessage).order_by(OutboxMessage.id)))


@pytest.fixture
def jobs(monkeypatch: pytest.MonkeyPatch) -> Counter[str]:
    """Replace the jobs by two that count their runs; the first can be made to fail."""
    ran: Counter[str] = Counter()

    def job(name: str) -> None:
        ran[name] += 1
        if ran["broken"] and name == "first":
            raise RuntimeError("a bug of ours")

    monkeypatch.setattr(
        registry,
        "jobs",
        {"first": Job(MINUTE, lambda: job("first")), "second": Job(2 * MINUTE, lambda: job("second"))},
    )
    return ran
