"""Every refusal and every failure becomes a page a person can read."""

from flask import Flask, Response, current_app, g, make_response, render_template
from flask_babel import gettext
from flask_babel import lazy_gettext as _
from flask_wtf.csrf import CSRFError
from sqlalchemy.exc import DBAPIError
from sqlalchemy.exc import TimeoutError as PoolTimeout
from werkzeug.exceptions import HTTPException

from ..db import db, is_unreachable
from ..errors import DomainError, TooManyAttempts
from . import guards

OWN_PAGES = (400, 403, 404, 405, 410, 413, 429)
RETRY_SECONDS = 5


def init_app(app: Flask) -> None:
    """Answer errors with our own pages."""
    app.register_error_handler(DomainError, refused)
    app.register_error_handler(CSRFError, expired_form)
    app.register_error_handler(HTTPException, http_error)
    app.register_error_handler(DBAPIError, database_error)
    app.register_error_handler(PoolTimeout, busy)
    app.register_error_handler(500, broken)


def refused(error: DomainError) -> Response:
    """Say a rule's own sentence."""
    response = page(error.status, gettext(error.message, **error.params))
    if isinstance(error, TooManyAttempts):
        response.headers["Retry-After"] = str(error.retry_after)
    return response


def expired_form(error: CSRFError) -> Response:
    """The form's token was missing or of another session."""
    return page(400, _("This form has expired. Go back, reload the page and submit it again."))


def http_error(error: HTTPException) -> Response:
    """Dress what Flask and Werkzeug raise."""
    if error.response is not None or error.code is None or error.code < 400:
        return error.get_response()  # type: ignore[return-value]
    response = page(error.code, None)
    for name, value in error.get_headers():
        if name.lower() not in ("content-type", "content-length"):
            response.headers[name] = value
    return response


def database_error(error: DBAPIError) -> Response:
    """A database that cannot be reached is a pause, anything else a fault of ours."""
    db.session.rollback()
    if is_unreachable(error):
        return busy(error)
    current_app.logger.error("database error", exc_info=error)
    return broken(error)


def busy(error: Exception) -> Response:
    """Ask to come back in a moment; needs neither database nor session."""
    current_app.logger.error("database unreachable: %s", type(error).__name__)
    plain_page()
    response = make_response(render_template("errors/503.html"), 503)
    response.headers["Retry-After"] = str(RETRY_SECONDS)
    return response


def broken(error: Exception) -> Response:
    """Own up to a fault, unless the database went away under a page; needs neither database nor session."""
    cause = getattr(error, "original_exception", None)
    if isinstance(cause, PoolTimeout) or (isinstance(cause, DBAPIError) and is_unreachable(cause)):
        return busy(cause)
    plain_page()
    return make_response(render_template("errors/500.html"), 500)


def plain_page() -> None:
    """Let the page that follows ask the database for nothing: neither settings nor who is looking."""
    g.is_plain = True
    guards.look_at_nobody()


def page(status: int, message: object) -> Response:
    """The page of a refusal, with a sentence of its own or the usual one."""
    name = f"errors/{status}.html" if status in OWN_PAGES else "errors/400.html"
    return make_response(render_template(name, message=message), status)
