"""Import of cards from a CSV file of the previous system; either all rows are imported or none."""

import csv
import unicodedata
from collections.abc import Collection, Iterable
from dataclasses import dataclass, field

from sqlalchemy import select

from ...clock import utcnow
from ...db import db
from ...errors import DomainError
from ...errors import mark as _
from ...ids import parse_number
from ...keys import Keys
from ...models import Card, CardEvent, CardMove, CardStatus, ClaimPolicy, Design, Target, User
from ...models.cards import ALIAS_LENGTH
from ..accounts import registration
from ..core import audit
from . import blocked_hosts, cards, claims, target_urls

COLUMNS = ("token", "email", "first_name", "last_name", "alias", "reroute_url", "show_profile", "design", "taps")
TRUE_VALUES = ("1", "true", "yes", "y")
FALSE_VALUES = ("", "0", "false", "no", "n")


@dataclass
class ImportReport:
    """Result of an import: numbers of cards, and errors by line number of the file."""

    added: int = 0
    unchanged: int = 0
    errors: list[tuple[int, str]] = field(default_factory=list)


class InvalidRow(DomainError):
    """A row of the file cannot be imported."""


def import_cards(
    lines: Iterable[str], own_hosts: Collection[str], keys: Keys, actor: User | None = None
) -> ImportReport:
    """Import all rows in the caller's transaction; the caller rolls back if the report has errors.

    A row whose token already exists is skipped, so importing the same file twice changes nothing.
    """
    report = ImportReport()
    reader = csv.DictReader(line.removeprefix("\ufeff") for line in lines)
    try:
        _import_rows(reader, report, own_hosts, keys)
    except csv.Error as error:
        report.errors.append((reader.reader.line_num, f"This isn't a valid CSV file: {error}."))
    if report.added and not report.errors:
        audit.record("cards.imported", actor=actor, number=report.added)
    return report


def _import_rows(reader: "csv.DictReader[str]", report: ImportReport, own_hosts: Collection[str], keys: Keys) -> None:
    columns = {(name or "").strip().lower() for name in reader.fieldnames or ()}
    if "token" not in columns:
        report.errors.append((1, "The first row must contain the column names: " + ", ".join(COLUMNS) + "."))
        return
    imported_tokens: set[str] = set()
    for raw in reader:
        row = {(name or "").strip().lower(): (value or "").strip() for name, value in raw.items() if name is not None}
        if not any(row.values()):
            continue
        try:
            if _import_row(row, imported_tokens, own_hosts, keys):
                report.added += 1
            else:
                report.unchanged += 1
        except DomainError as error:
            report.errors.append((reader.line_num, str(error)))


def _import_row(row: dict[str, str], imported_tokens: set[str], own_hosts: Collection[str], keys: Keys) -> bool:
    for name, value in row.items():
        if any(unicodedata.category(character) == "Cc" for character in value):
            raise InvalidRow(_("%(column)s contains control characters."), column=name)
    token = cards.clean_token(row["token"])
    if not token:
        raise InvalidRow(_("The token “%(token)s” isn't valid. Use up to 20 letters and numbers."), token=row["token"])
    if token in imported_tokens:
        raise InvalidRow(_("The token %(token)s appears more than once in the file."), token=token)
    imported_tokens.add(token)
    if db.session.scalar(select(Card.id).where(Card.token == token)) is not None:
        return False
    owner = _find_or_create_owner(row)
    card = Card(token=token, design=_find_design(row), owner=owner, imported_tap_count=_parse_tap_count(row))
    card.status = CardStatus.ACTIVE if owner is not None else CardStatus.UNCLAIMED
    card.claim_policy = ClaimPolicy.CODE
    if owner is None:
        claims.set_claim_code(card, claims.new_claim_code(), keys)
    else:
        card.claimed_at = utcnow()
        _set_target(card, row, owner, own_hosts)
    db.session.add(card)
    db.session.add(CardEvent(card=card, move=CardMove.MAKE, to_status=card.status, why="imported"))
    db.session.flush()  # so that the next row sees its alias
    return True


def _find_or_create_owner(row: dict[str, str]) -> User | None:
    if not row.get("email"):
        return None
    owner = registration.get_or_create_account(row["email"], row.get("first_name", ""), row.get("last_name", ""))
    if owner.password_hash is not None and not owner.is_verified:  # anyone can use any address
        raise InvalidRow(_("%(email)s has signed up but not confirmed the email address yet."), email=owner.email)
    return owner


def _find_design(row: dict[str, str]) -> Design | None:
    name = row.get("design", "")
    if not name:
        return None
    design = db.session.scalar(select(Design).where(Design.name == name).order_by(Design.id).limit(1))
    if design is None:
        raise InvalidRow(_("There's no design called “%(name)s”."), name=name)
    return design


def _parse_tap_count(row: dict[str, str]) -> int:
    text = row.get("taps", "") or "0"
    count = parse_number(text, max_digits=9)
    if count is None:
        raise InvalidRow(_("“%(taps)s” isn't a valid number of taps."), taps=text)
    return count


def _set_target(card: Card, row: dict[str, str], owner: User, own_hosts: Collection[str]) -> None:
    alias = row.get("alias", "")
    if len(alias) > ALIAS_LENGTH:
        raise InvalidRow(_("The alias is longer than %(most)d characters."), most=ALIAS_LENGTH)
    if alias and cards.has_alias(owner, alias):
        raise InvalidRow(_("%(email)s already has a card called “%(alias)s”."), email=owner.email, alias=alias)
    show_profile = row.get("show_profile", "").lower()
    if show_profile not in (*TRUE_VALUES, *FALSE_VALUES):
        raise InvalidRow(_("show_profile is “%(value)s”. Enter yes or no."), value=show_profile)
    card.alias = alias or None
    if row.get("reroute_url"):
        link = target_urls.clean(row["reroute_url"], own_hosts)
        card.reroute_url, card.reroute_host, card.target = link.url, link.host, Target.URL
        card.is_blocked = blocked_hosts.is_blocked(link.host)
    if show_profile in TRUE_VALUES:
        card.target = Target.PROFILE
