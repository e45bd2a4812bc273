"""Customer credit: balances and entries."""

import sqlalchemy as sa
from sqlalchemy.orm import Mapped, mapped_column

from ..db import Base, created, minor_units, pk


class CreditAccount(Base):
    """A person's credit balance: the sum of their entries."""

    __tablename__ = "credit_accounts"
    __table_args__ = (sa.CheckConstraint("amount >= 0", name="amount_not_negative"),)

    user_id: Mapped[int] = mapped_column(sa.ForeignKey("users.id"), primary_key=True, autoincrement=False)
    amount: Mapped[minor_units]


class CreditEntry(Base):
    """Credit given (positive) or spent (negative), with the reason."""

    __tablename__ = "credit_entries"

    id: Mapped[pk]
    user_id: Mapped[int] = mapped_column(sa.ForeignKey("users.id"), index=True)
    amount: Mapped[minor_units]
    why: Mapped[str] = mapped_column(sa.String(200))
    order_id: Mapped[int | None] = mapped_column(sa.ForeignKey("orders.id"), index=True)
    actor_id: Mapped[int | None] = mapped_column(sa.ForeignKey("users.id"))
    created_at: Mapped[created]
