"""Jobs of taps: roll-ups, visitor keys, the weekly digest."""

from datetime import timedelta

from .. import settings
from ..clock import utcnow
from ..db import db, transactions
from ..registry import job
from ..services.taps import rollups, visitor_hash, weekly_digest


def shop_zone() -> str:
    """The shop's time zone, read without taking the write lock."""
    with transactions(writing=False):
        zone = settings.load().time_zone
        db.session.rollback()
    return zone


@job("taps.fold", every=timedelta(minutes=1))
def fold() -> None:
    """Carry hours into days until nothing waits."""
    zone = shop_zone()
    while rollups.fold_hours_into_days(zone):
        db.session.commit()
    db.session.rollback()


@job("mails.weekly", every=timedelta(minutes=10))
def promise_weekly_mails() -> None:
    """On Monday morning, promise everybody who wants one their weekly mail."""
    monday = weekly_digest.due_monday(utcnow(), shop_zone())
    while monday is not None and weekly_digest.queue_digests(monday):
        db.session.commit()
    db.session.rollback()


@job("visitors.rotate", every=timedelta(hours=1))
def rotate_visitor_key() -> None:
    """Create the key of the coming day and delete those that are older than 48 hours."""
    visitor_hash.rotate_keys()
