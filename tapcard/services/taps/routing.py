"""Taps: where a card leads.

The rules live here once; the fast way (`tap/fast.py`) and the views (`tap/views.py`) both ask them.
"""

from collections.abc import Callable, Sequence
from dataclasses import dataclass
from datetime import datetime
from typing import Any

import sqlalchemy as sa

from ...db import db
from ...models import Card, CardStatus, Outcome, Profile, Tap, Target, User, UserAgent
from ..cards import cards

# a tap that only met a card in stock, switched off or unknown says nothing about interest in its holder
NOT_INTEREST = (Outcome.ACTIVATION, Outcome.ORPHAN, Outcome.RETIRED, Outcome.SWITCHED_OFF)


@dataclass(frozen=True)
class CardFacts:
    """What of a card decides over a tap; `profile_slug` is None when the profile is not set or gone."""

    id: int
    status: str
    owner_id: int | None
    design_id: int | None
    target: str | None
    reroute_url: str | None
    is_blocked: bool
    profile_slug: str | None = None


@dataclass(frozen=True)
class Visitor:
    """Who taps, as far as we know."""

    user_id: int | None = None
    may_register: bool = False


@dataclass(frozen=True)
class Answer:
    """What a tap gets: an outcome, and the address when that alone settles it."""

    outcome: Outcome
    url: str | None = None
    may_register: bool = False  # whether this is staff with a blank card in hand


def leads_straight(status: str, target: str | None, reroute_url: str | None, is_blocked: bool) -> bool:
    """Whether a tap is a plain redirect, which needs nothing else to be known."""
    return status == CardStatus.ACTIVE and target == Target.URL and bool(reroute_url) and not is_blocked


def resolve(card: CardFacts | None, who: Callable[[], Visitor]) -> Answer:
    """Decide what a tap does, in the order of the specification; total over every combination of facts.

    `who` is asked only where the answer depends on it: a redirect must not look at the visitor's session.
    """
    if card is None:
        return Answer(Outcome.ORPHAN, may_register=who().may_register)
    if card.status == CardStatus.RETIRED:
        return Answer(Outcome.RETIRED)
    if card.status == CardStatus.LOCKED:
        return Answer(Outcome.SWITCHED_OFF)
    if card.status == CardStatus.UNCLAIMED:
        return Answer(Outcome.ACTIVATION)
    if card.target == Target.URL and card.is_blocked:
        return Answer(Outcome.SWITCHED_OFF)
    if leads_straight(card.status, card.target, card.reroute_url, card.is_blocked):
        return Answer(Outcome.REDIRECT, url=card.reroute_url)
    if card.target == Target.PROFILE and card.profile_slug:
        return Answer(Outcome.PROFILE)
    is_own = card.owner_id is not None and who().user_id == card.owner_id
    return Answer(Outcome.EDIT if is_own else Outcome.SETUP)


def facts(token: str) -> CardFacts | None:
    """Read what decides over a tap: one query."""
    found = db.session.execute(
        sa.select(
            Card.id,
            Card.status,
            Card.owner_id,
            Card.design_id,
            Card.target,
            Card.reroute_url,
            Card.is_blocked,
            Profile.slug,
        )
        .outerjoin(Profile, Profile.id == Card.profile_id)
        .where(Card.token == token.upper())
    ).one_or_none()
    return None if found is None else CardFacts(*found)


def last_taps(owner: User, limit: int, card: Card | None = None) -> Sequence[Any]:
    """The latest taps by others: rows of (alias, token, tapped_at, device, os_family, country, channel).

    A card's are its own and those of the cards it replaced. A card that is another's by now goes by its token.
    """
    wanted = [Tap.owner_id == owner.id, ~Tap.is_bot, ~Tap.is_own, Tap.outcome.not_in(NOT_INTEREST)]
    if card is not None:
        wanted.append(
            Tap.card_id.in_(cards.replacement_chain_ids(card))
        )  # as numbers: with them the index gives the latest
    alias = sa.case((Card.owner_id == owner.id, Card.alias))
    return db.session.execute(
        sa.select(
            alias.label("alias"),
            Card.token,
            Tap.tapped_at,
            UserAgent.device,
            UserAgent.os_family,
            Tap.country,
            Tap.channel,
        )
        .join(Card, Card.id == Tap.card_id)
        .outerjoin(UserAgent, UserAgent.id == Tap.user_agent_id)
        .where(*wanted)
        .order_by(Tap.tapped_at.desc())
        .limit(limit)
    ).all()


def orphans(limit: int, since: datetime) -> Sequence[Any]:
    """Unknown tokens that were tapped and still belong to no card: rows of (token, count, last time)."""
    return db.session.execute(
        sa.select(Tap.token, sa.func.count().label("tap_count"), sa.func.max(Tap.tapped_at).label("last_at"))
        .where(
            Tap.card_id.is_(None),
            Tap.tapped_at >= since,
            Tap.token.is_not(None),
            ~sa.exists().where(Card.token == Tap.token),
        )
        .group_by(Tap.token)
        .order_by(sa.func.max(Tap.tapped_at).desc())
        .limit(limit)
    ).all()
