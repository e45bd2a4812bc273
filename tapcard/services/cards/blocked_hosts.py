"""Domains that staff have blocked as card targets; cards with such an address have `is_blocked` set."""

from collections.abc import Collection

import sqlalchemy as sa
from sqlalchemy import select

from ...db import acquire_lock, db, execute_update
from ...errors import DomainError, NotFound
from ...errors import mark as _
from ...models import (
    BlockedHost,
    Card,
    Target,
    User,
)
from ...models.cards import HOST_LENGTH
from ..core import audit
from . import target_urls

LOCK_NAME = "blocked_hosts"


class InvalidHost(DomainError):
    """The text is not a host name."""

    status = 422
    field = "host"


def is_blocked(host: str | None) -> bool:
    """Return whether staff blocked a host or one of its parent domains."""
    if not host:
        return False
    parents = _host_and_parents(host)
    return db.session.scalar(select(BlockedHost.id).where(BlockedHost.host.in_(parents)).limit(1)) is not None


def filter_blocked(hosts: Collection[str]) -> set[str]:
    """Return the hosts among these that are blocked themselves or through a parent domain, with one query."""
    candidates = {host: _host_and_parents(host) for host in hosts}
    names = {parent for parents in candidates.values() for parent in parents}
    blocked = set(db.session.scalars(select(BlockedHost.host).where(BlockedHost.host.in_(names))))
    return {host for host, parents in candidates.items() if not blocked.isdisjoint(parents)}


def _host_and_parents(host: str) -> list[str]:
    labels = host.split(".")
    return [".".join(labels[start:]) for start in range(len(labels))]


def parse_host(text: str) -> str:
    """Return the host of a typed host name or web address, as cards store it; raises `InvalidHost`."""
    text = text.strip().strip(".")
    if text.count(":") > 1 and "/" not in text:
        text = f"[{text.strip('[]')}]"
    try:
        host = target_urls.clean(text).host
    except target_urls.InvalidUrl:
        host = None
    if host is None or len(host) > HOST_LENGTH:
        raise InvalidHost(_("Enter a domain, such as example.com."))
    return host


def block_host(host: str, actor: User | None, reason: str = "") -> int:
    """Block a host and its subdomains, mark the cards that lead there, and return how many were marked.

    Raises `InvalidHost`.
    """
    host = parse_host(host)
    acquire_lock(LOCK_NAME)  # so that no card is pointed to the host meanwhile
    if db.session.scalar(select(BlockedHost.id).where(BlockedHost.host == host)) is None:
        row = BlockedHost(host=host, reason=reason, blocked_by_id=actor.id if actor else None)
        db.session.add(row)
        db.session.flush()  # the audit entry needs its id
        audit.record("host.blocked", subject=row, actor=actor, host=host)
    return mark_cards_blocked(host)


def unblock_host(host: str, actor: User | None) -> None:
    """Unblock a host and its cards, except those that a block of another host covers; raises `NotFound`."""
    acquire_lock(LOCK_NAME)
    row = db.session.scalar(select(BlockedHost).where(BlockedHost.host == parse_host(host)))
    if row is None:
        raise NotFound(_("This domain isn't blocked."))
    audit.record("host.unblocked", subject=row, actor=actor, host=row.host)
    db.session.delete(row)
    db.session.flush()  # the cards are marked again by the remaining hosts below
    execute_update(_update_cards_of_host(row.host).values(is_blocked=False))
    for other in db.session.scalars(select(BlockedHost.host)).all():
        mark_cards_blocked(other)


def mark_cards_blocked(host: str) -> int:
    """Mark the cards that open a blocked domain; return how many."""
    unmarked = _update_cards_of_host(host).where(~Card.is_blocked, Card.target == Target.URL)
    return execute_update(unmarked.values(is_blocked=True))


def _update_cards_of_host(host: str) -> sa.Update:
    below = Card.reroute_host.endswith("." + host, autoescape=True)
    return sa.update(Card).where(sa.or_(Card.reroute_host == host, below))
