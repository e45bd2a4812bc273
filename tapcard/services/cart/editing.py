"""Filling a cart: adding, changing and removing lines, within stock and limits."""

import hashlib
import json
from collections.abc import Mapping, Sequence
from dataclasses import dataclass, field
from typing import Any

import sqlalchemy as sa
from sqlalchemy import select

from ...clock import utcnow
from ...context import RuleContext
from ...db import db, execute_update, insert
from ...errors import DomainError
from ...errors import mark as _
from ...models import (
    Availability,
    Card,
    Cart,
    CartLine,
    Design,
    LineKind,
    OrderLine,
    Product,
    ProductKind,
)
from ..cards import claims
from ..catalogue import customization
from . import carts, items
from .items import CartItem, ReservationsFor

MAX_LINES = 100


class BadQuantity(DomainError):
    """The quantity is not a whole number in the allowed range."""

    status = 422
    field = "quantity"


class NotForSale(DomainError):
    """The product is not for sale now."""


class SoldOut(DomainError):
    """The product is sold out."""


class ChooseDesign(DomainError):
    """A card needs a design, or artwork for its front."""

    status = 422
    field = "design"


class CannotActivate(DomainError):
    """The card is not activated by payment, or another buyer is paying for it."""


class TooManyLines(DomainError):
    """The cart has as many different lines as it may have."""


@dataclass(frozen=True)
class LineRequest:
    """A product with options that a buyer requests, and for cards a design or artwork."""

    product: Product
    quantity: int
    answers: Mapping[str, str] = field(default_factory=dict)
    uploads: Mapping[str, str] = field(default_factory=dict)  # stored pictures by option key
    design: Design | None = None
    front_picture: str | None = None
    rear_picture: str | None = None


def add(cart: Cart, request: LineRequest, context: RuleContext, reservations: ReservationsFor) -> CartItem:
    """Add a product to a cart, or to an equal line of it; return the item, capped to what is available.

    Raises `BadQuantity`, `NotForSale`, `SoldOut`, `ChooseDesign`, `TooManyLines` and what
    `customization.clean_answers` raises.
    """
    product = request.product
    maximum = items.max_quantity(LineKind(product.kind.value))
    check_quantity(request.quantity, maximum)
    if not product.is_active or product.availability is Availability.OUT_OF_STOCK:
        raise NotForSale(_("This product isn't available at the moment."))
    if product.kind is ProductKind.CARD:
        _check_design(cart, request)
    answers = customization.clean_answers(product, request.answers, request.uploads, context.shop.country)
    is_card = product.kind is ProductKind.CARD
    values = {
        "kind": LineKind(product.kind.value),
        "product_id": product.id,
        "design_id": request.design.id if is_card and request.design is not None else None,
        "options": answers,
        "front_picture": request.front_picture if is_card else None,
        "rear_picture": request.rear_picture if is_card else None,
        "shown_amount": items.unit_amount(product, request.design, answers),
    }
    artwork = [picture for picture in (values["front_picture"], values["rear_picture"]) if picture]
    values["pictures"] = [*artwork, *customization.picture_answers(product, answers)]
    line_id = put_line(cart, values, request.quantity, maximum)
    return _capped_item(cart, line_id, context, reservations)


def add_activation(cart: Cart, card: Card, context: RuleContext, reservations: ReservationsFor) -> CartItem:
    """Add the activation of a card to a cart, once; raises `CannotActivate`."""
    if not items.can_be_activated_by_payment(card):
        raise CannotActivate(_("This card can't be activated online."))
    values = {
        "kind": LineKind.ACTIVATION,
        "card_id": card.id,
        "options": {},
        "pictures": [],
        "shown_amount": claims.activation_price(card, context.shop).amount,
    }
    line_id = put_line(cart, values, 1, 1)
    item = next(
        candidate
        for candidate in _current_items(carts.reload(cart), context, reservations)
        if candidate.line.id == line_id
    )
    if item.is_gone:
        raise CannotActivate(_("Someone else is paying for this card right now. Try again later."))
    return item


def check_quantity(quantity: int, maximum: int) -> None:
    """Raise `BadQuantity` for anything but 1 to `maximum`."""
    if not 1 <= quantity <= maximum:
        raise BadQuantity(_("Enter a whole number from 1 to %(most)d."), most=maximum)


def _check_design(cart: Cart, request: LineRequest) -> None:
    if request.design is None and request.front_picture is None:
        raise ChooseDesign(_("Choose a design or upload an image for the front."))
    if request.design is not None and request.front_picture is not None:
        raise ChooseDesign(_("Choose either a design or your own images, not both."))
    if request.design is not None and not items.can_order_design(request.design, cart.user_id):
        raise ChooseDesign(_("This design isn't available. Choose another one."))


def line_fingerprint(values: Mapping[str, Any]) -> str:
    """Return the digest that equal lines share; blank and missing options are equal."""
    names = ("product_id", "design_id", "card_id", "front_picture", "rear_picture")
    answers = sorted((key, value) for key, value in values.get("options", {}).items() if value)
    parts = [str(values["kind"]), *(values.get(name) for name in names), answers]
    return hashlib.sha256(json.dumps(parts).encode()).hexdigest()


def put_line(cart: Cart, values: Mapping[str, Any], quantity: int, limit: int) -> int:
    """Insert a line or raise the quantity of an equal one, by one statement; return its id. Raises `TooManyLines`."""
    carts.lock(cart)
    line_count = db.session.scalar(select(sa.func.count()).where(CartLine.cart_id == cart.id)) or 0
    fingerprint = line_fingerprint(values)
    if line_count >= MAX_LINES and fingerprint not in {line.fingerprint for line in cart.lines}:
        raise TooManyLines(_("Your cart is full. Check out or remove an item first."))
    now = utcnow()
    statement = insert(CartLine).values(
        cart_id=cart.id, fingerprint=fingerprint, quantity=quantity, created_at=now, **values
    )
    total = CartLine.__table__.c.quantity + quantity
    line_id = db.session.execute(
        statement.on_conflict_do_update(
            index_elements=["cart_id", "fingerprint"],
            set_={
                "quantity": sa.case((total > limit, limit), else_=total),
                "shown_amount": values.get("shown_amount"),
            },
        )
        .returning(CartLine.id)
        .execution_options(synchronize_session=False)
    ).scalar_one()
    cart.updated_at = now
    return int(line_id)


def _current_items(cart: Cart, context: RuleContext, reservations: ReservationsFor) -> list[CartItem]:
    return items.current_items(cart, context.shop, reservations(cart, context.now))


def _capped_item(cart: Cart, line_id: int, context: RuleContext, reservations: ReservationsFor) -> CartItem:
    """Return the item of a line, with its quantity lowered to what is available; raises `SoldOut`."""
    item = next(
        candidate
        for candidate in _current_items(carts.reload(cart), context, reservations)
        if candidate.line.id == line_id
    )
    if item.is_gone:
        raise SoldOut(_("%(title)s is sold out."), title=item.title)
    if item.is_capped:
        item.line.quantity = item.quantity
    return item


def change_quantity(
    cart: Cart, line_id: int, quantity: int, context: RuleContext, reservations: ReservationsFor
) -> CartItem:
    """Set the quantity of a line, capped to what is available; raises `BadQuantity`, `LineNotFound`."""
    cart = carts.lock_and_reload(cart)
    line = carts.get_line(cart, line_id)
    maximum = items.max_quantity(line.kind)
    check_quantity(quantity, maximum)
    line.quantity = quantity
    db.session.flush()  # the items below are read from the database
    item = next(
        candidate
        for candidate in _current_items(carts.reload(cart), context, reservations)
        if candidate.line.id == line_id
    )
    if item.is_capped:
        line.quantity = item.quantity
    line.shown_amount = item.unit_amount
    cart.updated_at = context.now
    return item


def remove(cart: Cart, line_id: int) -> None:
    """Remove a line; raises `LineNotFound`."""
    cart = carts.lock_and_reload(cart)
    cart.lines.remove(carts.get_line(cart, line_id))
    cart.updated_at = utcnow()


def clear(cart: Cart) -> None:
    """Remove all lines and the promotion."""
    cart = carts.lock_and_reload(cart)
    cart.lines.clear()
    cart.promotion = None
    cart.updated_at = utcnow()


def accept_changes(cart: Cart, context: RuleContext, reservations: ReservationsFor) -> bool:
    """Update lines to today's price and quantity, and remove those not available; return whether anything changed."""
    cart = carts.lock_and_reload(cart)
    changed = [item for item in _current_items(cart, context, reservations) if item.has_changed]
    for item in changed:
        if item.is_gone:
            cart.lines.remove(item.line)
        else:
            item.line.quantity, item.line.shown_amount = item.quantity, item.unit_amount
    return bool(changed)


def remove_ordered_lines(cart_id: int, lines: Sequence[OrderLine]) -> None:
    """Remove the ordered lines and quantities from a cart; keep what was added since."""
    carts.lock_by_id(cart_id)
    for line in lines:
        is_same = sa.and_(CartLine.cart_id == cart_id, CartLine.fingerprint == line.fingerprint)
        if not execute_update(sa.delete(CartLine).where(is_same, CartLine.quantity <= line.quantity)):
            execute_update(sa.update(CartLine).where(is_same).values(quantity=CartLine.quantity - line.quantity))
    execute_update(sa.update(Cart).where(Cart.id == cart_id).values(promotion_id=None, uses_credit=False))
