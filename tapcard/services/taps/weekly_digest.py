"""Weekly digest email: recipients (exactly one email a week), content, and unsubscribe tokens."""

from dataclasses import dataclass
from datetime import date, datetime, timedelta
from zoneinfo import ZoneInfo

import sqlalchemy as sa

from ... import outbox
from ...db import db, execute_update
from ...ids import parse_id
from ...keys import Keys, split_link
from ...models import Lead, User
from . import statistics
from .statistics import CardTapCount, TapQuery

SEND_HOUR = 7  # hour in the shop's time zone
SEND_DAYS = 2  # Monday, or Tuesday if no worker ran on Monday
BATCH_SIZE = 200
KEY_PURPOSE = "weekly mail"


@dataclass(frozen=True)
class WeekSummary:
    """Statistics of a user's cards in one week."""

    first: date
    last: date
    days: list[tuple[date, int]]
    total: int
    before: int
    best: CardTapCount | None
    lead_count: int

    @property
    def is_quiet(self) -> bool:
        """Return whether there were no taps and no leads."""
        return not self.total and not self.lead_count


def due_monday(now: datetime, zone: str) -> date | None:
    """Return the Monday whose digests are due now, or None."""
    local = now.astimezone(ZoneInfo(zone))
    is_time = local.weekday() < SEND_DAYS and (local.weekday() > 0 or local.hour >= SEND_HOUR)
    return local.date() - timedelta(days=local.weekday()) if is_time else None


def queue_digests(monday: date, limit: int = BATCH_SIZE) -> int:
    """Queue the digests of a Monday for up to `limit` users who have not got it, and return the number of users.

    The day is set by one conditional UPDATE in the transaction that queues the email, so that of several workers only
    one queues it, and a crash leaves neither behind.
    """
    is_due = sa.and_(
        User.wants_weekly_mail,
        User.verified_at.is_not(None),
        User.is_active,
        User.closed_at.is_(None),
        sa.or_(User.weekly_mail_on.is_(None), User.weekly_mail_on < monday),
    )
    user_ids = list(db.session.scalars(sa.select(User.id).where(is_due).order_by(User.id).limit(limit)))
    for user_id in user_ids:
        if execute_update(sa.update(User).where(User.id == user_id, is_due).values(weekly_mail_on=monday)) == 1:
            outbox.post("mail.weekly", user_id=user_id, monday=monday.isoformat())
    return len(user_ids)


def wants_digest(user: User | None) -> bool:
    """Return whether a user still wants the digest when it is about to be sent."""
    return (
        user is not None and user.is_active and user.closed_at is None and user.is_verified and user.wants_weekly_mail
    )


def summarize_week(user: User, monday: date, zone: str) -> WeekSummary:
    """Return the summary of the week that ended on the day before `monday`."""
    query = TapQuery(user, monday - timedelta(days=7), monday - timedelta(days=1))
    days = statistics.per_day(query)
    cards = statistics.per_card(query)
    start, end = statistics.period_bounds(query, zone)
    leads = sa.select(sa.func.count()).select_from(Lead)
    return WeekSummary(
        first=query.first,
        last=query.last,
        days=days,
        total=sum(number for _day, number in days),
        before=statistics.total(query.before()),
        best=cards[0] if cards else None,
        lead_count=db.session.scalar(
            leads.where(Lead.owner_id == user.id, Lead.created_at >= start, Lead.created_at < end)
        )
        or 0,
    )


def unsubscribe_token(user_id: int, keys: Keys) -> str:
    """Return the token of an unsubscribe link; it does not expire."""
    return keys.sign_link(KEY_PURPOSE, str(user_id))


def user_by_unsubscribe_token(token: str, keys: Keys) -> User | None:
    """Return the user of an unsubscribe token, or None if it is invalid."""
    reference, digest = split_link(token)
    user_id = parse_id(reference)
    if user_id is None or not keys.verify_link(KEY_PURPOSE, digest, reference):
        return None
    return db.session.get(User, user_id)


def unsubscribe(user: User) -> None:
    """Turn the weekly digest off for a user."""
    user.wants_weekly_mail = False
