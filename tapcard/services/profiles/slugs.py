"""Slugs of profiles: suggestions, uniqueness, and former slugs that redirect."""

import secrets

import sqlalchemy as sa
from sqlalchemy import select

from ...clock import utcnow
from ...db import db, insert
from ...errors import DomainError
from ...errors import mark as _
from ...models import FormerSlug, Profile
from ...models.profiles import SLUG_LENGTH
from ...slugs import slugify
from . import fields


class SlugTaken(DomainError):
    """Another profile has this slug."""

    field = "slug"


def former_slugs(profile: Profile) -> list[str]:
    """Return the former slugs that still redirect to a profile, latest first."""
    slugs = select(FormerSlug.slug).where(FormerSlug.profile_id == profile.id)
    return list(db.session.scalars(slugs.order_by(FormerSlug.left_at.desc(), FormerSlug.id.desc())))


def check_free(slug: str) -> None:
    """Raise `SlugTaken` if a profile has this slug."""
    if db.session.scalar(select(Profile.id).where(Profile.slug == slug)) is not None:
        raise slug_taken()


def delete_former_slug(slug: str) -> None:
    """Stop redirecting a slug that a profile has taken; call it after the flush, which waits for concurrent changes."""
    db.session.execute(sa.delete(FormerSlug).where(FormerSlug.slug == slug))


def add_former_slug(slug: str, profile: Profile) -> None:
    """Let a former slug redirect to its profile."""
    values = {"profile_id": profile.id, "left_at": utcnow()}
    fresh = insert(FormerSlug).values(slug=slug, **values)
    db.session.execute(fresh.on_conflict_do_update(index_elements=["slug"], set_=values))


def slug_taken() -> SlugTaken:
    """Return the error for a slug that another profile has."""
    return SlugTaken(_("That address is taken. Choose another one."))


def suggest_slug(name: str) -> str:
    """Return a free slug that is derived from a name."""
    base = slugify(name, SLUG_LENGTH)
    if len(base) < fields.MIN_SLUG_LENGTH or base in fields.RESERVED_SLUGS:
        base = f"{base or 'profile'}-card"
    stem = base[: SLUG_LENGTH - 5].strip("-")
    candidates = [base, *(f"{stem}-{number}" for number in range(2, 10)), f"{stem}-{secrets.randbelow(9000) + 1000}"]
    used_slugs = set(db.session.scalars(select(Profile.slug).where(Profile.slug.in_(candidates))))
    used_slugs.update(db.session.scalars(select(FormerSlug.slug).where(FormerSlug.slug.in_(candidates))))
    return next((slug for slug in candidates if slug not in used_slugs), candidates[-1])
