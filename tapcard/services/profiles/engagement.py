"""What visitors do on public pages: counted for the holder, bounded, and tied to the day's pseudonym alone."""

from collections.abc import Mapping
from dataclasses import dataclass
from datetime import datetime, timedelta

import sqlalchemy as sa
from sqlalchemy.engine import Connection

from ...db import db
from ...models import Card, Outcome, Profile, ProfileAction, ProfileActionKind, Tap, User
from . import profiles

ONCE_IN = timedelta(minutes=10)  # the same visitor doing the same thing again is one interest
MOST_AN_HOUR = 500  # of a profile: nobody may fill the table
LED_HERE_WITHIN = timedelta(hours=2)
WEB = ("http://", "https://")


@dataclass(frozen=True)
class Action:
    """One thing a visitor did; `visitor` is None where a pseudonym must not be kept."""

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
    """Write an action down, unless it repeats one or the profile has had its fill; tells whether it did."""
    if _repeats(connection, action) or _is_full(connection, action):
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


def card_before(connection: Connection, action_by: str, profile_id: int, owner_id: int, at: datetime) -> int | None:
    """The card whose tap led a visitor to a profile, if the same phone tapped one lately; known by the pseudonym."""
    return connection.execute(
        sa.select(Tap.card_id)
        .join(Card, Card.id == Tap.card_id)
        .where(
            Tap.owner_id == owner_id,
            Tap.tapped_at >= at - LED_HERE_WITHIN,
            Tap.tapped_at <= at,
            Tap.visitor == action_by,
            Tap.outcome == Outcome.PROFILE,
            Card.profile_id == profile_id,
        )
        .order_by(Tap.tapped_at.desc())
        .limit(1)
    ).scalar_one_or_none()


def counts(owner: User, since: datetime, profile: Profile | None = None) -> Mapping[ProfileActionKind, int]:
    """How often each thing was done on a holder's profiles by others; robots do not count."""
    wanted = [Profile.owner_id == owner.id, ProfileAction.happened_at >= since]
    if profile is not None:
        wanted.append(ProfileAction.profile_id == profile.id)
    rows = db.session.execute(
        sa.select(ProfileAction.kind, sa.func.count().label("number"))
        .join(Profile, Profile.id == ProfileAction.profile_id)
        .where(*wanted, ~ProfileAction.is_bot, ~ProfileAction.is_own)
        .group_by(ProfileAction.kind)
    )
    found = {row.kind: int(row.number) for row in rows}
    return {kind: found.get(kind, 0) for kind in ProfileActionKind}


def web_links(profile: Profile) -> dict[str, str]:
    """The links of a public page that lead to other sites, by the keys they are opened with."""
    links = {row.kind: row.href for row in profiles.contacts(profile) if row.href.startswith(WEB)}
    extra = {f"link-{link.id}": link.url for link in profile.links if link.is_shown and link.url.startswith(WEB)}
    return {**links, **extra}


def _repeats(connection: Connection, action: Action) -> bool:
    if not action.visitor:
        return False
    same = sa.select(ProfileAction.id).where(
        ProfileAction.profile_id == action.profile_id,
        ProfileAction.happened_at > action.at - ONCE_IN,
        ProfileAction.visitor == action.visitor,
        ProfileAction.kind == action.kind,
        ProfileAction.detail == action.detail,
    )
    return connection.execute(same.limit(1)).first() is not None


def _is_full(connection: Connection, action: Action) -> bool:
    last_hour = (
        sa.select(ProfileAction.id)
        .where(
            ProfileAction.profile_id == action.profile_id, ProfileAction.happened_at > action.at - timedelta(hours=1)
        )
        .limit(MOST_AN_HOUR)
        .subquery()
    )
    return (connection.execute(sa.select(sa.func.count()).select_from(last_hour)).scalar_one()) >= MOST_AN_HOUR
