"""Extra links of a profile: validation, order and visibility."""

import hashlib
import unicodedata
from collections.abc import Collection, Sequence
from dataclasses import dataclass

import sqlalchemy as sa
from sqlalchemy import select

from ...db import db, hold
from ...errors import DomainError, NotFound
from ...errors import mark as _
from ...ids import is_id
from ...models import Profile, ProfileLink, User
from ..cards import blocked_hosts, target_urls
from ..core import audit
from . import contacts
from .contacts import ContactRow
from .profiles import EditConflict

MAX_LINKS = 20
MAX_TITLE_LENGTH = 80


class LinkNotFound(NotFound):
    """The link does not exist or belongs to another profile."""


class InvalidLink(DomainError):
    """The title or address of a link is not valid."""

    status = 422


class TooManyLinks(DomainError):
    """The profile has the maximum number of links."""


@dataclass(frozen=True)
class PageRows:
    """The rows of a public profile page: contact rows and extra links."""

    contacts: list[ContactRow]
    links: list[ProfileLink]


# --- look-ups ---------------------------------------------------------------------------------------------------------


def links_of(profile: Profile) -> list[ProfileLink]:
    """Return all links of a profile in order."""
    links = select(ProfileLink).where(ProfileLink.profile_id == profile.id)
    return list(db.session.scalars(links.order_by(ProfileLink.position, ProfileLink.id)))


def own_link(profile: Profile, link_id: int) -> ProfileLink:
    """Return a link of a profile by its id; raise `LinkNotFound` for one of another profile."""
    link = None
    if is_id(link_id):
        link = db.session.scalar(
            select(ProfileLink).where(ProfileLink.id == link_id, ProfileLink.profile_id == profile.id)
        )
    if link is None:
        raise LinkNotFound(_("We couldn't find that link."))
    return link


def page_rows(profile: Profile, links_shown: Sequence[ProfileLink]) -> PageRows:
    """Return the rows that visitors see, without links to blocked hosts."""
    contact_rows = contacts.contact_rows(profile)
    extra = [link for link in links_shown if link.is_shown]
    urls = (*(row.href for row in contact_rows), *(link.url for link in extra))
    hosts = {host for url in urls if (host := _host(url))}
    blocked = blocked_hosts.filter_blocked(hosts)
    return PageRows(
        [row for row in contact_rows if _host(row.href) not in blocked],
        [link for link in extra if _host(link.url) not in blocked],
    )


def link_kind(link: ProfileLink) -> str:
    """Return what a link opens: `web`, `mailto`, `tel` or `sms`."""
    scheme = link.url.partition(":")[0]
    return scheme if scheme in ("mailto", "tel", "sms") else "web"


def link_hash(link: ProfileLink) -> str:
    """Return a short hash of a link's title and address, to detect concurrent changes."""
    return hashlib.sha256(f"{link.title}\0{link.url}".encode()).hexdigest()[:16]


# --- changes ----------------------------------------------------------------------------------------------------------


def add(profile: Profile, actor: User, *, title: str, url: str, own_hosts: Collection[str]) -> ProfileLink:
    """Add a link at the end of a profile; raises `InvalidLink` or `InvalidUrl` with its field, or `TooManyLinks`."""
    title, url = clean_title(title), clean_url(url, own_hosts)
    _lock_order(profile)
    links = links_of(profile)
    if len(links) >= MAX_LINKS:
        raise TooManyLinks(
            _("This profile already has %(number)d links. Remove one to add another."), number=len(links)
        )
    position = links[-1].position + 1 if links else 0
    link = ProfileLink(profile_id=profile.id, position=position, title=title, url=url)
    db.session.add(link)
    db.session.flush()  # the audit entry needs its id
    audit.record("profile_link.added", subject=link, actor=actor, profile=profile.id)
    return link


def update(link: ProfileLink, actor: User, *, title: str, url: str, seen: str, own_hosts: Collection[str]) -> None:
    """Update a link that still has the hash `seen`; raises what `add` raises, or `EditConflict`."""
    title, url = clean_title(title), clean_url(url, own_hosts)
    stored = select(ProfileLink).where(ProfileLink.id == link.id).with_for_update()
    if db.session.scalar(stored, execution_options={"populate_existing": True}) is None:
        raise LinkNotFound(_("We couldn't find that link."))
    if link_hash(link) != seen:
        raise EditConflict(_("This link was changed in another window, so your changes weren't saved."))
    if (link.title, link.url) != (title, url):
        link.title, link.url = title, url
        audit.record("profile_link.changed", subject=link, actor=actor, profile=link.profile_id)


def set_shown(link: ProfileLink, *, is_shown: bool) -> None:
    """Show or hide a link."""
    db.session.execute(sa.update(ProfileLink).where(ProfileLink.id == link.id).values(is_shown=is_shown))


def remove(link: ProfileLink, actor: User) -> None:
    """Remove a link from its profile."""
    audit.record("profile_link.removed", subject=link, actor=actor, profile=link.profile_id)
    db.session.execute(sa.delete(ProfileLink).where(ProfileLink.id == link.id))


def move(profile: Profile, link_id: int, *, by: int) -> None:
    """Move a link by a number of places, down if positive; it stops at either end."""
    _lock_order(profile)
    order = [link.id for link in links_of(profile)]
    if link_id not in order:
        raise LinkNotFound(_("We couldn't find that link."))
    place = min(max(order.index(link_id) + by, 0), len(order) - 1)
    order.remove(link_id)
    order.insert(place, link_id)
    _set_positions(profile, order)


def reorder(profile: Profile, ids: Sequence[int]) -> None:
    """Reorder the links of a profile; raise `EditConflict` unless `ids` contains each of them once."""
    _lock_order(profile)
    if sorted(ids) != sorted(link.id for link in links_of(profile)):
        raise EditConflict(_("Your links were changed in another window. This is their current order."))
    _set_positions(profile, ids)


def _lock_order(profile: Profile) -> None:
    """Serialise changes of the order of a profile's links."""
    hold(f"links of profile {profile.id}")


def _set_positions(profile: Profile, ids: Sequence[int]) -> None:
    for position, link_id in enumerate(ids):
        link = sa.update(ProfileLink).where(ProfileLink.id == link_id, ProfileLink.profile_id == profile.id)
        db.session.execute(link.values(position=position))


# --- validation -------------------------------------------------------------------------------------------------------


def clean_title(text: str) -> str:
    """Return the cleaned title of a link; raise `InvalidLink` if it is not allowed."""
    if any(unicodedata.category(char) in ("Cc", "Cs") and not char.isspace() for char in text):
        raise InvalidLink(_("This contains characters that aren't allowed here."), field="title")
    title = " ".join(text.split())
    if not title or all(unicodedata.category(char) in ("Cf", "Zs") for char in title):
        raise InvalidLink(_("Enter a title."), field="title")
    if len(title) > MAX_TITLE_LENGTH:
        raise InvalidLink(_("Enter %(most)s characters or fewer."), field="title", most=MAX_TITLE_LENGTH)
    return title


def clean_url(text: str, own_hosts: Collection[str]) -> str:
    """Return the cleaned address of a link, by the rules for targets of cards."""
    try:
        link = target_urls.clean(text, own_hosts)
    except target_urls.InvalidUrl as error:
        raise target_urls.InvalidUrl(error.message, field="url", **error.params) from error
    if blocked_hosts.is_blocked(link.host):
        raise InvalidLink(_("This site is blocked. Choose another address."), field="url")
    return link.url


def _host(url: str) -> str | None:
    return target_urls.host_of(url)
