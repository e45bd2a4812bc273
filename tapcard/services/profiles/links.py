"""Extra links of a profile: what may stand there, in which order, and which of them visitors see."""

import hashlib
import unicodedata
from collections.abc import Collection, Sequence
from dataclasses import dataclass

import sqlalchemy as sa
from sqlalchemy import select

from ...db import acquire_lock, db
from ...errors import DomainError, NotFound
from ...errors import mark as _
from ...ids import is_id
from ...models import Profile, ProfileLink, User
from ..cards import blocked_hosts, target_urls
from ..core import audit
from . import profiles
from .profiles import ChangedMeanwhile, Contact

MOST_LINKS = 20
LONGEST_TITLE = 80


class LinkNotFound(NotFound):
    """There is no such link, or it is none of the asker's business."""


class BadLinkEntry(DomainError):
    """What was typed cannot be a link of a profile."""

    status = 422


class TooManyLinks(DomainError):
    """A page with more links is read by nobody."""


@dataclass(frozen=True)
class Rows:
    """What the public page of a profile offers to press: ways to reach somebody, and their extra links."""

    contacts: list[Contact]
    links: list[ProfileLink]


# --- finding ----------------------------------------------------------------------------------------------------------


def links_of(profile: Profile) -> list[ProfileLink]:
    """All links of a profile, in the order of its owner."""
    mine = select(ProfileLink).where(ProfileLink.profile_id == profile.id)
    return list(db.session.scalars(mine.order_by(ProfileLink.position, ProfileLink.id)))


def own_link(profile: Profile, link_id: int) -> ProfileLink:
    """A link of a profile by its id; one of another profile does not exist."""
    link = None
    if is_id(link_id):
        link = db.session.scalar(
            select(ProfileLink).where(ProfileLink.id == link_id, ProfileLink.profile_id == profile.id)
        )
    if link is None:
        raise LinkNotFound(_("We couldn't find that link."))
    return link


def rows(profile: Profile, links_shown: Sequence[ProfileLink]) -> Rows:
    """What visitors may press, without what leads to a host that staff blocked."""
    contacts = profiles.contacts(profile)
    extra = [link for link in links_shown if link.is_shown]
    hosts = {host for url in (*(row.href for row in contacts), *(link.url for link in extra)) if (host := _host(url))}
    blocked = blocked_hosts.filter_blocked(hosts)
    return Rows(
        [row for row in contacts if _host(row.href) not in blocked],
        [link for link in extra if _host(link.url) not in blocked],
    )


def kind_of(link: ProfileLink) -> str:
    """What a link opens: a page (`web`), or a letter, a call, a message."""
    scheme = link.url.partition(":")[0]
    return scheme if scheme in ("mailto", "tel", "sms") else "web"


def mark_of(link: ProfileLink) -> str:
    """A short mark of what a link says, for telling whether somebody changed it meanwhile."""
    return hashlib.sha256(f"{link.title}\0{link.url}".encode()).hexdigest()[:16]


# --- changing ---------------------------------------------------------------------------------------------------------


def add(profile: Profile, actor: User, *, title: str, url: str, own_hosts: Collection[str]) -> ProfileLink:
    """Put a link at the end of a profile; raises `BadLinkEntry` or `links.BadLink` with its field, `TooManyLinks`."""
    title, url = clean_title(title), clean_url(url, own_hosts)
    _hold(profile)
    present = links_of(profile)
    if len(present) >= MOST_LINKS:
        raise TooManyLinks(
            _("This profile already has %(number)d links. Remove one to add another."), number=len(present)
        )
    position = present[-1].position + 1 if present else 0
    link = ProfileLink(profile_id=profile.id, position=position, title=title, url=url)
    db.session.add(link)
    db.session.flush()  # the audit names it
    audit.record("profile_link.added", subject=link, actor=actor, profile=profile.id)
    return link


def change(link: ProfileLink, actor: User, *, title: str, url: str, seen: str, own_hosts: Collection[str]) -> None:
    """Store a link's title and address over those that its owner saw; raises what `add` raises, `ChangedMeanwhile`."""
    title, url = clean_title(title), clean_url(url, own_hosts)
    stored = select(ProfileLink).where(ProfileLink.id == link.id).with_for_update()
    if db.session.scalar(stored, execution_options={"populate_existing": True}) is None:
        raise LinkNotFound(_("We couldn't find that link."))
    if mark_of(link) != seen:
        raise ChangedMeanwhile(_("This link was changed in another window, so your changes weren't saved."))
    if (link.title, link.url) != (title, url):
        link.title, link.url = title, url
        audit.record("profile_link.changed", subject=link, actor=actor, profile=link.profile_id)


def show(link: ProfileLink, *, is_shown: bool) -> None:
    """Switch a link on or off."""
    db.session.execute(sa.update(ProfileLink).where(ProfileLink.id == link.id).values(is_shown=is_shown))


def remove(link: ProfileLink, actor: User) -> None:
    """Take a link off its profile."""
    audit.record("profile_link.removed", subject=link, actor=actor, profile=link.profile_id)
    db.session.execute(sa.delete(ProfileLink).where(ProfileLink.id == link.id))


def move(profile: Profile, link_id: int, *, by: int) -> None:
    """Move a link so many places down, or up if negative; at either end it stays."""
    _hold(profile)
    order = [link.id for link in links_of(profile)]
    if link_id not in order:
        raise LinkNotFound(_("We couldn't find that link."))
    place = min(max(order.index(link_id) + by, 0), len(order) - 1)
    order.remove(link_id)
    order.insert(place, link_id)
    _arrange(profile, order)


def reorder(profile: Profile, ids: Sequence[int]) -> None:
    """Put the links of a profile into an order that names each of them once; raises `ChangedMeanwhile` otherwise."""
    _hold(profile)
    if sorted(ids) != sorted(link.id for link in links_of(profile)):
        raise ChangedMeanwhile(_("Your links were changed in another window. This is their current order."))
    _arrange(profile, ids)


def _hold(profile: Profile) -> None:
    """One change of a profile's order at a time."""
    acquire_lock(f"links of profile {profile.id}")


def _arrange(profile: Profile, ids: Sequence[int]) -> None:
    for place, link_id in enumerate(ids):
        mine = sa.update(ProfileLink).where(ProfileLink.id == link_id, ProfileLink.profile_id == profile.id)
        db.session.execute(mine.values(position=place))


# --- what may be typed ------------------------------------------------------------------------------------------------


def clean_title(text: str) -> str:
    """The words of a link."""
    if any(unicodedata.category(each) in ("Cc", "Cs") and not each.isspace() for each in text):
        raise BadLinkEntry(_("This contains characters that aren't allowed here."), field="title")
    title = " ".join(text.split())
    if not title or all(unicodedata.category(each) in ("Cf", "Zs") for each in title):
        raise BadLinkEntry(_("Enter a title."), field="title")
    if len(title) > LONGEST_TITLE:
        raise BadLinkEntry(_("Enter %(most)s characters or fewer."), field="title", most=LONGEST_TITLE)
    return title


def clean_url(text: str, own_hosts: Collection[str]) -> str:
    """The address of a link, by the rules for the addresses of cards."""
    try:
        link = target_urls.clean(text, own_hosts)
    except target_urls.InvalidUrl as error:
        raise target_urls.InvalidUrl(error.message, field="url", **error.params) from error
    if blocked_hosts.is_blocked(link.host):
        raise BadLinkEntry(_("This site is blocked. Choose another address."), field="url")
    return link.url


def _host(url: str) -> str | None:
    return target_urls.host_of(url)
