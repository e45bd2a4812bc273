"""Writing a review."""

from flask import abort, flash, redirect, render_template, url_for
from flask.typing import ResponseReturnValue
from flask_babel import gettext as _
from flask_login import current_user

from ..db import db
from ..services import catalogue, reviews
from ..web.forms import refusals
from ..web.guards import login_required
from .blueprint import bp
from .catalogue_forms import ReviewForm


@bp.route("/products/<slug>/review", methods=["GET", "POST"])
@login_required
def review(slug: str) -> ResponseReturnValue:
    """Let a buyer say what they think of a product; staff look at it before anybody else does."""
    row = catalogue.product_of(slug) or abort(404)
    product = row[0]
    reviews.check(product, current_user)
    form = ReviewForm(author=current_user.first_name)
    if form.validate_on_submit():
        with refusals(form):
            rating, text, author = int(form.rating.data), form.text.data or "", form.author.data
            reviews.write(product, current_user, rating=rating, text=text, author=author)
            db.session.commit()
            flash(_("Thank you. Your review appears here once we have looked at it."), "success")
            return redirect(url_for("shop.product", slug=slug))
    return render_template("shop/review.html", form=form, product=product), 422 if form.errors else 200
