"""Taps, the roll-ups every figure is read from, and the book-keeping of the spool.

Taps and roll-ups carry no foreign keys: cards and users are never deleted, and a damaged line must not block the rest.
In roll-ups 0 and '' stand for "none", because a unique key takes two NULLs for different.
"""

import enum
from datetime import date, datetime

import sqlalchemy as sa
from sqlalchemy.orm import Mapped, mapped_column

from ..db import Base, bigint, pk


class Channel(enum.StrEnum):
    """How the card was read."""

    NFC = "nfc"
    QR = "qr"


class Outcome(enum.StrEnum):
    """What a tap got for an answer."""

    REDIRECT = "redirect"
    PROFILE = "profile"
    EVENT = "event"
    CHECK_IN = "check_in"
    ACTIVATION = "activation"
    SETUP = "setup"
    EDIT = "edit"
    SWITCHED_OFF = "switched_off"
    RETIRED = "retired"
    ORPHAN = "orphan"


class Device(enum.StrEnum):
    """The class of device that read the card."""

    PHONE = "phone"
    TABLET = "tablet"
    DESKTOP = "desktop"
    OTHER = "other"


class UserAgent(Base):
    """A user agent, stored once."""

    __tablename__ = "user_agents"

    id: Mapped[pk]
    text: Mapped[str] = mapped_column(sa.String(512), unique=True)
    device: Mapped[Device]
    os_family: Mapped[str] = mapped_column(sa.String(40), default="")
    is_bot: Mapped[bool] = mapped_column(default=False)


class Tap(Base):
    """One reading of a card at an instant, with holder and design as they were then; never edited."""

    __tablename__ = "taps"
    __table_args__ = (
        sa.Index(None, "owner_id", "tapped_at"),
        sa.Index(None, "card_id", "tapped_at"),
        sa.Index(
            "ix_taps_orphans",
            "tapped_at",
            "token",
            sqlite_where=sa.text("card_id IS NULL"),
            postgresql_where=sa.text("card_id IS NULL"),
        ),
    )

    id: Mapped[pk]
    uid: Mapped[str] = mapped_column(sa.String(32), unique=True)  # made by the writer, in order of time
    tapped_at: Mapped[datetime]
    card_id: Mapped[int | None] = mapped_column(bigint)
    token: Mapped[str | None] = mapped_column(sa.String(20))  # of an unknown card only
    owner_id: Mapped[int | None] = mapped_column(bigint)
    design_id: Mapped[int | None] = mapped_column(bigint)
    channel: Mapped[Channel]
    outcome: Mapped[Outcome]
    user_agent_id: Mapped[int | None] = mapped_column(bigint)
    language: Mapped[str] = mapped_column(sa.String(12), default="")
    referrer_host: Mapped[str] = mapped_column(sa.String(255), default="")
    country: Mapped[str] = mapped_column(sa.String(2), default="")
    visitor: Mapped[str] = mapped_column(sa.String(32), default="")
    is_bot: Mapped[bool] = mapped_column(default=False)
    is_own: Mapped[bool] = mapped_column(default=False)


class _Counted:
    """What taps of any number of cards are counted by, besides the time."""

    id: Mapped[pk]
    design_id: Mapped[int] = mapped_column(bigint)
    channel: Mapped[Channel]
    outcome: Mapped[Outcome]
    device: Mapped[Device]
    country: Mapped[str] = mapped_column(sa.String(2))
    is_bot: Mapped[bool]
    is_own: Mapped[bool]
    tap_count: Mapped[int] = mapped_column(bigint)


class _Rollup(_Counted):
    """What taps are counted by, besides the time."""

    card_id: Mapped[int] = mapped_column(bigint)
    owner_id: Mapped[int] = mapped_column(bigint)


SHOP_KEY = ("design_id", "channel", "outcome", "device", "country", "is_bot", "is_own")
ROLLUP_KEY = ("card_id", "owner_id", *SHOP_KEY)


class TapHour(_Rollup, Base):
    """Taps by hour of the shop's own zone; `folded_count` of them are in `tap_days` already."""

    __tablename__ = "tap_hours"
    __table_args__ = (
        sa.UniqueConstraint("card_id", "hour_at", *ROLLUP_KEY[1:], name="uq_tap_hours_key"),
        sa.Index(None, "owner_id", "hour_at"),
        sa.Index(
            "ix_tap_hours_unfolded",
            "id",
            sqlite_where=sa.text("tap_count <> folded_count"),
            postgresql_where=sa.text("tap_count <> folded_count"),
        ),
    )

    hour_at: Mapped[datetime]
    folded_count: Mapped[int] = mapped_column(bigint, default=0)


class TapDay(_Rollup, Base):
    """Taps by day of the shop's own zone."""

    __tablename__ = "tap_days"
    __table_args__ = (
        sa.UniqueConstraint("card_id", "day_on", *ROLLUP_KEY[1:], name="uq_tap_days_key"),
        sa.Index(None, "owner_id", "day_on"),
        sa.Index(None, "day_on"),
    )

    day_on: Mapped[date]


class ShopTapDay(_Counted, Base):
    """Taps by day over all cards and holders: what staff see must not take longer the more cards there are."""

    __tablename__ = "shop_tap_days"
    __table_args__ = (sa.UniqueConstraint("day_on", *SHOP_KEY, name="uq_shop_tap_days_key"),)

    day_on: Mapped[date]


class SpoolFile(Base):
    """How far a spool file has been read; kept for a while after the file is gone, so that a copy is not read twice."""

    __tablename__ = "spool_files"

    name: Mapped[str] = mapped_column(sa.String(80), primary_key=True)
    off: Mapped[int] = mapped_column(bigint, default=0)
    bad_count: Mapped[int] = mapped_column(default=0)
    done_at: Mapped[datetime | None] = mapped_column(index=True)


class VisitorKey(Base):
    """The key of one day's visitor hashes; deleted after 48 hours, and with it the way back."""

    __tablename__ = "visitor_keys"

    day_on: Mapped[date] = mapped_column(primary_key=True)
    key: Mapped[bytes] = mapped_column(sa.LargeBinary(32))
