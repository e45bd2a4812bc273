"""Dates in CSV downloads."""

from collections.abc import Callable
from datetime import datetime
from zoneinfo import ZoneInfo

from ..web import filters


def date_formatter() -> Callable[[datetime | None], str]:
    """Return a function that formats instants in the shop's time zone; it needs no request while a file is streamed."""
    zone = ZoneInfo(filters.shop().time_zone)
    return lambda instant: instant.astimezone(zone).strftime("%Y-%m-%d %H:%M") if instant is not None else ""
