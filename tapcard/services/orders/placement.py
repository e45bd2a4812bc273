"""Placing an order: from a quote to a written order with everything it reserves, in one transaction."""

import secrets
from collections.abc import Sequence
from dataclasses import dataclass, field
from datetime import datetime, timedelta
from typing import Any

from sqlalchemy import select
from sqlalchemy.orm import selectinload

from ... import outbox
from ...context import RuleContext
from ...db import db
from ...errors import DomainError
from ...errors import mark as _
from ...models import (
    CancelReason,
    DeliveryKind,
    DeliveryMethod,
    Design,
    DesignStatus,
    LineKind,
    Order,
    OrderLine,
    OrderMove,
    OrderStatus,
    ProductionStatus,
    User,
)
from ...tokens import ALPHABET
from ..accounts import registration
from ..cart import pricing
from ..cart.editing import CannotActivate
from ..cart.items import CartItem
from ..cart.promotions import Customer
from ..cart.quote import Quote, digest_of
from ..core import audit
from . import inventory, replacement, transitions

NUMBER_PART_LENGTH = 4
CONFIRMATION_DELAY = timedelta(minutes=10)  # a payment within this time is confirmed by the same email
OWN_ARTWORK = _("Own artwork")


class EmptyCart(DomainError):
    """There is nothing to order."""


class CartChanged(DomainError):
    """An item in the cart is not as the buyer saw it."""


class PriceChanged(DomainError):
    """The total has changed since the buyer saw it."""


class NeedsAccount(DomainError):
    """Ordering the activation of a card requires a login."""


@dataclass(frozen=True)
class Buyer:
    """The buyer's account or email address, contact details and delivery, as validated at the checkout."""

    email: str
    first_name: str
    last_name: str
    phone: str | None = None
    user: User | None = None  # logged in
    address: dict[str, Any] = field(default_factory=dict)
    method: DeliveryMethod | None = None
    location: str = ""
    note: str = ""

    @property
    def customer(self) -> Customer:
        """Return the customer that promotion uses are counted for."""
        return Customer(self.user, self.email)


def place(quote: Quote, buyer: Buyer, expected_total: int, context: RuleContext) -> Order:
    """Place the order of a quote; reserves stock, a promotion use, credit and cards to be activated, all or nothing.

    The caller holds the cart's lock (`checkout.place_order`). A repeated request returns the same order, as long as it
    is unpaid; other unpaid orders of the cart without an open payment are canceled. `expected_total`: the total that
    the buyer saw, in minor units. Raises `EmptyCart`, `CartChanged`, `PriceChanged`, `NeedsAccount`, `CannotActivate`,
    a `PromotionRefused` or `NotEnoughCredit`.
    """
    repeated = find_repeated(quote, buyer, expected_total, context.now)
    if repeated is not None:
        return repeated
    _cancel_replaced(quote.cart_id, buyer, context)
    _check(quote, buyer, expected_total)
    order = _write(quote, buyer, context)
    _reserve(order, quote, buyer, context)
    transitions.record_event(order, OrderMove.PLACE, None, OrderStatus.PENDING, buyer.user)
    outbox.post("mail.order_received", due_at=context.now + CONFIRMATION_DELAY, order_id=order.id)
    audit.record("order.placed", subject=order, actor=buyer.user, total=order.total_amount)
    return order


def find_repeated(quote: Quote, buyer: Buyer, expected_total: int, now: datetime) -> Order | None:
    """Return the unpaid order that a repeated request of the same cart has placed already."""
    is_waiting = (Order.cart_id == quote.cart_id, Order.status == OrderStatus.PENDING, Order.expires_at > now)
    orders = select(Order).where(*is_waiting).options(selectinload(Order.lines)).order_by(Order.id.desc())
    for order in db.session.scalars(orders).all():
        if _matches_request(order, quote, buyer, expected_total):
            return order
    return None


def _matches_request(order: Order, quote: Quote, buyer: Buyer, expected_total: int) -> bool:
    """Return whether an order is the one that the buyer requests again."""
    lines = ((line.fingerprint, line.quantity, line.unit_amount) for line in order.lines)
    if quote.digest != digest_of(order.currency, lines):
        return False
    method = buyer.method if order.needs_shipping else None
    address = buyer.address if order.needs_shipping else {}
    requested = (
        *(buyer.email, buyer.first_name, buyer.last_name, buyer.phone, buyer.note, expected_total, quote.code_id),
        *(address, method.id if method is not None else None, buyer.location if method is not None else ""),
    )
    placed = (
        *(order.email, order.first_name, order.last_name, order.phone, order.note, order.total_amount),
        *(order.promotion_id, order.address, order.delivery_method_id, order.delivery_location),
    )
    return requested == placed


def _cancel_replaced(cart_id: int, buyer: Buyer, context: RuleContext) -> None:
    """Cancel the orders of the cart that a new one replaces, and release their reservations."""
    is_replaced = replacement.cancelable_orders_filter(cart_id)
    for order_id in db.session.scalars(select(Order.id).where(*is_replaced)).all():
        order = db.session.get_one(Order, order_id)
        transitions.end_unpaid(
            order, OrderMove.CANCEL, buyer.user, context.keys, context.now, CancelReason.REPLACED
        )  # fmt: skip


def _check(quote: Quote, buyer: Buyer, expected_total: int) -> None:
    if not quote.items:
        raise EmptyCart(_("Your cart is empty."))
    if quote.has_changed:
        raise CartChanged(_("Your cart has changed. Please check it again."))
    if quote.refusal is not None:
        raise quote.refusal
    if quote.totals.total_amount != expected_total:
        raise PriceChanged(_("The price has changed. Please check the new total."))
    if buyer.user is None and any(item.kind is LineKind.ACTIVATION for item in quote.items):
        raise NeedsAccount(_("Log in or sign up first so we can link the card to your account."))


def _write(quote: Quote, buyer: Buyer, context: RuleContext) -> Order:
    totals, promotion, now = quote.totals, quote.promotion, context.now
    method = buyer.method if totals.ships else None
    user = buyer.user or _account_for(buyer, now)
    order = Order(
        number=_new_number(),
        user_id=user.id if user is not None else None,
        cart_id=quote.cart_id,
        email=buyer.email,
        first_name=buyer.first_name,
        last_name=buyer.last_name,
        phone=buyer.phone,
        address=buyer.address if totals.ships else {},
        note=buyer.note,
        currency=totals.currency,
        subtotal_amount=totals.subtotal_amount,
        discount_amount=totals.discount_amount,
        delivery_amount=totals.delivery_amount,
        credit_amount=totals.credit_amount,
        total_amount=totals.total_amount,
        tax_amount=totals.tax_amount,
        promotion_id=promotion.id if promotion is not None else None,
        promotion_code=promotion.code if promotion is not None else "",
        delivery_method_id=method.id if method is not None else None,
        delivery_name=method.name if method is not None else "",
        is_delivery_open=totals.ships and (method is None or method.kind is DeliveryKind.TO_BE_AGREED),
        delivery_location=buyer.location if method is not None else "",
        placed_at=now,
        expires_at=now + timedelta(minutes=context.shop.order_minutes),
    )
    for item, priced in zip(quote.items, totals.items, strict=True):
        order.lines.append(_line(item, priced, user))
    _name_designs(order.lines)
    db.session.add(order)
    db.session.flush()  # reservations refer to its line ids
    return order


def _line(item: CartItem, priced: pricing.PricedItem, user: User | None) -> OrderLine:
    line, product = item.line, item.line.product
    return OrderLine(
        kind=item.kind,
        product_id=line.product_id,
        design=_artwork_of(item, user),
        card_token=line.card.token if line.card is not None else None,
        title=item.title,
        sku=product.sku if product is not None else "",
        picture=item.picture,
        options=item.options,
        pictures=list(line.pictures),
        fingerprint=line.fingerprint,
        quantity=item.quantity,
        unit_amount=item.unit_amount,
        line_amount=item.unit_amount * item.quantity,
        discount_amount=priced.discount,
        tax_rate=item.tax_rate,
        tax_amount=priced.tax,
        production_status=ProductionStatus.QUEUED if item.kind is LineKind.CARD else None,
    )


def _name_designs(lines: Sequence[OrderLine]) -> None:
    """Store the names of designs as sold; of two with the same name the second gets a number."""
    names: dict[Design, str] = {}
    for line in lines:
        design = line.design
        if design is not None and design not in names:
            name, number = design.name, 1
            while name in names.values():
                number += 1
                name = f"{design.name[:45]} {number}"
            names[design] = name
        line.design_name = names[design] if design is not None else ""


def _artwork_of(item: CartItem, user: User | None) -> Design | None:
    """Return the design of a line of cards; uploaded artwork becomes a design that awaits approval."""
    line = item.line
    if line.front_picture is None:
        return line.design
    return Design(
        name=OWN_ARTWORK,
        front_picture=line.front_picture,
        rear_picture=line.rear_picture,
        is_public=False,
        owner=user,
        status=DesignStatus.REQUESTED,
    )


def _account_for(buyer: Buyer, now: datetime) -> User | None:
    """Return the account of a guest's address if it has no login yet, created if there is none.

    An account with a login is not touched: the order is attached when its user follows the emailed link.
    """
    try:
        user = registration.get_or_create_account(buyer.email, buyer.first_name, buyer.last_name, now)
    except registration.EmailTaken:
        return None
    return user if user.is_active and not user.has_proven_identity else None


def _new_number() -> str:
    """Return an unused order number that is easy to read out; 39 random bits make a second try unlikely."""
    while True:
        parts = ("".join(secrets.choice(ALPHABET) for _ in range(NUMBER_PART_LENGTH)) for _ in range(2))
        number = "-".join(("TC", *parts))
        if db.session.scalar(select(Order.id).where(Order.number == number)) is None:
            return number


def _reserve(order: Order, quote: Quote, buyer: Buyer, context: RuleContext) -> None:
    def expire_due(product_id: int) -> int:
        return transitions.expire_due(context.now, context.keys, product_id=product_id)

    if not inventory.reserve_stock(order, expire_due):
        raise CartChanged(_("Something in your cart has just sold out. Please check it again."))
    if not inventory.hold_cards(order, context.now):
        raise CannotActivate(_("Someone else is paying for this card right now. Try again later."))
    inventory.reserve_discounts(order, quote.promotion, buyer.customer, context.keys, context.now)
