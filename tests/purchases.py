"""Fill carts, place orders and pay them."""

from typing import Any

from flask import current_app

from tapcard import seeds, settings
from tapcard.clock import utcnow
from tapcard.context import RuleContext
from tapcard.db import db
from tapcard.gateways.base import Evidence, Outcome
from tapcard.gateways.offline import OfflineGateway
from tapcard.keys import Keys
from tapcard.models import Cart, Design, Order, Payment, Product, ProductKind, User
from tapcard.money import Money
from tapcard.services.cart import carts, editing, items
from tapcard.services.cart.editing import LineRequest
from tapcard.services.orders import checkout, transitions
from tapcard.services.orders.placement import Buyer
from tapcard.services.orders.replacement import reservations_for
from tapcard.services.payments import payments, settlement

ADDRESS = {
    "name": "Gus Lind",
    "company": "",
    "line1": "1 High Street",
    "line2": "",
    "city": "London",
    "region": "",
    "postal_code": "N1 9GU",
    "country": "GB",
    "phone": None,
}


def keys() -> Keys:
    app_keys: Keys = current_app.extensions["keys"]
    return app_keys


def context(actor: User | None = None) -> RuleContext:
    """Return the rule context of this moment."""
    return RuleContext(settings.load(), keys(), utcnow(), actor)


def fill(cart: Cart, product: Product, quantity: int = 1, **values: Any) -> items.CartItem:
    """Add a product to a cart."""
    item = editing.add(cart, LineRequest(product, quantity, **values), context(), reservations_for)
    db.session.commit()
    return item


def create_cart(user: User | None, *products: Product, quantity: int = 1) -> Cart:
    """Create a cart with one of each product."""
    cart = carts.get_or_create(user)
    for product in products:
        fill(cart, product, quantity)
    db.session.commit()
    return cart


def current_items(cart: Cart) -> list[items.CartItem]:
    """Return the items of a cart with current prices and stock."""
    return items.current_items(load_cart(cart), settings.load(), reservations_for(load_cart(cart), utcnow()))


def load_cart(cart: Cart) -> Cart:
    """Return a cart loaded as the pages load it."""
    loaded = carts.find_by_user(cart.user) if cart.user is not None else carts.find_guest_cart(cart.id)
    assert loaded is not None
    return loaded


def buyer(user: User | None = None, **values: Any) -> Buyer:
    """Return the buyer of a user, or of the guest Gus."""
    who = (user.email, user.first_name, user.last_name) if user else ("gus@example.com", "Gus", "Lind")
    named = dict(zip(("email", "first_name", "last_name"), who, strict=True))
    return Buyer(**{**named, "user": user, "address": ADDRESS, **values})


def checkout_total(cart: Cart, who: Buyer) -> int:
    """Return the total shown at checkout."""
    quote = checkout.quote_cart(load_cart(cart), who.customer, who.method, context())
    return quote.totals.total_amount


def place(cart: Cart, who: Buyer | None = None, *, expected_total: int | None = None) -> Order:
    """Place the order of a cart with the current total; the caller commits."""
    who = who or buyer(cart.user)
    total = checkout_total(cart, who) if expected_total is None else expected_total
    return checkout.place_order(load_cart(cart), who, total, context())


def create_order(user: User | None, *products: Product, quantity: int = 1, **values: Any) -> Order:
    """Create an order awaiting payment."""
    order = place(create_cart(user, *products, quantity=quantity), buyer(user, **values))
    db.session.commit()
    return order


def start_payment(order: Order) -> Payment:
    """Create a payment known to the gateway."""
    payment = payments.create(order, OfflineGateway(), order.user)
    payment.gateway, payment.reference = "sandbox", f"ref-{payment.id}"
    payment.status = payments.PaymentStatus.PENDING
    db.session.commit()
    return payment


def paid_evidence(payment: Payment, **values: Any) -> Evidence:
    """Return the evidence of a successful payment."""
    return Evidence(**{"outcome": Outcome.PAID, "reference": payment.reference, "amount": payment.money, **values})


def pay(order: Order) -> Payment:
    """Pay an order in full."""
    payment = start_payment(order)
    settlement.settle(payment, paid_evidence(payment), keys(), utcnow())
    db.session.commit()
    return payment


def pay_and_deliver(order: Order) -> None:
    """Pay an order and mark it as delivered."""
    pay(order)
    transitions.deliver(order, None, utcnow())
    db.session.commit()


def order_cards(user: User | None, quantity: int = 5, design: Design | None = None, *, is_paid: bool = True) -> Order:
    """Create an order of cards, paid by default."""
    product = db.session.scalar(db.select(Product).where(Product.kind == ProductKind.CARD))
    cart = carts.get_or_create(user)
    design = design or seeds.create_design()
    fill(cart, product or seeds.create_product("Card", kind=ProductKind.CARD), quantity, design=design)
    order = place(cart, buyer(user))
    db.session.commit()
    if is_paid:
        pay(order)
    return order


def order_designs(user: User | None, *designs: Design, is_paid: bool = True) -> Order:
    """Create an order of one card of each design, paid by default."""
    product = db.session.scalar(db.select(Product).where(Product.kind == ProductKind.CARD))
    product = product or seeds.create_product("Metal card", kind=ProductKind.CARD)
    cart = carts.get_or_create(user)
    for design in designs:
        fill(cart, product, design=design)
    order = place(cart, buyer(user))
    db.session.commit()
    if is_paid:
        pay(order)
    return order


def pounds(amount: int) -> Money:
    return Money(amount, "GBP")
