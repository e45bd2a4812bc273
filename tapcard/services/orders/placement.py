"""Orders: placed in one transaction with all they take, moved by one table, given back when they come to nothing."""

import secrets
from collections.abc import Sequence
from dataclasses import dataclass, field
from datetime import datetime, timedelta
from typing import Any

import sqlalchemy as sa
from sqlalchemy import select
from sqlalchemy.orm import selectinload

from ... import outbox
from ...db import db
from ...errors import DomainError
from ...errors import mark as _
from ...keys import Keys
from ...models import (
    PAYMENT_OPEN,
    Cart,
    CreditAccount,
    DeliveryKind,
    DeliveryMethod,
    Design,
    DesignStatus,
    LineKind,
    Order,
    OrderLine,
    OrderMove,
    OrderStatus,
    Payment,
    ProductionStatus,
    Promotion,
    User,
)
from ...money import Money
from ...settings import ShopSettings
from ...tokens import ALPHABET
from ..accounts import registration
from ..cart import carts, credit, editing, items, pricing, promotions
from ..cart.items import CartItem
from ..cart.pricing import Totals
from ..cart.promotions import Customer
from ..core import audit
from . import inventory, transitions

NUMBER_PART = 4
MAIL_WAITS = timedelta(minutes=10)  # for the payment: then one mail says both, received and paid
OWN_ARTWORK = _("Own artwork")


class EmptyCart(DomainError):
    """There is nothing to order."""


class CartChanged(DomainError):
    """Something in the cart is not as the buyer saw it."""


class PriceChanged(DomainError):
    """The total is not what the buyer saw."""


class NeedsAccount(DomainError):
    """A card is activated for somebody who is signed in."""


@dataclass(frozen=True)
class Buyer:
    """Who orders, and where to, as it was typed and checked."""

    email: str
    first_name: str
    last_name: str
    phone: str | None = None
    user: User | None = None  # signed in
    address: dict[str, Any] = field(default_factory=dict)
    method: DeliveryMethod | None = None
    location: str = ""
    note: str = ""

    @property
    def customer(self) -> Customer:
        return Customer(self.user, self.email)


@dataclass(frozen=True)
class Draft:
    """A cart as it would be ordered now."""

    items: Sequence[CartItem]
    totals: Totals
    promotion: Promotion | None = None
    refusal: DomainError | None = None  # why the code typed does not count
    balance: int = 0  # the credit that could be spent on it

    @property
    def has_changed(self) -> bool:
        """Whether the buyer has to look again before paying."""
        return any(item.has_changed for item in self.items)


# --- looking ----------------------------------------------------------------------------------------------------------


def draft(
    cart: Cart,
    customer: Customer,
    method: DeliveryMethod | None,
    shop: ShopSettings,
    keys: Keys,
    now: datetime,
) -> Draft:
    """What a cart comes to today; writes nothing. A code that does not count any more is left out, and says why."""
    cart_items = items.current_items(cart, shop, now)
    bought = [item for item in cart_items if not item.is_gone]
    products = [item.line.product for item in bought]
    promotion, refusal, is_promoted = cart.promotion, None, [False] * len(bought)
    balance, is_counted = _held(cart, customer)
    if promotion is not None:
        subtotal = sum(item.unit_amount * item.quantity for item in bought)
        try:
            is_promoted = promotions.check(
                promotion, products, Money(subtotal, shop.currency), customer, keys, now, shop.locale,
                is_counted=is_counted,
            )  # fmt: skip
        except promotions.PromotionRefused as error:
            promotion, refusal = None, error
    priced = [item.priced(is_promoted=each) for item, each in zip(bought, is_promoted, strict=True)]
    available = balance if cart.uses_credit else 0
    totals = pricing.add_up(priced, shop.currency, promotion=promotion, method=method, credit=available)
    return Draft(cart_items, totals, promotion, refusal, balance)


def _held(cart: Cart, customer: Customer) -> tuple[int, bool]:
    """What credit the buyer could spend, and whether the use of the promotion is counted already.

    What those of its own orders hold that give way to another one, the cart can have.
    """
    if customer.user is None and cart.promotion is None:
        return 0, False
    promotion_id = cart.promotion.id if cart.promotion is not None else None
    waiting = items.replaceable_orders_filter(cart.id)
    user_id = customer.user.id if customer.user is not None else None
    account, spent, counted = db.session.execute(
        select(
            select(CreditAccount.amount).where(CreditAccount.user_id == user_id).scalar_subquery(),
            select(sa.func.sum(Order.credit_amount)).where(*waiting).scalar_subquery(),
            select(sa.func.count(Order.id)).where(*waiting, Order.promotion_id == promotion_id).scalar_subquery(),
        )
    ).one()
    return (int(account or 0) + int(spent or 0) if user_id is not None else 0), bool(counted)


def _waiting(cart: Cart, now: datetime) -> Sequence[Order]:
    """The cart's own orders that wait to be paid, the newest first: what they hold, the cart can have."""
    waiting = select(Order).where(Order.cart_id == cart.id, Order.status == OrderStatus.PENDING, Order.expires_at > now)
    return db.session.scalars(waiting.options(selectinload(Order.lines)).order_by(Order.id.desc())).all()


# --- placing ----------------------------------------------------------------------------------------------------------


def place(cart: Cart, buyer: Buyer, *, expected_total: int, shop: ShopSettings, keys: Keys, now: datetime) -> Order:
    """Turn a cart into an order; takes stock, a use of the promotion, credit and cards to be activated, all or nothing.

    Pressed twice, from two tabs or after going back, the same cart gives the same order; another content takes the
    place of an order that nobody is paying (`being_paid` names those to be closed first). Raises `EmptyCart`,
    `CartChanged`, `PriceChanged`, `NeedsAccount`, and what the promotion or the credit refuses.
    """
    cart = carts.lock_and_reload(cart)
    if cart.promotion_id is not None:
        transitions.expire_due(
            now, keys, promotion_id=cart.promotion_id
        )  # their uses are free, whether a worker runs or not
    found = draft(cart, buyer.customer, buyer.method, shop, keys, now)
    same = _same(found, cart, buyer, expected_total, now)
    if same is not None:
        return same
    _cancel_replaced(cart, buyer, keys, now)
    if not found.items:
        raise EmptyCart(_("Your cart is empty."))
    if found.has_changed:
        raise CartChanged(_("Your cart has changed. Please check it again."))
    if found.refusal is not None:
        raise found.refusal
    if found.totals.total_amount != expected_total:
        raise PriceChanged(_("The price has changed. Please check the new total."))
    if buyer.user is None and any(item.kind is LineKind.ACTIVATION for item in found.items):
        raise NeedsAccount(_("Log in or sign up first so we can link the card to your account."))
    order = _write(cart, buyer, found, shop, now)
    _take_everything(order, buyer, found, keys, now)
    transitions.record_event(order, OrderMove.PLACE, None, OrderStatus.PENDING, buyer.user)
    outbox.post("mail.order_received", due_at=now + MAIL_WAITS, order_id=order.id)
    audit.record("order.placed", subject=order, actor=buyer.user, total=order.total_amount)
    return order


def being_paid(
    cart: Cart, buyer: Buyer, *, expected_total: int, shop: ShopSettings, keys: Keys, now: datetime
) -> Sequence[Payment]:
    """The payments to be closed before a cart is ordered: of its orders that this one takes the place of."""
    wanted = (
        select(Payment)
        .join(Payment.order)
        .where(*items.replaceable_orders_filter(cart.id), Payment.status.in_(PAYMENT_OPEN))
    )
    under_way = db.session.scalars(wanted.order_by(Payment.id)).all()
    if not under_way:
        return []
    found = draft(cart, buyer.customer, buyer.method, shop, keys, now)
    return [] if _same(found, cart, buyer, expected_total, now) is not None else under_way


def last_of(cart: Cart) -> Order | None:
    """The order that a cart was last made into and that came to something, if there is one."""
    lives = Order.status.not_in((OrderStatus.CANCELED, OrderStatus.EXPIRED))
    return db.session.scalar(select(Order).where(Order.cart_id == cart.id, lives).order_by(Order.id.desc()).limit(1))


def _same(found: Draft, cart: Cart, buyer: Buyer, expected_total: int, now: datetime) -> Order | None:
    """The order that this very cart was made into a moment ago, as long as it waits to be paid."""
    keys_of_items = [_key(item) for item in found.items]
    for order in _waiting(cart, now):
        is_same = order.currency == found.totals.currency and _says_the_same(order, cart, buyer, expected_total)
        if is_same and keys_of_items == [_key_of(line) for line in order.lines]:
            return order
    return None


def _cancel_replaced(cart: Cart, buyer: Buyer, keys: Keys, now: datetime) -> None:
    """Cancel the orders of the cart that another one takes the place of, and give back what they hold."""
    for order_id in db.session.scalars(select(Order.id).where(*items.cancelable_orders_filter(cart.id))).all():
        transitions.end_unpaid(
            db.session.get_one(Order, order_id), OrderMove.CANCEL, buyer.user, keys, now, "ordered anew"
        )


def _says_the_same(order: Order, cart: Cart, buyer: Buyer, expected_total: int) -> bool:
    """Whether an order is what the buyer asks for once more, its lines apart."""
    method = buyer.method if order.needs_shipping else None
    address = buyer.address if order.needs_shipping else {}
    asked = (
        *(buyer.email, buyer.first_name, buyer.last_name, buyer.phone, buyer.note, expected_total, cart.promotion_id),
        *(address, method.id if method is not None else None, buyer.location if method is not None else ""),
    )
    agreed = (
        *(order.email, order.first_name, order.last_name, order.phone, order.note, order.total_amount),
        *(order.promotion_id, order.address, order.delivery_method_id, order.delivery_location),
    )
    return asked == agreed


def _key(item: CartItem) -> tuple[str, int, int]:
    return item.line.fingerprint, item.quantity, item.unit_amount


def _key_of(line: OrderLine) -> tuple[str, int, int]:
    return line.fingerprint, line.quantity, line.unit_amount


def _write(cart: Cart, buyer: Buyer, found: Draft, shop: ShopSettings, now: datetime) -> Order:
    totals, method = found.totals, buyer.method if found.totals.ships else None
    user = buyer.user or _account_for(buyer, now)
    order = Order(
        number=_new_number(),
        user_id=user.id if user is not None else None,
        cart_id=cart.id,
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
        promotion_id=found.promotion.id if found.promotion is not None else None,
        promotion_code=found.promotion.code if found.promotion is not None else "",
        delivery_method_id=method.id if method is not None else None,
        delivery_name=method.name if method is not None else "",
        is_delivery_open=totals.ships and (method is None or method.kind is DeliveryKind.TO_BE_AGREED),
        delivery_location=buyer.location if method is not None else "",
        placed_at=now,
        expires_at=now + timedelta(minutes=shop.order_minutes),
    )
    for item, priced in zip(found.items, totals.items, strict=True):
        order.lines.append(_line(item, priced, user))
    _name_designs(order.lines)
    db.session.add(order)
    db.session.flush()  # what is taken next refers to its lines
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
    """Keep the names of the designs as they are sold; of two that are called the same one gets a number."""
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
    """The design of a line of cards; pictures of the buyer's own become one that staff have yet to look at."""
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
    """The account of a guest's address as long as nobody can log in to it, made if there is none.

    An account with a password is its person's alone: the order waits until they follow the mailed link.
    """
    try:
        user = registration.get_or_create_account(buyer.email, buyer.first_name, buyer.last_name, now)
    except registration.EmailTaken:
        return None
    return user if user.is_active and not user.has_proven_identity else None


def _new_number() -> str:
    """A number that people can read out; 39 bits make a second look most unlikely."""
    while True:
        parts = ("".join(secrets.choice(ALPHABET) for _ in range(NUMBER_PART)) for _ in range(2))
        number = "-".join(("TC", *parts))
        if db.session.scalar(select(Order.id).where(Order.number == number)) is None:
            return number


# --- what an order holds ----------------------------------------------------------------------------------------------


def _take_everything(order: Order, buyer: Buyer, found: Draft, keys: Keys, now: datetime) -> None:
    if not inventory.reserve_stock(order, lambda product_id: transitions.expire_due(now, keys, product_id=product_id)):
        raise CartChanged(_("Something in your cart has just sold out. Please check it again."))
    if not inventory.hold_cards(order, now):
        raise editing.CannotActivate(_("Someone else is paying for this card right now. Try again later."))
    if found.promotion is not None:
        order.promotion_customers = promotions.count_use(found.promotion, buyer.customer, keys, now)
    if order.credit_amount:
        assert buyer.user is not None
        credit.spend(buyer.user.id, order.credit_amount, order)


# --- moves ------------------------------------------------------------------------------------------------------------
