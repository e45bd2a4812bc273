"""Transactional outbox and schedules of recurring jobs."""

from datetime import datetime
from typing import Any

import sqlalchemy as sa
from sqlalchemy.orm import Mapped, mapped_column

from ..db import Base, created, pk


class OutboxMessage(Base):
    """A side effect queued by a transaction, such as an email; the worker carries it out."""

    __tablename__ = "outbox"
    __table_args__ = (
        sa.Index(
            "ix_outbox_due",
            "due_at",
            sqlite_where=sa.text("done_at IS NULL AND failed_at IS NULL"),
            postgresql_where=sa.text("done_at IS NULL AND failed_at IS NULL"),
        ),
    )

    id: Mapped[pk]
    kind: Mapped[str] = mapped_column(sa.String(60))
    payload: Mapped[dict[str, Any]]
    created_at: Mapped[created]
    due_at: Mapped[datetime]
    attempt_count: Mapped[int] = mapped_column(default=0)
    done_at: Mapped[datetime | None] = mapped_column(index=True)
    failed_at: Mapped[datetime | None]
    error: Mapped[str] = mapped_column(sa.String(500), default="")


class Schedule(Base):
    """When a recurring job is due next; the worker that advances `due_at` runs it."""

    __tablename__ = "schedules"

    name: Mapped[str] = mapped_column(sa.String(60), primary_key=True)
    due_at: Mapped[datetime]
    last_run_at: Mapped[datetime | None]
    error: Mapped[str] = mapped_column(sa.String(500), default="")
