"""Command that creates the initial data of a shop, or demo data."""

import click
from flask import current_app
from flask.cli import with_appcontext
from sqlalchemy import select

from ..db import db
from ..demo.demo import LOGINS, Demo
from ..models import User
from ..seeds.shop import seed_delivery
from ..services.accounts import registration, roles
from ..workflows.health import DEMO_PASSWORD
from . import common


@click.command("seed")
@click.option("--demo", is_flag=True, help="Create demo users, designs, cards, two months of taps and orders.")
@click.option("--if-empty", is_flag=True, help="Only create demo data if the database has no users.")
@with_appcontext
def seed(demo: bool, if_empty: bool) -> None:
    """Create the roles and delivery method a new shop needs, or any missing demo data (not in production)."""
    if not demo:
        roles.seed_roles()
        created = seed_delivery()
        db.session.commit()
        click.echo(
            f"  Created: {', '.join(created)}." if created else "  Nothing to create: everything already exists."
        )
        return
    if common.app_config().is_production:
        raise click.ClickException("Demo data uses publicly known passwords and can't be created in production.")
    if not if_empty or db.session.scalar(select(User.id).limit(1)) is None:
        created = Demo(current_app.extensions["keys"], common.app_config().instance_path).run()
        db.session.commit()
        click.echo(
            "  Created: " + ", ".join(created) + "." if created else "  Nothing to create: everything already exists."
        )
    if registration.find_user("ada@example.com") is not None:
        click.echo(LOGINS.format(password=DEMO_PASSWORD, site=common.app_config().site_url))
    db.session.rollback()
