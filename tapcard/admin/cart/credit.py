"""Back office pages for store credit."""

import sqlalchemy as sa
from flask import abort, flash, make_response, redirect, render_template, request, url_for
from flask_babel import gettext as _
from flask_login import current_user
from werkzeug.wrappers import Response

from ...db import db
from ...ids import is_id
from ...models import User
from ...money import Money
from ...services.cart import credit
from ...web import filters
from ...web.access import access
from ...web.forms import refusals
from ..blueprint import bp
from ..orders.order_forms import LONGEST_EMAIL, CreditForm


@bp.get("/credit", endpoint="credit")
@access("staff:credit.give")
def list_credit() -> Response:
    """The latest entries, and the way to one person's by their address."""
    email = request.args.get("email", "").strip().lower()[:LONGEST_EMAIL]
    user = db.session.scalar(sa.select(User).where(User.email == email)) if email.isprintable() and email else None
    if user is not None:
        return redirect(url_for("backoffice.give_credit", user_id=user.id))
    currency = filters.shop().currency
    page = render_template("admin/credit.html", email=email, given=credit.entries(), currency=currency, Money=Money)
    return make_response(page, 404 if email else 200)


@bp.route("/credit/<int:user_id>", methods=["GET", "POST"])
@access("staff:credit.give")
def give_credit(user_id: int) -> Response:
    """One person's credit, and more of it."""
    user = db.session.get(User, user_id) if is_id(user_id) else None
    if user is None or user.erased_at is not None:
        abort(404)
    currency = filters.shop().currency
    form = CreditForm(currency)
    if form.validate_on_submit():
        with refusals(form):
            given, why = form.amount.amount, form.why.data or ""
            credit.give_if_unchanged(user, given.amount, why, seen=form.seen_amount, actor=current_user)
            db.session.commit()
            flash(_("%(money)s credit given.", money=filters.write_money(given)), "success")
            return redirect(url_for("backoffice.give_credit", user_id=user_id))
    balance = credit.balance(user_id)
    form.seen.data = str(balance)  # what is shown now, whatever was shown before
    page = render_template(
        "admin/give_credit.html", form=form, user=user, balance=Money(balance, currency),
        given=credit.entries(user_id), currency=currency, Money=Money,
    )  # fmt: skip
    return make_response(page, 422 if form.errors else 200)
