"""Commands about outgoing emails: retry those that failed."""

import click
from flask.cli import AppGroup

from .. import outbox
from ..clock import utcnow
from ..db import db

outbox_group = AppGroup("outbox", help="Manage outgoing emails.")


@outbox_group.command("retry")
def retry() -> None:
    """Retry failed emails."""
    count = outbox.retry_failed(utcnow())
    db.session.commit()
    click.echo(f"Failed messages queued again: {count}.")
