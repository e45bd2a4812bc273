"""Adding a product to the cart."""

from typing import Any

from flask import abort, flash, make_response, redirect, render_template, request, url_for
from flask_babel import gettext as _
from sqlalchemy import select
from sqlalchemy.orm import selectinload
from werkzeug.wrappers import Response

from ..db import db
from ..models import Cart, CartLine, Product
from ..services.cart import editing
from ..services.cart.items import CartItem
from ..services.orders.replacement import reservations_for
from ..web import pictures
from ..web.access import PUBLIC, access
from ..web.carts import current_cart, get_or_create_cart, quantity_limit_message, stock_limit_message
from ..web.context import rule_context
from ..web.forms import refusals
from ..web.throttling import form_status
from .add_to_cart_forms import BuyForm, buy_form
from .blueprint import bp

__all__ = ["add_form_to_cart", "buy_form", "prefill"]

MAX_REQUEST_BYTES = 32 * 1024 * 1024
WITH_PICTURES = ("shop.add_to_cart", "shop.order_cards")


@bp.url_value_preprocessor
def raise_upload_limit(endpoint: str | None, _values: dict[str, Any] | None) -> None:
    """Accept forms with too large pictures, to show the error next to them; runs before the form is read."""
    if endpoint in WITH_PICTURES:
        request.max_content_length = MAX_REQUEST_BYTES


@bp.post("/cart/add/<slug>")
@access(PUBLIC)
def add_to_cart(slug: str) -> Response:
    """Add a product to the cart with the options in the form."""
    form = buy_form(visible_product(slug))
    if pictures.store_pictures(form):
        form.product = visible_product(slug)
    if form.validate_on_submit():
        with refusals(form):
            add_form_to_cart(form)
            db.session.commit()
            return redirect(url_for("shop.cart"))
        form.product = visible_product(slug)  # the rollback expired it
    page = render_template("shop/add_to_cart.html", product=form.product, buy_form=form)
    return make_response(page, *form_status(form))


def visible_product(slug: str) -> Product:
    """Return an active product with its options and pictures, or respond with 404."""
    query = select(Product).where(Product.slug == slug, Product.is_active)
    options = (selectinload(Product.options), selectinload(Product.pictures))
    return db.session.scalar(query.options(*options)) or abort(404)


def prefill(form: BuyForm) -> BuyForm:
    """Fill the form with the line of the visitor's cart that `?instead=` names, if any."""
    line = line_to_replace(current_cart(), form, request.args["instead"]) if "instead" in request.args else None
    if line is not None:
        form.fill(line)
    return form


def line_to_replace(cart: Cart | None, form: BuyForm, line_id: str | None) -> CartLine | None:
    """Return the cart line whose options are chosen again; None unless it is of the same product."""
    lines = cart.lines if cart is not None else []
    return next((line for line in lines if str(line.id) == line_id and line.product_id == form.product.id), None)


def add_form_to_cart(form: BuyForm) -> CartItem:
    """Add the requested product to the cart, replacing the line chosen again, and flash; the caller commits."""
    cart = get_or_create_cart()
    former = line_to_replace(cart, form, form.instead.data)
    if former is not None:
        editing.remove(cart, former.id)
    before = sum(line.quantity for line in cart.lines)
    item = editing.add(cart, form.line_request(), rule_context(), reservations_for)
    added = sum(line.quantity for line in item.line.cart.lines) - before
    title = item.title
    if item.is_capped:
        flash(stock_limit_message(item), "warning")
    elif added < form.number:
        flash(quantity_limit_message(item), "warning")
    else:
        added = former is None
        words = _("%(title)s added to your cart.", title=title) if added else _("%(title)s updated.", title=title)
        flash(words, "success")
    return item
