"""Counters of throttled actions: exact over all workers, alive after a restart."""

from datetime import datetime

import sqlalchemy as sa
from sqlalchemy.orm import Mapped, mapped_column

from ..db import Base


class ThrottleCounter(Base):
    """How often one subject (a keyed hash of an address or an account) did one thing in the present window."""

    __tablename__ = "throttle_counters"

    scope: Mapped[str] = mapped_column(sa.String(40), primary_key=True)
    subject: Mapped[str] = mapped_column(sa.String(64), primary_key=True)
    window_ends_at: Mapped[datetime] = mapped_column(index=True)
    count: Mapped[int]
