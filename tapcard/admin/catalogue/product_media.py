"""Back office pages for product pictures and options."""

from typing import Any

from flask import flash, make_response, redirect, render_template, request, session, url_for
from flask_babel import gettext as _
from flask_login import current_user
from werkzeug.wrappers import Response

from ...db import db
from ...services.catalogue import categories, product_media, products
from ...web.access import access
from ...web.forms import refusals
from ..blueprint import bp
from ..uploads import LARGEST_REQUEST, WITH_PICTURES, draw_product_picture, take
from .product_forms import OptionForm, PictureForm, PicturesForm, ProductForm, SetForm
from .products import product_page

PLACES = {"up": -1, "down": 1}


@bp.url_value_preprocessor
def let_large_pictures_in(endpoint: str | None, _values: dict[str, Any] | None) -> None:
    """Read forms with several or too large pictures, to be able to say so; runs before anything reads the form."""
    if endpoint in WITH_PICTURES and "_user_id" in session:
        request.max_content_length = LARGEST_REQUEST


def place_asked() -> int:
    """How many places further on something is put."""
    return PLACES.get(request.form.get("to", ""), 0)


def to_product(product_id: int, anchor: str) -> Response:
    """Back to the product, where the part stands."""
    return redirect(url_for("backoffice.product", product_id=product_id, _anchor=anchor))


# --- pictures ---------------------------------------------------------------------------------------------------------


@bp.post("/products/<int:product_id>/pictures")
@access("staff:catalogue.edit")
def add_pictures(product_id: int) -> Response:
    """Add pictures behind those there are."""
    products.find(product_id)
    form = PicturesForm()
    if form.validate_on_submit():
        names = take(form, "pictures", draw_product_picture, is_needed=True)
        product = products.find(product_id)
        if not form.pictures.errors:
            with refusals(form):
                product_media.add_pictures(product, names, current_user)
                db.session.commit()
                flash(_("Images uploaded."), "success")
                return to_product(product_id, "pictures")
    product = products.find(product_id)
    return product_page(product, ProductForm(categories.tree(), categories.collections(), product), form)


@bp.route("/products/<int:product_id>/pictures/<int:picture_id>", methods=["GET", "POST"])
@access("staff:catalogue.edit")
def product_picture(product_id: int, picture_id: int) -> Response:
    """Say what a picture shows."""
    product = products.find(product_id)
    picture = product_media.picture_of(product, picture_id)
    form = PictureForm(data={"alt": picture.alt})
    if form.validate_on_submit():
        product_media.describe(product, picture, form.alt.data or "", current_user)
        db.session.commit()
        flash(_("Changes saved."), "success")
        return to_product(product_id, "pictures")
    page = render_template("admin/product_picture.html", product=product, picture=picture, form=form)
    return make_response(page, 422 if form.errors else 200)


@bp.post("/products/<int:product_id>/pictures/<int:picture_id>/move")
@access("staff:catalogue.edit")
def move_picture(product_id: int, picture_id: int) -> Response:
    """Move a picture one place."""
    product = products.find(product_id)
    product_media.move_picture(product, product_media.picture_of(product, picture_id), place_asked(), current_user)
    db.session.commit()
    return to_product(product_id, "pictures")


@bp.post("/products/<int:product_id>/pictures/<int:picture_id>/remove")
@access("staff:catalogue.edit")
def remove_picture(product_id: int, picture_id: int) -> Response:
    """Take a picture off the product."""
    product = products.find(product_id)
    product_media.remove_picture(product, product_media.picture_of(product, picture_id), current_user)
    db.session.commit()
    flash(_("Image removed."), "success")
    return to_product(product_id, "pictures")


# --- options ----------------------------------------------------------------------------------------------------------


@bp.route("/products/<int:product_id>/options/new", methods=["GET", "POST"])
@access("staff:catalogue.edit")
def new_option(product_id: int) -> Response:
    """Ask buyers one thing more."""
    product = products.find(product_id)
    form = OptionForm()
    if form.validate_on_submit():
        with refusals(form):
            product_media.add_option(product, form.typed, current_user)
            db.session.commit()
            flash(_("Option added."), "success")
            return to_product(product_id, "options")
        product = products.find(product_id)
    page = render_template("admin/product_option.html", product=product, option=None, form=form)
    return make_response(page, 422 if form.errors else 200)


@bp.route("/products/<int:product_id>/options/<int:option_id>", methods=["GET", "POST"])
@access("staff:catalogue.edit")
def product_option(product_id: int, option_id: int) -> Response:
    """Ask something otherwise."""
    product = products.find(product_id)
    option = product_media.option_of(product, option_id)
    form = OptionForm(option)
    if form.validate_on_submit():
        with refusals(form):
            product_media.change_option(product, option, form.typed, form.seen.data or "", current_user)
            db.session.commit()
            flash(_("Changes saved."), "success")
            return to_product(product_id, "options")
        product = products.find(product_id)
        option = product_media.option_of(product, option_id)
    page = render_template("admin/product_option.html", product=product, option=option, form=form)
    return make_response(page, 422 if form.errors else 200)


@bp.post("/products/<int:product_id>/options/<int:option_id>/move")
@access("staff:catalogue.edit")
def move_option(product_id: int, option_id: int) -> Response:
    """Ask something one place earlier or later."""
    product = products.find(product_id)
    product_media.move_option(product, product_media.option_of(product, option_id), place_asked(), current_user)
    db.session.commit()
    return to_product(product_id, "options")


@bp.post("/products/<int:product_id>/options/<int:option_id>/remove")
@access("staff:catalogue.edit")
def remove_option(product_id: int, option_id: int) -> Response:
    """Ask something no more."""
    product = products.find(product_id)
    product_media.remove_option(product, product_media.option_of(product, option_id), current_user)
    db.session.commit()
    flash(_("Option removed."), "success")
    return to_product(product_id, "options")


@bp.post("/products/<int:product_id>/options/set")
@access("staff:catalogue.edit")
def apply_option_set(product_id: int) -> Response:
    """Ask everything of a set."""
    product = products.find(product_id)
    form = SetForm()
    if not form.validate_on_submit():
        flash(_("Choose an option set."), "error")
        return to_product(product_id, "options")
    added = product_media.apply_set(product, form.option_set.data, current_user)
    db.session.commit()
    flash(_("Options added: %(number)s.", number=added), "success")
    return to_product(product_id, "options")
