"""The cart of whoever is looking, and the orders that this browser may open."""

from flask import Flask, g, session
from flask_login import current_user

from ..clock import utcnow
from ..db import db
from ..models import Cart, Order, User
from ..services import carts
from . import filters
from .sessions import CART, ORDERS

MOST_ORDERS = 50


def init_app(app: Flask) -> None:
    """Give the badge to the templates."""
    app.jinja_env.globals["cart_count"] = piece_count


def current_cart() -> Cart | None:
    """The visitor's cart with all that is in it; None while there is none."""
    if current_user.is_authenticated:
        return carts.of_user(current_user)
    cart_id = session.get(CART)
    return carts.of_guest(cart_id) if cart_id is not None else None


def cart_to_fill() -> Cart:
    """The visitor's cart, made if there is none; a guest's session remembers it for as long as such a cart is kept."""
    cart = current_cart()
    if cart is None:
        cart = carts.make(current_user if current_user.is_authenticated else None)
        if not current_user.is_authenticated:
            session[CART] = cart.id
            session.permanent = True
    g.pop("cart_count", None)
    return cart


def piece_count() -> int:
    """How many pieces lie in the visitor's cart; asked once a request, and not at all where there can be none."""
    if g.get("is_plain"):
        return 0
    if "cart_count" not in g:
        user_id = current_user.id if current_user.is_authenticated else None
        cart_id = session.get(CART)
        known = user_id is not None or cart_id is not None
        g.cart_count = carts.piece_count(user_id=user_id, cart_id=cart_id) if known else 0
    return int(g.cart_count)


def adopt_cart(user: User, cart_id: int | None) -> None:
    """Let what a guest collected go along into their account; commits by itself, after the log in has."""
    if cart_id is not None:
        carts.adopt(cart_id, user, filters.shop(), utcnow())
        db.session.commit()


def known_orders() -> list[int]:
    """The ids of the orders that this browser may open."""
    return list(session.get(ORDERS, []))


def remember_order(order: Order) -> None:
    """Let this browser open an order from now on."""
    others = [each for each in known_orders() if each != order.id]
    session[ORDERS] = [order.id, *others][:MOST_ORDERS]
