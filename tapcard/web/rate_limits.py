"""Rate limits of ordinary pages by network (Flask-Limiter); taps of known cards are exempt."""

import limits
from flask import Flask, current_app, request
from flask_babel import gettext as _
from flask_limiter import Limiter
from limits.storage import MemoryStorage
from limits.strategies import FixedWindowRateLimiter

from ..errors import TooManyAttempts
from .throttling import network_of

ACTION_LIMIT = "300 per hour"

_local_limiter = FixedWindowRateLimiter(MemoryStorage())


def init_app(app: Flask) -> None:
    """Count requests by network, in Redis if it is configured."""
    limiter = app.extensions["rate_limiter"] = Limiter(client_network, headers_enabled=False)
    limiter.request_filter(is_exempt)
    limiter.init_app(app)


def client_network() -> str:
    """Return the network a request comes from: an IPv4 address, or the usual IPv6 network of one customer."""
    return network_of(request.remote_addr)


def is_exempt() -> bool:
    """Return whether a request is exempt: a tap, an uploaded picture or a health check."""
    return (request.endpoint or "").startswith(("tap.tap_", "ops.", "uploads."))


def allows_profile_action() -> bool:
    """Return whether another action on a profile may be recorded for this network; the visitor is served anyway."""
    return _hit("profile_action", ACTION_LIMIT)


def throttle_unknown_token() -> None:
    """Raise `TooManyAttempts` for a network that guesses tokens; call it only after the lookup failed."""
    if not _hit("unknown_token", current_app.config["TAPCARD"].unknown_token_limit):
        raise TooManyAttempts(_("Too many attempts with unknown cards. Try again in a minute."), retry_after=60)


def _hit(scope: str, limit: str) -> bool:
    limiter: Limiter = current_app.extensions["rate_limiter"]
    parsed, key = limits.parse(limit), (scope, client_network())
    try:
        return limiter.limiter.hit(parsed, *key)
    except limiter.storage.base_exceptions:
        return _local_limiter.hit(parsed, *key)  # Redis is unreachable
