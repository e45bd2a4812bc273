"""Products: the list, and making, changing, copying and hiding one."""

from flask import flash, make_response, redirect, render_template, request, url_for
from flask_babel import gettext as _
from flask_login import current_user
from werkzeug.wrappers import Response

from ...db import db
from ...models import Product
from ...services.catalogue import categories, product_media, products
from ...web import filters
from ...web.forms import refusals
from ...web.guards import permission_required
from ..blueprint import bp
from ..paging import asked, page_of
from .product_forms import AVAILABILITIES, KINDS, OPTION_KINDS, PicturesForm, ProductForm, SetForm


@bp.get("/products", endpoint="products")
@permission_required("catalogue.edit")
def list_products() -> str:
    """All products, to search and to filter."""
    question = {name: asked(name) for name in ("search", "state", "kind")}
    return render_template(
        "admin/products.html",
        page=page_of(products.listed(**question)),
        question=question,
        kinds=KINDS,
        availabilities=AVAILABILITIES,
        currency=filters.shop().currency,
        low=products.LOW_STOCK,
    )


@bp.route("/products/new", methods=["GET", "POST"])
@permission_required("catalogue.edit")
def new_product() -> Response:
    """Make a product; pictures and options follow on its page."""
    form = ProductForm(categories.tree(), categories.collections())
    if form.validate_on_submit():
        with refusals(form):
            made = products.create(form.typed, current_user)
            db.session.commit()
            flash(_("The product is made. Give it pictures now."), "success")
            return redirect(url_for("backoffice.product", product_id=made.id, _anchor="pictures"))
    return product_page(None, form)


@bp.route("/products/<int:product_id>", methods=["GET", "POST"], endpoint="product")
@permission_required("catalogue.edit")
def edit_product(product_id: int) -> Response:
    """Change a product."""
    product = products.find(product_id)
    form = ProductForm(categories.tree(), categories.collections(), product)
    if form.validate_on_submit():
        with refusals(form):
            products.change(product, form.typed, current_user)
            db.session.commit()
            flash(_("Saved. The shop shows it already."), "success")
            return redirect(url_for("backoffice.product", product_id=product_id))
        product = products.find(product_id)
    return product_page(product, form)


@bp.post("/products/<int:product_id>/show")
@permission_required("catalogue.edit")
def show_product(product_id: int) -> Response:
    """Put a product on sale, or hide it."""
    is_active = request.form.get("shown") == "yes"
    products.show(products.find(product_id), current_user, is_active=is_active)
    db.session.commit()
    flash(_("It is on sale.") if is_active else _("It is hidden. Orders keep it as it was sold."), "success")
    return redirect(url_for("backoffice.product", product_id=product_id))


@bp.post("/products/<int:product_id>/duplicate")
@permission_required("catalogue.edit")
def duplicate_product(product_id: int) -> Response:
    """Make a hidden copy and go there."""
    copy = products.duplicate(products.find(product_id), current_user)
    db.session.commit()
    flash(_("This is the copy. It is hidden until you put it on sale."), "success")
    return redirect(url_for("backoffice.product", product_id=copy.id))


def product_page(product: Product | None, form: ProductForm, pictures_form: PicturesForm | None = None) -> Response:
    """The page of a product, or of one to be made, with its forms."""
    pictures_form = pictures_form or PicturesForm(formdata=None)
    page = render_template(
        "admin/product.html",
        product=product,
        form=form,
        pictures_form=pictures_form,
        set_form=SetForm(formdata=None),
        option_kinds=OPTION_KINDS,
        currency=filters.shop().currency,
        most_pictures=product_media.MOST_PICTURES,
        most_options=product_media.MOST_OPTIONS,
    )
    return make_response(page, 422 if form.errors or pictures_form.errors else 200)
