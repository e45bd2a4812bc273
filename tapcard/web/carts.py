"""The cart of whoever is looking, and the orders that this browser may open."""

from collections.abc import Iterable
from datetime import datetime
from typing import Any

from flask import Flask, current_app, flash, g, session
from flask_babel import gettext as _
from flask_login import current_user

from ..clock import utcnow
from ..db import db
from ..models import Cart, DeliveryMethod, Order, User
from ..services.cart import carts, items, merging
from ..services.cart.items import CartItem
from ..services.cart.promotions import Customer
from ..services.orders import placement
from ..services.orders.placement import Draft
from . import filters
from .sessions import CART, ORDERS

MOST_ORDERS = 50


def init_app(app: Flask) -> None:
    """Give the badge to the templates."""
    app.jinja_env.globals["cart_count"] = piece_count


def current_cart() -> Cart | None:
    """The visitor's cart with all that is in it; None while there is none."""
    named = _named(session.get(CART))
    if current_user.is_authenticated:
        cart = carts.find_by_user(current_user)
    else:
        cart = carts.find_guest_cart(*named) if named is not None else None
    g.cart_count = sum(line.quantity for line in cart.lines) if cart is not None else 0
    return cart


def cart_to_fill() -> Cart:
    """The visitor's cart, made if there is none; a guest's session remembers it for as long as such a cart is kept."""
    cart = current_cart()
    if cart is None:
        cart = carts.get_or_create(current_user if current_user.is_authenticated else None)
        if not current_user.is_authenticated:
            session[CART] = [cart.id, cart.created_at.isoformat()]
            session.permanent = True
    g.pop("cart_count", None)
    return cart


def draft_of(cart: Cart, method: DeliveryMethod | None = None, email: str = "") -> Draft:
    """What a cart comes to today, for whoever is looking."""
    user = current_user if current_user.is_authenticated else None
    customer = Customer(user, email or cart.checkout.get("email"))
    return placement.draft(cart, customer, method, filters.shop(), current_app.extensions["keys"], utcnow())


def piece_count() -> int:
    """How many pieces lie in the visitor's cart; asked once a request, and not at all where there can be none."""
    if g.get("is_plain"):
        return 0
    if "cart_count" not in g:
        user_id = current_user.id if current_user.is_authenticated else None
        cart_id, made_at = _named(session.get(CART)) or (None, None)
        known = user_id is not None or cart_id is not None
        g.cart_count = carts.piece_count(user_id=user_id, cart_id=cart_id, made_at=made_at) if known else 0
    return int(g.cart_count)


def cache_item_count(pieces: int | None) -> None:
    """Take in how many pieces lie in the cart of whoever is signed in, asked together with who that is."""
    g.cart_count = int(pieces or 0)


def adopt_cart(user: User, kept: Any) -> None:
    """Let what a guest collected go along into their account; commits by itself, after the log in has."""
    named = _named(kept)
    if named is not None and carts.find_guest_cart(*named) is not None:
        merged = merging.merge_guest_cart(named[0], user, filters.shop(), utcnow())
        db.session.commit()
        for title in merged.left_out:
            flash(_("%(title)s wasn't added because your cart is full.", title=title), "warning")
        tell_fewer(merged.capped, merged.limited)


def tell_fewer(capped: Iterable[CartItem], limited: Iterable[CartItem]) -> None:
    """Say of which lines fewer pieces went into the cart than were wanted."""
    for text in (*map(only_left, capped), *map(only_so_many, limited)):
        flash(text, "warning")


def only_left(item: CartItem) -> str:
    """How many of a line there are, when more were wanted."""
    return _("%(title)s: only %(left)d left. All of them are in your cart.", title=item.title, left=item.quantity)


def only_so_many(item: CartItem) -> str:
    """How many of a line one may order, when more were wanted."""
    return _("%(title)s: you can order up to %(most)d at a time.", title=item.title, most=items.max_quantity(item.kind))


def _named(kept: Any) -> tuple[int, datetime] | None:
    """The cart that a session names: its id, and when it was made."""
    return (kept[0], datetime.fromisoformat(kept[1])) if isinstance(kept, list) else None


def known_orders() -> list[int]:
    """The ids of the orders that this browser may open."""
    return list(session.get(ORDERS, []))


def remember_order(order: Order) -> None:
    """Let this browser open an order from now on."""
    others = [each for each in known_orders() if each != order.id]
    session[ORDERS] = [order.id, *others][:MOST_ORDERS]
