"""Back office pages for products."""

from flask import flash, make_response, redirect, render_template, request, url_for
from flask_babel import gettext as _
from flask_login import current_user
from werkzeug.wrappers import Response

from ...db import db
from ...models import Availability, Product
from ...services.catalogue import categories, product_media, products
from ...web import filters
from ...web.access import access
from ...web.forms import refusals
from ...web.paging import paginate, text_argument
from ..blueprint import bp
from .product_forms import KINDS, OPTION_KINDS, OptionTemplateForm, PicturesForm, ProductForm


@bp.get("/products", endpoint="products")
@access("staff:catalogue.edit")
def list_products() -> str:
    """List the products, searched and filtered by the query string."""
    arguments = {name: text_argument(name) for name in ("search", "state", "kind")}
    return render_template(
        "admin/products.html",
        page=paginate(products.filter_products(**arguments)),
        arguments=arguments,
        kinds=KINDS,
        currency=filters.shop().currency,
        low=products.LOW_STOCK_THRESHOLD,
        states=Availability,
    )


@bp.route("/products/new", methods=["GET", "POST"])
@access("staff:catalogue.edit")
def new_product() -> Response:
    """Create a product; pictures and options are added on its page afterwards."""
    form = ProductForm(categories.category_tree(), categories.collections())
    if form.validate_on_submit():
        with refusals(form):
            product = products.create(form.product_input, current_user)
            db.session.commit()
            flash(_("Product created. Add images next."), "success")
            return redirect(url_for("backoffice.product", product_id=product.id, _anchor="pictures"))
    return render_product_page(None, form)


@bp.route("/products/<int:product_id>", methods=["GET", "POST"], endpoint="product")
@access("staff:catalogue.edit")
def edit_product(product_id: int) -> Response:
    """Edit a product."""
    product = products.get(product_id)
    form = ProductForm(categories.category_tree(), categories.collections(), product)
    if form.validate_on_submit():
        with refusals(form):
            products.change(product, form.product_input, current_user)
            db.session.commit()
            flash(_("Product saved."), "success")
            return redirect(url_for("backoffice.product", product_id=product_id))
        product = products.get(product_id)
    return render_product_page(product, form)


@bp.post("/products/<int:product_id>/show")
@access("staff:catalogue.edit")
def show_product(product_id: int) -> Response:
    """Publish or hide a product."""
    is_active = request.form.get("shown") == "yes"
    products.set_active(products.get(product_id), current_user, is_active=is_active)
    db.session.commit()
    flash(_("Product published.") if is_active else _("Product hidden. Existing orders aren't affected."), "success")
    return redirect(url_for("backoffice.product", product_id=product_id))


@bp.post("/products/<int:product_id>/duplicate")
@access("staff:catalogue.edit")
def duplicate_product(product_id: int) -> Response:
    """Create a hidden copy of a product and redirect to it."""
    copy = products.duplicate(products.get(product_id), current_user)
    db.session.commit()
    flash(_("Product duplicated. The copy is hidden until you publish it."), "success")
    return redirect(url_for("backoffice.product", product_id=copy.id))


def render_product_page(
    product: Product | None, form: ProductForm, pictures_form: PicturesForm | None = None
) -> Response:
    """Render the page of a product, or of a new one, with its forms."""
    pictures_form = pictures_form or PicturesForm(formdata=None)
    page = render_template(
        "admin/product.html",
        product=product,
        form=form,
        pictures_form=pictures_form,
        set_form=OptionTemplateForm(formdata=None),
        option_kinds=OPTION_KINDS,
        currency=filters.shop().currency,
        most_pictures=product_media.MAX_PICTURES,
        most_options=product_media.MAX_OPTIONS,
    )
    return make_response(page, 422 if form.errors or pictures_form.errors else 200)
