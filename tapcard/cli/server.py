"""Commands that run the application and check the installation."""

import signal
import sys

import click
import flask_migrate
from flask import current_app
from flask.cli import with_appcontext
from honcho.manager import Manager

from ..db import db
from ..workflows import health
from . import common

GRANIAN_THREADS = 4
STOP_RETURN_CODES = (128 + signal.SIGINT, 128 + signal.SIGTERM)


@click.command("serve")
@click.option("--demo/--no-demo", default=True, help="Create demo data if the database is empty.")
@click.pass_context
@with_appcontext
def serve(context: click.Context, demo: bool) -> None:
    """Upgrade the database, then run web and worker until Ctrl-C or SIGTERM."""
    settings = common.app_config()
    flask_migrate.upgrade()
    click.echo(f"\n  tapcard is running at {settings.site_url}\n")
    if demo and not settings.is_production:
        context.invoke(current_app.cli.commands["seed"], demo=True, if_empty=True)
    db.session.remove()
    sys.stdout.flush()
    manager = Manager()
    granian = (
        f"{sys.executable} -m granian --interface wsgi --host {settings.host} --port {settings.port} "
        f"--workers {settings.web_workers} --blocking-threads {GRANIAN_THREADS} --no-ws --log-level warning "
        "--respawn-failed-workers wsgi:app"
    )
    manager.add_process("web", granian)
    manager.add_process("worker", f"{sys.executable} -m flask --app wsgi worker")
    manager.loop()
    sys.exit(0 if manager.returncode in STOP_RETURN_CODES else manager.returncode)


@click.command("doctor")
@with_appcontext
def doctor() -> None:
    """Check this installation and explain how to fix problems."""
    findings = health.check_all(common.app_config(), current_app.extensions["spool"])
    for finding in findings:
        click.echo(f"{'ok  ' if finding.ok else 'FAIL'} {finding.name}: {finding.detail}")
        if not finding.ok:
            click.echo(f"     {finding.fix}")
    if not all(finding.ok for finding in findings):
        sys.exit(1)
