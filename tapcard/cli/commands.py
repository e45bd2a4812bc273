"""Registration of the commands."""

from flask import Flask

from .backup import make_backup, restore_backup
from .cards import cards_group
from .outbox import outbox_group
from .seed import seed
from .server import doctor, serve
from .taps import taps_group
from .users import users_group


def init_app(app: Flask) -> None:
    """Add the commands to `flask`."""
    groups = (cards_group, users_group, taps_group, outbox_group)
    for command in (*groups, seed, serve, doctor, make_backup, restore_backup):
        app.cli.add_command(command)
