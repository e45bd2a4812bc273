"""Back office page for exchange rates."""

from flask import flash, make_response, redirect, render_template, url_for
from flask_babel import gettext as _
from flask_login import current_user
from werkzeug.wrappers import Response

from ...clock import utcnow
from ...db import db
from ...services.catalogue import exchange_rates
from ...web import filters
from ...web.access import access
from ...web.forms import refusals
from ..blueprint import bp
from .exchange_rate_forms import RateForm


@bp.route("/currencies", methods=["GET", "POST"])
@access("staff:catalogue.edit")
def rates() -> Response:
    """List the exchange rates, with a form to set one."""
    form = RateForm()
    if form.validate_on_submit() and form.rate.data is not None:
        with refusals(form):
            shop_currency = filters.shop().currency
            exchange_rates.set_rate(form.currency.data, form.rate.data, shop_currency, current_user, utcnow())
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
