"""Floods of ordinary pages, by Flask-Limiter; never in the way of a tap that leads somewhere."""

import limits
from flask import Flask, current_app, request
from flask_babel import gettext as _
from flask_limiter import Limiter
from limits.storage import MemoryStorage
from limits.strategies import FixedWindowRateLimiter

from ..errors import TooManyAttempts
from .throttling import network_of

ACTION_LIMIT = "300 per hour"

_of_this_process = FixedWindowRateLimiter(MemoryStorage())


def init_app(app: Flask) -> None:
    """Count requests by address, in Redis when there is one."""
    limiter = app.extensions["floods"] = Limiter(of_whom, headers_enabled=False)
    limiter.request_filter(is_exempt)
    limiter.init_app(app)


def of_whom() -> str:
    """The network a request comes from: of IPv6, what one customer has."""
    return network_of(request.remote_addr)


def is_exempt() -> bool:
    """Whether the request is a tap, a picture of a page, or asks for the process's health."""
    return (request.endpoint or "").startswith(("tap.tap_", "ops.", "uploads."))


def may_record() -> bool:
    """Whether what a visitor does on profiles is still written down, of this address; they get their answer anyway."""
    return _hit("profile_action", ACTION_LIMIT)


def refuse_unknown_token() -> None:
    """Slow down whoever guesses tokens; asked only after the lookup, so a real card never waits."""
    if not _hit("unknown_token", current_app.config["TAPCARD"].unknown_token_limit):
        raise TooManyAttempts(_("Too many attempts with unknown cards. Try again in a minute."), retry_after=60)


def _hit(scope: str, limit: str) -> bool:
    limiter: Limiter = current_app.extensions["floods"]
    parsed, key = limits.parse(limit), (scope, of_whom())
    try:
        return limiter.limiter.hit(parsed, *key)
    except limiter.storage.base_exceptions:
        return _of_this_process.hit(parsed, *key)  # Redis is away
