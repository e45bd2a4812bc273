"""Public profiles of holders with their links, former slugs, visitor actions and leads."""

import enum
from datetime import datetime
from typing import Any

import sqlalchemy as sa
from sqlalchemy.orm import Mapped, mapped_column, relationship, validates

from ..db import Base, bigint, created, pk
from .users import User

SLUG_LENGTH = 25
SOCIALS = ("linkedin", "instagram", "snapchat", "x", "tiktok", "youtube", "facebook", "github")


class ProfileTheme(enum.StrEnum):
    """Colour themes of public profiles, all of them with legible contrast."""

    LAKE = "lake"
    EMBER = "ember"
    FOREST = "forest"
    NIGHT = "night"
    ROSE = "rose"


class Profile(Base):
    """The public page a card may open."""

    __tablename__ = "profiles"
    __table_args__ = (sa.CheckConstraint("slug = lower(slug)", name="slug_lower"),)

    id: Mapped[pk]
    owner_id: Mapped[int] = mapped_column(sa.ForeignKey("users.id"), index=True)
    slug: Mapped[str] = mapped_column(sa.String(SLUG_LENGTH), unique=True)
    name: Mapped[str] = mapped_column(sa.String(60))
    headline: Mapped[str | None] = mapped_column(sa.String(80))
    company: Mapped[str | None] = mapped_column(sa.String(80))
    bio: Mapped[str | None] = mapped_column(sa.String(1000))
    email: Mapped[str | None] = mapped_column(sa.String(254))
    phone: Mapped[str | None] = mapped_column(sa.String(16))  # E.164
    whatsapp: Mapped[str | None] = mapped_column(sa.String(16))  # E.164
    linkedin: Mapped[str | None] = mapped_column(sa.String(100))
    instagram: Mapped[str | None] = mapped_column(sa.String(30))
    snapchat: Mapped[str | None] = mapped_column(sa.String(15))
    x: Mapped[str | None] = mapped_column(sa.String(15))
    tiktok: Mapped[str | None] = mapped_column(sa.String(24))
    youtube: Mapped[str | None] = mapped_column(sa.String(30))
    facebook: Mapped[str | None] = mapped_column(sa.String(50))
    github: Mapped[str | None] = mapped_column(sa.String(39))
    website: Mapped[str | None] = mapped_column(sa.String(2000))
    address: Mapped[str | None] = mapped_column(sa.String(300))
    photo: Mapped[str | None] = mapped_column(sa.String(80))
    banner: Mapped[str | None] = mapped_column(sa.String(80))
    theme: Mapped[ProfileTheme] = mapped_column(default=ProfileTheme.LAKE)
    is_public: Mapped[bool] = mapped_column(default=True)
    hidden_fields: Mapped[list[str]] = mapped_column(sa.JSON, default=list)
    created_at: Mapped[created]
    version: Mapped[int] = mapped_column(default=1)

    owner: Mapped[User] = relationship()
    links: Mapped[list["ProfileLink"]] = relationship(
        back_populates="profile", order_by="ProfileLink.position", cascade="all, delete-orphan"
    )

    __mapper_args__: dict[str, Any] = {"version_id_col": version}

    @validates("slug")
    def _fold(self, _key: str, value: str) -> str:
        return value.lower()


class ProfileLink(Base):
    """An extra link of a profile, in the order its owner chose."""

    __tablename__ = "profile_links"

    id: Mapped[pk]
    profile_id: Mapped[int] = mapped_column(sa.ForeignKey("profiles.id", ondelete="CASCADE"), index=True)
    position: Mapped[int]
    title: Mapped[str] = mapped_column(sa.String(80))
    url: Mapped[str] = mapped_column(sa.String(2000))
    is_shown: Mapped[bool] = mapped_column(default=True)

    profile: Mapped[Profile] = relationship(back_populates="links")


class FormerSlug(Base):
    """A former slug of a profile; it redirects until another profile takes it."""

    __tablename__ = "former_slugs"

    id: Mapped[pk]
    slug: Mapped[str] = mapped_column(sa.String(SLUG_LENGTH), unique=True)
    profile_id: Mapped[int] = mapped_column(sa.ForeignKey("profiles.id", ondelete="CASCADE"), index=True)
    left_at: Mapped[created]


class ProfileActionKind(enum.StrEnum):
    """The kind of a visitor's action on a public profile."""

    CONTACT_SAVED = "contact_saved"
    LINK_OPENED = "link_opened"
    LEAD_SENT = "lead_sent"


class ProfileAction(Base):
    """A visitor's action on a profile, with the card that was tapped before it, if known."""

    __tablename__ = "profile_actions"
    __table_args__ = (sa.Index(None, "profile_id", "happened_at"),)

    id: Mapped[pk]
    profile_id: Mapped[int] = mapped_column(sa.ForeignKey("profiles.id", ondelete="CASCADE"))
    card_id: Mapped[int | None] = mapped_column(bigint)
    kind: Mapped[ProfileActionKind]
    detail: Mapped[str] = mapped_column(sa.String(100), default="")
    happened_at: Mapped[datetime]
    visitor: Mapped[str | None] = mapped_column(sa.String(32))
    is_bot: Mapped[bool] = mapped_column(default=False)
    is_own: Mapped[bool] = mapped_column(default=False)


class Lead(Base):
    """Contact details a visitor left for the holder of a profile, with the text and time of their consent."""

    __tablename__ = "leads"
    __table_args__ = (
        sa.Index(None, "owner_id", "created_at"),
        sa.CheckConstraint("email IS NOT NULL OR phone IS NOT NULL", name="reachable"),
    )

    id: Mapped[pk]
    owner_id: Mapped[int] = mapped_column(sa.ForeignKey("users.id"))
    profile_id: Mapped[int | None] = mapped_column(sa.ForeignKey("profiles.id", ondelete="SET NULL"), index=True)
    card_id: Mapped[int | None] = mapped_column(bigint)
    name: Mapped[str] = mapped_column(sa.String(60))
    email: Mapped[str | None] = mapped_column(sa.String(254))
    phone: Mapped[str | None] = mapped_column(sa.String(16))  # E.164
    note: Mapped[str] = mapped_column(sa.String(500), default="")
    consent_text: Mapped[str] = mapped_column(sa.String(500))
    created_at: Mapped[created]  # also the time of the consent

    profile: Mapped[Profile | None] = relationship()
