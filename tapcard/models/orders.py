"""Orders as they were placed, their lines and their history."""

import enum
from datetime import datetime
from typing import Any

import sqlalchemy as sa
from sqlalchemy.orm import Mapped, foreign, mapped_column, relationship

from ..db import Base, created, enum_type, minor_units, pk
from ..email_addresses import MAX_EMAIL_LENGTH
from ..money import Money
from .cards import Card, Design
from .carts import LineKind
from .delivery import DeliveryMethod
from .products import NAME_LENGTH, Product
from .promotions import Promotion
from .users import NAME_LENGTH as PERSON_LENGTH
from .users import User


class OrderStatus(enum.StrEnum):
    """The state of an order."""

    PENDING = "pending"
    PAID = "paid"
    PROCESSING = "processing"
    SHIPPED = "shipped"
    DELIVERED = "delivered"
    CANCELED = "canceled"
    EXPIRED = "expired"
    REFUNDED = "refunded"


class OrderMove(enum.StrEnum):
    """A transition between states."""

    PLACE = "place"
    PAY = "pay"
    PROCESS = "process"
    SHIP = "ship"
    DELIVER = "deliver"
    CANCEL = "cancel"
    EXPIRE = "expire"
    REFUND = "refund"


class CancelReason(enum.StrEnum):
    """Why the shop canceled an order by itself, as stored in `OrderEvent.why`; staff write free text there."""

    REPLACED = "ordered anew"  # a new order of the same cart took its place


_S, _M = OrderStatus, OrderMove
AFTER_PAID = frozenset({_S.PAID, _S.PROCESSING, _S.SHIPPED, _S.DELIVERED})
# An expired order can still become paid, because the payment may arrive late.
ORDER_MOVES: dict[OrderMove, tuple[frozenset[OrderStatus], OrderStatus]] = {
    _M.PAY: (frozenset({_S.PENDING, _S.EXPIRED}), _S.PAID),
    _M.PROCESS: (frozenset({_S.PAID}), _S.PROCESSING),
    _M.SHIP: (frozenset({_S.PAID, _S.PROCESSING}), _S.SHIPPED),
    _M.DELIVER: (frozenset({_S.PAID, _S.PROCESSING, _S.SHIPPED}), _S.DELIVERED),
    _M.CANCEL: (frozenset({_S.PENDING}), _S.CANCELED),
    _M.EXPIRE: (frozenset({_S.PENDING}), _S.EXPIRED),
    _M.REFUND: (AFTER_PAID, _S.REFUNDED),
}


class ProductionStatus(enum.StrEnum):
    """The state of cards in production."""

    QUEUED = "queued"
    PRINTED = "printed"
    ADHERED = "adhered"
    PACKED = "packed"


class Order(Base):
    """An order: buyer, contents, delivery and amounts, as they were when it was placed."""

    __tablename__ = "orders"
    __table_args__ = (
        sa.CheckConstraint("subtotal_amount >= 0", name="subtotal_not_negative"),
        sa.CheckConstraint("discount_amount BETWEEN 0 AND subtotal_amount", name="discount_in_range"),
        sa.CheckConstraint("delivery_amount >= 0", name="delivery_not_negative"),
        sa.CheckConstraint("credit_amount >= 0", name="credit_not_negative"),
        sa.CheckConstraint("total_amount >= 0", name="total_not_negative"),
        sa.CheckConstraint(
            "total_amount = subtotal_amount - discount_amount + delivery_amount - credit_amount", name="adds_up"
        ),
        sa.Index(None, "status", "expires_at"),
        sa.Index(None, "cart_id", "status"),
    )

    id: Mapped[pk]
    number: Mapped[str] = mapped_column(sa.String(20), unique=True)
    user_id: Mapped[int | None] = mapped_column(sa.ForeignKey("users.id"), index=True)
    cart_id: Mapped[int | None] = mapped_column(sa.ForeignKey("carts.id", ondelete="SET NULL"))
    email: Mapped[str] = mapped_column(sa.String(MAX_EMAIL_LENGTH), index=True)
    first_name: Mapped[str] = mapped_column(sa.String(PERSON_LENGTH))
    last_name: Mapped[str] = mapped_column(sa.String(PERSON_LENGTH))
    phone: Mapped[str | None] = mapped_column(sa.String(16))  # E.164
    address: Mapped[dict[str, Any]] = mapped_column(default=dict)  # the columns of an Address; none for pickup
    note: Mapped[str] = mapped_column(sa.String(500), default="")
    currency: Mapped[str] = mapped_column(sa.String(3))
    subtotal_amount: Mapped[minor_units]
    discount_amount: Mapped[minor_units] = mapped_column(default=0)
    delivery_amount: Mapped[minor_units] = mapped_column(default=0)
    credit_amount: Mapped[minor_units] = mapped_column(default=0)
    total_amount: Mapped[minor_units]
    tax_amount: Mapped[minor_units] = mapped_column(default=0)  # included in the total
    status: Mapped[OrderStatus] = mapped_column(default=OrderStatus.PENDING)
    is_oversold: Mapped[bool] = mapped_column(default=False)
    promotion_id: Mapped[int | None] = mapped_column(sa.ForeignKey("promotions.id"), index=True)
    promotion_code: Mapped[str] = mapped_column(sa.String(40), default="")
    promotion_customers: Mapped[list[str]] = mapped_column(sa.JSON, default=list)  # keyed hashes its use was counted by
    delivery_method_id: Mapped[int | None] = mapped_column(sa.ForeignKey("delivery_methods.id"), index=True)
    delivery_name: Mapped[str] = mapped_column(sa.String(100), default="")
    is_delivery_open: Mapped[bool] = mapped_column(default=False)  # its price is agreed with the buyer later
    delivery_location: Mapped[str] = mapped_column(sa.String(100), default="")
    carrier: Mapped[str] = mapped_column(sa.String(60), default="")
    tracking_number: Mapped[str] = mapped_column(sa.String(80), default="")
    placed_at: Mapped[created]
    expires_at: Mapped[datetime]
    ended_at: Mapped[datetime | None]  # canceled or expired
    paid_at: Mapped[datetime | None]
    shipped_at: Mapped[datetime | None]
    delivered_at: Mapped[datetime | None]
    version: Mapped[int] = mapped_column(default=1)

    user: Mapped[User | None] = relationship()
    promotion: Mapped[Promotion | None] = relationship()
    delivery_method: Mapped[DeliveryMethod | None] = relationship()
    lines: Mapped[list["OrderLine"]] = relationship(back_populates="order", order_by="OrderLine.id")
    events: Mapped[list["OrderEvent"]] = relationship(back_populates="order", order_by="OrderEvent.id")

    __mapper_args__ = {"version_id_col": version}

    def money(self, value: int) -> Money:
        """Return an amount in this order's currency."""
        return Money(value, self.currency)

    @property
    def total(self) -> Money:
        return self.money(self.total_amount)

    @property
    def full_name(self) -> str:
        return f"{self.first_name} {self.last_name}".strip()

    @property
    def is_open(self) -> bool:
        """Return whether the order awaits payment."""
        return self.status is OrderStatus.PENDING

    @property
    def is_paid(self) -> bool:
        """Return whether the order is paid and not refunded."""
        return self.status in AFTER_PAID

    @property
    def needs_shipping(self) -> bool:
        """Return whether anything has to be shipped or picked up."""
        return any(line.kind is not LineKind.ACTIVATION for line in self.lines)


class OrderLine(Base):
    """A line as it was sold; later changes of the product do not affect it."""

    __tablename__ = "order_lines"
    __table_args__ = (
        sa.CheckConstraint("quantity BETWEEN 1 AND 500", name="quantity_in_range"),
        sa.CheckConstraint("unit_amount >= 0", name="unit_amount_not_negative"),
        sa.CheckConstraint("line_amount = unit_amount * quantity", name="line_adds_up"),
        sa.CheckConstraint("discount_amount BETWEEN 0 AND line_amount", name="discount_in_range"),
        sa.CheckConstraint("stock_taken BETWEEN 0 AND quantity", name="stock_taken_in_range"),
        sa.CheckConstraint("(kind = 'card') = (production_status IS NOT NULL)", name="cards_are_produced"),
        sa.CheckConstraint("(kind = 'activation') = (card_token IS NOT NULL)", name="activates_a_card"),
    )

    id: Mapped[pk]
    order_id: Mapped[int] = mapped_column(sa.ForeignKey("orders.id"), index=True)
    kind: Mapped[LineKind]
    product_id: Mapped[int | None] = mapped_column(sa.ForeignKey("products.id"), index=True)
    design_id: Mapped[int | None] = mapped_column(sa.ForeignKey("designs.id"), index=True)
    design_name: Mapped[str] = mapped_column(sa.String(50), default="")  # as sold
    card_token: Mapped[str | None] = mapped_column(sa.String(20), index=True)  # of the card to be activated
    title: Mapped[str] = mapped_column(sa.String(NAME_LENGTH))
    sku: Mapped[str] = mapped_column(sa.String(100), default="")
    picture: Mapped[str | None] = mapped_column(sa.String(80))
    options: Mapped[list[Any]] = mapped_column(sa.JSON, default=list)  # [{label, value, kind}] as sold
    pictures: Mapped[list[str]] = mapped_column(sa.JSON, default=list)  # every upload of this line
    fingerprint: Mapped[str] = mapped_column(sa.String(64), default="")  # of the cart line
    quantity: Mapped[int]
    unit_amount: Mapped[minor_units]  # after the product's own discount, extras included
    line_amount: Mapped[minor_units]
    discount_amount: Mapped[minor_units] = mapped_column(default=0)  # its share of the promotion
    tax_rate: Mapped[int] = mapped_column(default=0)
    tax_amount: Mapped[minor_units] = mapped_column(default=0)
    stock_taken: Mapped[int] = mapped_column(default=0)
    production_status: Mapped[ProductionStatus | None]

    order: Mapped[Order] = relationship(back_populates="lines")
    product: Mapped[Product | None] = relationship()
    design: Mapped[Design | None] = relationship()
    cards: Mapped[list[Card]] = relationship(
        primaryjoin=lambda: foreign(Card.order_line_id) == OrderLine.id, order_by=Card.id, viewonly=True
    )

    @property
    def full_title(self) -> str:
        """Return the title with the design's name, which tells two lines of one product apart."""
        return f"{self.title} · {self.design_name}" if self.design_name else self.title


class LineGrant(Base):
    """Records that a paid line was fulfilled; the key allows it once.

    Its foreign key also keeps a line that has cards, because `cards.order_line_id` is a plain column.
    """

    __tablename__ = "line_grants"

    order_line_id: Mapped[int] = mapped_column(sa.ForeignKey("order_lines.id"), primary_key=True, autoincrement=False)
    granted_at: Mapped[created]


class CardHold(Base):
    """An unclaimed card whose activation is being paid for; held for that order until `expires_at`."""

    __tablename__ = "card_holds"

    card_id: Mapped[int] = mapped_column(sa.ForeignKey("cards.id"), primary_key=True, autoincrement=False)
    order_line_id: Mapped[int] = mapped_column(sa.ForeignKey("order_lines.id"), index=True)
    expires_at: Mapped[datetime]


class OrderEvent(Base):
    """One transition of an order: who, when, from, to, why."""

    __tablename__ = "order_events"

    id: Mapped[pk]
    order_id: Mapped[int] = mapped_column(sa.ForeignKey("orders.id"), index=True)
    happened_at: Mapped[created]
    actor_id: Mapped[int | None] = mapped_column(sa.ForeignKey("users.id"), index=True)
    move: Mapped[OrderMove]
    from_status: Mapped[OrderStatus | None] = mapped_column(enum_type(OrderStatus, "from_status"))
    to_status: Mapped[OrderStatus] = mapped_column(enum_type(OrderStatus, "to_status"))
    why: Mapped[str] = mapped_column(sa.String(200), default="")

    order: Mapped[Order] = relationship(back_populates="events")
    actor: Mapped[User | None] = relationship()

    @property
    def cancel_reason(self) -> CancelReason | None:
        """Return why the shop canceled the order by itself; None for any other step or free text."""
        is_known = self.move is OrderMove.CANCEL and self.why in list(CancelReason)
        return CancelReason(self.why) if is_known else None
