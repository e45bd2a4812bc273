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
WELL_FORMED = re.compile(r"[A-Za-z0-9._-]{8,64}")
ADDRESS = re.compile(r"[\w.+%-]+@[\w-]+(\.[\w-]+)+")
QUIET_ENDPOINTS = ("ops.healthz", "ops.readyz", "assets.file", "static")

logger = logging.getLogger(__name__)


def init_app(app: Flask) -> None:
    """Give every request an id, log its end, and send all logs to standard error."""
    config = app.config["TAPCARD"]
    is_read_by_a_person = config.environment == "development" and sys.stderr.isatty()
    _install(_Handler(PlainFormatter() if is_read_by_a_person else JSONFormatter()))

    @app.before_request
    def begin() -> None:
        given = request.headers.get(HEADER, "") if config.trusted_proxies else ""
        g.request_id = given if WELL_FORMED.fullmatch(given) else secrets.token_hex(8)
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
    for old in [each for each in root.handlers if isinstance(each, _Handler)]:
        root.removeHandler(old)
    root.addHandler(handler)
    logging.getLogger("tapcard").setLevel(logging.INFO)
    logging.captureWarnings(capture=True)


class _Handler(logging.Handler):
    """Standard error as it is when the line is written, not as it was at the start."""

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
    """One JSON object a line."""

    def format(self, record: logging.LogRecord) -> str:
        return json.dumps(facts(record), ensure_ascii=False, default=str)


class PlainFormatter(logging.Formatter):
    """One line for the eye, and a traceback below it."""

    def format(self, record: logging.LogRecord) -> str:
        found = facts(record)
        exception = found.pop("exception", None)
        head = f"{found.pop('time')[11:19]} {found.pop('level'):7} {found.pop('logger')}: {found.pop('message')}"
        tail = " ".join(f"{name}={value}" for name, value in found.items() if name != "request_id")
        return "\n".join(part for part in (f"{head} {tail}".rstrip(), exception) if part)


def facts(record: logging.LogRecord) -> dict[str, Any]:
    """What there is to say about an event."""
    found: dict[str, Any] = {
        "time": datetime.fromtimestamp(record.created, UTC).isoformat(timespec="milliseconds"),
        "level": record.levelname.lower(),
        "logger": record.name,
        "message": without_addresses(record.getMessage()),
    }
    if has_request_context():
        found |= {"request_id": g.get("request_id"), "method": request.method, "endpoint": request.endpoint}
    for name in ("status", "duration_ms"):
        if (value := getattr(record, name, None)) is not None:
            found[name] = value
    if record.exc_info and record.exc_info[1] is not None:
        found["exception"] = without_addresses(told(record.exc_info[1]))
    return found


def without_addresses(text: str) -> str:
    """Strike out email addresses."""
    return ADDRESS.sub("<address>", text)


def told(error: BaseException) -> str:
    """A traceback with its causes, the innermost first, without what a database quotes of a row."""
    before = error.__cause__ or (None if error.__suppress_context__ else error.__context__)
    parts = [told(before), "which led to:\n"] if before is not None else []
    parts += traceback.format_tb(error.__traceback__)
    return "".join([*parts, f"{type(error).__module__}.{type(error).__qualname__}: {_message(error)}\n"])


def _message(error: BaseException) -> str:
    if isinstance(error, StatementError):
        return _message(error.orig) if error.orig is not None else "statement failed"
    is_of_the_driver = isinstance(error.__context__, DBAPIError) or type(error).__module__.startswith(
        ("psycopg", "sqlite3")
    )
    text = str(error)
    return text.partition("\n")[0] if is_of_the_driver else text
