"""Leads: the contacts that visitors leave on a profile, for its holder alone."""

import re
from collections.abc import Callable, Iterator, Sequence
from datetime import datetime, timedelta

import sqlalchemy as sa
from sqlalchemy import Select, select
from sqlalchemy.orm import joinedload

from ... import outbox
from ...db import acquire_lock, db
from ...errors import NotFound
from ...errors import mark as _
from ...ids import is_id
from ...models import Lead, Profile, User
from ..core import audit
from . import profiles
from .profiles import BadEntry

NAME_LENGTH, NOTE_LENGTH, CONSENT_LENGTH = 60, 500, 500
SAME_WITHIN = timedelta(minutes=15)
MOST_LINKS = 2
LONGEST_SEARCH = 100

_LINK = re.compile(
    r"https?:|www\.|(?<![@.\w-])[a-z0-9-]+\.(?:com|net|org|info|biz|ru|cn|top|xyz|shop|online|site|io)\b",
    re.IGNORECASE,
)
_MARKUP = re.compile(r"</?a\b|\[/?(?:url|link)\b", re.IGNORECASE)
_PHONE_LIKE = re.compile(r"\+?[0-9][0-9 ().-]{2,}")


class LeadNotFound(NotFound):
    """There is no such lead, or it is none of the asker's business."""


# --- receiving --------------------------------------------------------------------------------------------------------


def receive(
    profile: Profile,
    *,
    name: str,
    email: str,
    phone: str,
    note: str,
    region: str,
    consent_text: str,
    now: datetime,
    card_id: int | None = None,
) -> Lead | None:
    """Keep the contact that a visitor leaves, and promise its holder a mail; None when it is spam or was sent twice.

    Raises `BadEntry` with its field. Whoever sent it is told the same in either case.
    """
    lead = Lead(
        owner_id=profile.owner_id,
        profile_id=profile.id,
        card_id=card_id,
        name=_clean_name(name),
        note=_clean_note(note),
        consent_text=consent_text[:CONSENT_LENGTH],
        created_at=now,
        **_clean_reach(email, phone, region),
    )
    if is_spam(lead.name, lead.note):
        return None
    acquire_lock(f"lead:{profile.id}")
    if _is_twice(lead):
        return None
    db.session.add(lead)
    db.session.flush()  # the mail's promise names it
    if profile.owner.wants_lead_mail and profile.owner.is_verified:
        outbox.post("mail.lead_received", lead_id=lead.id)
    return lead


def refusals(*, name: str, email: str, phone: str, note: str, region: str) -> Iterator[BadEntry]:
    """Everything that is wrong with what a visitor typed, so that a form can say all of it at once."""
    checks: tuple[Callable[[], object], ...] = (
        lambda: _clean_name(name),
        lambda: _clean_note(note),
        lambda: _clean_reach(email, "", region) if email.strip() or not phone.strip() else None,
        lambda: profiles.clean("phone", phone, region),
    )
    for check in checks:
        try:
            check()
        except BadEntry as error:
            yield error


def is_spam(name: str, note: str) -> bool:
    """Whether a text wants its links clicked rather than its sender known."""
    return _MARKUP.search(f"{name} {note}") is not None or len(_LINK.findall(note)) > MOST_LINKS


def _is_twice(lead: Lead) -> bool:
    same = select(Lead.id).where(
        Lead.owner_id == lead.owner_id,
        Lead.created_at > lead.created_at - SAME_WITHIN,
        Lead.profile_id == lead.profile_id,
        Lead.name == lead.name,
        Lead.email.is_not_distinct_from(lead.email),
        Lead.phone.is_not_distinct_from(lead.phone),
        Lead.note == lead.note,
    )
    return db.session.scalar(same.limit(1)) is not None


def _clean_name(text: str) -> str:
    name = " ".join(text.split())
    if not any(each.isalnum() for each in name):
        raise BadEntry(_("Enter your name."), field="name")
    if _LINK.search(name):
        raise BadEntry(_("Enter your name without a web address."), field="name")
    if len(name) > NAME_LENGTH:
        raise BadEntry(_("Enter %(most)s characters or fewer."), field="name", most=NAME_LENGTH)
    return name


def _clean_note(text: str) -> str:
    note = text.replace("\r\n", "\n").replace("\r", "\n").strip()
    if len(note) > NOTE_LENGTH:
        raise BadEntry(_("Enter %(most)s characters or fewer."), field="note", most=NOTE_LENGTH)
    return note


def _clean_reach(email: str, phone: str, region: str) -> dict[str, str | None]:
    if not email.strip() and not phone.strip():
        raise BadEntry(_("Enter an email address or a phone number."), field="email")
    return {"email": profiles.clean("email", email, region), "phone": profiles.clean("phone", phone, region)}


# --- the holder's -----------------------------------------------------------------------------------------------------


def owned_by(holder: User) -> Select[Lead]:
    """A holder's leads, the newest first; none before their address is verified."""
    found = select(Lead).where(Lead.owner_id == holder.id).order_by(Lead.created_at.desc(), Lead.id.desc())
    return found if holder.is_verified else found.where(sa.false())


def matching(holder: User, search: str = "", profile: Profile | None = None) -> Select[Lead]:
    """A holder's leads in whose name, e-mail, phone or note a text stands, of one profile if one is given."""
    found = owned_by(holder)
    if profile is not None:
        found = found.where(Lead.profile_id == profile.id)
    if search:
        columns = (Lead.name, Lead.email, Lead.phone, Lead.note)
        hits = [column.icontains(search, autoescape=True) for column in columns]
        if _PHONE_LIKE.fullmatch(search):
            digits = re.sub(r"[^0-9]", "", search).lstrip("0")
            hits.append(Lead.phone.contains(digits or "0", autoescape=True))
        found = found.where(sa.or_(*hits))
    return found


def clean_search(text: str) -> str:
    """A text to look for, without what no column can hold."""
    return "".join(each for each in text if each.isprintable()).strip()[:LONGEST_SEARCH]


def number_of(found: Select[Lead]) -> int:
    """How many leads a selection has."""
    return db.session.scalar(select(sa.func.count()).select_from(found.order_by(None).subquery())) or 0


def latest(holder: User, number: int) -> Sequence[Lead]:
    """The newest leads of a holder."""
    return db.session.scalars(owned_by(holder).options(joinedload(Lead.profile)).limit(number)).all()


def own_lead(holder: User, lead_id: int) -> Lead:
    """A holder's lead by its id; anybody else's does not exist."""
    lead = None
    if is_id(lead_id):
        lead = db.session.scalar(owned_by(holder).where(Lead.id == lead_id))
    if lead is None:
        raise LeadNotFound(_("We couldn't find that contact."))
    return lead


def delete(lead: Lead, actor: User) -> None:
    """Delete a lead for good."""
    audit.record("lead.deleted", subject=lead, actor=actor)
    db.session.delete(lead)
