"""Delivery methods."""

import enum

import sqlalchemy as sa
from sqlalchemy.orm import Mapped, mapped_column

from ..db import Base, minor_units, pk
from .products import HUNDRED_PERCENT, MAX_AMOUNT


class DeliveryKind(enum.StrEnum):
    """The way a delivery method is priced."""

    FLAT = "flat"
    PERCENT = "percent"
    PICKUP = "pickup"
    TO_BE_AGREED = "to_be_agreed"


class DeliveryMethod(Base):
    """A method to deliver or pick up an order."""

    __tablename__ = "delivery_methods"
    __table_args__ = (
        sa.CheckConstraint(f"amount BETWEEN 0 AND {MAX_AMOUNT}", name="amount_in_range"),
        sa.CheckConstraint(f"percent BETWEEN 0 AND {HUNDRED_PERCENT}", name="percent_in_range"),
        sa.CheckConstraint("free_from_amount IS NULL OR free_from_amount >= 0", name="free_from_not_negative"),
    )

    id: Mapped[pk]
    name: Mapped[str] = mapped_column(sa.String(100))
    kind: Mapped[DeliveryKind]
    amount: Mapped[minor_units] = mapped_column(default=0)
    percent: Mapped[int] = mapped_column(default=0)  # of the subtotal, in hundredths of a percent
    free_from_amount: Mapped[int | None] = mapped_column(sa.BigInteger)  # of the subtotal before promotions
    countries: Mapped[list[str]] = mapped_column(sa.JSON, default=list)  # ISO 3166-1; none: everywhere
    locations: Mapped[list[str]] = mapped_column(sa.JSON, default=list)  # names to choose from; none: any address
    days_least: Mapped[int | None]
    days_most: Mapped[int | None]
    is_active: Mapped[bool] = mapped_column(default=True)
    position: Mapped[int] = mapped_column(default=0)

    @property
    def needs_address(self) -> bool:
        """Return whether something is sent to the buyer."""
        return self.kind is not DeliveryKind.PICKUP
