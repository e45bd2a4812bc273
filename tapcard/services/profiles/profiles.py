"""Profiles, the public pages of card owners: look-up by owner or slug, creation, update and deletion."""

from collections.abc import Mapping
from dataclasses import dataclass
from typing import Any

import sqlalchemy as sa
from sqlalchemy import Select, select
from sqlalchemy.exc import IntegrityError
from sqlalchemy.orm import contains_eager
from sqlalchemy.orm.exc import StaleDataError

from ... import phones
from ...db import db
from ...errors import DomainError, NotFound
from ...errors import mark as _
from ...ids import is_id
from ...models import Card, FormerSlug, Profile, ProfileTheme, Target, User
from ...models.profiles import SLUG_LENGTH
from ...slugs import is_slug
from ..cards import blocked_hosts, target_urls
from ..core import audit, uploads
from . import fields, slugs

MAX_SLUG_ATTEMPTS = 5
MAX_PROFILES = 20


class ProfileNotFound(NotFound):
    """The profile does not exist or belongs to another user."""


class TooManyProfiles(DomainError):
    """The user has the maximum number of profiles."""


class EditConflict(DomainError):
    """The profile was changed after the form was opened."""


@dataclass(frozen=True)
class Appearance:
    """The properties of a profile that are not typed: pictures, theme, visibility."""

    photo: str | None = None
    banner: str | None = None
    theme: ProfileTheme = ProfileTheme.LAKE
    is_public: bool = True
    hidden: tuple[str, ...] = ()

    @property
    def columns(self) -> dict[str, Any]:
        """Return the values by column; hidden fields in a fixed order, without unknown ones."""
        values = {"photo": self.photo, "banner": self.banner, "theme": self.theme, "is_public": self.is_public}
        return {**values, "hidden_fields": [field for field in fields.HIDEABLE_FIELDS if field in self.hidden]}


@dataclass(frozen=True)
class SlugMatch:
    """The profile that a slug leads to; `is_moved` if the slug is a former one."""

    profile: Profile
    is_moved: bool = False


# --- look-ups ---------------------------------------------------------------------------------------------------------


def owned_by(user: User) -> Select[Profile]:
    """Select a user's profiles, oldest first."""
    return select(Profile).where(Profile.owner_id == user.id).order_by(Profile.id)


def own_profile(user: User, profile_id: int) -> Profile:
    """Return a user's own profile by its id; raise `ProfileNotFound` for any other."""
    profile = None
    if is_id(profile_id):
        profile = db.session.scalar(owned_by(user).where(Profile.id == profile_id))
    if profile is None:
        raise ProfileNotFound(_("We couldn't find that profile."))
    return profile


def find_by_slug(slug: str) -> SlugMatch:
    """Return the profile with a current or former slug; raise `ProfileNotFound` if its owner's account is not active.

    The profile may be private: the caller has to check that before it redirects to the current slug.
    """
    slug = slug.lower()
    if is_slug(slug, SLUG_LENGTH):
        profiles = select(Profile).join(Profile.owner).options(contains_eager(Profile.owner)).where(User.is_active)
        if profile := db.session.scalar(profiles.where(Profile.slug == slug)):
            return SlugMatch(profile)
        former = profiles.join(FormerSlug, FormerSlug.profile_id == Profile.id).where(FormerSlug.slug == slug)
        if profile := db.session.scalar(former):
            return SlugMatch(profile, is_moved=True)
    raise ProfileNotFound(_("We couldn't find that profile."))


def card_counts(user: User) -> dict[int, int]:
    """Return the number of a user's cards that open each profile, by profile id."""
    rows = db.session.execute(
        select(Card.profile_id, sa.func.count())
        .where(Card.owner_id == user.id, Card.target == Target.PROFILE, Card.profile_id.is_not(None))
        .group_by(Card.profile_id)
    )
    return {profile_id: number for profile_id, number in rows if profile_id is not None}


# --- changes ----------------------------------------------------------------------------------------------------------


def create(owner: User, submitted: Mapping[str, str], *, region: str, appearance: Appearance | None = None) -> Profile:
    """Create a profile from typed values; an empty slug is derived from the name.

    Raises `InvalidField`, `InvalidUrl`, `InvalidHandle` or `SlugTaken`, each with its field, or `TooManyProfiles`.
    """
    values = fields.clean_all(submitted, region)
    _check_website_not_blocked(values["website"])
    columns = (appearance or Appearance()).columns
    number = db.session.scalar(sa.select(sa.func.count()).where(Profile.owner_id == owner.id)) or 0
    if number >= MAX_PROFILES:
        raise TooManyProfiles(_("You already have %(number)d profiles. Delete one to create another."), number=number)
    typed_slug = values.pop("slug")
    name = values["name"] or ""
    for _number in range(MAX_SLUG_ATTEMPTS):
        slug = typed_slug or slugs.suggest_slug(name)
        slugs.check_free(slug)
        profile = Profile(owner_id=owner.id, slug=slug, **columns, **values)
        try:
            with db.session.begin_nested():
                db.session.add(profile)
        except IntegrityError:
            if typed_slug:
                break
            continue  # another profile took the suggestion meanwhile: try the next one
        slugs.delete_former_slug(slug)
        audit.record("profile.created", subject=profile, actor=owner)
        return profile
    raise slugs.slug_taken()


def update(
    profile: Profile, actor: User, submitted: Mapping[str, str], *, region: str, version: int, appearance: Appearance
) -> None:
    """Update a profile that still has the given version; an empty slug keeps the current one.

    The former slug redirects to the new one until another profile takes it. Raises what `create` raises, and
    `EditConflict`.
    """
    if profile.version != version:
        raise _edit_conflict()
    values: dict[str, Any] = {**fields.clean_all(submitted, region), **appearance.columns}
    former, slug = profile.slug, values["slug"] or profile.slug
    former_pictures = {profile.photo, profile.banner}
    values["slug"] = slug
    if values["website"] != profile.website:
        _check_website_not_blocked(values["website"])
    changed = sorted(name for name, value in values.items() if getattr(profile, name) != value)
    if not changed:
        return
    if "slug" in changed:
        slugs.check_free(slug)
    try:
        with db.session.begin_nested():
            for name in changed:
                setattr(profile, name, values[name])
    except IntegrityError:
        raise slugs.slug_taken() from None
    except StaleDataError:
        raise _edit_conflict() from None
    if "slug" in changed:
        slugs.delete_former_slug(slug)
        slugs.add_former_slug(former, profile)
    uploads.schedule_deletion(former_pictures - {profile.photo, profile.banner}, profile.owner_id)
    audit.record("profile.changed", subject=profile, actor=actor, fields=changed)


def delete(profile: Profile, actor: User) -> None:
    """Delete a profile; cards that opened it have no target until their owner sets another."""
    audit.record("profile.deleted", subject=profile, actor=actor, slug=profile.slug)
    uploads.schedule_deletion((profile.photo, profile.banner), profile.owner_id)
    db.session.execute(sa.delete(Profile).where(Profile.id == profile.id, Profile.owner_id == actor.id))


def _check_website_not_blocked(website: str | None) -> None:
    if website and blocked_hosts.is_blocked(target_urls.host_of(website)):
        raise fields.InvalidField(_("This site is blocked. Choose another address."), field="website")


def _edit_conflict() -> EditConflict:
    return EditConflict(
        _(
            "This profile was changed in another window, so your changes weren't saved. "
            "Reload the page and make them again."
        )
    )


# --- form values and preview ------------------------------------------------------------------------------------------


def preview(submitted: Mapping[str, str], region: str, appearance: Appearance) -> Profile:
    """Return a profile with the valid values of a form, outside the database session."""
    values: dict[str, Any] = {}
    for field in fields.TEXT_FIELDS:
        try:
            values[field] = fields.clean(field, submitted.get(field) or "", region)
        except DomainError:
            values[field] = None
    values["name"] = values["name"] or "…"
    values["slug"] = values["slug"] or ""
    return Profile(**values, **appearance.columns)


def appearance_of(profile: Profile) -> Appearance:
    """Return the appearance of a profile."""
    return Appearance(
        profile.photo, profile.banner, profile.theme, profile.is_public, tuple(profile.hidden_fields or ())
    )


def form_values(profile: Profile) -> dict[str, str]:
    """Return the values of the form fields for editing a profile."""
    values = {field: getattr(profile, field) or "" for field in fields.TEXT_FIELDS}
    return {**values, **{field: phones.display(values[field]) for field in fields.PHONE_FIELDS if values[field]}}
