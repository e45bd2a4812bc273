"""Commands about cards: create, import, lock, retire, block hosts."""

import csv
import os
from pathlib import Path
from typing import Any
from urllib.parse import urlsplit

import click
from flask import current_app
from flask.cli import AppGroup
from sqlalchemy import select

from ..db import db
from ..errors import DomainError
from ..models import Card, ClaimPolicy, Design, LockedBecause
from ..services.accounts import roles
from ..services.cards import blocked_hosts, cards, claims, creation, legacy_import, transitions
from . import common

cards_group = AppGroup("cards", help="Create, import, lock and retire cards.")


@cards_group.command("make")
@click.option("--design", "design_name", help="Design name. Without one, cards show a placeholder.")
@click.option(
    "--count", required=True, type=click.IntRange(1, creation.MAX_BATCH_SIZE), help="How many cards to create."
)
@click.option(
    "--policy",
    type=click.Choice([policy.value for policy in ClaimPolicy]),
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
            raise click.ClickException(f"There is no design called “{design_name}”. Available designs: {names}.")
    try:
        # write the file first: claim codes that were not saved to a file would be lost
        with open(out, "x", newline="", encoding="utf-8") as file:
            os.chmod(out, 0o600)
            batch_cards = creation.create_batch(
                design, ClaimPolicy(policy), count, current_app.extensions["keys"], batch=batch or out.stem
            )
            writer = csv.writer(file)
            writer.writerow(("token", "tap_url", "qr_url", "claim_code"))
            site = current_app.config["SITE_URL"]
            for card, code in batch_cards:
                writer.writerow((card.token, f"{site}/t/{card.token}", f"{site}/q/{card.token}", code or ""))
            file.flush()
            os.fsync(file.fileno())
            db.session.commit()
    except FileExistsError:
        raise click.ClickException(f"{out} already exists. No cards were created.") from None
    except OSError as error:
        raise click.ClickException(f"Can't write {out}: {error.strerror}. No cards were created.") from None
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
        own_hosts = {urlsplit(common.app_config().site_url).netloc}
        report = legacy_import.import_cards(file, own_hosts, current_app.extensions["keys"])
    except UnicodeDecodeError as error:
        db.session.rollback()
        raise click.ClickException(f"The file isn't UTF-8 ({error.reason}). Nothing was imported.") from None
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
    code = claims.read_claim_code(get_card_or_fail(token), current_app.extensions["keys"])
    if code is None:
        raise click.ClickException("This card has no claim code. It's already claimed or doesn't need a code.")
    click.echo(code)


@cards_group.command("lock")
@click.argument("token")
@click.option("--why", required=True, help="Reason, shown in the card's history.")
def lock_card(token: str, why: str) -> None:
    """Suspend a card for abuse. Its owner can't unlock it."""
    with common.commit_or_fail():
        transitions.lock(get_card_or_fail(token), LockedBecause.ABUSE, None, why)
    click.echo(f"Card {token} suspended.")


@cards_group.command("unlock")
@click.argument("token")
def unlock_card(token: str) -> None:
    """Unlock a card, whatever the reason it was locked."""
    with common.commit_or_fail():
        transitions.unlock(get_card_or_fail(token), None, allowed=tuple(LockedBecause))
    click.echo(f"Card {token} unlocked.")


@cards_group.command("retire")
@click.argument("token")
@click.option("--why", required=True, help="Reason, shown in the card's history.")
def retire_card(token: str, why: str) -> None:
    """Retire a card permanently."""
    with common.commit_or_fail():
        transitions.retire(get_card_or_fail(token), None, why)
    click.echo(f"Card {token} retired.")


def get_card_or_fail(token: str) -> Card:
    """Return a card by its token, or fail with a message."""
    card = cards.get_by_token(token)
    if card is None:
        raise click.ClickException(f"There is no card with the token {token}.")
    return card


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
