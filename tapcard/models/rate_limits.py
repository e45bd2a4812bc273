"""Counters of throttled actions, shared by all processes and kept across restarts."""

from datetime import datetime

import sqlalchemy as sa
from sqlalchemy.orm import Mapped, mapped_column

from ..db import Base


class ThrottleCounter(Base):
    """How often a subject (keyed hash of an account or IP address) did an action in the current window."""

    __tablename__ = "throttle_counters"

    scope: Mapped[str] = mapped_column(sa.String(40), primary_key=True)
    subject: Mapped[str] = mapped_column(sa.String(64), primary_key=True)
    window_ends_at: Mapped[datetime] = mapped_column(index=True)
    count: Mapped[int]
