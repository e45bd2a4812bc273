"""Refusals: what a rule raises when it says no, with a sentence fit for the person who asked."""

from typing import Any


def mark(message: str) -> str:
    """Mark a sentence for the translators; it is translated where it is shown. Import as `_`."""
    return message


class DomainError(Exception):
    """A rule said no.

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
    """There is no such thing, or it is none of the asker's business."""

    status = 404


class TooManyAttempts(DomainError):
    """A throttled action was asked for too often; `retry_after` in seconds."""

    status = 429

    def __init__(self, message: str, *, retry_after: int, **params: Any) -> None:
        super().__init__(message, **params)
        self.retry_after = retry_after
