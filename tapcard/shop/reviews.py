"""Pages to write a review, of a product or of an order opened by its emailed link."""

from flask import abort, current_app, flash, redirect, render_template, request, url_for
from flask.typing import ResponseReturnValue
from flask_babel import gettext as _
from flask_login import current_user

from ..db import db
from ..models import Order, Product, User
from ..services.catalogue import product_lists, reviews
from ..services.orders import queries
from ..web.access import BUYER, HOLDER, SIGNED_LINK, access, redirect_to_log_in
from ..web.carts import known_order_ids, remember_order
from ..web.forms import refusals
from .blueprint import bp
from .catalogue_forms import ReviewForm
from .checkout import current_buyer


@bp.route("/products/<slug>/review", methods=["GET", "POST"])
@access(HOLDER)
def review(slug: str) -> ResponseReturnValue:
    """Show the form to review a product and store the review, which staff check before it is published."""
    row = product_lists.get_for_sale(slug) or abort(404)
    return review_page(row[0], current_user)


@bp.get("/orders/link/<token>/review/<slug>")
@access(SIGNED_LINK)
def review_link(token: str, slug: str) -> ResponseReturnValue:
    """Open an order by its emailed link and redirect to the review of one of its products."""
    order = queries.find_by_link_token(token, current_app.extensions["keys"])
    remember_order(order)
    return redirect(url_for("shop.review_ordered", number=order.number, slug=slug))


@bp.route("/orders/<number>/review/<slug>", methods=["GET", "POST"])
@access(BUYER)
def review_ordered(number: str, slug: str) -> ResponseReturnValue:
    """Show the form to review a product of an order, for its buyer."""
    order = queries.own_order(number, user=current_buyer(), known_ids=known_order_ids())
    product = next((item for item in reviews.reviewable_products(order) if item.slug == slug), None) or abort(404)
    user = reviewer(order)
    if user is not None:
        return review_page(product, user)
    if not current_user.is_authenticated:
        flash(_("Log in as %(email)s to write a review.", email=order.email), "info")
        return redirect_to_log_in()
    flash(review_obstacle(order), "info")
    return redirect(url_for("shop.order", number=number))


def reviewer(order: Order) -> User | None:
    """Return the user in whose name the visitor reviews a product of the order; None if they may not.

    This is the logged-in buyer. A guest whose account has no login yet may review by the emailed link alone.
    """
    buyer: User | None = order.user
    if buyer is not None and buyer.is_active and (buyer.id == current_user.id or not buyer.has_proven_identity):
        return buyer
    return None


def review_obstacle(order: Order) -> str:
    """Return the message about what a logged-in visitor has to do before reviewing a product of the order."""
    if order.user_id is not None or order.email != current_user.email:
        return _("This order isn't in your account. Log in as %(email)s to write a review.", email=order.email)
    if not current_user.is_verified:
        return _("Confirm your email address first, then add this order to your account to review it.")
    return _("Add this order to your account before you write a review.")


def review_page(product: Product, user: User) -> ResponseReturnValue:
    """Show the review form and store the submitted review."""
    reviews.check_can_review(product, user)
    form = ReviewForm(author=user.first_name)
    slug = product.slug
    if form.validate_on_submit():
        with refusals(form):
            rating, text, author = int(form.rating.data), form.text.data or "", form.author.data
            reviews.create(product, user, rating=rating, text=text, author=author)
            db.session.commit()
            flash(_("Thank you. We'll publish your review once we've checked it."), "success")
            return redirect(url_for("shop.product", slug=slug))
    page = render_template("shop/review.html", form=form, product=product, action=request.path)
    return page, 422 if form.errors else 200
