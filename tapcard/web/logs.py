"""JSON logs on standard error, one line per event, with the request id and without personal data.

Paths are not logged, because some contain secret tokens. The endpoint name identifies the page instead. Exception
messages are cut where they could quote a row, and email addresses are removed everywhere.
"""

import json
import logging
import re
import secrets
import sys
import time
import traceback
from datetime import UTC, datetime
from types import TracebackType
from typing import Any

from flask import Flask, Response, g, has_request_context, request
from sqlalchemy.exc import DBAPIError, StatementError

HEADER = "X-Request-ID"
VALID_REQUEST_ID = re.compile(r"[A-Za-z0-9._-]{8,64}")
EMAIL_PATTERN = re.compile(r"[\w.+%-]+@[\w-]+(\.[\w-]+)+")
QUIET_ENDPOINTS = ("ops.healthz", "ops.readyz", "assets.file", "static")

logger = logging.getLogger(__name__)


def init_app(app: Flask) -> None:
    """Give every request an id, log its end, and write all logs to standard error."""
    config = app.config["TAPCARD"]
    is_interactive = config.environment == "development" and sys.stderr.isatty()
    _install(_Handler(PlainFormatter() if is_interactive else JSONFormatter()))

    @app.before_request
    def begin() -> None:
        request_id = request.headers.get(HEADER, "") if config.trusted_proxies else ""
        g.request_id = request_id if VALID_REQUEST_ID.fullmatch(request_id) else secrets.token_hex(8)
        g.request_began = time.perf_counter()

    @app.after_request
    def end(response: Response) -> Response:
        if g.get("is_tap_redirect"):
            return response
        if "request_id" in g:
            response.headers[HEADER] = g.request_id
        if request.endpoint not in QUIET_ENDPOINTS:
            began = g.get("request_began", time.perf_counter())
            duration = round((time.perf_counter() - began) * 1000, 1)
            logger.info("answered", extra={"status": response.status_code, "duration_ms": duration})
        return response

    def log_exception(exc_info: tuple[type, BaseException, TracebackType] | tuple[None, None, None]) -> None:
        app.logger.error("unhandled exception", exc_info=exc_info)

    app.log_exception = log_exception  # type: ignore[method-assign]  # Flask's own quotes the path


def _install(handler: logging.Handler) -> None:
    root = logging.getLogger()
    for old in [handler for handler in root.handlers if isinstance(handler, _Handler)]:
        root.removeHandler(old)
    root.addHandler(handler)
    logging.getLogger("tapcard").setLevel(logging.INFO)
    logging.captureWarnings(capture=True)


class _Handler(logging.Handler):
    """Handler that looks sys.stderr up when it writes, not when it is created."""

    def __init__(self, formatter: logging.Formatter) -> None:
        super().__init__()
        self.setFormatter(formatter)

    def emit(self, record: logging.LogRecord) -> None:
        try:
            sys.stderr.write(self.format(record) + "\n")
            sys.stderr.flush()
        except (OSError, ValueError):
            self.handleError(record)


class JSONFormatter(logging.Formatter):
    """One JSON object per line."""

    def format(self, record: logging.LogRecord) -> str:
        return json.dumps(log_fields(record), ensure_ascii=False, default=str)


class PlainFormatter(logging.Formatter):
    """One readable line per event, with a traceback below it."""

    def format(self, record: logging.LogRecord) -> str:
        fields = log_fields(record)
        exception = fields.pop("exception", None)
        head = f"{fields.pop('time')[11:19]} {fields.pop('level'):7} {fields.pop('logger')}: {fields.pop('message')}"
        tail = " ".join(f"{name}={value}" for name, value in fields.items() if name != "request_id")
        return "\n".join(part for part in (f"{head} {tail}".rstrip(), exception) if part)


def log_fields(record: logging.LogRecord) -> dict[str, Any]:
    """Return the fields to log for an event."""
    fields: dict[str, Any] = {
        "time": datetime.fromtimestamp(record.created, UTC).isoformat(timespec="milliseconds"),
        "level": record.levelname.lower(),
        "logger": record.name,
        "message": redact_emails(record.getMessage()),
    }
    if has_request_context():
        fields |= {"request_id": g.get("request_id"), "method": request.method, "endpoint": request.endpoint}
    for name in ("status", "duration_ms"):
        if (value := getattr(record, name, None)) is not None:
            fields[name] = value
    if record.exc_info and record.exc_info[1] is not None:
        fields["exception"] = redact_emails(format_exception(record.exc_info[1]))
    return fields


def redact_emails(text: str) -> str:
    """Return a text with email addresses removed."""
    return EMAIL_PATTERN.sub("<address>", text)


def format_exception(error: BaseException) -> str:
    """Return a traceback with its causes, the innermost first, without row values that a database quotes."""
    cause = error.__cause__ or (None if error.__suppress_context__ else error.__context__)
    parts = [format_exception(cause), "which led to:\n"] if cause is not None else []
    parts += traceback.format_tb(error.__traceback__)
    return "".join([*parts, f"{type(error).__module__}.{type(error).__qualname__}: {_message(error)}\n"])


def _message(error: BaseException) -> str:
    if isinstance(error, StatementError):
        return _message(error.orig) if error.orig is not None else "statement failed"
    is_from_driver = isinstance(error.__context__, DBAPIError) or type(error).__module__.startswith(
        ("psycopg", "sqlite3")
    )
    text = str(error)
    return text.partition("\n")[0] if is_from_driver else text
