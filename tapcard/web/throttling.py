"""Throttling of sensitive actions in views: by account and by network, stored as keyed hashes."""

import ipaddress

from flask import current_app, g, request
from flask_wtf import FlaskForm

from ..clock import utcnow
from ..db import db
from ..errors import TooManyAttempts
from ..services.core import rate_limits
from ..services.core.rate_limits import LIMITS, Limit

IPV6_PREFIX_LENGTH = 64  # one customer usually has a network of this size


def throttle(scope: str, *, account: str | int | None = None, address: bool = False) -> None:
    """Count an attempt by an account (or what identifies one), by the visitor's IP address, or by both.

    Raise `TooManyAttempts`. Call it before anything else is written: it commits, so that an attempt stays counted when
    the view refuses, and so that no write lock is held while a password is verified afterwards.
    """
    limits = LIMITS[scope]
    try:
        if address:
            _consume(f"{scope}.address", network_of(request.remote_addr), limits.address)
        if account is not None:
            _consume(f"{scope}.account", str(account), limits.account)
    except TooManyAttempts as error:
        db.session.commit()
        g.retry_after = error.retry_after
        raise
    db.session.commit()


def reset_throttle(scope: str, account: str | int) -> None:
    """Reset an account's attempts after a successful one, in the view's own transaction."""
    name = f"{scope}.account"
    rate_limits.reset(name, throttle_key(name, str(account)))


def form_status(form: FlaskForm) -> tuple[int, dict[str, str]]:
    """Return status and headers of a page with a form: 200, 422 with errors, 429 when throttled."""
    if "retry_after" in g:
        return 429, {"Retry-After": str(g.retry_after)}
    return (422 if form.errors else 200), {}


def network_of(address: str | None) -> str:
    """Return what counts as one client: an IPv4 address, or the network of an IPv6 address."""
    try:
        parsed = ipaddress.ip_address((address or "").partition("%")[0])
    except ValueError:
        return address or ""
    if isinstance(parsed, ipaddress.IPv6Address):
        if parsed.ipv4_mapped is None:
            return str(ipaddress.ip_network((parsed, IPV6_PREFIX_LENGTH), strict=False))
        parsed = parsed.ipv4_mapped
    return str(parsed)


def throttle_key(scope: str, text: str) -> str:
    """Return the keyed hash under which an account or an address is counted."""
    digest: str = current_app.extensions["keys"].digest("throttle", f"{scope}:{text}")
    return digest


def _consume(scope: str, text: str, limit: Limit | None) -> None:
    assert limit is not None, f"LIMITS has no limit for {scope}"
    rate_limits.consume(scope, throttle_key(scope, text), limit, utcnow())
