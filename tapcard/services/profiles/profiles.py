"""Profiles: the public pages of holders, what may stand on them, and who may change them."""

import re
import secrets
import unicodedata
from collections.abc import Mapping
from dataclasses import dataclass
from typing import Any
from urllib.parse import quote, urlsplit

import sqlalchemy as sa
from email_validator import EmailNotValidError, validate_email
from sqlalchemy import Select, select
from sqlalchemy.exc import IntegrityError
from sqlalchemy.orm import contains_eager
from sqlalchemy.orm.exc import StaleDataError

from ... import phones
from ...clock import utcnow
from ...db import db, insert
from ...errors import DomainError, NotFound
from ...errors import mark as _
from ...ids import is_id
from ...models import SOCIALS, Card, FormerSlug, Profile, ProfileTheme, Target, User
from ...models.profiles import SLUG_LENGTH
from ..cards import blocked_hosts, target_urls
from ..core import audit, uploads
from . import social_handles

LENGTHS = {"name": 60, "headline": 80, "company": 80, "bio": 1000, "address": 300}
WITH_LINES = ("bio", "address")
PHONES = ("phone", "whatsapp")
TYPED = (*LENGTHS, "slug", "email", *PHONES, "website", *SOCIALS)
HIDEABLE = (*PHONES, "email", "website", "address", *SOCIALS)  # what a page and its vCard may leave out

SHORTEST_SLUG = 3
SLUG = re.compile(r"[a-z0-9]+(?:-[a-z0-9]+)*")
# fmt: off
RESERVED = frozenset([
    "about", "account", "accounts", "activate", "admin", "administrator", "api", "app", "assets", "auth",
    "backoffice", "billing", "blog", "card", "cards", "cart", "checkout", "contact", "dashboard", "dev", "edit",
    "event", "events", "help", "home", "index", "info", "legal", "log-in", "log-out", "login", "logout", "mail",
    "me", "new", "news", "null", "official", "order", "orders", "owner", "pay", "payment", "payments", "privacy",
    "profile", "profiles", "register", "root", "security", "settings", "shop", "sign-in", "sign-out", "sign-up",
    "signin", "signup", "slug", "staff", "static", "status", "store", "support", "system", "tapcard", "team",
    "terms", "test", "undefined", "uploads", "user", "users", "verify", "webmaster", "well-known", "www",
])
# fmt: on
TRIES = 5
MOST_PROFILES = 20


class ProfileNotFound(NotFound):
    """There is no such profile, or it is none of the asker's business."""


class BadEntry(DomainError):
    """What was typed cannot stand on a profile."""

    status = 422


class TooManyProfiles(DomainError):
    """A holder has as many profiles as anybody needs."""


class SlugTaken(DomainError):
    """Another profile has this address."""

    field = "slug"


class ChangedMeanwhile(DomainError):
    """Somebody saved the profile after the page with the form was opened."""


@dataclass(frozen=True)
class Look:
    """What of a profile is chosen rather than typed: pictures, colours, who sees what."""

    photo: str | None = None
    banner: str | None = None
    theme: ProfileTheme = ProfileTheme.LAKE
    is_public: bool = True
    hidden: tuple[str, ...] = ()

    @property
    def columns(self) -> dict[str, Any]:
        """The same as columns of the table; hidden fields in one order, unknown ones left out."""
        values = {"photo": self.photo, "banner": self.banner, "theme": self.theme, "is_public": self.is_public}
        return {**values, "hidden_fields": [field for field in HIDEABLE if field in self.hidden]}


@dataclass(frozen=True)
class Found:
    """The profile that an address leads to; `is_moved` if it has another address by now."""

    profile: Profile
    is_moved: bool = False


# --- finding ----------------------------------------------------------------------------------------------------------


def owned_by(user: User) -> Select[Profile]:
    """A holder's profiles, the oldest first."""
    return select(Profile).where(Profile.owner_id == user.id).order_by(Profile.id)


def own_profile(user: User, profile_id: int) -> Profile:
    """A holder's profile by its id; anybody else's does not exist."""
    profile = None
    if is_id(profile_id):
        profile = db.session.scalar(owned_by(user).where(Profile.id == profile_id))
    if profile is None:
        raise ProfileNotFound(_("We couldn't find that profile."))
    return profile


def public_profile(slug: str) -> Profile:
    """The profile at an address, public or not, as long as its owner's account is active."""
    found = find_by_slug(slug)
    if found.is_moved:
        raise ProfileNotFound(_("We couldn't find that profile."))
    return found.profile


def find_by_slug(slug: str) -> Found:
    """The profile at an address, or the one that was there last and moved; its owner's account is active.

    It may not be public: the caller looks, before it tells where somebody moved to.
    """
    folded = slug.lower()
    if SLUG.fullmatch(folded) and len(folded) <= SLUG_LENGTH:
        shown = select(Profile).join(Profile.owner).options(contains_eager(Profile.owner)).where(User.is_active)
        if profile := db.session.scalar(shown.where(Profile.slug == folded)):
            return Found(profile)
        former = shown.join(FormerSlug, FormerSlug.profile_id == Profile.id).where(FormerSlug.slug == folded)
        if profile := db.session.scalar(former):
            return Found(profile, is_moved=True)
    raise ProfileNotFound(_("We couldn't find that profile."))


def former_slugs(profile: Profile) -> list[str]:
    """The addresses that still lead to a profile, the one left last first."""
    left = select(FormerSlug.slug).where(FormerSlug.profile_id == profile.id)
    return list(db.session.scalars(left.order_by(FormerSlug.left_at.desc(), FormerSlug.id.desc())))


def card_counts(user: User) -> dict[int, int]:
    """How many of a holder's cards open each of the profiles."""
    rows = db.session.execute(
        select(Card.profile_id, sa.func.count())
        .where(Card.owner_id == user.id, Card.target == Target.PROFILE, Card.profile_id.is_not(None))
        .group_by(Card.profile_id)
    )
    return {profile_id: number for profile_id, number in rows if profile_id is not None}


# --- changing ---------------------------------------------------------------------------------------------------------


def create(owner: User, typed: Mapping[str, str], *, region: str, look: Look | None = None) -> Profile:
    """Make a profile of what somebody typed; an empty slug is made from the name.

    Raises `BadEntry`, `links.BadLink`, `socials.BadHandle` or `SlugTaken`, each with its field, or `TooManyProfiles`.
    """
    values = clean_all(typed, region)
    _refuse_blocked(values["website"])
    chosen = (look or Look()).columns
    number = db.session.scalar(sa.select(sa.func.count()).where(Profile.owner_id == owner.id)) or 0
    if number >= MOST_PROFILES:
        raise TooManyProfiles(_("You already have %(number)d profiles. Delete one to create another."), number=number)
    wanted = values.pop("slug")
    name = values["name"] or ""
    for _number in range(TRIES):
        slug = wanted or suggest_slug(name)
        _refuse_taken(slug)
        profile = Profile(owner_id=owner.id, slug=slug, **chosen, **values)
        try:
            with db.session.begin_nested():
                db.session.add(profile)
        except IntegrityError:
            if wanted:
                break
            continue  # somebody took the suggestion in this very moment: the next one
        _forget_former(slug)
        audit.record("profile.created", subject=profile, actor=owner)
        return profile
    raise _taken()


def change(profile: Profile, actor: User, typed: Mapping[str, str], *, region: str, version: int, look: Look) -> None:
    """Store what somebody typed over the version they saw; an empty slug keeps the one there is.

    A new address leaves the old one leading here until somebody takes it. Raises what `create` raises, and
    `ChangedMeanwhile`.
    """
    if profile.version != version:
        raise _changed()
    values: dict[str, Any] = {**clean_all(typed, region), **look.columns}
    former, slug = profile.slug, values["slug"] or profile.slug
    former_pictures = {profile.photo, profile.banner}
    values["slug"] = slug
    if values["website"] != profile.website:
        _refuse_blocked(values["website"])
    changed = sorted(name for name, value in values.items() if getattr(profile, name) != value)
    if not changed:
        return
    if "slug" in changed:
        _refuse_taken(slug)
    try:
        with db.session.begin_nested():
            for name in changed:
                setattr(profile, name, values[name])
    except IntegrityError:
        raise _taken() from None
    except StaleDataError:
        raise _changed() from None
    if "slug" in changed:
        _forget_former(slug)
        _remember_former(former, profile)
    uploads.schedule_deletion(former_pictures - {profile.photo, profile.banner}, profile.owner_id)
    audit.record("profile.changed", subject=profile, actor=actor, fields=changed)


def delete(profile: Profile, actor: User) -> None:
    """Delete a profile; cards that opened it lead nowhere until their holder chooses again."""
    audit.record("profile.deleted", subject=profile, actor=actor, slug=profile.slug)
    uploads.schedule_deletion((profile.photo, profile.banner), profile.owner_id)
    db.session.execute(sa.delete(Profile).where(Profile.id == profile.id, Profile.owner_id == actor.id))


def _refuse_taken(slug: str) -> None:
    if db.session.scalar(select(Profile.id).where(Profile.slug == slug)) is not None:
        raise _taken()


def _forget_former(slug: str) -> None:
    """An address that is somebody's again leads nowhere else; after the flush, which waits for whoever just left it."""
    db.session.execute(sa.delete(FormerSlug).where(FormerSlug.slug == slug))


def _remember_former(slug: str, profile: Profile) -> None:
    left = {"profile_id": profile.id, "left_at": utcnow()}
    fresh = insert(FormerSlug).values(slug=slug, **left)
    db.session.execute(fresh.on_conflict_do_update(index_elements=["slug"], set_=left))


def _refuse_blocked(website: str | None) -> None:
    if website and blocked_hosts.is_blocked(target_urls.host_of(website)):
        raise BadEntry(_("This site is blocked. Choose another address."), field="website")


def _taken() -> SlugTaken:
    return SlugTaken(_("That address is taken. Choose another one."))


def _changed() -> ChangedMeanwhile:
    return ChangedMeanwhile(
        _(
            "This profile was changed in another window, so your changes weren't saved. "
            "Reload the page and make them again."
        )
    )


# --- what may be typed ------------------------------------------------------------------------------------------------


def clean_all(typed: Mapping[str, str], region: str) -> dict[str, str | None]:
    """Clean all fields of a form; those that are missing count as empty, unknown ones are not looked at."""
    return {field: clean(field, typed.get(field) or "", region) for field in TYPED}


def clean(field: str, text: str, region: str) -> str | None:
    """Turn what was typed into a field into what is stored; phone numbers without country code are of `region`."""
    text = text.replace("\r\n", "\n").strip()
    if any(
        unicodedata.category(each) in ("Cc", "Cs") and (each not in "\n\t" or field not in WITH_LINES) for each in text
    ):
        raise BadEntry(_("This contains characters that aren't allowed here."), field=field)
    if field == "name" and all(unicodedata.category(each) in ("Cf", "Zs") for each in text):
        raise BadEntry(_("Enter a name."), field=field)
    if not text:
        return None
    if field in LENGTHS:
        return _clean_text(field, text)
    if field in PHONES:
        try:
            return phones.clean(text, region, field=field)
        except phones.InvalidPhone as error:
            raise BadEntry(error.message, field=field) from error
    if field in SOCIALS:
        return social_handles.clean(field, text)
    if field == "email":
        return _clean_email(text)
    if field == "website":
        return target_urls.clean_website(text).url
    return _clean_slug(text)


def suggest_slug(name: str) -> str:
    """Suggest a free address that reads like a name."""
    plain = unicodedata.normalize("NFKD", name).encode("ascii", "ignore").decode().lower()
    base = re.sub(r"[^a-z0-9]+", "-", plain.replace("'", "")).strip("-")[:SLUG_LENGTH].strip("-")
    if len(base) < SHORTEST_SLUG or base in RESERVED:
        base = f"{base or 'profile'}-card"
    stem = base[: SLUG_LENGTH - 5].strip("-")
    candidates = [base, *(f"{stem}-{number}" for number in range(2, 10)), f"{stem}-{secrets.randbelow(9000) + 1000}"]
    taken = set(db.session.scalars(select(Profile.slug).where(Profile.slug.in_(candidates))))
    taken.update(db.session.scalars(select(FormerSlug.slug).where(FormerSlug.slug.in_(candidates))))
    return next((each for each in candidates if each not in taken), candidates[-1])


def _clean_text(field: str, text: str) -> str:
    if field not in WITH_LINES:
        text = " ".join(text.split())
    if len(text) > LENGTHS[field]:
        raise BadEntry(_("Enter %(most)s characters or fewer."), field=field, most=LENGTHS[field])
    return text


def _clean_slug(text: str) -> str:
    slug = text.lower() if text.isascii() else ""
    if not SHORTEST_SLUG <= len(slug) <= SLUG_LENGTH or not SLUG.fullmatch(slug):
        raise BadEntry(
            _("Use %(least)s to %(most)s letters (a to z) and digits, with single hyphens in between."),
            field="slug",
            least=SHORTEST_SLUG,
            most=SLUG_LENGTH,
        )
    if slug in RESERVED:
        raise BadEntry(_("That address is reserved. Choose another one."), field="slug")
    return slug


def _clean_email(text: str) -> str:
    try:
        return validate_email(text, check_deliverability=False).normalized
    except EmailNotValidError as error:
        raise BadEntry(_("Enter a valid email address."), field="email") from error


# --- what a page shows ------------------------------------------------------------------------------------------------


@dataclass(frozen=True)
class Contact:
    """A way to reach somebody, as a row of their page; `verb` is what its button would say."""

    kind: str
    label: str
    verb: str
    href: str
    text: str

    @property
    def is_elsewhere(self) -> bool:
        """Whether the row leads to another site."""
        return self.href.startswith("https:") or self.href.startswith("http:")


def is_shown(profile: Profile, field: str) -> bool:
    """Whether a page and its vCard show a field; what may be hidden is in `HIDEABLE`."""
    return field not in (profile.hidden_fields or ())


def contacts(profile: Profile) -> list[Contact]:
    """Every way to reach somebody that their profile shows, the most direct one first."""
    rows: list[Contact] = []
    if profile.phone:
        rows.append(Contact("phone", _("Phone"), _("Call"), f"tel:{profile.phone}", phones.display(profile.phone)))
    if profile.email:
        rows.append(Contact("email", _("Email"), _("Email"), mail_link(profile.email), profile.email))
    if profile.whatsapp:
        chat = f"https://wa.me/{profile.whatsapp.removeprefix('+')}"
        rows.append(Contact("whatsapp", "WhatsApp", _("Message on WhatsApp"), chat, phones.display(profile.whatsapp)))
    if profile.website:
        host = (urlsplit(profile.website).hostname or "").removeprefix("www.")
        rows.append(Contact("website", _("Website"), _("Visit website"), profile.website, host))
    if profile.address:
        lines = ", ".join(line.strip() for line in profile.address.splitlines() if line.strip())
        rows.append(Contact("address", _("Address"), _("View on map"), map_link(lines), lines))
    for key in SOCIALS:
        handle = getattr(profile, key)
        if handle:
            name = social_handles.SITES[key].name
            rows.append(
                Contact(key, name, name, social_handles.page_of(key, handle), social_handles.shown(key, handle))
            )
    return [row for row in rows if is_shown(profile, row.kind)]


def mail_link(address: str) -> str:
    """The link that opens a letter to an address, whatever characters stand in it."""
    return "mailto:" + quote(address, safe="@+")


def map_link(address: str) -> str:
    """The link that looks a postal address up on a map; phones open it in their own application."""
    return "https://www.google.com/maps/search/?api=1&query=" + quote(address, safe="")


def preview(typed: Mapping[str, str], region: str, look: Look) -> Profile:
    """The profile that a form would make, in no session; what cannot stand on it is left out."""
    values: dict[str, Any] = {}
    for field in TYPED:
        try:
            values[field] = clean(field, typed.get(field) or "", region)
        except DomainError:
            values[field] = None
    values["name"] = values["name"] or "…"
    values["slug"] = values["slug"] or ""
    return Profile(**values, **look.columns)


def look_of(profile: Profile) -> Look:
    """How a profile looks now."""
    return Look(profile.photo, profile.banner, profile.theme, profile.is_public, tuple(profile.hidden_fields or ()))


def as_typed(profile: Profile) -> dict[str, str]:
    """What the fields of the form hold when its owner opens it."""
    values = {field: getattr(profile, field) or "" for field in TYPED}
    return {**values, **{field: phones.display(values[field]) for field in PHONES if values[field]}}
