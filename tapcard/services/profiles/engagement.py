"""Actions of visitors on public profile pages, identified only by the daily visitor hash."""

from collections.abc import Mapping
from dataclasses import dataclass
from datetime import datetime, timedelta

import sqlalchemy as sa
from sqlalchemy.engine import Connection

from ...db import db
from ...models import Card, Outcome, Profile, ProfileAction, ProfileActionKind, Tap, User
from . import contacts

DUPLICATE_WINDOW = timedelta(minutes=10)  # the same action of the same visitor counts once
MAX_ACTIONS_PER_HOUR = 500  # per profile, so that the table cannot be flooded
TAP_ATTRIBUTION_WINDOW = timedelta(hours=2)
WEB_PREFIXES = ("http://", "https://")


@dataclass(frozen=True)
class Action:
    """One action of a visitor; `visitor` is the daily hash, None where it must not be stored."""

    profile_id: int
    owner_id: int
    kind: ProfileActionKind
    at: datetime
    visitor: str | None
    is_bot: bool
    is_own: bool
    detail: str = ""
    card_id: int | None = None


def record(connection: Connection, action: Action) -> bool:
    """Store an action and return True, or False if it is a duplicate or the hourly limit is reached."""
    if _is_duplicate(connection, action) or _limit_reached(connection, action):
        return False
    connection.execute(
        sa.insert(ProfileAction).values(
            profile_id=action.profile_id,
            card_id=action.card_id,
            kind=action.kind,
            detail=action.detail,
            happened_at=action.at,
            visitor=action.visitor,
            is_bot=action.is_bot,
            is_own=action.is_own,
        )
    )
    return True


def card_that_led_to(connection: Connection, visitor: str, profile_id: int, owner_id: int, at: datetime) -> int | None:
    """Return the card whose tap brought a visitor (by hash) to a profile within the last two hours, or None."""
    return connection.execute(
        sa.select(Tap.card_id)
        .join(Card, Card.id == Tap.card_id)
        .where(
            Tap.owner_id == owner_id,
            Tap.tapped_at >= at - TAP_ATTRIBUTION_WINDOW,
            Tap.tapped_at <= at,
            Tap.visitor == visitor,
            Tap.outcome == Outcome.PROFILE,
            Card.profile_id == profile_id,
        )
        .order_by(Tap.tapped_at.desc())
        .limit(1)
    ).scalar_one_or_none()


def action_counts(owner: User, since: datetime, profile: Profile | None = None) -> Mapping[ProfileActionKind, int]:
    """Return the number of actions of each kind on a user's profiles, without bots and the user's own."""
    conditions = [Profile.owner_id == owner.id, ProfileAction.happened_at >= since]
    if profile is not None:
        conditions.append(ProfileAction.profile_id == profile.id)
    rows = db.session.execute(
        sa.select(ProfileAction.kind, sa.func.count().label("number"))
        .join(Profile, Profile.id == ProfileAction.profile_id)
        .where(*conditions, ~ProfileAction.is_bot, ~ProfileAction.is_own)
        .group_by(ProfileAction.kind)
    )
    numbers = {row.kind: int(row.number) for row in rows}
    return {kind: numbers.get(kind, 0) for kind in ProfileActionKind}


def web_links(profile: Profile) -> dict[str, str]:
    """Return the web links of a public page by the keys that `/go` addresses contain."""
    links = {row.kind: row.href for row in contacts.contact_rows(profile) if row.href.startswith(WEB_PREFIXES)}
    extra = {
        f"link-{link.id}": link.url for link in profile.links if link.is_shown and link.url.startswith(WEB_PREFIXES)
    }
    return {**links, **extra}


def _is_duplicate(connection: Connection, action: Action) -> bool:
    if not action.visitor:
        return False
    same = sa.select(ProfileAction.id).where(
        ProfileAction.profile_id == action.profile_id,
        ProfileAction.happened_at > action.at - DUPLICATE_WINDOW,
        ProfileAction.visitor == action.visitor,
        ProfileAction.kind == action.kind,
        ProfileAction.detail == action.detail,
    )
    return connection.execute(same.limit(1)).first() is not None


def _limit_reached(connection: Connection, action: Action) -> bool:
    last_hour = (
        sa.select(ProfileAction.id)
        .where(
            ProfileAction.profile_id == action.profile_id, ProfileAction.happened_at > action.at - timedelta(hours=1)
        )
        .limit(MAX_ACTIONS_PER_HOUR)
        .subquery()
    )
    return (connection.execute(sa.select(sa.func.count()).select_from(last_hour)).scalar_one()) >= MAX_ACTIONS_PER_HOUR
