"""Rate limits: exact across threads, with windows, reset after success."""

from collections.abc import Callable
from concurrent.futures import ThreadPoolExecutor
from datetime import timedelta
from threading import Barrier

import pytest
from flask import Flask

from tapcard.clock import utcnow
from tapcard.db import db
from tapcard.errors import TooManyAttempts
from tapcard.models import ThrottleCounter
from tapcard.services.core import rate_limits
from tapcard.services.core.rate_limits import LIMITS, Limit

TEN = Limit(10, 900)
NOW = utcnow()


def consume(number: int, subject: str = "ada", limit: Limit = TEN) -> None:
    for _time in range(number):
        rate_limits.consume("log_in", subject, limit, NOW)


def test_attempts_above_the_limit_are_refused(app: Flask) -> None:
    consume(10)
    with pytest.raises(TooManyAttempts):
        consume(1)


def test_a_refusal_says_how_long_to_wait(app: Flask) -> None:
    consume(10)
    with pytest.raises(TooManyAttempts) as refusal:
        rate_limits.consume("log_in", "ada", TEN, NOW + timedelta(seconds=100))
    assert refusal.value.retry_after == 800
    assert "14 minutes" in str(refusal.value)


def test_the_shortest_wait_shown_is_a_minute(app: Flask) -> None:
    consume(10)
    with pytest.raises(TooManyAttempts) as refusal:
        rate_limits.consume("log_in", "ada", TEN, NOW + timedelta(seconds=899))
    assert refusal.value.retry_after == 1
    assert "a minute" in str(refusal.value)


def test_refused_attempts_do_not_extend_the_wait(app: Flask) -> None:
    consume(10)
    for later in (100, 200, 300):
        with pytest.raises(TooManyAttempts):
            rate_limits.consume("log_in", "ada", TEN, NOW + timedelta(seconds=later))
    rate_limits.consume("log_in", "ada", TEN, NOW + timedelta(seconds=900))


def test_a_new_window_starts_at_zero(app: Flask) -> None:
    consume(10)
    later = NOW + timedelta(seconds=900)
    for _time in range(10):
        rate_limits.consume("log_in", "ada", TEN, later)
    with pytest.raises(TooManyAttempts) as refusal:
        rate_limits.consume("log_in", "ada", TEN, later)
    assert refusal.value.retry_after == 900


def test_subjects_and_scopes_are_counted_separately(app: Flask) -> None:
    consume(10)
    consume(10, "cleo")
    rate_limits.consume("sign_up", "ada", TEN, NOW)


def test_resetting_a_subject_clears_only_its_counter(app: Flask) -> None:
    consume(10)
    consume(1, "cleo")
    rate_limits.reset("log_in", "ada")
    consume(10)
    assert db.session.get_one(ThrottleCounter, ("log_in", "cleo")).count == 1


def run_concurrently(app: Flask, number: int, work: Callable[[], None]) -> list[type[BaseException] | None]:
    """Run a function concurrently; return the class of its error, or None, for each thread."""
    start = Barrier(number)

    def run(_number: int) -> type[BaseException] | None:
        with app.app_context():
            start.wait()
            try:
                work()
            except TooManyAttempts as error:
                db.session.rollback()
                return type(error)
            db.session.commit()
            return None

    with ThreadPoolExecutor(number) as pool:
        return list(pool.map(run, range(number)))


def test_concurrent_attempts_are_counted_exactly(app: Flask) -> None:
    results = run_concurrently(app, 20, lambda: rate_limits.consume("log_in", "ada", TEN, NOW))
    assert results.count(None) == 10
    assert results.count(TooManyAttempts) == 10
    assert db.session.get_one(ThrottleCounter, ("log_in", "ada")).count == 10


def test_concurrent_attempts_share_one_new_window(app: Flask) -> None:
    consume(10)
    db.session.commit()
    later = NOW + timedelta(seconds=901)
    results = run_concurrently(app, 20, lambda: rate_limits.consume("log_in", "ada", TEN, later))
    assert results.count(None) == 10


@pytest.mark.parametrize("scope", LIMITS)
def test_every_scope_has_a_limit(scope: str) -> None:
    limits = LIMITS[scope]
    assert limits.account or limits.address
