"""The weekly mail: who gets one, exactly one a week, and what it tells."""

from dataclasses import dataclass
from datetime import date, datetime, timedelta
from typing import Any, cast
from zoneinfo import ZoneInfo

import sqlalchemy as sa

from ... import outbox
from ...db import db
from ...ids import parse_id
from ...keys import Keys, split_link
from ...models import Lead, User
from . import statistics
from .statistics import CardCount, Question

MORNING = 7  # o'clock on the shop's wall
DAYS_TO_SEND = 2  # Monday, and Tuesday if no worker was there on Monday
AT_ONCE = 200
PURPOSE = "weekly mail"


@dataclass(frozen=True)
class Week:
    """What happened to somebody's cards in a week."""

    first: date
    last: date
    days: list[tuple[date, int]]
    total: int
    before: int
    best: CardCount | None
    lead_count: int

    @property
    def is_quiet(self) -> bool:
        """Whether there is nothing to tell."""
        return not self.total and not self.lead_count


def monday_to_send(now: datetime, zone: str) -> date | None:
    """The Monday whose mails are due at this instant; None for most of the week."""
    local = now.astimezone(ZoneInfo(zone))
    is_time = local.weekday() < DAYS_TO_SEND and (local.weekday() > 0 or local.hour >= MORNING)
    return local.date() - timedelta(days=local.weekday()) if is_time else None


def promise(monday: date, most: int = AT_ONCE) -> int:
    """Promise that Monday's mail to some of those who have not got it; tells how many it looked at.

    The day is set by one conditional update in the transaction that carries the promise, so of several workers one
    promises, and a crash in between leaves neither behind.
    """
    due = sa.and_(
        User.wants_weekly_mail,
        User.verified_at.is_not(None),
        User.is_active,
        User.closed_at.is_(None),
        sa.or_(User.weekly_mail_on.is_(None), User.weekly_mail_on < monday),
    )
    found = list(db.session.scalars(sa.select(User.id).where(due).order_by(User.id).limit(most)))
    for user_id in found:
        taken = db.session.execute(
            sa.update(User)
            .where(User.id == user_id, due)
            .values(weekly_mail_on=monday)
            .execution_options(synchronize_session=False)
        )
        if cast(sa.CursorResult[Any], taken).rowcount == 1:
            outbox.post("mail.weekly", user_id=user_id, monday=monday.isoformat())
    return len(found)


def is_wanted_by(user: User | None) -> bool:
    """Whether a person is still to be written to when the mail is about to go."""
    return (
        user is not None and user.is_active and user.closed_at is None and user.is_verified and user.wants_weekly_mail
    )


def week_before(user: User, monday: date, zone: str) -> Week:
    """Gather the week that ended on the Sunday before."""
    question = Question(user, monday - timedelta(days=7), monday - timedelta(days=1))
    days = statistics.per_day(question)
    cards = statistics.per_card(question)
    start, end = statistics.instants_of(question, zone)
    leads = sa.select(sa.func.count()).select_from(Lead)
    return Week(
        first=question.first,
        last=question.last,
        days=days,
        total=sum(number for _day, number in days),
        before=statistics.total(question.before()),
        best=cards[0] if cards else None,
        lead_count=db.session.scalar(
            leads.where(Lead.owner_id == user.id, Lead.created_at >= start, Lead.created_at < end)
        )
        or 0,
    )


def token_of(user_id: int, keys: Keys) -> str:
    """Return the token of the link that unsubscribes from the weekly email; it never expires."""
    return keys.sign_link(PURPOSE, str(user_id))


def user_of(token: str, keys: Keys) -> User | None:
    """Return the user of such a token, or None if it is forged or truncated."""
    reference, digest = split_link(token)
    user_id = parse_id(reference)
    if user_id is None or not keys.verify_link(PURPOSE, digest, reference):
        return None
    return db.session.get(User, user_id)


def stop(user: User) -> None:
    """Write no more weekly mails to somebody."""
    user.wants_weekly_mail = False
