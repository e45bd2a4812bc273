"""Users, roles, emailed links, two-factor authentication, postal addresses."""

import enum
import hashlib
from datetime import date, datetime, timedelta
from typing import Any

import sqlalchemy as sa
from sqlalchemy.orm import Mapped, mapped_column, relationship, validates

from .. import email_addresses
from ..db import Base, bigint, created, pk
from ..tokens import new_secret

NAME_LENGTH = 50
REOPEN_WITHIN = timedelta(days=14)  # after closing an account

user_roles = sa.Table(
    "user_roles",
    Base.metadata,
    sa.Column("user_id", sa.ForeignKey("users.id", ondelete="CASCADE"), primary_key=True),
    sa.Column("role_id", sa.ForeignKey("roles.id", ondelete="CASCADE"), primary_key=True, index=True),
)


class Role(Base):
    """A named set of permissions for the back office."""

    __tablename__ = "roles"

    id: Mapped[pk]
    name: Mapped[str] = mapped_column(sa.String(40), unique=True)
    permissions: Mapped[list[str]] = mapped_column(sa.JSON, default=list)
    is_fixed: Mapped[bool] = mapped_column(default=False)

    users: Mapped[list["User"]] = relationship(secondary=user_roles, back_populates="roles")


class User(Base):
    """A person with an account; without a password until they follow an emailed link."""

    __tablename__ = "users"
    __table_args__ = (sa.CheckConstraint("email = lower(email)", name="email_lower"),)

    id: Mapped[pk]
    email: Mapped[str] = mapped_column(sa.String(email_addresses.MAX_EMAIL_LENGTH), unique=True)
    title: Mapped[str | None] = mapped_column(sa.String(20))
    first_name: Mapped[str] = mapped_column(sa.String(NAME_LENGTH))
    last_name: Mapped[str] = mapped_column(sa.String(NAME_LENGTH))
    born_on: Mapped[date | None]
    password_hash: Mapped[str | None] = mapped_column(sa.String(255))
    password_set_at: Mapped[datetime | None]
    verified_at: Mapped[datetime | None]
    is_active: Mapped[bool] = mapped_column(default=True)
    created_at: Mapped[created]
    seen_at: Mapped[datetime | None]
    closed_at: Mapped[datetime | None] = mapped_column(index=True)  # by the user; erased after `REOPEN_WITHIN`
    erased_at: Mapped[datetime | None]
    wants_lead_mail: Mapped[bool] = mapped_column(default=True, server_default=sa.true())
    wants_weekly_mail: Mapped[bool] = mapped_column(default=False, server_default=sa.false())
    weekly_mail_on: Mapped[date | None]  # date of the last weekly email

    roles: Mapped[list[Role]] = relationship(secondary=user_roles, back_populates="users", lazy="selectin")
    two_factor: Mapped["TwoFactor | None"] = relationship(back_populates="user")

    # what Flask-Login asks for
    is_authenticated = True
    is_anonymous = False

    def get_id(self) -> str:
        return str(self.id)

    @validates("email")
    def _fold(self, _key: str, value: str) -> str:
        return value.strip().lower()

    @property
    def has_proven_identity(self) -> bool:
        """Return whether the user has ever proved their identity; false for an account created for a guest."""
        return self.password_hash is not None or self.verified_at is not None

    @property
    def full_name(self) -> str:
        return f"{self.first_name} {self.last_name}".strip()

    @property
    def is_verified(self) -> bool:
        return self.verified_at is not None

    @property
    def email_status(self) -> "EmailStatus":
        """Return whether the email address is confirmed."""
        return EmailStatus.CONFIRMED if self.is_verified else EmailStatus.NOT_CONFIRMED

    @property
    def is_staff(self) -> bool:
        """Return whether the user has any role in the back office."""
        return bool(self.roles)

    @property
    def has_two_factor(self) -> bool:
        """Return whether logging in requires a second factor."""
        return self.two_factor is not None and self.two_factor.confirmed_at is not None

    def may(self, permission: str) -> bool:
        """Return whether one of the user's roles has a permission; owners have every permission."""
        return any("*" in role.permissions or permission in role.permissions for role in self.roles)

    @property
    def reopenable_until(self) -> datetime | None:
        """Return until when a closed account can be reopened; None if it is open or erased."""
        return self.closed_at + REOPEN_WITHIN if self.closed_at is not None and self.erased_at is None else None

    def can_reopen(self, now: datetime) -> bool:
        """Return whether the account is closed and can still be reopened."""
        return self.reopenable_until is not None and now < self.reopenable_until


class EmailStatus(enum.StrEnum):
    """The status of a user's email address, which is not stored."""

    CONFIRMED = "confirmed"
    NOT_CONFIRMED = "not_confirmed"


class LinkPurpose(enum.StrEnum):
    """What an emailed link does when it is followed."""

    VERIFY_EMAIL = "verify_email"
    SET_PASSWORD = "set_password"
    CHANGE_EMAIL = "change_email"
    UNDO_EMAIL = "undo_email"


LINK_LIFETIMES = {
    LinkPurpose.VERIFY_EMAIL: timedelta(days=7),
    LinkPurpose.SET_PASSWORD: timedelta(hours=1),
    LinkPurpose.CHANGE_EMAIL: timedelta(days=1),
    LinkPurpose.UNDO_EMAIL: timedelta(days=7),
}


class LinkToken(Base):
    """A single-use link emailed to a user; only the SHA-256 of its token is stored."""

    __tablename__ = "link_tokens"

    id: Mapped[pk]
    user_id: Mapped[int] = mapped_column(sa.ForeignKey("users.id", ondelete="CASCADE"), index=True)
    purpose: Mapped[LinkPurpose]
    token_hash: Mapped[str] = mapped_column(sa.String(64), unique=True)
    email: Mapped[str] = mapped_column(sa.String(email_addresses.MAX_EMAIL_LENGTH))
    created_at: Mapped[created]
    expires_at: Mapped[datetime] = mapped_column(index=True)
    used_at: Mapped[datetime | None]

    user: Mapped[User] = relationship()

    @classmethod
    def issue(cls, user: User, purpose: LinkPurpose, email: str, now: datetime) -> tuple["LinkToken", str]:
        """Return a new link, not yet added to the session, and its token, which only the email contains."""
        token = new_secret()
        link = cls(
            user_id=user.id,
            purpose=purpose,
            token_hash=cls.hash_of(token),
            email=email,
            created_at=now,
            expires_at=now + LINK_LIFETIMES[purpose],
        )
        return link, token

    @staticmethod
    def hash_of(token: str) -> str:
        """Return the SHA-256 of a token, which is what is stored."""
        return hashlib.sha256(token.encode()).hexdigest()

    def is_open(self, now: datetime) -> bool:
        """Return whether the link is unused and has not expired."""
        return self.used_at is None and self.expires_at > now

    def renew(self) -> str:
        """Replace the link's token and return it; the previous one stops working."""
        token = new_secret()
        self.token_hash = self.hash_of(token)
        return token


class TwoFactor(Base):
    """A user's authenticator app: the encrypted TOTP secret, in force once `confirmed_at` is set."""

    __tablename__ = "two_factor"

    user_id: Mapped[int] = mapped_column(sa.ForeignKey("users.id", ondelete="CASCADE"), primary_key=True)
    secret: Mapped[str] = mapped_column(sa.String(255))  # encrypted by Keys.encrypt
    created_at: Mapped[created]
    confirmed_at: Mapped[datetime | None]
    last_step: Mapped[int | None] = mapped_column(bigint)  # time step of the last code used: each works once

    user: Mapped[User] = relationship(back_populates="two_factor")


class RecoveryCode(Base):
    """A single-use code that replaces a lost authenticator app; only its keyed hash is stored."""

    __tablename__ = "recovery_codes"
    __table_args__ = (sa.UniqueConstraint("user_id", "code_hash"),)

    id: Mapped[pk]
    user_id: Mapped[int] = mapped_column(sa.ForeignKey("users.id", ondelete="CASCADE"))
    code_hash: Mapped[str] = mapped_column(sa.String(64))
    used_at: Mapped[datetime | None]


class Address(Base):
    """A user's postal address for deliveries and invoices."""

    __tablename__ = "addresses"

    id: Mapped[pk]
    user_id: Mapped[int] = mapped_column(sa.ForeignKey("users.id", ondelete="CASCADE"), index=True)
    name: Mapped[str] = mapped_column(sa.String(100))
    company: Mapped[str] = mapped_column(sa.String(100), default="")
    line1: Mapped[str] = mapped_column(sa.String(100))
    line2: Mapped[str] = mapped_column(sa.String(100), default="")
    city: Mapped[str] = mapped_column(sa.String(100))
    region: Mapped[str] = mapped_column(sa.String(100), default="")
    postal_code: Mapped[str] = mapped_column(sa.String(20), default="")
    country: Mapped[str] = mapped_column(sa.String(2))  # ISO 3166-1 alpha-2
    phone: Mapped[str | None] = mapped_column(sa.String(16))  # E.164
    is_default: Mapped[bool] = mapped_column(default=False)
    created_at: Mapped[created]

    @property
    def parts(self) -> dict[str, Any]:
        """Return the columns that an order copies."""
        names = ("name", "company", "line1", "line2", "city", "region", "postal_code", "country", "phone")
        return {name: getattr(self, name) for name in names}
