"""Data export: everything stored about a user as JSON, with pictures, streamed because there may be a million taps.

It contains no data of other people except the contact details they left for this user.
"""

import base64
import json
from collections.abc import Iterable, Iterator
from datetime import date, datetime
from pathlib import Path
from typing import Any

import sqlalchemy as sa
from sqlalchemy import select
from sqlalchemy.orm import InstrumentedAttribute

from ... import files
from ...db import db
from ...errors import NotFound
from ...models import (
    Address,
    AuditEntry,
    Card,
    CardEvent,
    CardTransfer,
    Design,
    Enquiry,
    FormerSlug,
    Lead,
    Profile,
    ProfileLink,
    RecoveryCode,
    Subscriber,
    Tap,
    TwoFactor,
    User,
    UserAgent,
    WebSession,
)

BATCH_SIZE = 1000  # rows per fetch
CHUNK_SIZE = 3 * 4096  # bytes of a picture per chunk; a multiple of 3, for base64
PROFILE = (
    "slug", "name", "headline", "company", "bio", "email", "phone", "whatsapp", "linkedin", "instagram", "snapchat",
    "x", "tiktok", "youtube", "facebook", "github", "website", "address", "photo", "banner", "theme", "is_public",
    "hidden_fields", "created_at",
)  # fmt: skip
CARD = ("token", "alias", "status", "locked_because", "target", "reroute_url", "is_blocked", "created_at", "claimed_at")
ADDRESS = (
    "name", "company", "line1", "line2", "city", "region", "postal_code", "country", "phone", "is_default", "created_at"
)  # fmt: skip
DESIGN = ("name", "front_picture", "rear_picture", "created_at")
NEWSLETTER = ("email", "status", "consent_text", "asked_at", "confirmed_at", "unsubscribed_at")
ENQUIRY = ("name", "email", "order_number", "message", "created_at", "answered_at")
LEAD = ("name", "email", "phone", "note", "consent_text", "created_at")
ACCOUNT = ("email", "title", "first_name", "last_name", "born_on", "verified_at", "created_at", "seen_at")
MAILS = ("wants_lead_mail", "wants_weekly_mail", "weekly_mail_on")


def stream_json(user: User, now: datetime, uploads: Path) -> Iterator[str]:
    """Yield the JSON text in chunks; consume it within one read-only transaction.

    `uploads` is the folder of the pictures, which come last, each as a `data:` URL.
    """
    yield "{\n" + _member("made_at", now)
    yield ",\n" + _member("account", {name: getattr(user, name) for name in ACCOUNT})
    yield ",\n" + _member("roles", sorted(role.name for role in user.roles))
    yield ",\n" + _member("mails", {name: getattr(user, name) for name in MAILS})
    yield ",\n" + _member("two_factor", _two_factor(user))
    for name, rows in _sections(user):
        yield f",\n{json.dumps(name)}: ["
        for place, row in enumerate(rows):
            yield ("," if place else "") + "\n  " + _to_json(row)
        yield "\n]"
    yield ',\n"pictures": ['
    for place, name in enumerate(_pictures(user)):
        yield ("," if place else "") + f'\n  {{"name": {json.dumps(name)}, "data": '
        yield from _picture(name, uploads)
        yield "}"
    yield "\n]\n}\n"


def _sections(user: User) -> Iterator[tuple[str, Iterable[dict[str, Any]]]]:
    of_cards = select(Card.id).where(Card.owner_id == user.id)
    yield "addresses", _select_columns(Address, ADDRESS, Address.user_id == user.id)
    yield "profiles", _profiles(user)
    yield "designs", _select_columns(Design, DESIGN, Design.owner_id == user.id)
    yield "cards", _select_columns(Card, CARD, Card.owner_id == user.id)
    yield "card_events", _rows(_events(user, of_cards))
    yield "transfers", _rows(_transfers(user))
    yield (
        "leads",
        _rows(
            select(*(getattr(Lead, name) for name in LEAD), Profile.slug.label("profile"), Card.token.label("card"))
            .outerjoin(Profile, sa.and_(Profile.id == Lead.profile_id, Profile.owner_id == user.id))
            .outerjoin(Card, sa.and_(Card.id == Lead.card_id, Card.owner_id == user.id))
            .where(Lead.owner_id == user.id, sa.literal(user.is_verified))
            .order_by(Lead.id)
        ),
    )
    is_theirs = sa.literal(user.is_verified)
    yield "newsletter", _select_columns(Subscriber, NEWSLETTER, sa.and_(Subscriber.email == user.email, is_theirs))
    is_author = sa.or_(Enquiry.user_id == user.id, sa.and_(Enquiry.email == user.email, is_theirs))
    yield "enquiries", _select_columns(Enquiry, ENQUIRY, is_author)
    yield (
        "sessions",
        _select_columns(WebSession, ("device", "created_at", "seen_at", "expires_at"), WebSession.user_id == user.id),
    )
    yield "deeds", _select_columns(AuditEntry, ("tag", "happened_at", "subject_type"), AuditEntry.actor_id == user.id)
    yield "taps", _rows(_taps(user))


def _rows(query: sa.Select[Any]) -> Iterator[dict[str, Any]]:
    for row in db.session.execute(query.execution_options(yield_per=BATCH_SIZE)):
        yield dict(row._mapping)  # noqa: SLF001  public in all but its name


def _select_columns(model: Any, names: Iterable[str], condition: sa.ColumnElement[bool]) -> Iterator[dict[str, Any]]:
    columns: list[InstrumentedAttribute[Any]] = [getattr(model, name) for name in names]
    return _rows(select(*columns).where(condition).order_by(model.id))


def _two_factor(user: User) -> dict[str, Any]:
    codes = select(sa.func.count()).where(RecoveryCode.user_id == user.id, RecoveryCode.used_at.is_(None))
    since = select(TwoFactor.confirmed_at).where(TwoFactor.user_id == user.id)
    return {"since": db.session.scalar(since), "unused_recovery_codes": db.session.scalar(codes)}


def _profiles(user: User) -> Iterator[dict[str, Any]]:
    for profile in db.session.scalars(select(Profile).where(Profile.owner_id == user.id).order_by(Profile.id)):
        links = _select_columns(ProfileLink, ("title", "url", "is_shown"), ProfileLink.profile_id == profile.id)
        former = select(FormerSlug.slug).where(FormerSlug.profile_id == profile.id).order_by(FormerSlug.id)
        yield {
            **{name: getattr(profile, name) for name in PROFILE},
            "links": list(links),
            "former_slugs": list(db.session.scalars(former)),
        }


def _pictures(user: User) -> list[str]:
    """Return the names of the pictures of a user's profiles and designs."""
    profile_rows = db.session.execute(select(Profile.photo, Profile.banner).where(Profile.owner_id == user.id)).all()
    drawn = select(Design.front_picture, Design.rear_picture).where(Design.owner_id == user.id)
    return sorted({name for row in (*profile_rows, *db.session.execute(drawn)) for name in row if name})


def _picture(name: str, uploads: Path) -> Iterator[str]:
    """Yield the content of a picture as JSON; null if the file is missing."""
    try:
        file = files.open_upload(name, uploads)
    except NotFound:
        yield "null"
        return
    with file:
        yield f'"data:{files.KINDS[name.rpartition(".")[2]]};base64,'
        while chunk := file.read(CHUNK_SIZE):
            yield base64.b64encode(chunk).decode()
        yield '"'


def _events(user: User, of_cards: sa.Select[Any]) -> sa.Select[Any]:
    """Return the query of card events: the user's own, and those of their cards since they claimed them.

    Reasons are included for the user's own events only.
    """
    is_mine = CardEvent.actor_id == user.id
    since = sa.and_(CardEvent.card_id.in_(of_cards), CardEvent.happened_at >= Card.claimed_at)
    return (
        select(
            Card.token.label("card"),
            CardEvent.happened_at,
            CardEvent.move,
            CardEvent.from_status,
            CardEvent.to_status,
            sa.case((is_mine, True), else_=False).label("by_you"),
            sa.case((is_mine, CardEvent.why), else_="").label("why"),
        )
        .join(CardEvent.card)
        .where(sa.or_(is_mine, since))
        .order_by(CardEvent.id)
    )


def _transfers(user: User) -> sa.Select[Any]:
    """Return the query of transfers a user offered or accepted, without the other party."""
    return (
        select(
            Card.token.label("card"),
            sa.case((CardTransfer.from_user_id == user.id, "from you"), else_="to you").label("direction"),
            CardTransfer.created_at,
            CardTransfer.expires_at,
            CardTransfer.ended_at,
            CardTransfer.outcome,
        )
        .join(CardTransfer.card)
        .where(sa.or_(CardTransfer.from_user_id == user.id, CardTransfer.to_user_id == user.id))
        .order_by(CardTransfer.id)
    )


def _taps(user: User) -> Any:
    """Return the query of taps of a user's cards, without data that distinguishes visitors."""
    return (
        select(
            Card.token.label("card"),
            Tap.tapped_at,
            Tap.channel,
            Tap.outcome,
            UserAgent.device,
            UserAgent.os_family,
            Tap.country,
            Tap.is_bot,
            Tap.is_own,
        )
        .outerjoin(Card, Card.id == Tap.card_id)
        .outerjoin(UserAgent, UserAgent.id == Tap.user_agent_id)
        .where(Tap.owner_id == user.id)
        .order_by(Tap.tapped_at)
    )


def _member(name: str, value: Any) -> str:
    return f"{json.dumps(name)}: {_to_json(value)}"


def _to_json(value: Any) -> str:
    return json.dumps(value, ensure_ascii=False, default=_json_default)


def _json_default(value: Any) -> str:
    if isinstance(value, datetime | date):
        return value.isoformat()
    raise TypeError(f"{type(value).__name__} has no JSON")
