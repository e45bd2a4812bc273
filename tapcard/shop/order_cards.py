"""Ordering cards: a design of the shop, an own design, or uploaded artwork."""

from collections.abc import Sequence

from flask import make_response, redirect, render_template, request, url_for
from flask_login import current_user
from sqlalchemy.orm import selectinload
from werkzeug.wrappers import Response

from ..db import db
from ..ids import parse_id
from ..models import Design, Product
from ..money import Money
from ..services.cards import designs
from ..services.cart import pricing
from ..web import pictures
from ..web.access import PUBLIC, access
from ..web.filters import shop
from ..web.forms import refusals
from ..web.throttling import form_status
from .add_to_cart import add_form_to_cart, prefill
from .add_to_cart_forms import buy_form
from .blueprint import bp
from .order_cards_forms import OrderCardsForm

MAX_DESIGNS = 48  # designs shown on the page; `?design=` adds any other


@bp.route("/cards/order", methods=["GET", "POST"])
@access(PUBLIC)
def order_cards() -> Response:
    """Add cards to the cart; `?design=` and `?product=` preselect."""
    products = card_products_with_options()
    if not products:
        return make_response(render_template("shop/order_cards.html", product=None))
    product = next((option for option in products if option.slug == request.args.get("product")), products[0])
    form = cards_form(product)
    if form.is_submitted():
        pictures.store_pictures(form)
        if form.validate_on_submit():
            with refusals(form):
                add_form_to_cart(form)
                db.session.commit()
                return redirect(url_for("shop.cart"))
    else:
        prefill(form)
    return order_cards_page(form, products)


def cards_form(product: Product) -> OrderCardsForm:
    """Return the form, with the design in the URL preselected."""
    requested = request.form.get("design") or request.args.get("design", "")
    offered = offered_designs(requested)
    preselected = requested if any(str(design.id) == requested for design in offered) else None
    form = buy_form(product, OrderCardsForm, designs=offered, design=preselected)
    assert isinstance(form, OrderCardsForm)
    return form


def order_cards_page(form: OrderCardsForm, products: Sequence[Product]) -> Response:
    """Return the page; products and designs are read again, since a refusal or a picture expires them."""
    if form.is_submitted():
        products, form.designs = card_products_with_options(), offered_designs(form.design.data or "")
    page = render_template(
        "shop/order_cards.html",
        form=form,
        product=form.product if form.product in products else None,
        products=products,
        designs={str(design.id): design for design in form.designs},
        is_all=len(form.designs) < MAX_DESIGNS,
        price_of=lambda design: Money(pricing.unit_price(form.product, design), shop().currency),
    )
    return make_response(page, *form_status(form))


def card_products_with_options() -> Sequence[Product]:
    """Return the products that are cards, with their options."""
    return db.session.scalars(designs.card_products().options(selectinload(Product.options))).all()


def offered_designs(requested: str) -> Sequence[Design]:
    """Return the designs the visitor may order, including the requested one if they may."""
    orderable = designs.orderable(current_user.id)
    offered = list(db.session.scalars(orderable.limit(MAX_DESIGNS)))
    design_id = parse_id(requested)
    if design_id is not None and not any(design.id == design_id for design in offered):
        offered[:0] = db.session.scalars(orderable.where(Design.id == design_id))
    return offered
