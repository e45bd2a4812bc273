"""Routing of taps: what a tap on a card opens.

Used by both the WSGI fast path (`tap/fast.py`) and the views (`tap/views.py`).
"""

from collections.abc import Callable, Sequence
from dataclasses import dataclass
from datetime import datetime
from typing import Any

import sqlalchemy as sa

from ...db import db
from ...models import Card, CardStatus, Outcome, Profile, Tap, Target, User, UserAgent
from ..cards import cards

# taps on an unclaimed, locked, retired or unknown card do not show interest in its owner
OUTCOMES_WITHOUT_INTEREST = (Outcome.ACTIVATION, Outcome.ORPHAN, Outcome.RETIRED, Outcome.SWITCHED_OFF)


@dataclass(frozen=True)
class CardFacts:
    """The columns of a card that decide what a tap opens; `profile_slug` is None without a profile."""

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
    """The visitor according to the session."""

    user_id: int | None = None
    may_register: bool = False


@dataclass(frozen=True)
class TapResult:
    """The outcome of a tap, and the address of a redirect."""

    outcome: Outcome
    url: str | None = None
    may_register: bool = False  # whether staff may register the unknown card


def is_plain_redirect(status: str, target: str | None, reroute_url: str | None, is_blocked: bool) -> bool:
    """Return whether a tap is a redirect to the stored address, which needs no other data."""
    return status == CardStatus.ACTIVE and target == Target.URL and bool(reroute_url) and not is_blocked


def resolve(card: CardFacts | None, get_visitor: Callable[[], Visitor]) -> TapResult:
    """Return the outcome of a tap, for every combination of facts.

    `get_visitor` is called only where the outcome depends on it: a redirect must not read the session.
    """
    if card is None:
        return TapResult(Outcome.ORPHAN, may_register=get_visitor().may_register)
    if card.status == CardStatus.RETIRED:
        return TapResult(Outcome.RETIRED)
    if card.status == CardStatus.LOCKED:
        return TapResult(Outcome.SWITCHED_OFF)
    if card.status == CardStatus.UNCLAIMED:
        return TapResult(Outcome.ACTIVATION)
    if card.target == Target.URL and card.is_blocked:
        return TapResult(Outcome.SWITCHED_OFF)
    if is_plain_redirect(card.status, card.target, card.reroute_url, card.is_blocked):
        return TapResult(Outcome.REDIRECT, url=card.reroute_url)
    if card.target == Target.PROFILE and card.profile_slug:
        return TapResult(Outcome.PROFILE)
    is_own = card.owner_id is not None and get_visitor().user_id == card.owner_id
    return TapResult(Outcome.EDIT if is_own else Outcome.SETUP)


def load_card_facts(token: str) -> CardFacts | None:
    """Return the facts of the card with a token, with one query, or None."""
    row = db.session.execute(
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
    return None if row is None else CardFacts(*row)


def latest_taps(owner: User, limit: int, card: Card | None = None) -> Sequence[Any]:
    """Return the latest taps by others: rows of (alias, token, tapped_at, device, os_family, country, channel).

    With `card`, of it and the cards it replaced. The alias is None if the card belongs to another user now.
    """
    conditions = [Tap.owner_id == owner.id, ~Tap.is_bot, ~Tap.is_own, Tap.outcome.not_in(OUTCOMES_WITHOUT_INTEREST)]
    if card is not None:
        # as a list of ids, so that the index finds the latest taps
        conditions.append(Tap.card_id.in_(cards.replacement_chain_ids(card)))
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
        .where(*conditions)
        .order_by(Tap.tapped_at.desc())
        .limit(limit)
    ).all()


def unknown_tokens(limit: int, since: datetime) -> Sequence[Any]:
    """Return tapped tokens that belong to no card: rows of (token, tap_count, last_at)."""
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
