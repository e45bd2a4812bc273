"""Back office pages for promotions."""

from flask import flash, make_response, redirect, render_template, url_for
from flask_babel import gettext as _
from flask_login import current_user
from werkzeug.wrappers import Response

from ...clock import utcnow
from ...db import db
from ...models import Promotion
from ...services.cart import promotions
from ...services.catalogue import categories
from ...services.core import rows
from ...web import filters
from ...web.access import access
from ...web.forms import refusals
from ...web.paging import paginate
from ..blueprint import bp
from .promotion_forms import PromotionForm


@bp.get("/promotions", endpoint="promotions")
@access("staff:promotions.edit")
def list_promotions() -> str:
    """List the promotions with their use counts."""
    return render_template("admin/promotions.html", page=paginate(promotions.all_promotions()), now=utcnow())


@bp.route("/promotions/new", methods=["GET", "POST"])
@access("staff:promotions.edit")
def new_promotion() -> Response:
    """Create a promotion."""
    form = PromotionForm(categories.category_tree(), categories.collections())
    if form.validate_on_submit():
        with refusals(form):
            promotion = promotions.create(form.values, current_user)
            db.session.commit()
            flash(_("Promotion %(code)s created.", code=promotion.code), "success")
            return redirect(url_for("backoffice.promotions"))
    return render_promotion_form(None, form)


@bp.route("/promotions/<int:promotion_id>", methods=["GET", "POST"], endpoint="promotion")
@access("staff:promotions.edit")
def edit_promotion(promotion_id: int) -> Response:
    """Edit or disable a promotion."""
    promotion = rows.get(Promotion, promotion_id)
    form = PromotionForm(categories.category_tree(), categories.collections(), promotion)
    if form.validate_on_submit():
        with refusals(form):
            promotions.change(promotion, form.values, form.seen_version, current_user)
            db.session.commit()
            flash(_("Changes saved."), "success")
            return redirect(url_for("backoffice.promotions"))
        promotion = rows.get(Promotion, promotion_id)
    return render_promotion_form(promotion, form)


def render_promotion_form(promotion: Promotion | None, form: PromotionForm) -> Response:
    """Render the form of a promotion, or of a new one."""
    shop = filters.shop()
    page = render_template("admin/promotion.html", promotion=promotion, form=form, currency=shop.currency)
    return make_response(page, 422 if form.errors else 200)
