"""Command line interface: `flask --app wsgi …`."""

import csv
import getpass
import os
import signal
import sys
from collections.abc import Iterator
from contextlib import contextmanager
from pathlib import Path
from typing import Any
from urllib.parse import urlsplit

import click
import flask_migrate
from flask import Flask, current_app
from flask.cli import AppGroup, with_appcontext
from honcho.manager import Manager
from sqlalchemy import select

from .clock import utcnow
from .db import db, empty_log
from .demo.demo import LOGINS, Demo
from .errors import DomainError
from .models import Card, ClaimPolicy, Design, LockedBecause, User
from .seeds.shop import seed_delivery
from .services.accounts import registration, roles, two_factor
from .services.cards import blocked_hosts, cards, claims, creation, legacy_import, transitions
from .services.privacy import closure, erasure
from .workflows import backup, health
from .workflows.health import DEMO_PASSWORD

cards_group = AppGroup("cards", help="Create, import, lock and retire cards.")
users_group = AppGroup("users", help="Manage accounts.")
GRANIAN_THREADS = 4
ASKED_TO_STOP = (128 + signal.SIGINT, 128 + signal.SIGTERM)


def init_app(app: Flask) -> None:
    """Add the commands."""
    for group in (cards_group, users_group):
        app.cli.add_command(group)
    for command in (seed, serve, doctor, make_backup, restore_backup):
        app.cli.add_command(command)


def config() -> Any:
    """The configuration the application was started with."""
    return current_app.config["TAPCARD"]


# --- cards ------------------------------------------------------------------------------------------------------------


@cards_group.command("make")
@click.option("--design", "design_name", help="Design name. Without one, cards show a placeholder.")
@click.option(
    "--count", required=True, type=click.IntRange(1, creation.MAX_BATCH_SIZE), help="How many cards to create."
)
@click.option(
    "--policy",
    type=click.Choice([each.value for each in ClaimPolicy]),
    default=ClaimPolicy.CODE.value,
    help="How the cards can be claimed.",
)
@click.option("--batch", help="Batch name. Defaults to the file name.")
@click.option(
    "--out", required=True, type=click.Path(dir_okay=False, path_type=Path), help="CSV file to write for the encoder."
)
def make_cards(design_name: str | None, count: int, policy: str, batch: str | None, out: Path) -> None:
    """Create a batch of unclaimed cards and write a CSV file for the encoder."""
    design = None
    if design_name:
        design = db.session.scalar(select(Design).where(Design.name == design_name).order_by(Design.id).limit(1))
        if design is None:
            names = ", ".join(db.session.scalars(select(Design.name).order_by(Design.name))) or "none"
            raise click.ClickException(f"There is no design called {design_name!r}. Available designs: {names}.")
    try:
        # the file first: codes of cards that exist but were never written down would be lost
        with open(out, "x", newline="", encoding="utf-8") as file:
            os.chmod(out, 0o600)
            made = creation.create_batch(
                design, ClaimPolicy(policy), count, current_app.extensions["keys"], batch=batch or out.stem
            )
            writer = csv.writer(file)
            writer.writerow(("token", "tap_url", "qr_url", "claim_code"))
            site = current_app.config["SITE_URL"]
            for card, code in made:
                writer.writerow((card.token, f"{site}/t/{card.token}", f"{site}/q/{card.token}", code or ""))
            file.flush()
            os.fsync(file.fileno())
            db.session.commit()
    except FileExistsError:
        raise click.ClickException(f"{out} already exists. No cards were created.") from None
    except OSError as error:
        raise click.ClickException(f"Can’t write {out}: {error.strerror}. No cards were created.") from None
    except DomainError as error:
        out.unlink()
        raise click.ClickException(str(error)) from None
    click.echo(f"Cards created: {count}. Saved to {out}.")


@cards_group.command("import")
@click.argument("file", type=click.File("r", encoding="utf-8-sig"))
@click.option("--dry-run", is_flag=True, help="Check the file without importing anything.")
def import_cards(file: Any, dry_run: bool) -> None:
    """Import cards from the previous system. Imports the whole file or nothing.

    Columns: token, email, first_name, last_name, alias, reroute_url, show_profile, design, taps.
    """
    roles.seed_roles()
    try:
        own_hosts = {urlsplit(config().site_url).netloc}
        report = legacy_import.import_cards(file, own_hosts, current_app.extensions["keys"])
    except UnicodeDecodeError as error:
        db.session.rollback()
        raise click.ClickException(f"The file isn’t UTF-8 ({error.reason}). Nothing was imported.") from None
    for number, message in report.errors:
        click.echo(f"Row {number}: {message}", err=True)
    summary = f"{report.added} to add, {report.unchanged} unchanged, {len(report.errors)} with errors"
    if report.errors:
        db.session.rollback()
        raise click.ClickException(f"Nothing was imported ({summary}).")
    if dry_run:
        db.session.rollback()
        click.echo(f"Dry run: {summary}.")
        return
    db.session.commit()
    click.echo(f"Imported: {report.added} added, {report.unchanged} unchanged.")


@cards_group.command("code")
@click.argument("token")
def show_code(token: str) -> None:
    """Show the claim code of an unclaimed card, for example to reprint a lost insert."""
    code = claims.read_claim_code(named_card(token), current_app.extensions["keys"])
    if code is None:
        raise click.ClickException("This card has no claim code. It’s already claimed or doesn’t need a code.")
    click.echo(code)


@cards_group.command("lock")
@click.argument("token")
@click.option("--why", required=True, help="Reason, shown in the card’s history.")
def lock_card(token: str, why: str) -> None:
    """Suspend a card for abuse. Its owner can’t unlock it."""
    with told():
        transitions.lock(named_card(token), LockedBecause.ABUSE, None, why)
    click.echo(f"Card {token} suspended.")


@cards_group.command("unlock")
@click.argument("token")
def unlock_card(token: str) -> None:
    """Unlock a card, whatever the reason it was locked."""
    with told():
        transitions.unlock(named_card(token), None, allowed=tuple(LockedBecause))
    click.echo(f"Card {token} unlocked.")


@cards_group.command("retire")
@click.argument("token")
@click.option("--why", required=True, help="Reason, shown in the card’s history.")
def retire_card(token: str, why: str) -> None:
    """Retire a card permanently."""
    with told():
        transitions.retire(named_card(token), None, why)
    click.echo(f"Card {token} retired.")


def named_card(token: str) -> Card:
    """The card somebody names, or a message."""
    card = cards.get_by_token(token)
    if card is None:
        raise click.ClickException(f"There is no card with the token {token}.")
    return card


@contextmanager
def told() -> Iterator[None]:
    """Commit what a block did, or say why it may not be."""
    try:
        yield
    except DomainError as error:
        raise click.ClickException(str(error)) from None
    db.session.commit()


@cards_group.command("block-host")
@click.argument("host")
@click.option("--reason", default="", help="Reason, shown to staff.")
def block_host(host: str, reason: str) -> None:
    """Block a domain and its subdomains as a card target."""
    try:
        number = blocked_hosts.block_host(host, None, reason[:200])
    except DomainError as error:
        raise click.ClickException(str(error)) from None
    db.session.commit()
    click.echo(f"Blocked {blocked_hosts.parse_host(host)}. Cards affected: {number}.")


@cards_group.command("unblock-host")
@click.argument("host")
def unblock_host(host: str) -> None:
    """Unblock a domain."""
    try:
        blocked_hosts.unblock_host(host, None)
    except DomainError as error:
        raise click.ClickException(str(error)) from None
    db.session.commit()
    click.echo(f"Unblocked {blocked_hosts.parse_host(host)}.")


# --- users ------------------------------------------------------------------------------------------------------------


@users_group.command("create-owner")
@click.option("--email", prompt=True)
@click.option("--first-name", prompt=True)
@click.option("--last-name", prompt=True)
def create_owner(email: str, first_name: str, last_name: str) -> None:
    """Create the shop owner’s account. Prompts for the password or reads it from standard input."""
    if sys.stdin.isatty():
        password = getpass.getpass("Password: ")
        if getpass.getpass("Repeat password: ") != password:
            raise click.ClickException("The passwords don’t match.")
    else:
        password = sys.stdin.readline().rstrip("\n")
    try:
        roles.create_owner(email, first_name, last_name, password)
    except DomainError as error:
        raise click.ClickException(str(error)) from None
    db.session.commit()
    click.echo(f"Created the owner account {email}.")


@users_group.command("reset-two-factor")
@click.argument("email")
def reset_two_factor(email: str) -> None:
    """Turn off two-factor authentication for an account. Verify the person’s identity first."""
    user = registration.find_user(email)
    if user is None:
        raise click.ClickException(f"There is no account with the email {email}.")
    if not two_factor.reset(user):
        raise click.ClickException(f"{email} doesn’t use two-factor authentication.")
    db.session.commit()
    click.echo(f"Two-factor authentication is off for {email}. They were logged out everywhere.")


@users_group.command("erase")
@click.argument("email")
@click.option("--yes", is_flag=True, help="Don’t ask for confirmation.")
def erase_user(email: str, yes: bool) -> None:
    """Close an account and erase its personal data immediately, without the grace period."""
    user = registration.find_user(email)
    if user is None:
        raise click.ClickException(f"There is no account with the email {email}.")
    user_id = user.id
    db.session.rollback()  # nothing is held while somebody thinks
    if not yes:
        click.confirm(
            "This permanently deletes their profiles, contacts and addresses, and retires their cards. Erase?",
            abort=True,
        )
    now = utcnow()
    with told():
        user = db.session.get_one(User, user_id)
        if user.closed_at is None:
            closure.shut(user, now, even_inactive=True)
        person = erasure.erase(user_id, now, closed_before=now)
    try:
        erasure.forget_files(person, Path(current_app.instance_path), with_mails=not config().is_production)
    except OSError as error:
        raise click.ClickException(
            f"The account was erased, but some of its files weren’t: {error}. "
            "The worker deletes pictures within a day. Delete emails that were saved to files yourself."
        ) from None
    db.session.rollback()
    if not empty_log():
        click.echo("The database log is in use. The worker empties it within a day.", err=True)
    click.echo("Account erased. Older backups still contain the data. Delete the ones you no longer need.")


# --- taps -------------------------------------------------------------------------------------------------------------


# --- running ----------------------------------------------------------------------------------------------------------


@click.command("serve")
@click.option("--demo/--no-demo", default=True, help="Create demo data if the database is empty.")
@click.pass_context
@with_appcontext
def serve(context: click.Context, demo: bool) -> None:
    """Upgrade the database, then run web and worker until Ctrl-C or SIGTERM."""
    settings = config()
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
    sys.exit(0 if manager.returncode in ASKED_TO_STOP else manager.returncode)


# --- operation --------------------------------------------------------------------------------------------------------


@click.command("doctor")
@with_appcontext
def doctor() -> None:
    """Check this installation and explain how to fix problems."""
    findings = health.findings(config(), current_app.extensions["spool"])
    for finding in findings:
        click.echo(f"{'ok  ' if finding.ok else 'FAIL'} {finding.name}: {finding.detail}")
        if not finding.ok:
            click.echo(f"     {finding.what_to_do}")
    if not all(finding.ok for finding in findings):
        sys.exit(1)


@click.command("backup")
@click.argument("destination", type=click.Path(path_type=Path))
@with_appcontext
def make_backup(destination: Path) -> None:
    """Back up the database, uploads and spooled taps to one archive. Safe while the app is running."""
    try:
        click.echo(f"Backup saved: {backup.create(config(), destination)}")
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
        backup.restore(config(), archive, force=force)
    except backup.BackupError as error:
        raise click.ClickException(str(error)) from None
    click.echo("Backup restored.")


# --- demo -------------------------------------------------------------------------------------------------------------


@click.command("seed")
@click.option("--demo", is_flag=True, help="Create demo users, designs, cards, two months of taps and orders.")
@click.option("--if-empty", is_flag=True, help="Only create demo data if the database has no users.")
@with_appcontext
def seed(demo: bool, if_empty: bool) -> None:
    """Create the roles and delivery method a new shop needs, or any missing demo data (not in production)."""
    if not demo:
        roles.seed_roles()
        made = seed_delivery()
        db.session.commit()
        click.echo(f"  Created: {', '.join(made)}." if made else "  Nothing to create: everything already exists.")
        return
    if config().is_production:
        raise click.ClickException("Demo data uses publicly known passwords and can't be created in production.")
    if not if_empty or db.session.scalar(select(User.id).limit(1)) is None:
        made = Demo(current_app.extensions["keys"], config().instance_path).run()
        db.session.commit()
        click.echo("  Created: " + ", ".join(made) + "." if made else "  Nothing to create: everything already exists.")
    if registration.find_user("ada@example.com") is not None:
        click.echo(LOGINS.format(password=DEMO_PASSWORD, site=config().site_url))
    db.session.rollback()
