"""Throttling for views: who asks is hashed, what is counted stays counted, and forms say how long to wait."""

import ipaddress

from flask import current_app, g, request
from flask_wtf import FlaskForm

from ..clock import utcnow
from ..db import db
from ..errors import TooManyAttempts
from ..services.core import rate_limits
from ..services.core.rate_limits import LIMITS, Limit

IPV6_NEIGHBOURS = 64  # one customer has a whole network of this prefix


def throttle(scope: str, *, account: str | int | None = None, address: bool = False) -> None:
    """Count an attempt of an account (or of what stands for one), of the visitor's address, or of both.

    Raises `TooManyAttempts`. Call it before anything else is written: it commits by itself, so that an attempt stays
    counted when the view refuses, and so that no write lock is held while a password is checked afterwards.
    """
    limits = LIMITS[scope]
    try:
        if address:
            _take(f"{scope}.address", network_of(request.remote_addr), limits.address)
        if account is not None:
            _take(f"{scope}.account", str(account), limits.account)
    except TooManyAttempts as error:
        db.session.commit()
        g.retry_after = error.retry_after
        raise
    db.session.commit()


def forgive(scope: str, account: str | int) -> None:
    """Forget an account's attempts once one of them was right; part of the view's own transaction."""
    name = f"{scope}.account"
    rate_limits.forgive(name, subject_of(name, str(account)))


def form_status(form: FlaskForm) -> tuple[int, dict[str, str]]:
    """Status and headers of a page with a form: 200, 422 with errors, 429 when it was sent too often."""
    if "retry_after" in g:
        return 429, {"Retry-After": str(g.retry_after)}
    return (422 if form.errors else 200), {}


def network_of(address: str | None) -> str:
    """What counts as one visitor: an IPv4 address, or the network of an IPv6 address."""
    try:
        parsed = ipaddress.ip_address((address or "").partition("%")[0])
    except ValueError:
        return address or ""
    if isinstance(parsed, ipaddress.IPv6Address):
        if parsed.ipv4_mapped is None:
            return str(ipaddress.ip_network((parsed, IPV6_NEIGHBOURS), strict=False))
        parsed = parsed.ipv4_mapped
    return str(parsed)


def subject_of(scope: str, text: str) -> str:
    """The keyed hash under which an account or an address is counted."""
    digest: str = current_app.extensions["keys"].digest("throttle", f"{scope}:{text}")
    return digest


def _take(scope: str, text: str, limit: Limit | None) -> None:
    assert limit is not None, f"LIMITS has no limit for {scope}"
    rate_limits.take(scope, subject_of(scope, text), limit, utcnow())
