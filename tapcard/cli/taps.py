"""Commands about taps: drain the spool, rebuild the statistics."""

import click
import sqlalchemy as sa
from flask.cli import AppGroup

from .. import settings
from ..db import db
from ..models import Tap
from ..services.taps import rollups
from ..workflows import draining, taps

RECOUNT_BATCH_SIZE = 50_000

taps_group = AppGroup("taps", help="Manage the tap spool and statistics.")


@taps_group.command("drain")
def drain() -> None:
    """Store this host's spooled taps in the database once."""
    stored = draining.create_drainer().drain()
    taps.fold()
    click.echo(f"Taps stored: {stored}.")


@taps_group.command("recount")
def recount() -> None:
    """Rebuild tap statistics with the current time zone and bot rules. New taps wait until it finishes."""
    rollups.lock_rollups()
    zone = settings.load().time_zone
    changed = rollups.reclassify_user_agents()
    rollups.delete_rollups()
    last = db.session.scalar(sa.select(sa.func.coalesce(sa.func.max(Tap.id), 0))) or 0
    for start in range(0, last, RECOUNT_BATCH_SIZE):
        rollups.recount_taps(zone, start, min(start + RECOUNT_BATCH_SIZE, last))
    while rollups.fold_hours_into_days(zone):
        pass  # one transaction: readers see the old figures until the new ones are complete
    db.session.commit()
    click.echo(f"Statistics rebuilt. User agents reclassified: {changed}.")
