"""Ordering cards: a design of the shop, one of one's own, or artwork that is sent along."""

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
from .add_to_cart import chosen_again, put_in
from .add_to_cart_forms import buy_form
from .blueprint import bp
from .order_cards_forms import OrderCardsForm

MOST_DESIGNS = 48  # on one page; `?design=` brings any other


@bp.route("/cards/order", methods=["GET", "POST"])
@access(PUBLIC)
def order_cards() -> Response:
    """Choose how cards look and how many, and put them into the cart; `?design=` and `?product=` choose beforehand."""
    products = sold_cards()
    if not products:
        return make_response(render_template("shop/order_cards.html", product=None))
    product = next((each for each in products if each.slug == request.args.get("product")), products[0])
    form = cards_form(product)
    if form.is_submitted():
        pictures.take(form)
        if form.validate_on_submit():
            with refusals(form):
                put_in(form)
                db.session.commit()
                return redirect(url_for("shop.cart"))
    else:
        chosen_again(form)
    return order_page(form, products)


def cards_form(product: Product) -> OrderCardsForm:
    """The form, with the design chosen that the address names."""
    wanted = request.form.get("design") or request.args.get("design", "")
    offered = offered_designs(wanted)
    chosen = wanted if any(str(each.id) == wanted for each in offered) else None
    form = buy_form(product, OrderCardsForm, designs=offered, design=chosen)
    assert isinstance(form, OrderCardsForm)
    return form


def order_page(form: OrderCardsForm, products: Sequence[Product]) -> Response:
    """The page; products and designs are read again, since a refusal or a picture let go of them."""
    if form.is_submitted():
        products, form.designs = sold_cards(), offered_designs(form.design.data or "")
    page = render_template(
        "shop/order_cards.html",
        form=form,
        product=form.product if form.product in products else None,
        products=products,
        designs={str(design.id): design for design in form.designs},
        is_all=len(form.designs) < MOST_DESIGNS,
        price_of=lambda design: Money(pricing.amount_of(form.product, design), shop().currency),
    )
    return make_response(page, *form_status(form))


def sold_cards() -> Sequence[Product]:
    """The products that are cards, with what they ask."""
    return db.session.scalars(designs.card_products().options(selectinload(Product.options))).all()


def offered_designs(wanted: str) -> Sequence[Design]:
    """The designs the visitor may order, the one that is wanted among them if they may."""
    orderable = designs.orderable(current_user.id)
    found = list(db.session.scalars(orderable.limit(MOST_DESIGNS)))
    design_id = parse_id(wanted)
    if design_id is not None and not any(design.id == design_id for design in found):
        found[:0] = db.session.scalars(orderable.where(Design.id == design_id))
    return found
