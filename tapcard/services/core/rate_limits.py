"""Rate limits of sensitive actions, counted in the database for all processes."""

from dataclasses import dataclass
from datetime import datetime, timedelta

import sqlalchemy as sa

from ...db import db, execute_update, insert
from ...errors import TooManyAttempts
from ...errors import mark as _
from ...models import ThrottleCounter

MINUTE, HOUR = 60, 3600


@dataclass(frozen=True)
class Limit:
    """A number of attempts per window of `seconds`."""

    count: int
    seconds: int


@dataclass(frozen=True)
class Limits:
    """The limits of an action per account (or what identifies one) and per IP address."""

    account: Limit | None = None
    address: Limit | None = None


LIMITS = {
    "log_in": Limits(account=Limit(10, 15 * MINUTE), address=Limit(100, 15 * MINUTE)),
    "sign_up": Limits(account=Limit(10, HOUR), address=Limit(20, HOUR)),
    "forgot_password": Limits(account=Limit(5, HOUR), address=Limit(30, HOUR)),
    "confirm_password": Limits(account=Limit(10, 15 * MINUTE)),
    "second_factor": Limits(account=Limit(10, HOUR), address=Limit(100, 15 * MINUTE)),
    "verify_email": Limits(account=Limit(5, HOUR)),
    "change_email": Limits(account=Limit(5, HOUR)),
    "download_data": Limits(account=Limit(5, HOUR)),
    "photo": Limits(account=Limit(60, HOUR)),  # pictures of profiles
    "lead": Limits(account=Limit(120, HOUR), address=Limit(30, HOUR)),  # account: the profile
    "claim": Limits(account=Limit(10, 15 * MINUTE)),
    "claim_card": Limits(account=Limit(30, HOUR)),
    "card_found": Limits(account=Limit(5, HOUR), address=Limit(10, HOUR)),
    "offer_card": Limits(account=Limit(10, HOUR)),
    "subscribe": Limits(account=Limit(3, 24 * HOUR), address=Limit(20, HOUR)),  # account: the address written to
    "contact": Limits(account=Limit(10, HOUR), address=Limit(10, HOUR)),  # account: who is signed in
    "offer_card_to": Limits(account=Limit(10, 24 * HOUR)),
    "promotion_code": Limits(account=Limit(10, 15 * MINUTE), address=Limit(60, 15 * MINUTE)),  # account: the cart
    "cart_picture": Limits(account=Limit(60, HOUR), address=Limit(120, HOUR)),  # guests: by address only
    "place_order": Limits(account=Limit(30, HOUR), address=Limit(60, HOUR)),
    "find_order": Limits(account=Limit(5, HOUR), address=Limit(20, HOUR)),
}


def consume(scope: str, subject: str, limit: Limit, now: datetime) -> None:
    """Count an attempt of a subject (a keyed hash); raise `TooManyAttempts` if the limit is reached.

    One statement creates, increments or resets the row, as long as the limit is not reached.
    """
    counter = ThrottleCounter.__table__.c
    ends_at = now + timedelta(seconds=limit.seconds)
    statement = insert(ThrottleCounter).values(scope=scope, subject=subject, window_ends_at=ends_at, count=1)
    is_over = counter.window_ends_at <= now
    result = db.session.execute(
        statement.on_conflict_do_update(
            index_elements=["scope", "subject"],
            set_={
                "count": sa.case((is_over, 1), else_=counter.count + 1),
                "window_ends_at": sa.case((is_over, statement.excluded.window_ends_at), else_=counter.window_ends_at),
            },
            where=sa.or_(is_over, counter.count < limit.count),
        )
        .returning(counter.count)
        .execution_options(synchronize_session=False)
    )
    if result.scalar_one_or_none() is None:
        raise _too_many_attempts(scope, subject, now)


def reset(scope: str, subject: str) -> None:
    """Delete a subject's attempts after a successful one."""
    is_own = sa.and_(ThrottleCounter.scope == scope, ThrottleCounter.subject == subject)
    execute_update(sa.delete(ThrottleCounter).where(is_own))


def _too_many_attempts(scope: str, subject: str, now: datetime) -> TooManyAttempts:
    columns = sa.select(ThrottleCounter.window_ends_at)
    ends_at = db.session.scalar(columns.where(ThrottleCounter.scope == scope, ThrottleCounter.subject == subject))
    seconds = max(1, round((ends_at - now).total_seconds())) if ends_at is not None else 1
    minutes = -(-seconds // MINUTE)
    if minutes == 1:
        return TooManyAttempts(_("Too many attempts. Wait a minute and try again."), retry_after=seconds)
    return TooManyAttempts(
        _("Too many attempts. Wait %(minutes)s minutes and try again."), retry_after=seconds, minutes=minutes
    )
