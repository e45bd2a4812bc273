"""Messages from the contact form."""

import enum
from datetime import datetime

import sqlalchemy as sa
from sqlalchemy.orm import Mapped, mapped_column

from ..db import Base, created, pk
from ..email_addresses import MAX_EMAIL_LENGTH


class EnquiryStatus(enum.StrEnum):
    """The status of a message, which is not stored."""

    OPEN = "open"
    ANSWERED = "answered"


class Enquiry(Base):
    """A message to the shop from the contact form."""

    __tablename__ = "enquiries"

    id: Mapped[pk]
    user_id: Mapped[int | None] = mapped_column(sa.ForeignKey("users.id"), index=True)
    name: Mapped[str] = mapped_column(sa.String(100))
    email: Mapped[str] = mapped_column(sa.String(MAX_EMAIL_LENGTH), index=True)
    order_number: Mapped[str] = mapped_column(sa.String(20), default="")
    message: Mapped[str] = mapped_column(sa.String(2000))
    created_at: Mapped[created]
    answered_at: Mapped[datetime | None]

    @property
    def status(self) -> EnquiryStatus:
        """Return whether the message has been answered."""
        return EnquiryStatus.OPEN if self.answered_at is None else EnquiryStatus.ANSWERED
