"""Look-ups of cards, and changes of a card's alias and target by its owner."""

from collections.abc import Collection, Sequence
from dataclasses import dataclass
from typing import Any

import sqlalchemy as sa
from sqlalchemy import Select, select
from sqlalchemy.exc import IntegrityError

from ...db import acquire_lock, db, execute_update
from ...errors import DomainError, NotFound
from ...errors import mark as _
from ...models import (
    Card,
    CardStatus,
    Profile,
    Target,
    User,
)
from ...models.cards import MAX_TOKEN_LENGTH
from . import blocked_hosts, target_urls

ALIAS_LOCK = "aliases"
# the owner may still edit a card that is locked because it is lost
EDITABLE_STATUSES = (CardStatus.ACTIVE, CardStatus.LOCKED)


class CardNotFound(NotFound):
    """The card does not exist or belongs to another user."""


class AliasTaken(DomainError):
    """Another card of the same owner has this alias."""

    field = "alias"


class UrlRequired(DomainError):
    """A card with the target `url` needs an address."""

    field = "reroute_url"


class HostBlocked(DomainError):
    """Staff blocked the host of the address."""

    field = "reroute_url"


# --- look-ups ---------------------------------------------------------------------------------------------------------


def clean_token(text: str) -> str:
    """Return a typed token in upper case, or "" if it cannot be a token."""
    token = text.strip()
    return token.upper() if token.isascii() and token.isalnum() and len(token) <= MAX_TOKEN_LENGTH else ""


def get_by_token(token: str) -> Card | None:
    """Return the card of a token, ignoring case."""
    return db.session.scalar(select(Card).where(Card.token == clean_token(token)))


def owned_by(user: User) -> Select[Card]:
    """Select a user's cards that are not retired, oldest first."""
    return select(Card).where(Card.owner_id == user.id, Card.status != CardStatus.RETIRED).order_by(Card.id)


def own_card(user: User, token: str) -> Card:
    """Return a user's own card by its token; raise `CardNotFound` for any other."""
    card = db.session.scalar(owned_by(user).where(Card.token == clean_token(token)))
    if card is None:
        raise CardNotFound(_("We couldn't find that card."))
    return card


def ever_owned_by(user: User) -> Select[Card]:
    """Select a user's cards including the retired ones, oldest first."""
    return select(Card).where(Card.owner_id == user.id).order_by(Card.id)


def cards_without_target(user: User, *, exclude: Card) -> Sequence[Card]:
    """Return a user's other active cards whose taps have no target yet, newest first."""
    active_cards = owned_by(user).where(Card.id != exclude.id, Card.status == CardStatus.ACTIVE).order_by(None)
    has_target = sa.or_(
        sa.and_(Card.target == Target.URL, Card.reroute_url.is_not(None)),
        sa.and_(Card.target == Target.PROFILE, Card.profile_id.is_not(None)),
    )
    no_target = sa.or_(Card.target.is_(None), ~has_target)
    return db.session.scalars(active_cards.where(no_target).order_by(Card.id.desc())).all()


def replacement_chain_query(card_id: int) -> Select[int]:
    """Select the id of a card and those of all cards it replaced, directly or through others."""
    chain = select(sa.literal(card_id, sa.BigInteger).label("id")).cte("chain", recursive=True)
    older = select(Card.id).join(chain, Card.replaced_by_id == chain.c.id)
    chain = chain.union(older)  # not UNION ALL, which never ends on a cycle
    return select(chain.c.id)


def replacement_chain_ids(card: Card) -> list[int]:
    """Return the id of a card and those of all cards it replaced."""
    return list(db.session.scalars(replacement_chain_query(card.id)))


# --- alias and target -------------------------------------------------------------------------------------------------


@dataclass(frozen=True)
class CardChanges:
    """The values that an owner sets on a card; `reroute_url` is not validated yet."""

    alias: str = ""
    target: Target | None = None
    reroute_url: str = ""
    profile: Profile | None = None


def edit(card: Card, actor: User, changes: CardChanges, *, own_hosts: Collection[str]) -> None:
    """Change a card's alias and target; with another target than `url`, a valid address is stored for later use.

    Raises `AliasTaken`, `UrlRequired`, `target_urls.InvalidUrl`, `HostBlocked`, or `CardNotFound` if `actor` is not
    the owner.
    """
    alias, target, reroute_url = changes.alias.strip(), changes.target, changes.reroute_url
    if alias:
        acquire_lock(f"{ALIAS_LOCK} of {actor.id}")  # the unique key is case-sensitive
        if has_alias(actor, alias, exclude=card):
            raise AliasTaken(_("You already have a card with this name."))
    values: dict[str, Any] = {"alias": alias or None, "target": target, "is_blocked": False}
    if target is Target.URL:
        if not reroute_url.strip():
            raise UrlRequired(_("Enter a web address."))
        link = target_urls.clean(reroute_url, own_hosts)
        acquire_lock(blocked_hosts.LOCK_NAME, shared=True)
        if blocked_hosts.is_blocked(link.host):
            raise HostBlocked(_("This address can't be used. Contact the shop if you think that's a mistake."))
        values |= {"reroute_url": link.url, "reroute_host": link.host}
    else:
        values |= _optional_url_values(reroute_url, own_hosts)
        if target is Target.PROFILE:
            values["profile_id"] = changes.profile.id if changes.profile is not None else None
    try:
        with db.session.begin_nested():
            update_owned_card(card, actor, values)
    except IntegrityError:
        raise AliasTaken(_("You already have a card with this name.")) from None


def _optional_url_values(reroute_url: str, own_hosts: Collection[str]) -> dict[str, str | None]:
    if not reroute_url.strip():
        return {"reroute_url": None, "reroute_host": None}
    try:
        link = target_urls.clean(reroute_url, own_hosts)
    except target_urls.InvalidUrl:
        return {}
    return {"reroute_url": link.url, "reroute_host": link.host}


def point_to_profile(card: Card, profile: Profile, actor: User) -> None:
    """Make a card open one of its owner's profiles."""
    update_owned_card(card, actor, {"target": Target.PROFILE, "profile_id": profile.id, "is_blocked": False})


def update_owned_card(card: Card, actor: User, values: dict[str, Any]) -> None:
    """Update columns of a card; raise `CardNotFound` if `actor` does not own it or it cannot be edited."""
    is_editable = (Card.owner_id == actor.id, Card.status.in_(EDITABLE_STATUSES))
    if execute_update(sa.update(Card).where(Card.id == card.id, *is_editable).values(values)) != 1:
        raise CardNotFound(_("We couldn't find that card."))
    db.session.refresh(card)


def has_alias(owner: User, alias: str, *, exclude: Card | None = None) -> bool:
    """Return whether another card of the owner has an alias, ignoring case.

    Compared in Python, because SQLite's `lower` only knows ASCII letters.
    """
    others = select(Card.alias).where(Card.owner_id == owner.id, Card.alias.is_not(None))
    if exclude is not None:
        others = others.where(Card.id != exclude.id)
    return alias.casefold() in {(other or "").casefold() for other in db.session.scalars(others)}
