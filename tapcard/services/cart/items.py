"""Cart items: the lines of a cart at today's prices and stock."""

from collections.abc import Mapping
from dataclasses import dataclass
from datetime import datetime
from typing import Any

import sqlalchemy as sa
from sqlalchemy import select
from sqlalchemy.orm import aliased

from ...db import db
from ...errors import DomainError
from ...errors import mark as _
from ...gateways.base import OFFLINE
from ...models import (
    PAYMENT_OPEN,
    Availability,
    Card,
    CardHold,
    CardStatus,
    Cart,
    CartLine,
    ClaimPolicy,
    Design,
    DesignStatus,
    LineKind,
    Order,
    OrderLine,
    OrderStatus,
    Payment,
    PaymentStatus,
    Product,
    ProductKind,
    User,
)
from ...money import Money
from ...settings import ShopSettings
from ..cards import claims
from ..catalogue import customization
from . import pricing
from .pricing import Item

MAX_PIECES, MAX_CARDS = 99, 500


class ProductKindChanged(DomainError):
    """A product became a card, or is none any more."""


@dataclass(frozen=True)
class CartItem:
    """A line as it stands today: what it costs, how many there can be, and what changed since it was put in."""

    line: CartLine
    title: str
    kind: LineKind
    unit_amount: int
    quantity: int  # not more than there are; 0 when it is gone
    currency: str
    tax_rate: int
    options: list[dict[str, str]]
    picture: str | None
    design: Design | None
    is_gone: bool = False
    is_capped: bool = False
    is_repriced: bool = False
    validation_error: DomainError | None = None  # why what was said about it cannot be made today

    @property
    def unit(self) -> Money:
        return Money(self.unit_amount, self.currency)

    @property
    def amount(self) -> Money:
        return Money(self.unit_amount * self.quantity, self.currency)

    @property
    def former_unit(self) -> Money:
        """What a piece cost when the buyer saw it last."""
        return Money(self.line.shown_amount or 0, self.currency)

    @property
    def differs(self) -> bool:
        """Whether it is not what the buyer saw last; a press takes that over."""
        return self.is_gone or self.is_capped or self.is_repriced

    @property
    def needs_choice(self) -> bool:
        """Whether the buyer has to choose again, or take it out: no press can answer for them."""
        return self.validation_error is not None and not self.is_gone

    @property
    def has_changed(self) -> bool:
        """Whether the buyer has to look again before paying."""
        return self.differs or self.needs_choice

    @property
    def ships(self) -> bool:
        return self.kind is not LineKind.ACTIVATION

    def priced(self, *, is_promoted: bool = False) -> Item:
        """The line as it goes into a total."""
        return Item(self.unit_amount, self.quantity, self.tax_rate, self.ships, is_promoted)


def current_items(cart: Cart, shop: ShopSettings, now: datetime) -> list[CartItem]:
    """Look every line through as it stands today; writes nothing."""
    left = _available_stock(cart, now)
    held = _cards_held_by_others(cart, now)
    found = []
    for line in cart.lines:
        item = _product_item(line, shop, left, held)
        if line.product_id is not None and left.get(line.product_id) is not None:
            left[line.product_id] = (left[line.product_id] or 0) - item.quantity
        found.append(item)
    return found


def _product_item(line: CartLine, shop: ShopSettings, left: Mapping[int, int | None], held: set[int]) -> CartItem:
    if line.kind is LineKind.ACTIVATION:
        return _activation_item(line, shop, held)
    product = line.product
    assert product is not None
    unit = unit_amount(product, line.design, line.options)
    is_sold = product.is_active and product.availability is not Availability.OUT_OF_STOCK
    if product.kind is ProductKind.CARD and line.design is not None:
        is_sold = is_sold and can_order_design(line.design, line.cart.user_id)
    available = left.get(product.id)
    most = max_quantity(line.kind)
    quantity = min(line.quantity, most, most if available is None else max(0, available)) if is_sold else 0
    picture = product.picture.name if product.picture is not None else None
    if line.kind is LineKind.CARD:
        picture = line.front_picture or (line.design.front_picture if line.design is not None else None)
    return CartItem(
        line=line,
        title=product.name,
        kind=line.kind,
        unit_amount=unit,
        quantity=quantity,
        currency=shop.currency,
        tax_rate=product.tax_rate,
        options=customization.labeled_answers(product, line.options),
        picture=picture,
        design=line.design,
        is_gone=quantity == 0,
        is_capped=0 < quantity < line.quantity,
        is_repriced=line.shown_amount is not None and line.shown_amount != unit,
        validation_error=_validation_error(line, product, shop),
    )


def _validation_error(line: CartLine, product: Product, shop: ShopSettings) -> DomainError | None:
    """Why a line has to be chosen again: its answers were checked when it was put in, and staff change questions."""
    if (line.kind is LineKind.CARD) is not (product.kind is ProductKind.CARD):
        return ProductKindChanged(_("The way this product is ordered has changed."))
    return customization.validation_error(product, line.options, line.pictures, shop.country)


def _activation_item(line: CartLine, shop: ShopSettings, held: set[int]) -> CartItem:
    card = line.card
    assert card is not None
    is_sold = can_be_activated_by_payment(card) and card.id not in held
    unit = claims.activation_price(card, shop).amount
    return CartItem(
        line=line,
        title=_("Activation of card %(token)s") % {"token": card.token},
        kind=line.kind,
        unit_amount=unit,
        quantity=1 if is_sold else 0,
        currency=shop.currency,
        tax_rate=shop.activation_tax_rate,
        options=[],
        picture=card.design.front_picture if card.design is not None else None,
        design=card.design,
        is_gone=not is_sold,
        is_repriced=line.shown_amount is not None and line.shown_amount != unit,
    )


def can_be_activated_by_payment(card: Card) -> bool:
    """Whether a card waits for somebody to pay for it."""
    return card.status is CardStatus.UNCLAIMED and card.claim_policy is ClaimPolicy.PAY


def unit_amount(product: Product, design: Design | None, answers: Mapping[str, Any]) -> int:
    """What one piece costs, with what the answers cost more."""
    return pricing.amount_of(product, design) + customization.extra_amount(product, answers)


def can_order_design(design: Design, user_id: int | None) -> bool:
    """Whether a design may be ordered: a public one by everybody, a private one by its owner alone."""
    if design.status is DesignStatus.REJECTED:
        return False
    if design.is_public:
        return design.status is DesignStatus.APPROVED
    return design.owner_id is not None and design.owner_id == user_id


def replaceable_orders_filter(cart_id: int) -> tuple[sa.ColumnElement[bool], ...]:
    """The open orders of a cart that another order of it may take the place of; what they hold, the cart can have.

    Not those of which money outside the web is awaited, or has come in part: their buyer may be on the way to the bank.
    """
    payment = aliased(Payment)
    awaited = sa.and_(payment.status == PaymentStatus.PENDING, payment.gateway == OFFLINE)
    is_firm = select(payment.id).where(
        payment.order_id == Order.id, sa.or_(awaited, payment.status == PaymentStatus.SUCCEEDED)
    )
    return Order.cart_id == cart_id, Order.status == OrderStatus.PENDING, ~is_firm.exists()


def cancelable_orders_filter(cart_id: int) -> tuple[sa.ColumnElement[bool], ...]:
    """Those of them of which no payment is under way at a gateway: these may be canceled at once."""
    payment = aliased(Payment)
    under_way = select(payment.id).where(payment.order_id == Order.id, payment.status.in_(PAYMENT_OPEN))
    return *replaceable_orders_filter(cart_id), ~under_way.exists()


def _available_stock(cart: Cart, now: datetime) -> dict[int, int | None]:
    """How many of each counted product this cart can have: what is in stock, what its own open order holds, and what
    orders hold whose time is over.
    """
    counted = {line.product_id: line.product.stock for line in cart.lines if line.product is not None}
    wanted = [product_id for product_id, stock in counted.items() if stock is not None]
    if wanted:
        is_over = sa.and_(Order.status == OrderStatus.PENDING, Order.expires_at <= now)
        is_free = sa.or_(sa.and_(*replaceable_orders_filter(cart.id)), is_over)
        taken = (
            select(OrderLine.product_id, sa.func.sum(OrderLine.stock_taken))
            .join(OrderLine.order)
            .where(OrderLine.product_id.in_(wanted), OrderLine.stock_taken > 0, is_free)
            .group_by(OrderLine.product_id)
        )
        for product_id, number in db.session.execute(taken):
            counted[product_id] = (counted[product_id] or 0) + number
    return {product_id: stock for product_id, stock in counted.items() if product_id is not None}


def _cards_held_by_others(cart: Cart, now: datetime) -> set[int]:
    """The cards to be activated that somebody else is just paying for, or another order is about."""
    wanted = [line.card_id for line in cart.lines if line.card_id is not None]
    if not wanted:
        return set()
    holds = (
        select(CardHold.card_id)
        .join(OrderLine, OrderLine.id == CardHold.order_line_id)
        .join(OrderLine.order)
        .where(CardHold.card_id.in_(wanted), CardHold.expires_at > now)
        .where(sa.not_(sa.and_(*replaceable_orders_filter(cart.id))))
    )
    return set(db.session.scalars(holds))


def is_held_by_others(card: Card, user: User | None, now: datetime) -> bool:
    """Whether somebody else is just paying for the activation of a card."""
    holds = select(CardHold.card_id).join(OrderLine, OrderLine.id == CardHold.order_line_id).join(OrderLine.order)
    held = holds.where(CardHold.card_id == card.id, CardHold.expires_at > now)
    if user is not None:
        held = held.where(sa.or_(Order.user_id.is_(None), Order.user_id != user.id))
    return db.session.scalar(held) is not None


def max_quantity(kind: LineKind) -> int:
    """How many pieces a line of a kind may have."""
    return {LineKind.CARD: MAX_CARDS, LineKind.ACTIVATION: 1}.get(kind, MAX_PIECES)
