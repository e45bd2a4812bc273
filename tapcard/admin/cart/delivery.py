"""Back office pages for delivery methods."""

from flask import flash, make_response, redirect, render_template, url_for
from flask_babel import gettext as _
from flask_login import current_user
from werkzeug.wrappers import Response

from ...db import db
from ...models import DeliveryMethod
from ...services.cart import delivery
from ...services.core import rows
from ...web import filters
from ...web.access import access
from ...web.forms import refusals
from ..blueprint import bp
from ..reordering import move_offset
from .delivery_forms import DELIVERY_KINDS, DeliveryForm


@bp.get("/delivery", endpoint="delivery")
@access("staff:delivery.edit")
def list_delivery() -> str:
    """List the delivery methods in the order in which customers see them."""
    methods = db.session.scalars(delivery.all_methods()).all()
    return render_template("admin/delivery.html", methods=methods, kinds=DELIVERY_KINDS)


@bp.route("/delivery/new", methods=["GET", "POST"])
@access("staff:delivery.edit")
def new_delivery() -> Response:
    """Create a delivery method."""
    form = DeliveryForm()
    if form.validate_on_submit():
        with refusals(form):
            delivery.create(form.values, current_user)
            db.session.commit()
            flash(_("Delivery method created."), "success")
            return redirect(url_for("backoffice.delivery"))
    return render_delivery_form(None, form)


@bp.route("/delivery/<int:method_id>", methods=["GET", "POST"])
@access("staff:delivery.edit")
def delivery_method(method_id: int) -> Response:
    """Edit or disable a delivery method."""
    method = rows.get(DeliveryMethod, method_id)
    form = DeliveryForm(method)
    if form.validate_on_submit():
        with refusals(form):
            delivery.change(method, form.values, form.seen.data or "", current_user)
            db.session.commit()
            flash(_("Changes saved."), "success")
            return redirect(url_for("backoffice.delivery"))
        method = rows.get(DeliveryMethod, method_id)
    return render_delivery_form(method, form)


@bp.post("/delivery/<int:method_id>/move")
@access("staff:delivery.edit")
def move_delivery(method_id: int) -> Response:
    """Move a delivery method up or down."""
    delivery.move(rows.get(DeliveryMethod, method_id), move_offset(), current_user)
    db.session.commit()
    return redirect(url_for("backoffice.delivery"))


def render_delivery_form(method: DeliveryMethod | None, form: DeliveryForm) -> Response:
    """Render the form of a delivery method, or of a new one."""
    page = render_template("admin/delivery_method.html", method=method, form=form, currency=filters.shop().currency)
    return make_response(page, 422 if form.errors else 200)
