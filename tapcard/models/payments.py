"""Payments and the sandbox's charges."""

import enum
from datetime import datetime
from typing import Any

import sqlalchemy as sa
from sqlalchemy.orm import Mapped, mapped_column, relationship

from ..db import Base, created, minor_units, pk
from ..money import Money
from ..tokens import new_secret
from .orders import Order
from .users import User


class PaymentStatus(enum.StrEnum):
    """The state of a payment; success is never undone by a later failure."""

    CREATED = "created"
    PENDING = "pending"
    SUCCEEDED = "succeeded"
    FAILED = "failed"
    CANCELED = "canceled"
    EXPIRED = "expired"
    MISMATCH = "mismatch"


_P = PaymentStatus
PAYMENT_OPEN = frozenset({_P.CREATED, _P.PENDING})
# A payment that arrives late counts, even if it had failed, expired or been canceled before.
PAYMENT_MOVES: dict[PaymentStatus, frozenset[PaymentStatus]] = {
    _P.PENDING: frozenset({_P.CREATED}),
    _P.SUCCEEDED: frozenset({_P.CREATED, _P.PENDING, _P.FAILED, _P.CANCELED, _P.EXPIRED}),
    _P.MISMATCH: frozenset({_P.CREATED, _P.PENDING, _P.FAILED, _P.CANCELED, _P.EXPIRED}),
    _P.FAILED: PAYMENT_OPEN,
    _P.CANCELED: PAYMENT_OPEN,
    _P.EXPIRED: PAYMENT_OPEN,
}


class Payment(Base):
    """One attempt to pay an order through one gateway."""

    __tablename__ = "payments"
    __table_args__ = (
        sa.UniqueConstraint("gateway", "reference"),
        sa.CheckConstraint("amount > 0", name="amount_positive"),
        sa.CheckConstraint("captured_amount >= 0", name="captured_not_negative"),
        sa.Index(
            "uq_payments_open",
            "order_id",
            unique=True,
            sqlite_where=sa.text("status IN ('created', 'pending')"),
            postgresql_where=sa.text("status IN ('created', 'pending')"),
        ),
    )

    id: Mapped[pk]
    order_id: Mapped[int] = mapped_column(sa.ForeignKey("orders.id"), index=True)
    gateway: Mapped[str] = mapped_column(sa.String(20))
    public_id: Mapped[str] = mapped_column(sa.String(43), unique=True, default=new_secret)  # in URLs
    reference: Mapped[str | None] = mapped_column(sa.String(255))  # the gateway's
    amount: Mapped[minor_units]
    currency: Mapped[str] = mapped_column(sa.String(3))
    captured_amount: Mapped[minor_units] = mapped_column(default=0)  # what was paid
    status: Mapped[PaymentStatus] = mapped_column(default=PaymentStatus.CREATED, index=True)
    started_by_id: Mapped[int | None] = mapped_column(sa.ForeignKey("users.id"), index=True)
    pay_url: Mapped[str] = mapped_column(sa.String(2000), default="")  # where the buyer pays
    evidence: Mapped[dict[str, Any]] = mapped_column(default=dict)
    refund_proposed: Mapped[bool] = mapped_column(default=False)  # paid too late, twice or wrong
    created_at: Mapped[created]
    settled_at: Mapped[datetime | None]

    order: Mapped[Order] = relationship()
    started_by: Mapped[User | None] = relationship()

    @property
    def money(self) -> Money:
        return Money(self.amount, self.currency)

    @property
    def is_open(self) -> bool:
        return self.status in PAYMENT_OPEN


class SandboxCharge(Base):
    """The sandbox's own record of a payment, apart from the shop's rows."""

    __tablename__ = "sandbox_charges"

    reference: Mapped[str] = mapped_column(sa.String(60), primary_key=True)
    public_id: Mapped[str] = mapped_column(sa.String(43), unique=True, default=new_secret)
    amount: Mapped[minor_units]
    currency: Mapped[str] = mapped_column(sa.String(3))
    description: Mapped[str] = mapped_column(sa.String(200), default="")
    return_url: Mapped[str] = mapped_column(sa.String(2000))
    state: Mapped[str] = mapped_column(sa.String(20), default="open")
    pays_at: Mapped[datetime | None]  # of a delayed payment
    created_at: Mapped[created]
