"""Error handlers: every refusal and failure becomes a readable page."""

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

STATUSES_WITH_PAGE = (400, 403, 404, 405, 410, 413, 429)
RETRY_SECONDS = 5


def init_app(app: Flask) -> None:
    """Register the error handlers."""
    app.register_error_handler(DomainError, handle_domain_error)
    app.register_error_handler(CSRFError, handle_csrf_error)
    app.register_error_handler(HTTPException, handle_http_error)
    app.register_error_handler(DBAPIError, handle_database_error)
    app.register_error_handler(PoolTimeout, service_unavailable)
    app.register_error_handler(500, internal_error)


def handle_domain_error(error: DomainError) -> Response:
    """Show the message of a refused operation."""
    response = error_page(error.status, gettext(error.message, **error.params))
    if isinstance(error, TooManyAttempts):
        response.headers["Retry-After"] = str(error.retry_after)
    return response


def handle_csrf_error(error: CSRFError) -> Response:
    """Explain that a form's CSRF token was missing or of another session."""
    return error_page(400, _("This form has expired. Go back, reload the page and submit it again."))


def handle_http_error(error: HTTPException) -> Response:
    """Show errors of Flask and Werkzeug as our own pages, keeping their headers."""
    if error.response is not None or error.code is None or error.code < 400:
        return error.get_response()  # type: ignore[return-value]
    response = error_page(error.code, None)
    for name, value in error.get_headers():
        if name.lower() not in ("content-type", "content-length"):
            response.headers[name] = value
    return response


def handle_database_error(error: DBAPIError) -> Response:
    """Answer 503 if the database is unreachable, otherwise 500."""
    db.session.rollback()
    if is_unreachable(error):
        return service_unavailable(error)
    current_app.logger.error("database error", exc_info=error)
    return internal_error(error)


def service_unavailable(error: Exception) -> Response:
    """Return the 503 page, which needs neither database nor session."""
    current_app.logger.error("database unreachable: %s", type(error).__name__)
    render_without_database()
    response = make_response(render_template("errors/503.html"), 503)
    response.headers["Retry-After"] = str(RETRY_SECONDS)
    return response


def internal_error(error: Exception) -> Response:
    """Return the 500 page, or the 503 page if the database became unreachable; neither needs database or session."""
    cause = getattr(error, "original_exception", None)
    if isinstance(cause, PoolTimeout) or (isinstance(cause, DBAPIError) and is_unreachable(cause)):
        return service_unavailable(cause)
    render_without_database()
    return make_response(render_template("errors/500.html"), 500)


def render_without_database() -> None:
    """Render the rest of this response without queries: default settings, no current user."""
    g.is_plain = True
    guards.treat_as_anonymous()


def error_page(status: int, message: object) -> Response:
    """Return the error page of a status, with a message of its own or the default one."""
    name = f"errors/{status}.html" if status in STATUSES_WITH_PAGE else "errors/400.html"
    return make_response(render_template(name, message=message), status)
