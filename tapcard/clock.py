"""The time: always aware, always UTC; one function, so that a test can stand it still."""

from datetime import UTC, date, datetime
from zoneinfo import ZoneInfo


def utcnow() -> datetime:
    """The present instant."""
    return datetime.now(UTC)


def today_in(zone: str, now: datetime | None = None) -> date:
    """The date on the wall in an IANA zone."""
    return (now or utcnow()).astimezone(ZoneInfo(zone)).date()
