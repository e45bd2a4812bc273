"""Exceptions that rules raise, each with a message for the user."""

from typing import Any


def mark(message: str) -> str:
    """Mark a message for translation, which happens when it is displayed. Import as `_`."""
    return message


class DomainError(Exception):
    """A rule refused an operation.

    `message` is a sentence with `%(name)s` for each of `params`; `field` names the form field it belongs to.
    """

    status = 409
    field: str | None = None

    def __init__(self, message: str, *, field: str | None = None, **params: Any) -> None:
        super().__init__(message % params if params else message)
        self.message = message
        self.params = params
        self.field = field or type(self).field


class NotFound(DomainError):
    """The row does not exist, or the user may not see it."""

    status = 404


class TooManyAttempts(DomainError):
    """A throttled action was requested too often; `retry_after` in seconds."""

    status = 429

    def __init__(self, message: str, *, retry_after: int, **params: Any) -> None:
        super().__init__(message, **params)
        self.retry_after = retry_after
