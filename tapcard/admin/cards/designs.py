"""Back office pages for designs and customer artwork."""

from flask import abort, flash, make_response, redirect, render_template, url_for
from flask_babel import gettext as _
from flask_login import current_user
from werkzeug.wrappers import Response

from ...db import db
from ...models import Design, DesignStatus
from ...services.cards import designs
from ...web import filters
from ...web.access import access
from ...web.forms import refusals
from ...web.paging import paginate, text_argument
from ..blueprint import bp
from ..uploads import convert_card_picture, require_reselection, store_uploads
from .design_forms import DesignForm, RejectForm


@bp.get("/designs", endpoint="designs")
@access("staff:designs.edit")
def list_designs() -> str:
    """List the designs, those awaiting approval first."""
    arguments = {name: text_argument(name) for name in ("search", "state")}
    return render_template(
        "admin/designs.html",
        page=paginate(designs.filter_designs(**arguments)),
        arguments=arguments,
        shop=filters.shop(),
        states=DesignStatus,
    )


@bp.route("/designs/new", methods=["GET", "POST"])
@access("staff:designs.edit")
def new_design() -> Response:
    """Create a design."""
    form = DesignForm()
    if form.validate_on_submit():
        front, rear = (store_uploads(form, name, convert_card_picture) for name in ("front", "rear"))
        if not form.errors:
            with refusals(form):
                values = form.values(front[0] if front else None, rear[0] if rear else None)
                designs.create(values, current_user)
                db.session.commit()
                flash(
                    _("Design created and available in the shop.") if form.is_public.data else _("Design created."),
                    "success",
                )
                return redirect(url_for("backoffice.designs"))
    return render_design_page(None, form)


@bp.route("/designs/<int:design_id>", methods=["GET", "POST"], endpoint="design")
@access("staff:designs.edit")
def edit_design(design_id: int) -> Response:
    """Edit a design of the shop, or show a customer's artwork."""
    design = designs.get_design(design_id)
    form = DesignForm(design)
    if form.is_submitted() and not designs.is_shop_design(design):
        abort(404)
    if form.validate_on_submit():
        front, rear = (store_uploads(form, name, convert_card_picture) for name in ("front", "rear"))
        design = designs.get_design(design_id)
        if not form.errors:
            with refusals(form):
                old_front = None if form.remove_front.data else design.front_picture
                old_rear = None if form.remove_rear.data else design.rear_picture
                values = form.values(front[0] if front else old_front, rear[0] if rear else old_rear)
                designs.update(design, values, form.seen.data or "", current_user)
                db.session.commit()
                flash(_("Design saved."), "success")
                return redirect(url_for("backoffice.designs"))
        design = designs.get_design(design_id)
    return render_design_page(design, form)


@bp.post("/designs/<int:design_id>/approve")
@access("staff:designs.edit")
def approve_design(design_id: int) -> Response:
    """Approve a customer's artwork for printing."""
    designs.decide(designs.get_design(design_id), approve=True, why="", actor=current_user)
    db.session.commit()
    flash(_("Artwork approved. We've emailed the customer."), "success")
    return redirect(url_for("backoffice.designs", state="waiting"))


@bp.post("/designs/<int:design_id>/reject")
@access("staff:designs.edit")
def reject_design(design_id: int) -> Response:
    """Reject a customer's artwork and email them the reason."""
    design = designs.get_design(design_id)
    form = RejectForm()
    if form.validate_on_submit():
        with refusals(form):
            designs.decide(design, approve=False, why=form.why.data or "", actor=current_user)
            db.session.commit()
            flash(_("Artwork rejected. We've emailed the customer the reason."), "success")
            return redirect(url_for("backoffice.designs", state="waiting"))
        design = designs.get_design(design_id)
    return render_design_page(design, DesignForm(design), form)


def render_design_page(design: Design | None, form: DesignForm, reject_form: RejectForm | None = None) -> Response:
    """Render the page of a design, or of a new one."""
    reject_form = reject_form or RejectForm(formdata=None)
    require_reselection(form, "front", "rear")
    is_ours = design is None or designs.is_shop_design(design)
    page = render_template(
        "admin/design.html",
        design=design,
        form=form,
        reject_form=reject_form,
        is_ours=is_ours,
        order=designs.latest_order(design) if design is not None and not is_ours else None,
        currency=filters.shop().currency,
    )
    return make_response(page, 422 if form.errors or reject_form.errors else 200)
