"""Signed notes in a form: when it was shown, and what stood on it."""

from datetime import datetime, timedelta
from typing import Any

from flask import current_app
from itsdangerous import BadSignature, URLSafeSerializer

LONGEST = timedelta(days=1)


def make_stamp(form: str, now: datetime, *facts: Any) -> str:
    """Sign when a form was shown, with what it said."""
    return str(_signer(form).dumps([now.timestamp(), *facts]))


def shown_at(form: str, stamp: str | None, now: datetime, *facts: Any) -> datetime | None:
    """When a form that said this very thing was shown; None for a stamp that is forged, old or another's."""
    try:
        seconds, *said = _signer(form).loads(stamp or "")
        instant = datetime.fromtimestamp(seconds, now.tzinfo)
    except (BadSignature, ValueError, TypeError, OverflowError):
        return None
    return instant if tuple(said) == facts and now - instant < LONGEST else None


def _signer(form: str) -> URLSafeSerializer:
    config = current_app.config
    secrets = [*reversed(config["SECRET_KEY_FALLBACKS"]), config["SECRET_KEY"]]  # the newest signs
    return URLSafeSerializer(secrets, salt=f"stamp {form}")
