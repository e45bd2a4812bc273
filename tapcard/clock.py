"""Clock: the current time as an aware UTC datetime, in one function that tests can replace."""

from datetime import UTC, date, datetime
from zoneinfo import ZoneInfo


def utcnow() -> datetime:
    """Return the current instant in UTC."""
    return datetime.now(UTC)


def today_in(zone: str, now: datetime | None = None) -> date:
    """Return the local date in an IANA time zone, at `now` or at present."""
    return (now or utcnow()).astimezone(ZoneInfo(zone)).date()
