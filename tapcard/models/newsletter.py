"""Newsletter subscribers."""

import enum
from datetime import datetime

import sqlalchemy as sa
from sqlalchemy.orm import Mapped, mapped_column, validates

from ..clock import utcnow
from ..db import Base, created, pk
from ..email_addresses import MAX_EMAIL_LENGTH


class SubscriberStatus(enum.StrEnum):
    """The status of a newsletter subscription."""

    PENDING = "pending"
    SUBSCRIBED = "subscribed"
    UNSUBSCRIBED = "unsubscribed"


class Subscriber(Base):
    """A newsletter subscriber; gets the newsletter only after confirming the address."""

    __tablename__ = "subscribers"
    __table_args__ = (sa.CheckConstraint("email = lower(email)", name="email_lower"),)

    id: Mapped[pk]
    email: Mapped[str] = mapped_column(sa.String(MAX_EMAIL_LENGTH), unique=True)
    status: Mapped[SubscriberStatus] = mapped_column(default=SubscriberStatus.PENDING, index=True)
    consent_text: Mapped[str] = mapped_column(sa.String(500), default="")
    created_at: Mapped[created]
    asked_at: Mapped[datetime] = mapped_column(default=utcnow)
    confirmed_at: Mapped[datetime | None]
    unsubscribed_at: Mapped[datetime | None]

    @validates("email")
    def _fold(self, _key: str, value: str) -> str:
        return value.strip().lower()
