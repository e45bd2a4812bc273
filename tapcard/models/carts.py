"""Carts and their lines."""

import enum
from datetime import datetime
from typing import Any

import sqlalchemy as sa
from sqlalchemy.orm import Mapped, mapped_column, relationship

from ..clock import utcnow
from ..db import Base, created, pk
from .cards import Card, Design
from .products import Product
from .promotions import Promotion
from .users import User


class LineKind(enum.StrEnum):
    """The kind of a cart or order line, which decides how it is fulfilled."""

    GOODS = "goods"
    GIFT_PACK = "gift_pack"
    CARD = "card"
    ACTIVATION = "activation"


class Cart(Base):
    """The cart of a person or a browser; `checkout` holds the details entered at the checkout."""

    __tablename__ = "carts"

    id: Mapped[pk]
    user_id: Mapped[int | None] = mapped_column(sa.ForeignKey("users.id", ondelete="CASCADE"), unique=True)
    promotion_id: Mapped[int | None] = mapped_column(sa.ForeignKey("promotions.id"))
    checkout: Mapped[dict[str, Any]] = mapped_column(default=dict)
    uses_credit: Mapped[bool] = mapped_column(default=False)
    created_at: Mapped[created]
    updated_at: Mapped[datetime] = mapped_column(default=utcnow, index=True)

    user: Mapped[User | None] = relationship()
    promotion: Mapped[Promotion | None] = relationship()
    lines: Mapped[list["CartLine"]] = relationship(
        back_populates="cart", order_by="CartLine.id", cascade="all, delete-orphan"
    )


class CartLine(Base):
    """A quantity of one product with its options; equal lines share a `fingerprint`."""

    __tablename__ = "cart_lines"
    __table_args__ = (
        sa.UniqueConstraint("cart_id", "fingerprint"),
        sa.CheckConstraint("quantity BETWEEN 1 AND 500", name="quantity_in_range"),
        sa.CheckConstraint("(kind = 'activation') = (card_id IS NOT NULL)", name="activates_a_card"),
        sa.CheckConstraint("kind = 'activation' OR product_id IS NOT NULL", name="sells_something"),
    )

    id: Mapped[pk]
    cart_id: Mapped[int] = mapped_column(sa.ForeignKey("carts.id", ondelete="CASCADE"))
    kind: Mapped[LineKind]
    product_id: Mapped[int | None] = mapped_column(sa.ForeignKey("products.id"), index=True)
    design_id: Mapped[int | None] = mapped_column(sa.ForeignKey("designs.id"), index=True)
    card_id: Mapped[int | None] = mapped_column(sa.ForeignKey("cards.id"), index=True)  # to be activated
    quantity: Mapped[int] = mapped_column(default=1)
    options: Mapped[dict[str, Any]] = mapped_column(default=dict)  # values by option key
    front_picture: Mapped[str | None] = mapped_column(sa.String(80))  # own artwork of cards
    rear_picture: Mapped[str | None] = mapped_column(sa.String(80))
    pictures: Mapped[list[str]] = mapped_column(sa.JSON, default=list)  # every upload of this line
    fingerprint: Mapped[str] = mapped_column(sa.String(64))
    shown_amount: Mapped[int | None] = mapped_column(sa.BigInteger)  # the unit price the buyer saw last
    created_at: Mapped[created]

    cart: Mapped[Cart] = relationship(back_populates="lines")
    product: Mapped[Product | None] = relationship()
    design: Mapped[Design | None] = relationship()
    card: Mapped[Card | None] = relationship()
