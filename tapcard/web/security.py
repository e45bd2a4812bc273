"""The headers that keep a page to itself."""

import secrets

from flask import Flask, Response, abort, current_app, g, request, session
from flask_wtf import CSRFProtect

csrf = CSRFProtect()

REFERRER_POLICY = "strict-origin-when-cross-origin"
HSTS = "max-age=31536000; includeSubDomains"


def init_app(app: Flask) -> None:
    """Demand a token of every POST, and put the headers on every answer."""
    app.before_request(refuse_impossible_addresses)
    app.before_request(refuse_nameless_fields)
    csrf.init_app(app)
    app.jinja_env.globals["csp_nonce"] = csp_nonce
    app.after_request(add_headers)


def refuse_impossible_addresses() -> None:
    """Find nothing at an address with a NUL in it, which PostgreSQL takes in no text."""
    if "\0" in request.path:
        abort(404)


def refuse_nameless_fields() -> None:
    """Refuse a form with a part that has no name, which nothing after this expects."""
    if None in request.form or None in request.files:
        abort(400)


def csp_nonce() -> str:
    """The nonce of this answer's content security policy."""
    if "csp_nonce" not in g:
        g.csp_nonce = secrets.token_urlsafe(16)
    return g.csp_nonce


def allow_inline_styles() -> None:
    """Let this answer's page style itself, as Plotly does when it draws; scripts still need their nonce."""
    g.allows_inline_styles = True


def content_security_policy() -> str:
    """Everything from ourselves alone; styles and scripts of a page only with its nonce."""
    nonce = f" 'nonce-{g.csp_nonce}'" if "csp_nonce" in g else ""
    styles = " 'unsafe-inline'" if g.get("allows_inline_styles") else nonce  # beside a nonce it would count for nothing
    return (
        f"default-src 'self'; script-src 'self'{nonce}; style-src 'self'{styles}; img-src 'self' data: blob:; "
        "object-src 'none'; base-uri 'none'; form-action 'self'; frame-ancestors 'none'"
    )


def add_headers(response: Response) -> Response:
    """Add to an answer what its view did not set; the redirects of taps carry headers of their own."""
    if g.get("is_tap_redirect"):
        return response
    headers = response.headers
    headers.setdefault("Content-Security-Policy", content_security_policy())
    headers.setdefault("X-Content-Type-Options", "nosniff")
    headers.setdefault("X-Frame-Options", "DENY")
    headers.setdefault("Referrer-Policy", REFERRER_POLICY)
    headers.setdefault("Permissions-Policy", "camera=(), geolocation=(), microphone=()")
    if current_app.config["TAPCARD"].is_production:
        headers.setdefault("Strict-Transport-Security", HSTS)
    if session.accessed:
        headers.setdefault("Cache-Control", "no-store")
    return response
