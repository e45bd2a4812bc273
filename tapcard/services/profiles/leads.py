"""Leads: contact details that visitors leave on a profile for its owner."""

import re
from collections.abc import Callable, Iterator, Sequence
from dataclasses import dataclass, replace
from datetime import datetime, timedelta

import sqlalchemy as sa
from sqlalchemy import Select, select
from sqlalchemy.orm import joinedload

from ... import outbox, search_text, spam
from ...db import acquire_lock, db
from ...errors import NotFound
from ...errors import mark as _
from ...ids import is_id
from ...models import Lead, Profile, User
from ..core import audit
from . import fields
from .fields import InvalidField

NAME_LENGTH, NOTE_LENGTH, CONSENT_LENGTH = 60, 500, 500
DUPLICATE_WINDOW = timedelta(minutes=15)
MAX_SEARCH_LENGTH = 100

_PHONE_LIKE = re.compile(r"\+?[0-9][0-9 ().-]{2,}")


class LeadNotFound(NotFound):
    """The lead does not exist or belongs to another user."""


# --- receiving --------------------------------------------------------------------------------------------------------


@dataclass(frozen=True)
class Submission:
    """The fields of a submitted lead form, not validated yet; `region` is the country of national phone numbers."""

    name: str
    email: str
    phone: str
    note: str
    region: str


def receive(
    profile: Profile, submission: Submission, *, consent_text: str, now: datetime, card_id: int | None = None
) -> Lead | None:
    """Store a lead and queue an email to the profile's owner; return None if it is spam or a duplicate.

    Raises `InvalidField` with its field. The visitor sees the same page in either case.
    """
    lead = Lead(
        owner_id=profile.owner_id,
        profile_id=profile.id,
        card_id=card_id,
        name=_clean_name(submission.name),
        note=_clean_note(submission.note),
        consent_text=consent_text[:CONSENT_LENGTH],
        created_at=now,
        **_clean_contact(submission),
    )
    if spam.is_spam(lead.name, lead.note):
        return None
    acquire_lock(f"lead:{profile.id}")
    if _is_duplicate(lead):
        return None
    db.session.add(lead)
    db.session.flush()  # the email needs its id
    if profile.owner.wants_lead_mail and profile.owner.is_verified:
        outbox.post("mail.lead_received", lead_id=lead.id)
    return lead


def validation_errors(submission: Submission) -> Iterator[InvalidField]:
    """Yield the error of each invalid field, so that a form can show all of them at once."""
    checks: tuple[Callable[[], object], ...] = (
        lambda: _clean_name(submission.name),
        lambda: _clean_note(submission.note),
        lambda: (
            _clean_contact(replace(submission, phone=""))
            if submission.email.strip() or not submission.phone.strip()
            else None
        ),
        lambda: fields.clean("phone", submission.phone, submission.region),
    )
    for check in checks:
        try:
            check()
        except InvalidField as error:
            yield error


def _is_duplicate(lead: Lead) -> bool:
    same = select(Lead.id).where(
        Lead.owner_id == lead.owner_id,
        Lead.created_at > lead.created_at - DUPLICATE_WINDOW,
        Lead.profile_id == lead.profile_id,
        Lead.name == lead.name,
        Lead.email.is_not_distinct_from(lead.email),
        Lead.phone.is_not_distinct_from(lead.phone),
        Lead.note == lead.note,
    )
    return db.session.scalar(same.limit(1)) is not None


def _clean_name(text: str) -> str:
    name = " ".join(text.split())
    if not any(character.isalnum() for character in name):
        raise InvalidField(_("Enter your name."), field="name")
    if spam.has_link(name):
        raise InvalidField(_("Enter your name without a web address."), field="name")
    if len(name) > NAME_LENGTH:
        raise InvalidField(_("Enter %(most)s characters or fewer."), field="name", most=NAME_LENGTH)
    return name


def _clean_note(text: str) -> str:
    note = text.replace("\r\n", "\n").replace("\r", "\n").strip()
    if len(note) > NOTE_LENGTH:
        raise InvalidField(_("Enter %(most)s characters or fewer."), field="note", most=NOTE_LENGTH)
    return note


def _clean_contact(submission: Submission) -> dict[str, str | None]:
    email, phone, region = submission.email, submission.phone, submission.region
    if not email.strip() and not phone.strip():
        raise InvalidField(_("Enter an email address or a phone number."), field="email")
    return {"email": fields.clean("email", email, region), "phone": fields.clean("phone", phone, region)}


# --- the owner's leads ------------------------------------------------------------------------------------------------


def owned_by(holder: User) -> Select[Lead]:
    """Select a user's leads, newest first; none while their email address is not verified."""
    leads = select(Lead).where(Lead.owner_id == holder.id).order_by(Lead.created_at.desc(), Lead.id.desc())
    return leads if holder.is_verified else leads.where(sa.false())


def search_leads(holder: User, search: str = "", profile: Profile | None = None) -> Select[Lead]:
    """Select a user's leads that contain words in name, email, phone or note, perhaps of one profile only."""
    leads = owned_by(holder)
    if profile is not None:
        leads = leads.where(Lead.profile_id == profile.id)
    if search:
        matches = [search_text.matches(search, Lead.name, Lead.email, Lead.phone, Lead.note)]
        if _PHONE_LIKE.fullmatch(search):
            digits = re.sub(r"[^0-9]", "", search).lstrip("0")
            matches.append(Lead.phone.contains(digits or "0", autoescape=True))
        leads = leads.where(sa.or_(*matches))
    return leads


def clean_search(text: str) -> str:
    """Return a search text without unprintable characters, cut to the maximum length."""
    return "".join(character for character in text if character.isprintable()).strip()[:MAX_SEARCH_LENGTH]


def latest(holder: User, number: int) -> Sequence[Lead]:
    """Return the newest leads of a user."""
    return db.session.scalars(owned_by(holder).options(joinedload(Lead.profile)).limit(number)).all()


def own_lead(holder: User, lead_id: int) -> Lead:
    """Return a user's own lead by its id; raise `LeadNotFound` for any other."""
    lead = None
    if is_id(lead_id):
        lead = db.session.scalar(owned_by(holder).where(Lead.id == lead_id))
    if lead is None:
        raise LeadNotFound(_("We couldn't find that lead."))
    return lead


def delete(lead: Lead, actor: User) -> None:
    """Delete a lead for good."""
    audit.record("lead.deleted", subject=lead, actor=actor)
    db.session.delete(lead)
