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
from ..reordering import move_offset
from ..uploads import MAX_REQUEST_SIZE, UPLOAD_ENDPOINTS, convert_product_picture, store_uploads
from .product_forms import OptionForm, OptionTemplateForm, PictureForm, PicturesForm, ProductForm
from .products import render_product_page


@bp.url_value_preprocessor
def allow_large_uploads(endpoint: str | None, _values: dict[str, Any] | None) -> None:
    """Accept large requests where staff upload images, so that the form can report which file is too big."""
    if endpoint in UPLOAD_ENDPOINTS and "_user_id" in session:
        request.max_content_length = MAX_REQUEST_SIZE


def redirect_to_product(product_id: int, anchor: str) -> Response:
    """Redirect to a section of the product's page."""
    return redirect(url_for("backoffice.product", product_id=product_id, _anchor=anchor))


# --- pictures ---------------------------------------------------------------------------------------------------------


@bp.post("/products/<int:product_id>/pictures")
@access("staff:catalogue.edit")
def add_pictures(product_id: int) -> Response:
    """Add pictures to a product."""
    products.get(product_id)
    form = PicturesForm()
    if form.validate_on_submit():
        names = store_uploads(form, "pictures", convert_product_picture, is_required=True)
        product = products.get(product_id)
        if not form.pictures.errors:
            with refusals(form):
                product_media.add_pictures(product, names, current_user)
                db.session.commit()
                flash(_("Images uploaded."), "success")
                return redirect_to_product(product_id, "pictures")
    product = products.get(product_id)
    return render_product_page(
        product, ProductForm(categories.category_tree(), categories.collections(), product), form
    )


@bp.route("/products/<int:product_id>/pictures/<int:picture_id>", methods=["GET", "POST"])
@access("staff:catalogue.edit")
def product_picture(product_id: int, picture_id: int) -> Response:
    """Edit the alternative text of a picture."""
    product = products.get(product_id)
    picture = product_media.get_picture(product, picture_id)
    form = PictureForm(data={"alt": picture.alt})
    if form.validate_on_submit():
        product_media.set_alt_text(product, picture, form.alt.data or "", current_user)
        db.session.commit()
        flash(_("Changes saved."), "success")
        return redirect_to_product(product_id, "pictures")
    page = render_template("admin/product_picture.html", product=product, picture=picture, form=form)
    return make_response(page, 422 if form.errors else 200)


@bp.post("/products/<int:product_id>/pictures/<int:picture_id>/move")
@access("staff:catalogue.edit")
def move_picture(product_id: int, picture_id: int) -> Response:
    """Move a picture up or down."""
    product = products.get(product_id)
    product_media.move_picture(product, product_media.get_picture(product, picture_id), move_offset(), current_user)
    db.session.commit()
    return redirect_to_product(product_id, "pictures")


@bp.post("/products/<int:product_id>/pictures/<int:picture_id>/remove")
@access("staff:catalogue.edit")
def remove_picture(product_id: int, picture_id: int) -> Response:
    """Remove a picture."""
    product = products.get(product_id)
    product_media.remove_picture(product, product_media.get_picture(product, picture_id), current_user)
    db.session.commit()
    flash(_("Image removed."), "success")
    return redirect_to_product(product_id, "pictures")


# --- options ----------------------------------------------------------------------------------------------------------


@bp.route("/products/<int:product_id>/options/new", methods=["GET", "POST"])
@access("staff:catalogue.edit")
def new_option(product_id: int) -> Response:
    """Add an option."""
    product = products.get(product_id)
    form = OptionForm()
    if form.validate_on_submit():
        with refusals(form):
            product_media.add_option(product, form.values, current_user)
            db.session.commit()
            flash(_("Option added."), "success")
            return redirect_to_product(product_id, "options")
        product = products.get(product_id)
    page = render_template("admin/product_option.html", product=product, option=None, form=form)
    return make_response(page, 422 if form.errors else 200)


@bp.route("/products/<int:product_id>/options/<int:option_id>", methods=["GET", "POST"])
@access("staff:catalogue.edit")
def product_option(product_id: int, option_id: int) -> Response:
    """Edit an option."""
    product = products.get(product_id)
    option = product_media.get_option(product, option_id)
    form = OptionForm(option)
    if form.validate_on_submit():
        with refusals(form):
            product_media.change_option(product, option, form.values, form.seen.data or "", current_user)
            db.session.commit()
            flash(_("Changes saved."), "success")
            return redirect_to_product(product_id, "options")
        product = products.get(product_id)
        option = product_media.get_option(product, option_id)
    page = render_template("admin/product_option.html", product=product, option=option, form=form)
    return make_response(page, 422 if form.errors else 200)


@bp.post("/products/<int:product_id>/options/<int:option_id>/move")
@access("staff:catalogue.edit")
def move_option(product_id: int, option_id: int) -> Response:
    """Move an option up or down."""
    product = products.get(product_id)
    product_media.move_option(product, product_media.get_option(product, option_id), move_offset(), current_user)
    db.session.commit()
    return redirect_to_product(product_id, "options")


@bp.post("/products/<int:product_id>/options/<int:option_id>/remove")
@access("staff:catalogue.edit")
def remove_option(product_id: int, option_id: int) -> Response:
    """Remove an option."""
    product = products.get(product_id)
    product_media.remove_option(product, product_media.get_option(product, option_id), current_user)
    db.session.commit()
    flash(_("Option removed."), "success")
    return redirect_to_product(product_id, "options")


@bp.post("/products/<int:product_id>/options/set")
@access("staff:catalogue.edit")
def apply_option_set(product_id: int) -> Response:
    """Add the options of a template."""
    product = products.get(product_id)
    form = OptionTemplateForm()
    if not form.validate_on_submit():
        flash(_("Choose an option set."), "error")
        return redirect_to_product(product_id, "options")
    added = product_media.apply_option_template(product, form.option_set.data, current_user)
    db.session.commit()
    flash(_("Options added: %(number)s.", number=added), "success")
    return redirect_to_product(product_id, "options")
