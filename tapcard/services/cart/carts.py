"""Carts: filled, looked through, merged. A cart agrees nothing; stock and price are looked at again at every step."""

import hashlib
import json
from collections.abc import Mapping, Sequence
from dataclasses import dataclass, field
from datetime import datetime
from typing import Any

import sqlalchemy as sa
from sqlalchemy import select
from sqlalchemy.orm import aliased, joinedload, selectinload

from ...clock import utcnow
from ...db import db, hold, insert
from ...errors import DomainError, NotFound
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

MOST_PIECES, MOST_CARDS = 99, 500
MOST_LINES = 100


class BadQuantity(DomainError):
    """Not a whole number that can be bought."""

    status = 422
    field = "quantity"


class NotForSale(DomainError):
    """The product cannot be bought now."""


class SoldOut(DomainError):
    """None is left."""


class ChooseDesign(DomainError):
    """A card needs a design, or artwork for its front."""

    status = 422
    field = "design"


class CannotActivate(DomainError):
    """The card is not activated by paying, or somebody else is just doing so."""


class TooManyLines(DomainError):
    """Nobody buys so many different things at once."""


class SoldOtherwise(DomainError):
    """A product became a card, or is none any more."""


class LineNotFound(NotFound):
    """There is no such line in this cart."""


@dataclass(frozen=True)
class Wish:
    """What a buyer wants of a product: customised, and for cards the design or pictures of their own."""

    product: Product
    quantity: int
    answers: Mapping[str, str] = field(default_factory=dict)
    uploads: Mapping[str, str] = field(default_factory=dict)  # stored pictures by the keys of options
    design: Design | None = None
    front_picture: str | None = None
    rear_picture: str | None = None


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
    misfit: DomainError | None = None  # why what was said about it cannot be made today

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
        return self.misfit is not None and not self.is_gone

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


# --- finding ----------------------------------------------------------------------------------------------------------


def _whole() -> tuple[Any, ...]:
    lines = selectinload(Cart.lines)
    product = lines.joinedload(CartLine.product)
    return (
        product.joinedload(Product.pictures),
        product.selectinload(Product.options),
        lines.joinedload(CartLine.design),
        lines.joinedload(CartLine.card).joinedload(Card.design),
        joinedload(Cart.promotion),
    )


def of_user(user: User) -> Cart | None:
    """A person's cart with all that is in it."""
    return db.session.scalar(select(Cart).where(Cart.user_id == user.id).options(*_whole()))


def of_guest(cart_id: int, made_at: datetime | None = None) -> Cart | None:
    """The cart that a browser's session names, as long as it is nobody's.

    Ids are given out again once their cart is gone: a session says when its own was made.
    """
    return db.session.scalar(select(Cart).where(*_is_guests(cart_id, made_at)).options(*_whole()))


def piece_count(*, user_id: int | None, cart_id: int | None, made_at: datetime | None = None) -> int:
    """How many pieces lie in the cart of a person, else in that of a browser."""
    whose = (Cart.user_id == user_id,) if user_id is not None else _is_guests(cart_id, made_at)
    return db.session.scalar(select(sa.func.sum(CartLine.quantity)).join(CartLine.cart).where(*whose)) or 0


def pieces_of(user_id: int) -> sa.ScalarSelect[int]:
    """How many pieces lie in a person's cart, to be asked together with something else."""
    pieces = select(sa.func.sum(CartLine.quantity)).join(CartLine.cart).where(Cart.user_id == user_id)
    return pieces.scalar_subquery()


def _is_guests(cart_id: int | None, made_at: datetime | None) -> tuple[sa.ColumnElement[bool], ...]:
    is_this = (Cart.id == cart_id, Cart.user_id.is_(None))
    return is_this if made_at is None else (*is_this, Cart.created_at == made_at)


def make(user: User | None) -> Cart:
    """The cart of a person, made if there is none; a new one for a guest."""
    if user is None:
        cart = Cart()
        db.session.add(cart)
        db.session.flush()  # the session remembers its id
        return cart
    _hold_carts(user)
    now = utcnow()
    fresh = insert(Cart).values(user_id=user.id, checkout={}, uses_credit=False, created_at=now, updated_at=now)
    db.session.execute(fresh.on_conflict_do_nothing(index_elements=["user_id"]))
    return db.session.scalars(select(Cart).where(Cart.user_id == user.id)).one()


def own_line(cart: Cart, line_id: int) -> CartLine:
    """A line of this cart by its id; any other does not exist."""
    line = next((line for line in cart.lines if line.id == line_id), None)
    if line is None:
        raise LineNotFound(_("This item is no longer in your cart."))
    return line


# --- looking ----------------------------------------------------------------------------------------------------------


def items(cart: Cart, shop: ShopSettings, now: datetime) -> list[CartItem]:
    """Look every line through as it stands today; writes nothing."""
    left = _left(cart, now)
    held = _held_by_others(cart, now)
    found = []
    for line in cart.lines:
        item = _item(line, shop, left, held)
        if line.product_id is not None and left.get(line.product_id) is not None:
            left[line.product_id] = (left[line.product_id] or 0) - item.quantity
        found.append(item)
    return found


def _item(line: CartLine, shop: ShopSettings, left: Mapping[int, int | None], held: set[int]) -> CartItem:
    if line.kind is LineKind.ACTIVATION:
        return _activation_item(line, shop, held)
    product = line.product
    assert product is not None
    unit = unit_amount(product, line.design, line.options)
    is_sold = product.is_active and product.availability is not Availability.OUT_OF_STOCK
    if product.kind is ProductKind.CARD and line.design is not None:
        is_sold = is_sold and may_order(line.design, line.cart.user_id)
    available = left.get(product.id)
    most = most_of(line.kind)
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
        options=customization.in_words(product, line.options),
        picture=picture,
        design=line.design,
        is_gone=quantity == 0,
        is_capped=0 < quantity < line.quantity,
        is_repriced=line.shown_amount is not None and line.shown_amount != unit,
        misfit=_misfit(line, product, shop),
    )


def _misfit(line: CartLine, product: Product, shop: ShopSettings) -> DomainError | None:
    """Why a line has to be chosen again: its answers were checked when it was put in, and staff change questions."""
    if (line.kind is LineKind.CARD) is not (product.kind is ProductKind.CARD):
        return SoldOtherwise(_("The way this product is ordered has changed."))
    return customization.misfit(product, line.options, line.pictures, shop.country)


def _activation_item(line: CartLine, shop: ShopSettings, held: set[int]) -> CartItem:
    card = line.card
    assert card is not None
    is_sold = is_activated_by_paying(card) and card.id not in held
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


def is_activated_by_paying(card: Card) -> bool:
    """Whether a card waits for somebody to pay for it."""
    return card.status is CardStatus.UNCLAIMED and card.claim_policy is ClaimPolicy.PAY


def unit_amount(product: Product, design: Design | None, answers: Mapping[str, Any]) -> int:
    """What one piece costs, with what the answers cost more."""
    return pricing.amount_of(product, design) + customization.extra_amount(product, answers)


def may_order(design: Design, user_id: int | None) -> bool:
    """Whether a design may be ordered: a public one by everybody, a private one by its owner alone."""
    if design.status is DesignStatus.REJECTED:
        return False
    if design.is_public:
        return design.status is DesignStatus.APPROVED
    return design.owner_id is not None and design.owner_id == user_id


def gives_way(cart_id: int) -> tuple[sa.ColumnElement[bool], ...]:
    """The open orders of a cart that another order of it may take the place of; what they hold, the cart can have.

    Not those of which money outside the web is awaited, or has come in part: their buyer may be on the way to the bank.
    """
    payment = aliased(Payment)
    awaited = sa.and_(payment.status == PaymentStatus.PENDING, payment.gateway == OFFLINE)
    is_firm = select(payment.id).where(
        payment.order_id == Order.id, sa.or_(awaited, payment.status == PaymentStatus.SUCCEEDED)
    )
    return Order.cart_id == cart_id, Order.status == OrderStatus.PENDING, ~is_firm.exists()


def is_replaceable(cart_id: int) -> tuple[sa.ColumnElement[bool], ...]:
    """Those of them of which no payment is under way at a gateway: these may be canceled at once."""
    payment = aliased(Payment)
    under_way = select(payment.id).where(payment.order_id == Order.id, payment.status.in_(PAYMENT_OPEN))
    return *gives_way(cart_id), ~under_way.exists()


def _left(cart: Cart, now: datetime) -> dict[int, int | None]:
    """How many of each counted product this cart can have: what is in stock, what its own open order holds, and what
    orders hold whose time is over.
    """
    counted = {line.product_id: line.product.stock for line in cart.lines if line.product is not None}
    wanted = [product_id for product_id, stock in counted.items() if stock is not None]
    if wanted:
        is_over = sa.and_(Order.status == OrderStatus.PENDING, Order.expires_at <= now)
        is_free = sa.or_(sa.and_(*gives_way(cart.id)), is_over)
        taken = (
            select(OrderLine.product_id, sa.func.sum(OrderLine.stock_taken))
            .join(OrderLine.order)
            .where(OrderLine.product_id.in_(wanted), OrderLine.stock_taken > 0, is_free)
            .group_by(OrderLine.product_id)
        )
        for product_id, number in db.session.execute(taken):
            counted[product_id] = (counted[product_id] or 0) + number
    return {product_id: stock for product_id, stock in counted.items() if product_id is not None}


def _held_by_others(cart: Cart, now: datetime) -> set[int]:
    """The cards to be activated that somebody else is just paying for, or another order is about."""
    wanted = [line.card_id for line in cart.lines if line.card_id is not None]
    if not wanted:
        return set()
    holds = (
        select(CardHold.card_id)
        .join(OrderLine, OrderLine.id == CardHold.order_line_id)
        .join(OrderLine.order)
        .where(CardHold.card_id.in_(wanted), CardHold.expires_at > now)
        .where(sa.not_(sa.and_(*gives_way(cart.id))))
    )
    return set(db.session.scalars(holds))


def is_being_paid(card: Card, user: User | None, now: datetime) -> bool:
    """Whether somebody else is just paying for the activation of a card."""
    holds = select(CardHold.card_id).join(OrderLine, OrderLine.id == CardHold.order_line_id).join(OrderLine.order)
    held = holds.where(CardHold.card_id == card.id, CardHold.expires_at > now)
    if user is not None:
        held = held.where(sa.or_(Order.user_id.is_(None), Order.user_id != user.id))
    return db.session.scalar(held) is not None


# --- filling ----------------------------------------------------------------------------------------------------------


def add(cart: Cart, wish: Wish, shop: ShopSettings, now: datetime) -> CartItem:
    """Put something into a cart; an equal line takes it up. Gives the line, capped to what there is.

    Raises `BadQuantity`, `NotForSale`, `SoldOut`, `ChooseDesign`, `TooManyLines` and what `customising.clean` raises.
    """
    product = wish.product
    most = most_of(LineKind(product.kind.value))
    check_quantity(wish.quantity, most)
    if not product.is_active or product.availability is Availability.OUT_OF_STOCK:
        raise NotForSale(_("This product isn't available at the moment."))
    if product.kind is ProductKind.CARD:
        _check_artwork(cart, wish)
    answers = customization.clean(product, wish.answers, wish.uploads, shop.country)
    is_card = product.kind is ProductKind.CARD
    values = {
        "kind": LineKind(product.kind.value),
        "product_id": product.id,
        "design_id": wish.design.id if is_card and wish.design is not None else None,
        "options": answers,
        "front_picture": wish.front_picture if is_card else None,
        "rear_picture": wish.rear_picture if is_card else None,
        "shown_amount": unit_amount(product, wish.design, answers),
    }
    own = [each for each in (values["front_picture"], values["rear_picture"]) if each]
    values["pictures"] = [*own, *customization.pictures_in(product, answers)]
    line_id = _put(cart, values, wish.quantity, most)
    return _settled(cart, line_id, shop, now)


def add_activation(cart: Cart, card: Card, shop: ShopSettings, now: datetime) -> CartItem:
    """Put the activation of a card into a cart, once; raises `CannotActivate`."""
    if not is_activated_by_paying(card):
        raise CannotActivate(_("This card can't be activated online."))
    values = {
        "kind": LineKind.ACTIVATION,
        "card_id": card.id,
        "options": {},
        "pictures": [],
        "shown_amount": claims.activation_price(card, shop).amount,
    }
    line_id = _put(cart, values, 1, 1)
    item = next(each for each in items(_reload(cart), shop, now) if each.line.id == line_id)
    if item.is_gone:
        raise CannotActivate(_("Someone else is paying for this card right now. Try again later."))
    return item


def most_of(kind: LineKind) -> int:
    """How many pieces a line of a kind may have."""
    return {LineKind.CARD: MOST_CARDS, LineKind.ACTIVATION: 1}.get(kind, MOST_PIECES)


def check_quantity(quantity: int, most: int) -> None:
    """Raise `BadQuantity` for what is not from 1 to the most."""
    if not 1 <= quantity <= most:
        raise BadQuantity(_("Enter a whole number from 1 to %(most)d."), most=most)


def _check_artwork(cart: Cart, wish: Wish) -> None:
    if wish.design is None and wish.front_picture is None:
        raise ChooseDesign(_("Choose a design or upload an image for the front."))
    if wish.design is not None and wish.front_picture is not None:
        raise ChooseDesign(_("Choose either a design or your own images, not both."))
    if wish.design is not None and not may_order(wish.design, cart.user_id):
        raise ChooseDesign(_("This design isn't available. Choose another one."))


def fingerprint_of(values: Mapping[str, Any]) -> str:
    """What tells equal lines: the same product with the same answers; blank and missing ones are equal."""
    names = ("product_id", "design_id", "card_id", "front_picture", "rear_picture")
    answers = sorted((key, value) for key, value in values.get("options", {}).items() if value)
    what = [str(values["kind"]), *(values.get(name) for name in names), answers]
    return hashlib.sha256(json.dumps(what).encode()).hexdigest()


def _put(cart: Cart, values: Mapping[str, Any], quantity: int, most: int) -> int:
    """Insert a line or raise the quantity of an equal one, by one statement; gives its id."""
    _hold(cart)
    number = db.session.scalar(select(sa.func.count()).where(CartLine.cart_id == cart.id)) or 0
    fingerprint = fingerprint_of(values)
    if number >= MOST_LINES and fingerprint not in {line.fingerprint for line in cart.lines}:
        raise TooManyLines(_("Your cart is full. Check out or remove an item first."))
    now = utcnow()
    fresh = insert(CartLine).values(
        cart_id=cart.id, fingerprint=fingerprint, quantity=quantity, created_at=now, **values
    )
    together = CartLine.__table__.c.quantity + quantity
    line_id = db.session.execute(
        fresh.on_conflict_do_update(
            index_elements=["cart_id", "fingerprint"],
            set_={
                "quantity": sa.case((together > most, most), else_=together),
                "shown_amount": values.get("shown_amount"),
            },
        )
        .returning(CartLine.id)
        .execution_options(synchronize_session=False)
    ).scalar_one()
    cart.updated_at = now
    return int(line_id)


def _settled(cart: Cart, line_id: int, shop: ShopSettings, now: datetime) -> CartItem:
    """The line as it stands, with no more pieces than there are; raises `SoldOut` when there is none."""
    item = next(each for each in items(_reload(cart), shop, now) if each.line.id == line_id)
    if item.is_gone:
        raise SoldOut(_("%(title)s is sold out."), title=item.title)
    if item.is_capped:
        item.line.quantity = item.quantity
    return item


def held(cart: Cart) -> Cart:
    """The cart as it is now, for this transaction alone: what was read before somebody else changed it is forgotten."""
    _hold(cart)
    return _reload(cart)


def change(cart: Cart, line_id: int, quantity: int, shop: ShopSettings, now: datetime) -> CartItem:
    """Set how many pieces of a line are wanted, capped to what there is; raises `BadQuantity`, `LineNotFound`."""
    cart = held(cart)
    line = own_line(cart, line_id)
    most = most_of(line.kind)
    check_quantity(quantity, most)
    line.quantity = quantity
    db.session.flush()  # the look below reads it
    item = next(each for each in items(_reload(cart), shop, now) if each.line.id == line_id)
    if item.is_capped:
        line.quantity = item.quantity
    line.shown_amount = item.unit_amount
    cart.updated_at = now
    return item


def remove(cart: Cart, line_id: int) -> None:
    """Take a line out; raises `LineNotFound`."""
    cart = held(cart)
    cart.lines.remove(own_line(cart, line_id))
    cart.updated_at = utcnow()


def clear(cart: Cart) -> None:
    """Take everything out."""
    cart = held(cart)
    cart.lines.clear()
    cart.promotion = None
    cart.updated_at = utcnow()


def accept_changes(cart: Cart, shop: ShopSettings, now: datetime) -> bool:
    """Bring a cart up to what can be bought today, once the buyer has been told; tells whether anything changed."""
    cart = held(cart)
    changed = [item for item in items(cart, shop, now) if item.has_changed]
    for item in changed:
        if item.is_gone:
            cart.lines.remove(item.line)
        else:
            item.line.quantity, item.line.shown_amount = item.quantity, item.unit_amount
    return bool(changed)


def take_out_ordered(cart_id: int, lines: Sequence[OrderLine]) -> None:
    """Take what was ordered and paid out of a cart; what was put in since stays."""
    hold(f"cart {cart_id}")
    for line in lines:
        is_same = sa.and_(CartLine.cart_id == cart_id, CartLine.fingerprint == line.fingerprint)
        if not _run(sa.delete(CartLine).where(is_same, CartLine.quantity <= line.quantity)):
            _run(sa.update(CartLine).where(is_same).values(quantity=CartLine.quantity - line.quantity))
    _run(sa.update(Cart).where(Cart.id == cart_id).values(promotion_id=None, uses_credit=False))


# --- merging ----------------------------------------------------------------------------------------------------------


@dataclass(frozen=True)
class Merged:
    """What did not go along, or not whole, when a guest's cart was merged into that of whoever signed in."""

    left_out: Sequence[str] = ()  # titles of lines for which the cart had no room
    capped: Sequence[CartItem] = ()  # lines of which there are no more than this
    limited: Sequence[CartItem] = ()  # lines of which nobody may order more than this


def adopt(guest_cart_id: int, user: User, shop: ShopSettings, now: datetime) -> Merged:
    """Let what a browser collected go into the cart of whoever signs in there: equal lines add up, capped by stock.

    Whoever logs in must get in: what finds no room is left out, and told.
    """
    _hold_carts(user)
    guest, own = of_guest(guest_cart_id), of_user(user)
    if guest is None:
        return Merged()
    if own is None:
        guest.user_id = user.id
        return Merged()
    for cart in sorted((guest, own), key=lambda each: each.id):
        _hold(cart)
    had = {line.fingerprint: line.quantity for line in own.lines}
    left_out = _put_all(own, guest, shop, now)
    limited = {
        line.fingerprint for line in guest.lines if had.get(line.fingerprint, 0) + line.quantity > most_of(line.kind)
    }
    if own.promotion_id is None:
        own.promotion_id = guest.promotion_id
    own.checkout = {**own.checkout, **guest.checkout}  # what was typed a moment ago
    _run(sa.update(Order).where(Order.cart_id == guest.id).values(cart_id=own.id))
    db.session.delete(guest)
    db.session.flush()  # the look below reads what is there now
    found = items(_reload(own), shop, now)
    for item in found:
        if item.is_capped:
            item.line.quantity = item.quantity
    capped = [item for item in found if item.is_capped]
    return Merged(left_out, capped, [each for each in found if each.line.fingerprint in limited and each not in capped])


def _put_all(own: Cart, guest: Cart, shop: ShopSettings, now: datetime) -> list[str]:
    """Put what lies in one cart into another one; gives the titles of what finds no room there."""
    without_room = set()
    for line in guest.lines:
        try:
            _put(own, {name: getattr(line, name) for name in COPIED}, line.quantity, most_of(line.kind))
        except TooManyLines:
            without_room.add(line.id)
    return [item.title for item in items(guest, shop, now) if item.line.id in without_room] if without_room else []


COPIED = (
    *("kind", "product_id", "design_id", "card_id", "options", "front_picture", "rear_picture", "pictures"),
    "shown_amount",
)


def purge(before: datetime) -> int:
    """Forget the carts of guests that nobody has touched for long; tells how many."""
    old = select(Cart.id).where(Cart.user_id.is_(None), Cart.updated_at < before)
    ids = list(db.session.scalars(old.limit(1000)))
    _run(sa.update(Order).where(Order.cart_id.in_(ids)).values(cart_id=None))
    _run(sa.delete(CartLine).where(CartLine.cart_id.in_(ids)))
    _run(sa.delete(Cart).where(Cart.id.in_(ids)))
    return len(ids)


def _run(statement: Any) -> int:
    """Run a change apart from what the session holds; tells how many rows it concerned."""
    return int(db.session.execute(statement.execution_options(synchronize_session=False)).rowcount)  # type: ignore[attr-defined]


def _hold(cart: Cart) -> None:
    """One change at a time to what lies in a cart."""
    hold(f"cart {cart.id}")


def _hold_carts(user: User) -> None:
    """One change at a time to which cart is somebody's."""
    hold(f"carts of {user.id}")


def _reload(cart: Cart) -> Cart:
    whole = select(Cart).where(Cart.id == cart.id).options(*_whole()).execution_options(populate_existing=True)
    return db.session.scalars(whole).one()
