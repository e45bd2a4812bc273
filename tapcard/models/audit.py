"""Append-only audit log: who did what to which row, when and from where."""

from typing import Any

import sqlalchemy as sa
from sqlalchemy.orm import Mapped, Mapper, mapped_column, relationship

from ..db import Base, bigint, created, pk
from .users import User


class AuditEntry(Base):
    """One audited action, with a tag of the form `noun.past`."""

    __tablename__ = "audit_entries"
    __table_args__ = (sa.Index(None, "subject_type", "subject_id"),)

    id: Mapped[pk]
    happened_at: Mapped[created]
    actor_id: Mapped[int | None] = mapped_column(sa.ForeignKey("users.id"), index=True)
    tag: Mapped[str] = mapped_column(sa.String(60), index=True)
    subject_type: Mapped[str] = mapped_column(sa.String(40), default="")
    subject_id: Mapped[int | None] = mapped_column(bigint)
    details: Mapped[dict[str, Any]] = mapped_column(default=dict)
    origin: Mapped[str] = mapped_column(sa.String(45), default="")

    actor: Mapped[User | None] = relationship()


def _reject_change(_mapper: Mapper[Any], _connection: sa.Connection, entry: AuditEntry) -> None:
    raise TypeError("audit entries are append-only")


sa.event.listen(AuditEntry, "before_update", _reject_change)
sa.event.listen(AuditEntry, "before_delete", _reject_change)
