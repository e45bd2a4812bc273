"""Transaction modes by request method, and retries of transactions that the database aborted."""

from collections.abc import Iterable
from typing import TYPE_CHECKING

from flask import Flask
from sqlalchemy.exc import DBAPIError
from werkzeug.wrappers import Response

from ..db import db, is_retryable, set_writing

if TYPE_CHECKING:
    from _typeshed.wsgi import StartResponse, WSGIApplication, WSGIEnvironment

READING_METHODS = ("GET", "HEAD")


class TransactionMode:
    """WSGI middleware: GET and HEAD only read, other methods take the write lock when a transaction begins."""

    def __init__(self, wsgi_app: "WSGIApplication") -> None:
        self.wsgi_app = wsgi_app

    def __call__(self, environ: "WSGIEnvironment", start_response: "StartResponse") -> Iterable[bytes]:
        set_writing(environ["REQUEST_METHOD"] not in READING_METHODS)
        return self.wsgi_app(environ, start_response)


class RetryingFlask(Flask):
    """Flask application that runs a view once more after a deadlock or serialization failure."""

    def dispatch_request(self) -> Response | str:
        try:
            return super().dispatch_request()  # type: ignore[return-value]
        except DBAPIError as error:
            if not is_retryable(error):
                raise
            self.logger.warning("transaction retried")
            db.session.rollback()
            return super().dispatch_request()  # type: ignore[return-value]
