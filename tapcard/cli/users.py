"""Commands about users: create an owner, reset two-factor authentication, erase."""

import getpass
import sys
from pathlib import Path

import click
from flask import current_app
from flask.cli import AppGroup

from ..clock import utcnow
from ..db import db, truncate_wal
from ..errors import DomainError
from ..models import User
from ..services.accounts import registration, roles, two_factor
from ..services.privacy import closure, erasure
from . import common

users_group = AppGroup("users", help="Manage accounts.")


@users_group.command("create-owner")
@click.option("--email", prompt=True)
@click.option("--first-name", prompt=True)
@click.option("--last-name", prompt=True)
def create_owner(email: str, first_name: str, last_name: str) -> None:
    """Create the shop owner's account. Prompts for the password or reads it from standard input."""
    if sys.stdin.isatty():
        password = getpass.getpass("Password: ")
        if getpass.getpass("Repeat password: ") != password:
            raise click.ClickException("The passwords don't match.")
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
    """Turn off two-factor authentication for an account. Verify the person's identity first."""
    user = registration.find_user(email)
    if user is None:
        raise click.ClickException(f"There is no account with the email {email}.")
    if not two_factor.reset(user):
        raise click.ClickException(f"{email} doesn't use two-factor authentication.")
    db.session.commit()
    click.echo(f"Two-factor authentication is off for {email}. They were logged out everywhere.")


@users_group.command("erase")
@click.argument("email")
@click.option("--yes", is_flag=True, help="Don't ask for confirmation.")
def erase_user(email: str, yes: bool) -> None:
    """Close an account and erase its personal data immediately, without the grace period."""
    user = registration.find_user(email)
    if user is None:
        raise click.ClickException(f"There is no account with the email {email}.")
    user_id = user.id
    db.session.rollback()  # release the database while the user decides
    if not yes:
        click.confirm(
            "This permanently deletes their profiles, contacts and addresses, and retires their cards. Erase?",
            abort=True,
        )
    now = utcnow()
    with common.commit_or_fail():
        user = db.session.get_one(User, user_id)
        if user.closed_at is None:
            closure.deactivate(user, now, even_inactive=True)
        person = erasure.erase(user_id, now, closed_before=now)
    try:
        erasure.delete_files(person, Path(current_app.instance_path), with_mails=not common.app_config().is_production)
    except OSError as error:
        raise click.ClickException(
            f"The account was erased, but some of its files weren't: {error}. "
            "The worker deletes images within a day. Delete emails that were saved to files yourself."
        ) from None
    db.session.rollback()
    if not truncate_wal():
        click.echo("The database log is in use. The worker empties it within a day.", err=True)
    click.echo("Account erased. Older backups still contain the data. Delete the ones you no longer need.")
