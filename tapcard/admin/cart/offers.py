"""Back office pages for promotions, delivery methods and display rates."""

from flask import flash, make_response, redirect, render_template, url_for
from flask_babel import gettext as _
from flask_login import current_user
from werkzeug.wrappers import Response

from ...clock import utcnow
from ...db import db
from ...models import DeliveryMethod, Promotion
from ...services.cart import delivery, promotions
from ...services.catalogue import categories, exchange_rates
from ...services.core import rows
from ...web import filters
from ...web.access import access
from ...web.forms import refusals
from ...web.paging import paginate
from ..blueprint import bp
from ..catalogue.product_media import place_asked
from .offer_forms import DELIVERY_KINDS, DeliveryForm, PromotionForm, RateForm

# --- promotions -------------------------------------------------------------------------------------------------------


@bp.get("/promotions", endpoint="promotions")
@access("staff:promotions.edit")
def list_promotions() -> str:
    """All promotions, with how often they were used."""
    return render_template("admin/promotions.html", page=paginate(promotions.all_promotions()), now=utcnow())


@bp.route("/promotions/new", methods=["GET", "POST"])
@access("staff:promotions.edit")
def new_promotion() -> Response:
    """Make a promotion."""
    form = PromotionForm(categories.tree(), categories.collections())
    if form.validate_on_submit():
        with refusals(form):
            made = promotions.create(form.typed, current_user)
            db.session.commit()
            flash(_("Promotion %(code)s created.", code=made.code), "success")
            return redirect(url_for("backoffice.promotions"))
    return promotion_page(None, form)


@bp.route("/promotions/<int:promotion_id>", methods=["GET", "POST"], endpoint="promotion")
@access("staff:promotions.edit")
def edit_promotion(promotion_id: int) -> Response:
    """Change a promotion, or switch it off."""
    promotion = rows.get(Promotion, promotion_id)
    form = PromotionForm(categories.tree(), categories.collections(), promotion)
    if form.validate_on_submit():
        with refusals(form):
            promotions.change(promotion, form.typed, form.seen_version, current_user)
            db.session.commit()
            flash(_("Changes saved."), "success")
            return redirect(url_for("backoffice.promotions"))
        promotion = rows.get(Promotion, promotion_id)
    return promotion_page(promotion, form)


def promotion_page(promotion: Promotion | None, form: PromotionForm) -> Response:
    """The page of a promotion, or of one to be made."""
    shop = filters.shop()
    page = render_template("admin/promotion.html", promotion=promotion, form=form, currency=shop.currency)
    return make_response(page, 422 if form.errors else 200)


# --- delivery ---------------------------------------------------------------------------------------------------------


@bp.get("/delivery", endpoint="delivery")
@access("staff:delivery.edit")
def list_delivery() -> str:
    """All ways of delivery, as buyers see them one after another."""
    methods = db.session.scalars(delivery.all_methods()).all()
    return render_template("admin/delivery.html", methods=methods, kinds=DELIVERY_KINDS)


@bp.route("/delivery/new", methods=["GET", "POST"])
@access("staff:delivery.edit")
def new_delivery() -> Response:
    """Make a way of delivery."""
    form = DeliveryForm()
    if form.validate_on_submit():
        with refusals(form):
            delivery.create(form.typed, current_user)
            db.session.commit()
            flash(_("Delivery method created."), "success")
            return redirect(url_for("backoffice.delivery"))
    return delivery_page(None, form)


@bp.route("/delivery/<int:method_id>", methods=["GET", "POST"])
@access("staff:delivery.edit")
def delivery_method(method_id: int) -> Response:
    """Change a way of delivery, or offer it no more."""
    method = rows.get(DeliveryMethod, method_id)
    form = DeliveryForm(method)
    if form.validate_on_submit():
        with refusals(form):
            delivery.change(method, form.typed, form.seen.data or "", current_user)
            db.session.commit()
            flash(_("Changes saved."), "success")
            return redirect(url_for("backoffice.delivery"))
        method = rows.get(DeliveryMethod, method_id)
    return delivery_page(method, form)


@bp.post("/delivery/<int:method_id>/move")
@access("staff:delivery.edit")
def move_delivery(method_id: int) -> Response:
    """Show a way of delivery one place earlier or later."""
    delivery.move(rows.get(DeliveryMethod, method_id), place_asked(), current_user)
    db.session.commit()
    return redirect(url_for("backoffice.delivery"))


def delivery_page(method: DeliveryMethod | None, form: DeliveryForm) -> Response:
    """The page of a way of delivery, or of one to be made."""
    page = render_template("admin/delivery_method.html", method=method, form=form, currency=filters.shop().currency)
    return make_response(page, 422 if form.errors else 200)


# --- rates ------------------------------------------------------------------------------------------------------------


@bp.route("/currencies", methods=["GET", "POST"])
@access("staff:catalogue.edit")
def rates() -> Response:
    """Rates by currency, and a form to set one."""
    form = RateForm()
    if form.validate_on_submit() and form.rate.data is not None:
        with refusals(form):
            own = filters.shop().currency
            exchange_rates.set_rate(form.currency.data, form.rate.data, own, current_user, utcnow())
            db.session.commit()
            flash(_("Rate saved."), "success")
            return redirect(url_for("backoffice.rates"))
    page = render_template(
        "admin/rates.html", form=form, rates=exchange_rates.list_rates(), currency=filters.shop().currency
    )
    return make_response(page, 422 if form.errors else 200)


@bp.post("/currencies/<currency>/remove")
@access("staff:catalogue.edit")
def remove_rate(currency: str) -> Response:
    """Stop showing prices in a currency."""
    exchange_rates.remove_rate(currency, current_user)
    db.session.commit()
    flash(_("%(currency)s removed. Prices are no longer shown in it.", currency=currency), "success")
    return redirect(url_for("backoffice.rates"))
