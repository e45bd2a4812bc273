"""Wishlist pages of a logged-in user."""

from flask import flash, make_response, redirect, render_template, request, url_for
from flask_babel import gettext as _
from flask_babel import ngettext
from flask_login import current_user
from werkzeug.wrappers import Response

from ..db import db
from ..money import Money
from ..services.cart import wishlist
from ..services.cart.wishlist import MoveResult
from ..services.orders.replacement import reservations_for
from ..web.access import HOLDER, PUBLIC, access
from ..web.carts import get_or_create_cart, stock_limit_message
from ..web.context import rule_context
from ..web.filters import shop
from ..web.redirects import next_url
from ..web.throttling import form_status
from .add_to_cart import visible_product
from .blueprint import bp
from .wishlist_forms import SelectionForm


@bp.get("/wishlist", endpoint="wishlist")
@access(HOLDER)
def show_wishlist() -> Response:
    """Show the wishlist; `?all=y` selects every product."""
    return wishlist_page(SelectionForm(formdata=None))


@bp.post("/wishlist/add/<slug>", endpoint="wish")
@access(PUBLIC)
def add_to_wishlist(slug: str) -> Response:
    """Add a product to the wishlist; a guest logs in first and then returns."""
    product = visible_product(slug)
    back = next_url(url_for("shop.product", slug=product.slug))
    if not current_user.is_authenticated:
        return redirect(url_for("auth.log_in", next=back))
    message = _("%(name)s added to your wishlist.", name=product.name)
    wishlist.add(current_user, product)
    db.session.commit()
    flash(message, "success")
    return redirect(back)


@bp.post("/wishlist/remove/<slug>", endpoint="unwish")
@access(PUBLIC)
def remove_from_wishlist(slug: str) -> Response:
    """Remove a product from the wishlist; a guest logs in first and then returns."""
    product = visible_product(slug)
    back = next_url(url_for("shop.product", slug=product.slug))
    if not current_user.is_authenticated:
        return redirect(url_for("auth.log_in", next=back))
    wishlist.remove(current_user, [product.id])
    db.session.commit()
    return redirect(back)


@bp.post("/wishlist/remove", endpoint="remove_wishes")
@access(HOLDER)
def remove_selected() -> Response:
    """Remove the selected products from the wishlist."""
    form = SelectionForm()
    if not form.validate_on_submit():
        return wishlist_page(form)
    number = wishlist.remove(current_user, form.ids)
    db.session.commit()
    text = ngettext("%(num)s item removed from your wishlist.", "%(num)s items removed from your wishlist.", number)
    flash(text, "success")
    return redirect(url_for("shop.wishlist"))


@bp.post("/wishlist/move", endpoint="move_wishes")
@access(HOLDER)
def move_selected() -> Response:
    """Move the selected products to the cart; each refusal names its product."""
    form = SelectionForm()
    if not form.validate_on_submit():
        return wishlist_page(form)
    flash_move_result(wishlist.move(current_user, form.ids, get_or_create_cart(), rule_context(), reservations_for))
    db.session.commit()
    return redirect(url_for("shop.wishlist"))


def flash_move_result(moved: MoveResult) -> None:
    """Flash which products were moved, capped or refused."""
    if moved.items:
        number = len(moved.items)
        flash(ngettext("%(num)s item moved to your cart.", "%(num)s items moved to your cart.", number), "success")
    for item in moved.items:
        if item.is_capped:
            flash(stock_limit_message(item), "warning")
    for name, error in moved.refused:
        flash(_("%(name)s: %(why)s", name=name, why=_(error.message, **error.params)), "warning")


def wishlist_page(form: SelectionForm) -> Response:
    """Return the wishlist page with its form."""
    selected_ids = form.ids if form.is_submitted() else None
    page = render_template(
        "shop/wishlist.html",
        form=form,
        wishes=wishlist.entries(current_user),
        price_of=lambda product: Money(product.price_amount, shop().currency),
        is_chosen=lambda product_id: product_id in selected_ids if selected_ids is not None else "all" in request.args,
    )
    return make_response(page, *form_status(form))
