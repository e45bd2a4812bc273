"""From a product into the cart."""

from typing import Any

from flask import abort, flash, make_response, redirect, render_template, request, url_for
from flask_babel import gettext as _
from sqlalchemy import select
from sqlalchemy.orm import selectinload
from werkzeug.wrappers import Response

from ..clock import utcnow
from ..db import db
from ..models import Cart, CartLine, Product
from ..services.cart import editing
from ..services.cart.items import CartItem
from ..web import pictures
from ..web.access import PUBLIC, access
from ..web.carts import cart_to_fill, current_cart, only_left, only_so_many
from ..web.filters import shop
from ..web.forms import refusals
from ..web.throttling import form_status
from .add_to_cart_forms import BuyForm, buy_form
from .blueprint import bp

__all__ = ["buy_form", "chosen_again", "put_in"]

LARGEST_REQUEST = 32 * 1024 * 1024
WITH_PICTURES = ("shop.add_to_cart", "shop.order_cards")


@bp.url_value_preprocessor
def let_large_pictures_in(endpoint: str | None, _values: dict[str, Any] | None) -> None:
    """Read forms whose picture is too large, to be able to say so beside it; runs before anything reads the form."""
    if endpoint in WITH_PICTURES:
        request.max_content_length = LARGEST_REQUEST


@bp.post("/cart/add/<slug>")
@access(PUBLIC)
def add_to_cart(slug: str) -> Response:
    """Put a product into the cart, customised as the form says."""
    form = buy_form(sold(slug))
    if pictures.take(form):
        form.product = sold(slug)
    if form.validate_on_submit():
        with refusals(form):
            put_in(form)
            db.session.commit()
            return redirect(url_for("shop.cart"))
        form.product = sold(slug)  # what was begun is rolled back
    page = render_template("shop/add_to_cart.html", product=form.product, buy_form=form)
    return make_response(page, *form_status(form))


def sold(slug: str) -> Product:
    """The product of an address, with what it asks, as long as it is shown."""
    wanted = select(Product).where(Product.slug == slug, Product.is_active)
    whole = (selectinload(Product.options), selectinload(Product.pictures))
    return db.session.scalar(wanted.options(*whole)) or abort(404)


def chosen_again(form: BuyForm) -> BuyForm:
    """The form of a page; `?instead=` names a line of the visitor's cart, and what that says stands in it."""
    line = line_of(current_cart(), form, request.args["instead"]) if "instead" in request.args else None
    if line is not None:
        form.fill(line)
    return form


def line_of(cart: Cart | None, form: BuyForm, typed: str | None) -> CartLine | None:
    """The line of a cart that is chosen again; None unless it is of the same product."""
    lines = cart.lines if cart is not None else []
    return next((each for each in lines if str(each.id) == typed and each.product_id == form.product.id), None)


def put_in(form: BuyForm) -> CartItem:
    """Fill the cart with what a form says, in place of a line that is chosen again, and tell the buyer; the caller
    commits.
    """
    cart = cart_to_fill()
    former = line_of(cart, form, form.instead.data)
    if former is not None:
        editing.remove(cart, former.id)
    before = sum(line.quantity for line in cart.lines)
    item = editing.add(cart, form.line_request(), shop(), utcnow())
    added = sum(line.quantity for line in item.line.cart.lines) - before
    title = item.title
    if item.is_capped:
        flash(only_left(item), "warning")
    elif added < form.number:
        flash(only_so_many(item), "warning")
    else:
        added = former is None
        words = _("%(title)s added to your cart.", title=title) if added else _("%(title)s updated.", title=title)
        flash(words, "success")
    return item
