"""Helpers that the commands share."""

from collections.abc import Iterator
from contextlib import contextmanager
from typing import Any

import click
from flask import current_app

from ..db import db
from ..errors import DomainError


def app_config() -> Any:
    """Return the configuration of the application."""
    return current_app.config["TAPCARD"]


@contextmanager
def commit_or_fail() -> Iterator[None]:
    """Commit what a block did, or fail with the message of a `DomainError`."""
    try:
        yield
    except DomainError as error:
        raise click.ClickException(str(error)) from None
    db.session.commit()
