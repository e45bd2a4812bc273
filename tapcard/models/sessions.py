"""Server-side web sessions: one row per browser, found by the hash of its cookie."""

from datetime import datetime

import sqlalchemy as sa
from sqlalchemy.orm import Mapped, mapped_column

from ..db import Base, created, pk


class WebSession(Base):
    """The session data of one browser; the cookie's value itself is never stored."""

    __tablename__ = "web_sessions"

    id: Mapped[pk]
    sid_hash: Mapped[str] = mapped_column(sa.String(64), unique=True)
    user_id: Mapped[int | None] = mapped_column(sa.ForeignKey("users.id", ondelete="CASCADE"), index=True)
    device: Mapped[str] = mapped_column(sa.String(200), default="")
    data: Mapped[bytes]
    created_at: Mapped[created]
    seen_at: Mapped[datetime]
    expires_at: Mapped[datetime] = mapped_column(index=True)
