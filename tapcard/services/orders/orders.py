"""Orders: placed in one transaction with all they take, moved by one table, given back when they come to nothing."""

import hmac
import secrets
from collections.abc import Collection, Sequence
from dataclasses import dataclass, field
from datetime import datetime, timedelta
from typing import Any

import sqlalchemy as sa
from sqlalchemy import Select, select
from sqlalchemy.orm import contains_eager, joinedload, selectinload

from ... import outbox
from ...db import db, execute_update, insert
from ...errors import DomainError, NotFound
from ...errors import mark as _
from ...keys import Keys
from ...models import (
    ORDER_MOVES,
    PAYMENT_OPEN,
    Availability,
    Card,
    CardHold,
    CardStatus,
    Cart,
    ClaimPolicy,
    CreditAccount,
    DeliveryKind,
    DeliveryMethod,
    Design,
    DesignStatus,
    LineKind,
    Order,
    OrderEvent,
    OrderLine,
    OrderMove,
    OrderStatus,
    Payment,
    PaymentStatus,
    Product,
    ProductionStatus,
    Promotion,
    User,
)
from ...models.orders import AFTER_PAID
from ...money import Money
from ...settings import ShopSettings
from ...tokens import ALPHABET
from ..accounts import registration
from ..cart import carts, credit, pricing, promotions
from ..cart.carts import CartItem
from ..cart.pricing import Totals
from ..cart.promotions import Customer
from ..core import audit

LINK_PURPOSE = "order_link"
NUMBER_PART = 4
MAIL_WAITS = timedelta(minutes=10)  # for the payment: then one mail says both, received and paid
EXPIRE_AT_ONCE = 50
OWN_ARTWORK = _("Own artwork")
KINDS_OF_CARDS = (LineKind.CARD, LineKind.ACTIVATION)


class OrderNotFound(NotFound):
    """There is no such order, or it is somebody else's."""


class EmptyCart(DomainError):
    """There is nothing to order."""


class CartChanged(DomainError):
    """Something in the cart is not as the buyer saw it."""


class PriceChanged(DomainError):
    """The total is not what the buyer saw."""


class NeedsAccount(DomainError):
    """A card is activated for somebody who is signed in."""


class IllegalMove(DomainError):
    """The order is not in a state from which this step leads on."""


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
    items = carts.items(cart, shop, now)
    bought = [item for item in items if not item.is_gone]
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
    return Draft(items, totals, promotion, refusal, balance)


def _held(cart: Cart, customer: Customer) -> tuple[int, bool]:
    """What credit the buyer could spend, and whether the use of the promotion is counted already.

    What those of its own orders hold that give way to another one, the cart can have.
    """
    if customer.user is None and cart.promotion is None:
        return 0, False
    promotion_id = cart.promotion.id if cart.promotion is not None else None
    waiting = carts.gives_way(cart.id)
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


def whole() -> tuple[Any, ...]:
    """What a page about an order shows of it."""
    return (
        selectinload(Order.lines).selectinload(OrderLine.cards),
        selectinload(Order.lines).joinedload(OrderLine.product),
        selectinload(Order.lines).joinedload(OrderLine.design),
        selectinload(Order.events),
    )


def owned_by(user: User) -> Select[Order]:
    """A person's orders, the newest first."""
    return select(Order).where(Order.user_id == user.id).order_by(Order.id.desc())


def find(number: str) -> Order | None:
    """The order of a number, in any case of letters."""
    text = "".join(number.split()).upper()
    can_be_one = text.isascii() and text.replace("-", "").isalnum()
    return db.session.scalar(select(Order).where(Order.number == text).options(*whole())) if can_be_one else None


def own_order(number: str, *, user: User | None, known: Collection[int]) -> Order:
    """An order that is the visitor's own, or that their browser placed or opened by its link; no other exists."""
    order = find(number)
    is_theirs = order is not None and (order.id in known or (user is not None and order.user_id == user.id))
    if order is None or not is_theirs:
        raise OrderNotFound(_("We can't find that order."))
    return order


def visible_to(user: User | None, known: Collection[int]) -> Select[Order]:
    """A person's orders and those that their browser may open, the newest first."""
    is_theirs: sa.ColumnElement[bool] = Order.id.in_(sorted(known))
    if user is not None:
        is_theirs = sa.or_(is_theirs, Order.user_id == user.id)
    return select(Order).where(is_theirs).order_by(Order.id.desc()).options(*whole())


def under_way(user: User) -> Sequence[Order]:
    """A person's orders that are paid and not yet with them, the newest first."""
    waiting = AFTER_PAID - {OrderStatus.DELIVERED}
    return db.session.scalars(owned_by(user).where(Order.status.in_(waiting)).options(*whole())).all()


def arriving(user: User) -> Sequence[OrderLine]:
    """The lines of a person's orders that sell or activate cards, paid and not yet with them, the newest first."""
    is_due = (Order.user_id == user.id, Order.status.in_(AFTER_PAID - {OrderStatus.DELIVERED}))
    lines = select(OrderLine).join(OrderLine.order).where(*is_due, OrderLine.kind.in_(KINDS_OF_CARDS))
    whole_lines = lines.options(contains_eager(OrderLine.order), joinedload(OrderLine.design))
    return db.session.scalars(whole_lines.order_by(Order.id.desc(), OrderLine.id)).all()


def token_of(order: Order, keys: Keys) -> str:
    """What the link in an order's mails carries; good for looking at that order alone."""
    return f"{order.number}-{keys.digest(LINK_PURPOSE, order.number)}"


def of_token(token: str, keys: Keys) -> Order:
    """The order of such a link; raises `OrderNotFound` when it is forged or cut."""
    number, _dash, digest = token.rpartition("-")
    is_good = digest.isascii() and any(hmac.compare_digest(digest, each) for each in keys.digests(LINK_PURPOSE, number))
    order = find(number) if is_good else None
    if order is None:
        raise OrderNotFound(_("This link isn't valid. Check that you copied all of it."))
    return order


# --- placing ----------------------------------------------------------------------------------------------------------


def place(cart: Cart, buyer: Buyer, *, expected_total: int, shop: ShopSettings, keys: Keys, now: datetime) -> Order:
    """Turn a cart into an order; takes stock, a use of the promotion, credit and cards to be activated, all or nothing.

    Pressed twice, from two tabs or after going back, the same cart gives the same order; another content takes the
    place of an order that nobody is paying (`being_paid` names those to be closed first). Raises `EmptyCart`,
    `CartChanged`, `PriceChanged`, `NeedsAccount`, and what the promotion or the credit refuses.
    """
    cart = carts.held(cart)
    if cart.promotion_id is not None:
        expire_due(now, keys, promotion_id=cart.promotion_id)  # their uses are free, whether a worker runs or not
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
    _note(order, OrderMove.PLACE, None, OrderStatus.PENDING, buyer.user)
    outbox.post("mail.order_received", due_at=now + MAIL_WAITS, order_id=order.id)
    audit.record("order.placed", subject=order, actor=buyer.user, total=order.total_amount)
    return order


def being_paid(
    cart: Cart, buyer: Buyer, *, expected_total: int, shop: ShopSettings, keys: Keys, now: datetime
) -> Sequence[Payment]:
    """The payments to be closed before a cart is ordered: of its orders that this one takes the place of."""
    wanted = select(Payment).join(Payment.order).where(*carts.gives_way(cart.id), Payment.status.in_(PAYMENT_OPEN))
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
    for order_id in db.session.scalars(select(Order.id).where(*carts.is_replaceable(cart.id))).all():
        _end(db.session.get_one(Order, order_id), OrderMove.CANCEL, buyer.user, keys, now, "ordered anew")


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
    return user if user.is_active and not user.is_proven else None


def _new_number() -> str:
    """A number that people can read out; 39 bits make a second look most unlikely."""
    while True:
        parts = ("".join(secrets.choice(ALPHABET) for _ in range(NUMBER_PART)) for _ in range(2))
        number = "-".join(("TC", *parts))
        if db.session.scalar(select(Order.id).where(Order.number == number)) is None:
            return number


# --- what an order holds ----------------------------------------------------------------------------------------------


def _take_everything(order: Order, buyer: Buyer, found: Draft, keys: Keys, now: datetime) -> None:
    if not _take_stock(order, keys, now):
        raise CartChanged(_("Something in your cart has just sold out. Please check it again."))
    if not _hold_cards(order, now):
        raise carts.CannotActivate(_("Someone else is paying for this card right now. Try again later."))
    if found.promotion is not None:
        order.promotion_customers = promotions.take(found.promotion, buyer.customer, keys, now)
    if order.credit_amount:
        assert buyer.user is not None
        credit.spend(buyer.user.id, order.credit_amount, order)


def _take_stock(order: Order, keys: Keys, now: datetime) -> bool:
    """Take what the lines sell, one conditional statement for each product in the order of their ids.

    Where there is not enough, orders whose time is over give theirs back first: nothing waits for a worker. False, and
    the caller rolls back, when it is still not enough.
    """
    wanted: dict[int, list[OrderLine]] = {}
    for line in order.lines:
        if line.product_id is not None:
            wanted.setdefault(line.product_id, []).append(line)
    for product_id, lines in sorted(wanted.items()):
        number = sum(line.quantity for line in lines)
        is_taken = _lower_stock(product_id, number)
        if not is_taken and expire_due(now, keys, product_id=product_id):
            is_taken = _lower_stock(product_id, number)
        if is_taken is None:
            continue  # nobody counts these
        if not is_taken:
            return False
        for line in lines:
            line.stock_taken = line.quantity
    db.session.flush()  # before the expiry of others reads what is taken
    return True


def take_what_is_there(order: Order) -> None:
    """Take what is counted of the goods of an oversold order that is given after all; the rest staff have found."""
    for line in sorted(order.lines, key=lambda each: each.product_id or 0):
        if line.product_id is not None and not line.stock_taken:
            stock = db.session.scalar(select(Product.stock).where(Product.id == line.product_id).with_for_update())
            line.stock_taken = min(stock or 0, line.quantity)
            lower = sa.update(Product).where(Product.id == line.product_id, Product.stock >= line.stock_taken)
            execute_update(lower.values(stock=Product.stock - line.stock_taken))
    db.session.flush()


def _lower_stock(product_id: int, number: int) -> bool | None:
    """Whether so many pieces were there, and are taken now; None where the product is not counted."""
    is_sold = sa.and_(Product.id == product_id, Product.is_active, Product.availability != Availability.OUT_OF_STOCK)
    taken = db.session.scalar(
        sa.update(Product)
        .where(is_sold, sa.or_(Product.stock.is_(None), Product.stock >= number))
        .values(stock=Product.stock - number)
        .returning(sa.case((Product.stock.is_(None), -1), else_=1))
        .execution_options(synchronize_session=False)
    )
    if taken is None:
        return False
    return None if taken == -1 else True


def _hold_cards(order: Order, now: datetime) -> bool:
    """Hold the cards to be activated until the order's time is over; False when somebody else has one of them."""
    for line in order.lines:
        if line.card_token is None:
            continue
        waits = (Card.status == CardStatus.UNCLAIMED, Card.claim_policy == ClaimPolicy.PAY)
        card_id = db.session.scalar(select(Card.id).where(Card.token == line.card_token, *waits))
        if card_id is None:
            return False
        held = CardHold.__table__.c
        fresh = insert(CardHold).values(card_id=card_id, order_line_id=line.id, expires_at=order.expires_at)
        is_free = sa.or_(held.expires_at <= now, held.order_line_id == line.id)
        got = db.session.execute(
            fresh.on_conflict_do_update(
                index_elements=["card_id"],
                set_={"order_line_id": line.id, "expires_at": order.expires_at},
                where=is_free,
            )
            .returning(held.card_id)
            .execution_options(synchronize_session=False)
        )
        if got.scalar_one_or_none() is None:
            return False
    return True


def _give_back(order: Order, keys: Keys) -> None:
    """Return what an order held; called once, by whoever ended it."""
    for line in sorted(order.lines, key=lambda each: each.product_id or 0):
        if line.stock_taken:
            db.session.execute(
                sa.update(Product)
                .where(Product.id == line.product_id, Product.stock.is_not(None))
                .values(stock=Product.stock + line.stock_taken)
                .execution_options(synchronize_session=False)
            )
            line.stock_taken = 0
    ids = [line.id for line in order.lines]
    db.session.execute(
        sa.delete(CardHold).where(CardHold.order_line_id.in_(ids)).execution_options(synchronize_session=False)
    )
    if order.promotion_id is not None:
        counted = order.promotion_customers or promotions.digests_of(_customer_of(order), keys)
        promotions.give_back(order.promotion_id, counted)
        order.promotion_customers = []
    if order.credit_amount and order.user_id is not None:
        credit.give_back(order.user_id, order.credit_amount, order)


def _customer_of(order: Order) -> Customer:
    """Whom a use of a promotion is counted for: whoever placed the order signed in, and the address it names."""
    placed = next((event for event in order.events if event.move is OrderMove.PLACE), None)
    return Customer(placed.actor if placed is not None else None, order.email)


# --- moves ------------------------------------------------------------------------------------------------------------


def cancel(order: Order, by: User | None, keys: Keys, now: datetime, why: str = "") -> None:
    """Cancel an order that is not paid, and give everything back; raises `IllegalMove`."""
    if not _end(order, OrderMove.CANCEL, by, keys, now, why):
        raise IllegalMove(_("This order can no longer be cancelled."))
    outbox.post("mail.order_canceled", order_id=order.id)
    audit.record("order.canceled", subject=order, actor=by)


def expire_due(now: datetime, keys: Keys, *, product_id: int | None = None, promotion_id: int | None = None) -> int:
    """End the orders whose time to be paid is over, perhaps only those with a product or code; tells how many."""
    due = select(Order.id).where(Order.status == OrderStatus.PENDING, Order.expires_at <= now)
    if product_id is not None:
        due = due.join(Order.lines).where(OrderLine.product_id == product_id, OrderLine.stock_taken > 0)
    if promotion_id is not None:
        due = due.where(Order.promotion_id == promotion_id)
    number = 0
    for order_id in db.session.scalars(due.order_by(Order.id).distinct().limit(EXPIRE_AT_ONCE)).all():
        order = db.session.get_one(Order, order_id)
        if _end(order, OrderMove.EXPIRE, None, keys, now):
            audit.record("order.expired", subject=order)
            number += 1
    return number


def _end(order: Order, move: OrderMove, by: User | None, keys: Keys, now: datetime, why: str = "") -> bool:
    """End an order that is not paid; of two at once one does, and gives back what it held.

    What was paid of it in part is proposed to go back.
    """
    if not _move(order, move, by, why, ended_at=now):
        return False
    _give_back(order, keys)
    came = (Payment.order_id == order.id, Payment.status == PaymentStatus.SUCCEEDED, ~Payment.refund_proposed)
    parts = sa.update(Payment).where(*came).values(refund_proposed=True).returning(Payment.id)
    for payment_id in db.session.scalars(parts.execution_options(synchronize_session=False)).all():
        outbox.post("mail.payment_needs_care", payment_id=payment_id)
    return True


def extend(order: Order, until: datetime) -> None:
    """Let an order wait longer for its payment, and hold its cards as long."""
    longer = sa.and_(Order.id == order.id, Order.status == OrderStatus.PENDING, Order.expires_at < until)
    execute_update(sa.update(Order).where(longer).values(expires_at=until))
    ids = [line.id for line in order.lines]
    execute_update(sa.update(CardHold).where(CardHold.order_line_id.in_(ids)).values(expires_at=until))
    db.session.refresh(order)


def mark_paid(order: Order, keys: Keys, now: datetime) -> bool:
    """Note that an order is paid; False when it is already, or was canceled.

    One that had expired takes its goods again; what is gone meanwhile makes it oversold, and staff decide.
    """
    db.session.execute(select(Order.id).where(Order.id == order.id).with_for_update())
    db.session.refresh(order)  # nobody ends it between this look and the step
    was_expired = order.status is OrderStatus.EXPIRED
    if not _move(order, OrderMove.PAY, None, paid_at=now, ended_at=None):
        return False
    if was_expired:
        _take_again(order, keys, now)
    if order.cart_id is not None:
        carts.take_out_ordered(order.cart_id, order.lines)
    outbox.post("mail.order_paid", order_id=order.id)
    outbox.post("mail.order_to_owner", order_id=order.id)
    audit.record("order.paid", subject=order)
    return True


def _take_again(order: Order, keys: Keys, now: datetime) -> None:
    """Take for a late payment what the order had given back, all or nothing; if it cannot, the order is oversold."""
    try:
        with db.session.begin_nested():
            if not _take_stock(order, keys, now) or not _hold_cards(order, now):
                raise CartChanged("sold meanwhile")
            if order.promotion is not None:  # it was in time when the order was placed
                customer = _customer_of(order)
                order.promotion_customers = promotions.take(order.promotion, customer, keys, order.placed_at)
            if order.credit_amount and order.user_id is not None:
                credit.spend(order.user_id, order.credit_amount, order)
    except (CartChanged, promotions.PromotionRefused, credit.NotEnoughCredit):
        db.session.refresh(order)
        order.is_oversold = True
        audit.record("order.oversold", subject=order)


def ship(order: Order, by: User, now: datetime, *, carrier: str = "", tracking_number: str = "") -> None:
    """Note that a parcel is on its way, and tell the buyer; raises `IllegalMove`."""
    _refuse_oversold(order)
    values = {"carrier": carrier, "tracking_number": tracking_number}
    if not _move(order, OrderMove.SHIP, by, shipped_at=now, **values):
        raise IllegalMove(_("Only a paid order can be shipped."))
    outbox.post("mail.order_shipped", order_id=order.id)
    audit.record("order.shipped", subject=order, actor=by)


def process(order: Order, by: User) -> None:
    """Note that somebody has begun to make or pack an order; raises `IllegalMove`."""
    _refuse_oversold(order)
    if not _move(order, OrderMove.PROCESS, by):
        raise IllegalMove(_("Only a paid order can be processed."))
    audit.record("order.processed", subject=order, actor=by)


def deliver(order: Order, by: User | None, now: datetime) -> None:
    """Note that everything has arrived, and ask for a review where there is something to say; raises `IllegalMove`."""
    _refuse_oversold(order)
    if not _move(order, OrderMove.DELIVER, by, delivered_at=now):
        raise IllegalMove(_("Only a paid order can be delivered."))
    if order.needs_shipping:
        outbox.post("mail.order_delivered", order_id=order.id)
    audit.record("order.delivered", subject=order, actor=by)


def _refuse_oversold(order: Order) -> None:
    if order.is_oversold:
        raise IllegalMove(_("This order is oversold. Fulfil or refund it first."))


def produce(line: OrderLine, status: ProductionStatus, by: User, *, was: ProductionStatus | None = None) -> None:
    """Note how far the making of a line of cards is; raises `IllegalMove` for anything else.

    Give how far it was when somebody looked: who comes second is told.
    """
    if line.kind is not LineKind.CARD:
        raise IllegalMove(_("Only cards have a production status."))
    seen = OrderLine.production_status == was if was is not None else sa.true()
    if not execute_update(sa.update(OrderLine).where(OrderLine.id == line.id, seen).values(production_status=status)):
        raise IllegalMove(_("Someone else has just changed this line. Reload the order."))
    db.session.refresh(line)
    audit.record("order_line.produced", subject=line, actor=by, status=status.value)


def attach(user: User) -> int:
    """Give a person the orders that wait for whoever has their address; call once a mailed link proved that they do."""
    waiting = select(Order.id).where(Order.user_id.is_(None), Order.email == user.email)
    ids = list(db.session.scalars(waiting))
    for order_id in ids:
        _attach(order_id, user)
    return len(ids)


def attach_one(order: Order, user: User) -> None:
    """Give a person an order that waits for their address, when they follow its link; raises `IllegalMove`."""
    if order.user_id is not None or not user.is_verified or order.email != user.email:
        raise IllegalMove(_("This order was placed with a different email address."))
    _attach(order.id, user)
    db.session.refresh(order)


def _attach(order_id: int, user: User) -> None:
    if execute_update(sa.update(Order).where(Order.id == order_id, Order.user_id.is_(None)).values(user_id=user.id)):
        artwork = select(OrderLine.design_id).where(OrderLine.order_id == order_id)
        ownerless = (Design.id.in_(artwork), Design.owner_id.is_(None), ~Design.is_public)
        execute_update(sa.update(Design).where(*ownerless).values(owner_id=user.id))


def _move(order: Order, move: OrderMove, actor: User | None, why: str = "", /, **values: Any) -> bool:
    """Take one step by one conditional UPDATE; False, and nothing done, when the order is not where it may start."""
    start, end = ORDER_MOVES[move]
    before = order.status
    moved = db.session.execute(
        sa.update(Order)
        .where(Order.id == order.id, Order.status.in_(start))
        .values(status=end, version=Order.version + 1, **values)
        .execution_options(synchronize_session=False)
    )
    db.session.refresh(order)
    if moved.rowcount != 1:  # type: ignore[attr-defined]
        return False
    _note(order, move, before, end, actor, why)
    return True


def _note(
    order: Order, move: OrderMove, before: OrderStatus | None, after: OrderStatus, actor: User | None, why: str = ""
) -> None:
    event = OrderEvent(order_id=order.id, move=move, from_status=before, to_status=after, why=why[:200])
    event.actor_id = actor.id if actor is not None else None
    db.session.add(event)
