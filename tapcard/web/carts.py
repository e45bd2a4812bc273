"""The visitor's cart, and the orders their browser may open."""

from collections.abc import Iterable
from datetime import datetime
from typing import Any

from flask import Flask, flash, g, session
from flask_babel import gettext as _
from flask_login import current_user

from ..db import db
from ..models import Cart, DeliveryMethod, Order, User
from ..services.cart import carts, items, merging
from ..services.cart.items import CartItem
from ..services.cart.promotions import Customer
from ..services.cart.quote import Quote
from ..services.orders import checkout
from ..services.orders.replacement import reservations_for
from .context import rule_context
from .sessions import CART, ORDERS

MAX_ORDERS = 50


def init_app(app: Flask) -> None:
    """Register the cart's item count for templates."""
    app.jinja_env.globals["cart_count"] = piece_count


def current_cart() -> Cart | None:
    """Return the visitor's cart with its contents; None when there is none."""
    session_cart = _session_cart(session.get(CART))
    if current_user.is_authenticated:
        cart = carts.find_by_user(current_user)
    else:
        cart = carts.find_guest_cart(*session_cart) if session_cart is not None else None
    g.cart_count = sum(line.quantity for line in cart.lines) if cart is not None else 0
    return cart


def get_or_create_cart() -> Cart:
    """Return the visitor's cart, created if there is none and remembered in a guest's session."""
    cart = current_cart()
    if cart is None:
        cart = carts.get_or_create(current_user if current_user.is_authenticated else None)
        if not current_user.is_authenticated:
            session[CART] = [cart.id, cart.created_at.isoformat()]
            session.permanent = True
    g.pop("cart_count", None)
    return cart


def quote_of(cart: Cart, method: DeliveryMethod | None = None, email: str = "") -> Quote:
    """Return today's quote of a cart for the visitor."""
    context = rule_context()
    customer = Customer(context.actor, email or cart.checkout.get("email"))
    return checkout.quote_cart(cart, customer, method, context)


def piece_count() -> int:
    """Return the number of pieces in the visitor's cart; read once per request."""
    if g.get("is_plain"):
        return 0
    if "cart_count" not in g:
        user_id = current_user.id if current_user.is_authenticated else None
        cart_id, made_at = _session_cart(session.get(CART)) or (None, None)
        has_cart = user_id is not None or cart_id is not None
        g.cart_count = carts.piece_count(user_id=user_id, cart_id=cart_id, made_at=made_at) if has_cart else 0
    return int(g.cart_count)


def cache_item_count(pieces: int | None) -> None:
    """Store the number of pieces, read together with the session's user, for this request."""
    g.cart_count = int(pieces or 0)


def merge_guest_cart(user: User, stored: Any) -> None:
    """Merge a guest's cart into the account they logged in to; commits by itself, after the login has."""
    session_cart = _session_cart(stored)
    if session_cart is not None and carts.find_guest_cart(*session_cart) is not None:
        merged = merging.merge_guest_cart(session_cart[0], user, rule_context(), reservations_for)
        db.session.commit()
        for title in merged.left_out:
            flash(_("%(title)s wasn't added because your cart is full.", title=title), "warning")
        flash_reduced_items(merged.capped, merged.limited)


def flash_reduced_items(capped: Iterable[CartItem], limited: Iterable[CartItem]) -> None:
    """Flash which items were added with fewer pieces than requested."""
    for text in (*map(stock_limit_message, capped), *map(quantity_limit_message, limited)):
        flash(text, "warning")


def stock_limit_message(item: CartItem) -> str:
    """Return the message for an item of which no more are in stock."""
    return _("%(title)s: only %(left)d left. All of them are in your cart.", title=item.title, left=item.quantity)


def quantity_limit_message(item: CartItem) -> str:
    """Return the message for an item that reached the maximum quantity per order."""
    return _("%(title)s: you can order up to %(most)d at a time.", title=item.title, most=items.max_quantity(item.kind))


def _session_cart(stored: Any) -> tuple[int, datetime] | None:
    """Return id and creation time of the cart that a session names."""
    return (stored[0], datetime.fromisoformat(stored[1])) if isinstance(stored, list) else None


def known_order_ids() -> list[int]:
    """Return the ids of the orders that this browser may open."""
    return list(session.get(ORDERS, []))


def remember_order(order: Order) -> None:
    """Let this browser open an order from now on."""
    other_ids = [order_id for order_id in known_order_ids() if order_id != order.id]
    session[ORDERS] = [order.id, *other_ids][:MAX_ORDERS]
