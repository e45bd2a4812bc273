"""Back office pages for store credit."""

import sqlalchemy as sa
from flask import abort, flash, make_response, redirect, render_template, request, url_for
from flask_babel import gettext as _
from flask_login import current_user
from werkzeug.wrappers import Response

from ...db import db
from ...email_addresses import MAX_EMAIL_LENGTH
from ...ids import is_id
from ...models import User
from ...money import Money
from ...services.cart import credit
from ...web import filters
from ...web.access import access
from ...web.forms import refusals
from ..blueprint import bp
from ..orders.order_forms import CreditForm


@bp.get("/credit", endpoint="credit")
@access("staff:credit.give")
def list_credit() -> Response:
    """List the latest entries, or redirect to the customer with the searched email address."""
    email = request.args.get("email", "").strip().lower()[:MAX_EMAIL_LENGTH]
    user = db.session.scalar(sa.select(User).where(User.email == email)) if email.isprintable() and email else None
    if user is not None:
        return redirect(url_for("backoffice.give_credit", user_id=user.id))
    currency = filters.shop().currency
    page = render_template(
        "admin/credit.html", email=email, credit_history=credit.entries(), currency=currency, Money=Money
    )
    return make_response(page, 404 if email else 200)


@bp.route("/credit/<int:user_id>", methods=["GET", "POST"])
@access("staff:credit.give")
def give_credit(user_id: int) -> Response:
    """Show a customer's credit, with a form to give more."""
    user = db.session.get(User, user_id) if is_id(user_id) else None
    if user is None or user.erased_at is not None:
        abort(404)
    currency = filters.shop().currency
    form = CreditForm(currency)
    if form.validate_on_submit():
        with refusals(form):
            amount, why = form.amount.amount, form.why.data or ""
            credit.give_if_unchanged(user, amount.amount, why, seen=form.seen_amount, actor=current_user)
            db.session.commit()
            flash(_("%(money)s credit given.", money=filters.write_money(amount)), "success")
            return redirect(url_for("backoffice.give_credit", user_id=user_id))
    balance = credit.balance(user_id)
    form.seen.data = str(balance)  # the balance on this page, not the submitted one
    page = render_template(
        "admin/give_credit.html", form=form, user=user, balance=Money(balance, currency),
        credit_history=credit.entries(user_id), currency=currency, Money=Money,
    )  # fmt: skip
    return make_response(page, 422 if form.errors else 200)
