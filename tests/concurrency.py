"""Run a function in several threads at the same moment."""

import contextvars
from collections.abc import Callable
from concurrent.futures import ThreadPoolExecutor
from threading import Barrier

from flask import Flask

from tapcard.db import db, transactions
from tapcard.errors import DomainError


def run_concurrently(app: Flask, number: int, work: Callable[[int], object]) -> list[object]:
    """Run a function concurrently in separate contexts; return the result of each thread.

    Each thread commits. A `DomainError` is rolled back, and its class is the result.
    """
    start = Barrier(number, timeout=30)
    db.session.commit()

    def run(place: int) -> object:
        with app.app_context(), transactions(writing=True):
            start.wait()
            try:
                result = work(place)
                db.session.commit()
            except DomainError as error:
                db.session.rollback()
                return type(error)
            finally:
                db.session.remove()
            return result

    with ThreadPoolExecutor(number) as pool:
        results = list(pool.map(lambda place: contextvars.Context().run(run, place), range(number)))
    db.session.expire_all()
    return results
