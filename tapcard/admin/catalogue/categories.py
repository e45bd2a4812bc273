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
from ..uploads import choose_again, draw_product_picture, take
from .category_forms import CategoryForm, CollectionForm
from .product_forms import COLLECTION_KINDS
from .product_media import place_asked


@bp.get("/shelves", endpoint="categories")
@access("staff:catalogue.edit")
def list_shelves() -> str:
    """All categories and collections."""
    in_categories, in_collections = categories.product_counts()
    return render_template(
        "admin/shelves.html",
        tree=categories.tree(),
        collections=categories.collections(),
        kinds=COLLECTION_KINDS,
        in_categories=in_categories,
        in_collections=in_collections,
    )


@bp.route("/shelves/categories/new", methods=["GET", "POST"])
@access("staff:catalogue.edit")
def new_category() -> Response:
    """Make a category."""
    form = CategoryForm(categories.tree())
    if form.validate_on_submit():
        names = take(form, "picture", draw_product_picture)
        if not form.errors:
            with refusals(form):
                typed = form.typed | {"picture": names[0] if names else None}
                categories.create_category(typed, current_user)
                db.session.commit()
                flash(_("Category created."), "success")
                return redirect(url_for("backoffice.categories"))
    return category_page(None, form)


@bp.route("/shelves/categories/<int:category_id>", methods=["GET", "POST"], endpoint="category")
@access("staff:catalogue.edit")
def edit_category(category_id: int) -> Response:
    """Change a category."""
    category = rows.get(Category, category_id)
    form = CategoryForm(categories.tree(), category)
    if form.validate_on_submit():
        names = take(form, "picture", draw_product_picture)
        category = rows.get(Category, category_id)
        if not form.errors:
            with refusals(form):
                kept = None if form.remove_picture.data else category.picture
                typed = form.typed | {"picture": names[0] if names else kept}
                categories.change_category(category, typed, form.seen.data or "", current_user)
                db.session.commit()
                flash(_("Changes saved."), "success")
                return redirect(url_for("backoffice.categories"))
        category = rows.get(Category, category_id)
    return category_page(category, form)


@bp.post("/shelves/categories/<int:category_id>/move")
@access("staff:catalogue.edit")
def move_category(category_id: int) -> Response:
    """Move a category one place among those beside it."""
    categories.move_category(rows.get(Category, category_id), place_asked(), current_user)
    db.session.commit()
    return redirect(url_for("backoffice.categories", _anchor=f"category-{category_id}"))


@bp.route("/shelves/collections/new", methods=["GET", "POST"])
@access("staff:catalogue.edit")
def new_collection() -> Response:
    """Make a collection."""
    form = CollectionForm()
    if form.validate_on_submit():
        with refusals(form):
            categories.create_collection(form.typed, current_user)
            db.session.commit()
            flash(_("Collection created."), "success")
            return redirect(url_for("backoffice.categories"))
    page = render_template("admin/collection.html", collection=None, form=form)
    return make_response(page, 422 if form.errors else 200)


@bp.route("/shelves/collections/<int:collection_id>", methods=["GET", "POST"], endpoint="collection")
@access("staff:catalogue.edit")
def edit_collection(collection_id: int) -> Response:
    """Change a collection."""
    collection = rows.get(Collection, collection_id)
    form = CollectionForm(collection)
    if form.validate_on_submit():
        with refusals(form):
            categories.change_collection(collection, form.typed, form.seen.data or "", current_user)
            db.session.commit()
            flash(_("Changes saved."), "success")
            return redirect(url_for("backoffice.categories"))
        collection = rows.get(Collection, collection_id)
    page = render_template("admin/collection.html", collection=collection, form=form)
    return make_response(page, 422 if form.errors else 200)


def category_page(category: Category | None, form: CategoryForm) -> Response:
    """The page of a category, or of one to be made."""
    choose_again(form, "picture")
    page = render_template("admin/category.html", category=category, form=form)
    return make_response(page, 422 if form.errors else 200)
