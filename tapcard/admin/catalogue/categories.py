"""Back office pages for categories and collections."""

from flask import flash, make_response, redirect, render_template, url_for
from flask_babel import gettext as _
from flask_login import current_user
from werkzeug.wrappers import Response

from ...db import db
from ...models import Category, Collection
from ...services.catalogue import categories
from ...services.core import rows
from ...web.access import access
from ...web.forms import refusals
from ..blueprint import bp
from ..reordering import move_offset
from ..uploads import convert_product_picture, require_reselection, store_uploads
from .category_forms import CategoryForm, CollectionForm
from .product_forms import COLLECTION_KINDS


@bp.get("/shelves", endpoint="categories")
@access("staff:catalogue.edit")
def list_categories() -> str:
    """List the categories and collections."""
    by_category, by_collection = categories.product_counts()
    return render_template(
        "admin/categories.html",
        tree=categories.category_tree(),
        collections=categories.collections(),
        kinds=COLLECTION_KINDS,
        by_category=by_category,
        by_collection=by_collection,
    )


@bp.route("/shelves/categories/new", methods=["GET", "POST"])
@access("staff:catalogue.edit")
def new_category() -> Response:
    """Create a category."""
    form = CategoryForm(categories.category_tree())
    if form.validate_on_submit():
        names = store_uploads(form, "picture", convert_product_picture)
        if not form.errors:
            with refusals(form):
                values = form.values | {"picture": names[0] if names else None}
                categories.create_category(values, current_user)
                db.session.commit()
                flash(_("Category created."), "success")
                return redirect(url_for("backoffice.categories"))
    return render_category_form(None, form)


@bp.route("/shelves/categories/<int:category_id>", methods=["GET", "POST"], endpoint="category")
@access("staff:catalogue.edit")
def edit_category(category_id: int) -> Response:
    """Edit a category."""
    category = rows.get(Category, category_id)
    form = CategoryForm(categories.category_tree(), category)
    if form.validate_on_submit():
        names = store_uploads(form, "picture", convert_product_picture)
        category = rows.get(Category, category_id)
        if not form.errors:
            with refusals(form):
                picture = None if form.remove_picture.data else category.picture
                values = form.values | {"picture": names[0] if names else picture}
                categories.change_category(category, values, form.seen.data or "", current_user)
                db.session.commit()
                flash(_("Changes saved."), "success")
                return redirect(url_for("backoffice.categories"))
        category = rows.get(Category, category_id)
    return render_category_form(category, form)


@bp.post("/shelves/categories/<int:category_id>/move")
@access("staff:catalogue.edit")
def move_category(category_id: int) -> Response:
    """Move a category up or down among its siblings."""
    categories.move_category(rows.get(Category, category_id), move_offset(), current_user)
    db.session.commit()
    return redirect(url_for("backoffice.categories", _anchor=f"category-{category_id}"))


@bp.route("/shelves/collections/new", methods=["GET", "POST"])
@access("staff:catalogue.edit")
def new_collection() -> Response:
    """Create a collection."""
    form = CollectionForm()
    if form.validate_on_submit():
        with refusals(form):
            categories.create_collection(form.values, current_user)
            db.session.commit()
            flash(_("Collection created."), "success")
            return redirect(url_for("backoffice.categories"))
    page = render_template("admin/collection.html", collection=None, form=form)
    return make_response(page, 422 if form.errors else 200)


@bp.route("/shelves/collections/<int:collection_id>", methods=["GET", "POST"], endpoint="collection")
@access("staff:catalogue.edit")
def edit_collection(collection_id: int) -> Response:
    """Edit a collection."""
    collection = rows.get(Collection, collection_id)
    form = CollectionForm(collection)
    if form.validate_on_submit():
        with refusals(form):
            categories.change_collection(collection, form.values, form.seen.data or "", current_user)
            db.session.commit()
            flash(_("Changes saved."), "success")
            return redirect(url_for("backoffice.categories"))
        collection = rows.get(Collection, collection_id)
    page = render_template("admin/collection.html", collection=collection, form=form)
    return make_response(page, 422 if form.errors else 200)


def render_category_form(category: Category | None, form: CategoryForm) -> Response:
    """Render the form of a category, or of a new one."""
    require_reselection(form, "picture")
    page = render_template("admin/category.html", category=category, form=form)
    return make_response(page, 422 if form.errors else 200)
