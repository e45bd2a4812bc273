"""Cards of the first system, from a CSV file: looked through as a whole, then taken over as a whole."""

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
from ...tokens import new_code
from ..accounts import registration
from ..core import audit
from . import cards, target_urls

COLUMNS = ("token", "email", "first_name", "last_name", "alias", "reroute_url", "show_profile", "design", "taps")
YES = ("1", "true", "yes", "y")
NO = ("", "0", "false", "no", "n")


@dataclass
class Report:
    """What an import did, or would do; errors by row number of the file."""

    added: int = 0
    unchanged: int = 0
    errors: list[tuple[int, str]] = field(default_factory=list)


class BadRow(DomainError):
    """A row of the file cannot be taken over."""


def run(lines: Iterable[str], own_hosts: Collection[str], keys: Keys, actor: User | None = None) -> Report:
    """Take the rows over in the caller's transaction; who finds errors in the report rolls back.

    A token that is a card already is left as it is, so the same file twice changes nothing.
    """
    report = Report()
    reader = csv.DictReader(line.removeprefix("\ufeff") for line in lines)
    try:
        _take_over_all(reader, report, own_hosts, keys)
    except csv.Error as error:
        report.errors.append((reader.reader.line_num, f"This isn't a valid CSV file: {error}."))
    if report.added and not report.errors:
        audit.record("cards.imported", actor=actor, number=report.added)
    return report


def _take_over_all(reader: "csv.DictReader[str]", report: Report, own_hosts: Collection[str], keys: Keys) -> None:
    columns = {(name or "").strip().lower() for name in reader.fieldnames or ()}
    if "token" not in columns:
        report.errors.append((1, "The first row must contain the column names: " + ", ".join(COLUMNS) + "."))
        return
    seen: set[str] = set()
    for raw in reader:
        row = {(name or "").strip().lower(): (value or "").strip() for name, value in raw.items() if name is not None}
        if not any(row.values()):
            continue
        try:
            if _take_over(row, seen, own_hosts, keys):
                report.added += 1
            else:
                report.unchanged += 1
        except DomainError as error:
            report.errors.append((reader.line_num, str(error)))


def _take_over(row: dict[str, str], seen: set[str], own_hosts: Collection[str], keys: Keys) -> bool:
    for name, value in row.items():
        if any(unicodedata.category(each) == "Cc" for each in value):
            raise BadRow(_("%(column)s contains control characters."), column=name)
    token = cards.clean_token(row["token"])
    if not token:
        raise BadRow(_("The token %(token)r is not valid. Use up to 20 letters and digits."), token=row["token"])
    if token in seen:
        raise BadRow(_("The token %(token)s appears more than once in the file."), token=token)
    seen.add(token)
    if db.session.scalar(select(Card.id).where(Card.token == token)) is not None:
        return False
    owner = _owner(row)
    card = Card(token=token, design=_design(row), owner=owner, imported_tap_count=_taps(row))
    card.status = CardStatus.ACTIVE if owner is not None else CardStatus.UNCLAIMED
    card.claim_policy = ClaimPolicy.CODE
    if owner is None:
        cards.set_code(card, new_code(), keys)
    else:
        card.claimed_at = utcnow()
        _point(card, row, owner, own_hosts)
    db.session.add(card)
    db.session.add(CardEvent(card=card, move=CardMove.MAKE, to_status=card.status, why="imported"))
    db.session.flush()  # the next row may ask for the same alias
    return True


def _owner(row: dict[str, str]) -> User | None:
    if not row.get("email"):
        return None
    owner = registration.get_or_create_account(row["email"], row.get("first_name", ""), row.get("last_name", ""))
    if owner.password_hash is not None and not owner.is_verified:  # anybody can sign up with somebody else's address
        raise BadRow(_("%(email)s has signed up but not confirmed the email address yet."), email=owner.email)
    return owner


def _design(row: dict[str, str]) -> Design | None:
    name = row.get("design", "")
    if not name:
        return None
    design = db.session.scalar(select(Design).where(Design.name == name).order_by(Design.id).limit(1))
    if design is None:
        raise BadRow(_("No design is called %(name)r."), name=name)
    return design


def _taps(row: dict[str, str]) -> int:
    text = row.get("taps", "") or "0"
    count = parse_number(text, max_digits=9)
    if count is None:
        raise BadRow(_("%(taps)r is not a valid number of taps."), taps=text)
    return count


def _point(card: Card, row: dict[str, str], owner: User, own_hosts: Collection[str]) -> None:
    alias = row.get("alias", "")
    if len(alias) > ALIAS_LENGTH:
        raise BadRow(_("The alias is longer than %(most)d characters."), most=ALIAS_LENGTH)
    if alias and cards.has_alias(owner, alias):
        raise BadRow(_("%(email)s already has a card called %(alias)r."), email=owner.email, alias=alias)
    shown = row.get("show_profile", "").lower()
    if shown not in (*YES, *NO):
        raise BadRow(_("show_profile is %(value)r. Use yes or no."), value=shown)
    card.alias = alias or None
    if row.get("reroute_url"):
        link = target_urls.clean(row["reroute_url"], own_hosts)
        card.reroute_url, card.reroute_host, card.target = link.url, link.host, Target.URL
        card.is_blocked = cards.is_blocked(link.host)
    if shown in YES:
        card.target = Target.PROFILE
