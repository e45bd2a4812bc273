"""CSRF protection, security headers, and rejection of malformed requests."""

import secrets

from flask import Flask, Response, abort, current_app, g, request, session
from flask_wtf import CSRFProtect

csrf = CSRFProtect()

REFERRER_POLICY = "strict-origin-when-cross-origin"
HSTS = "max-age=31536000; includeSubDomains"


def init_app(app: Flask) -> None:
    """Require a CSRF token for every POST, and add the headers to every response."""
    app.before_request(reject_nul_in_path)
    app.before_request(reject_unnamed_fields)
    csrf.init_app(app)
    app.jinja_env.globals["csp_nonce"] = csp_nonce
    app.after_request(add_headers)


def reject_nul_in_path() -> None:
    """Answer 404 to a path with a NUL character, which PostgreSQL does not accept in text."""
    if "\0" in request.path:
        abort(404)


def reject_unnamed_fields() -> None:
    """Answer 400 to a form with an unnamed part, which later code does not expect."""
    if None in request.form or None in request.files:
        abort(400)


def csp_nonce() -> str:
    """Return the nonce of this response's Content-Security-Policy."""
    if "csp_nonce" not in g:
        g.csp_nonce = secrets.token_urlsafe(16)
    return g.csp_nonce


def allow_inline_styles() -> None:
    """Allow inline styles in this response, which Plotly needs; scripts still need their nonce."""
    g.allows_inline_styles = True


def content_security_policy() -> str:
    """Return the Content-Security-Policy: own resources only, inline styles and scripts only with the nonce."""
    nonce = f" 'nonce-{g.csp_nonce}'" if "csp_nonce" in g else ""
    styles = " 'unsafe-inline'" if g.get("allows_inline_styles") else nonce  # has no effect beside a nonce
    return (
        f"default-src 'self'; script-src 'self'{nonce}; style-src 'self'{styles}; img-src 'self' data: blob:; "
        "object-src 'none'; base-uri 'none'; form-action 'self'; frame-ancestors 'none'"
    )


def add_headers(response: Response) -> Response:
    """Add the headers that a view did not set; redirects of taps have headers of their own."""
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
