"""Words of the shop: pages that staff edit, and the people who want its newsletter."""

import enum
from datetime import datetime

import sqlalchemy as sa
from sqlalchemy.orm import Mapped, mapped_column, validates

from ..clock import utcnow
from ..db import Base, created, pk
from .users import EMAIL_LENGTH


class PageMenu(enum.StrEnum):
    """Where a page is linked from."""

    NONE = "none"
    TOP = "top"
    FOOTER = "footer"


class ShopPage(Base):
    """A page in Markdown; one whose slug is that of a page of ours stands in its place."""

    __tablename__ = "shop_pages"

    id: Mapped[pk]
    slug: Mapped[str] = mapped_column(sa.String(120), unique=True)
    title: Mapped[str] = mapped_column(sa.String(120))
    body: Mapped[str] = mapped_column(sa.Text, default="")
    description: Mapped[str] = mapped_column(sa.String(500), default="")
    menu: Mapped[PageMenu] = mapped_column(default=PageMenu.NONE)
    position: Mapped[int] = mapped_column(default=0)
    is_published: Mapped[bool] = mapped_column(default=True)
    created_at: Mapped[created]
    updated_at: Mapped[datetime] = mapped_column(default=utcnow)
    version: Mapped[int] = mapped_column(default=1)

    __mapper_args__ = {"version_id_col": version}


class SubscriberStatus(enum.StrEnum):
    """Whether somebody gets the newsletter."""

    PENDING = "pending"
    SUBSCRIBED = "subscribed"
    UNSUBSCRIBED = "unsubscribed"


class Subscriber(Base):
    """An address that asked for the newsletter; it gets one only after it confirmed."""

    __tablename__ = "subscribers"
    __table_args__ = (sa.CheckConstraint("email = lower(email)", name="email_lower"),)

    id: Mapped[pk]
    email: Mapped[str] = mapped_column(sa.String(EMAIL_LENGTH), unique=True)
    status: Mapped[SubscriberStatus] = mapped_column(default=SubscriberStatus.PENDING, index=True)
    consent_text: Mapped[str] = mapped_column(sa.String(500), default="")
    created_at: Mapped[created]
    asked_at: Mapped[datetime] = mapped_column(default=utcnow)
    confirmed_at: Mapped[datetime | None]
    unsubscribed_at: Mapped[datetime | None]

    @validates("email")
    def _fold(self, _key: str, value: str) -> str:
        return value.strip().lower()


class Enquiry(Base):
    """What somebody wrote to the shop through its form."""

    __tablename__ = "enquiries"

    id: Mapped[pk]
    user_id: Mapped[int | None] = mapped_column(sa.ForeignKey("users.id"), index=True)
    name: Mapped[str] = mapped_column(sa.String(100))
    email: Mapped[str] = mapped_column(sa.String(EMAIL_LENGTH), index=True)
    order_number: Mapped[str] = mapped_column(sa.String(20), default="")
    message: Mapped[str] = mapped_column(sa.String(2000))
    created_at: Mapped[created]
    answered_at: Mapped[datetime | None]
