"""Commands that back up and restore the data."""

from pathlib import Path

import click
from flask.cli import with_appcontext

from ..db import db
from ..workflows import backup
from . import common


@click.command("backup")
@click.argument("destination", type=click.Path(path_type=Path))
@with_appcontext
def make_backup(destination: Path) -> None:
    """Back up the database, uploads and spooled taps to one archive. Safe while the app is running."""
    try:
        click.echo(f"Backup saved: {backup.create(common.app_config(), destination)}")
    except backup.BackupError as error:
        raise click.ClickException(str(error)) from None


@click.command("restore")
@click.argument("archive", type=click.Path(exists=True, dir_okay=False, path_type=Path))
@click.option("--force", is_flag=True, help="Replace existing data.")
@with_appcontext
def restore_backup(archive: Path, force: bool) -> None:
    """Restore a backup. Stop web and worker first."""
    try:
        db.session.remove()
        db.engine.dispose()
        backup.restore(common.app_config(), archive, force=force)
    except backup.BackupError as error:
        raise click.ClickException(str(error)) from None
    click.echo("Backup restored.")
