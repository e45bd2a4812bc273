"""Back office pages for orders and their processing steps."""

from collections.abc import Callable
from typing import Any

import sqlalchemy as sa
from flask import abort, current_app, flash, make_response, redirect, render_template, request, url_for
from flask_babel import gettext as _
from flask_login import current_user
from werkzeug.wrappers import Response

from ...clock import utcnow
from ...db import db
from ...gateways.base import GatewayError
from ...models import Order, OrderStatus, Payment, ProductionStatus
from ...services.orders import production, transitions
from ...services.orders.production import OrderFilter
from ...services.payments import oversold, payments, settlement
from ...web import filters
from ...web.access import access
from ...web.context import rule_context
from ...web.forms import Form, refusals
from ...web.paging import paginate
from ...workflows import payments as payment_workflows
from ..blueprint import bp
from . import labels
from .order_forms import (
    ButtonForm,
    CancelForm,
    DismissForm,
    ExtendForm,
    NoteForm,
    PaymentForm,
    ProductionForm,
    ShipForm,
)

ORDERS_PER_PAGE = 30


def parse_filter(text: str) -> OrderFilter | OrderStatus:
    """Return the filter or status of a query string, or all orders for anything else."""
    for kind in (OrderFilter, OrderStatus):
        if text in {member.value for member in kind}:
            return kind(text)
    return OrderFilter.ALL


@bp.get("/orders", endpoint="orders")
@access("staff:orders.view")
def list_orders() -> str:
    """List the orders, open tasks first, searched and filtered by the query string."""
    show, search = parse_filter(request.args.get("show", "")), request.args.get("search", "").strip()[:100]
    page = paginate(production.filter_orders(show, search), ORDERS_PER_PAGE, production.load_rows)
    arguments = {name: value for name, value in (("show", request.args.get("show")), ("search", search)) if value}
    return render_template(
        "admin/orders.html", page=page, show=show, search=search, arguments=arguments,
        choices=labels.choices(), labels=labels,
    )  # fmt: skip


@bp.get("/orders/<number>")
@access("staff:orders.view")
def order(number: str) -> str:
    """Show an order with its payments, history, emails and next steps."""
    order = production.get_order(number)
    attempts = production.payments_of(order)
    entries = production.audit_entries_of(order, attempts)
    due = order.money(max(0, order.total_amount - labels.captured_amount(order, attempts)))
    return render_template(
        "admin/order.html", order=order, payments=attempts, due=due, labels=labels,
        is_payable=bool(due) and order.status in settlement.PAYABLE,
        is_in_progress=order.status in production.IN_PROGRESS and not order.is_oversold,
        files=labels.files(order), history=labels.history(order, entries),
        mails=production.emails_of(order), steps=list(ProductionStatus),
    )  # fmt: skip


# --- steps ------------------------------------------------------------------------------------------------------------


def run_step(order: Order, form: Form, action: Callable[[], None], message: str, **context: Any) -> Response:
    """Render the form of a step, or run its action and redirect to the order; errors are shown above the form.

    `context` are the variables of the template `admin/order_step.html`; `lead` may be a function.
    """
    back = redirect(url_for("backoffice.order", number=order.number))
    if form.validate_on_submit():
        with refusals(form):
            try:
                action()
            except GatewayError:
                db.session.rollback()
                form.form_errors.append(_("The payment provider isn't responding. Try again in a moment."))
            else:
                db.session.commit()
                flash(message, "success")
                return back
    lead = context.pop("lead", "")
    page = render_template(
        "admin/order_step.html", order=order, form=form, lead=lead() if callable(lead) else lead, **context
    )
    return make_response(page, 422 if form.errors else 200)


def run_button(number: str, action: Callable[[Order], None], message: str) -> Response:
    """Run the action of a button without a form and redirect to the order; an error is a page of its own."""
    order = production.get_order(number)
    if not ButtonForm().validate_on_submit():
        abort(400)
    action(order)
    db.session.commit()
    flash(message, "success")
    return redirect(url_for("backoffice.order", number=order.number))


@bp.post("/orders/<number>/process")
@access("staff:orders.edit")
def process_order(number: str) -> Response:
    """Mark an order as processing."""
    return run_button(number, lambda order: transitions.process(order, current_user), _("Processing started."))


@bp.post("/orders/<number>/deliver")
@access("staff:orders.edit")
def deliver_order(number: str) -> Response:
    """Mark an order as delivered or collected."""
    return run_button(
        number, lambda order: transitions.deliver(order, current_user, utcnow()), _("Order marked as delivered.")
    )


@bp.post("/orders/<number>/give", endpoint="give_order")
@access("staff:orders.edit")
def fulfill_oversold_order(number: str) -> Response:
    """Fulfill an oversold order once the stock is there."""
    return run_button(number, lambda order: oversold.fulfill_oversold(order, rule_context()), _("Order fulfilled."))


@bp.post("/orders/<number>/lines/<int:line_id>/produce")
@access("staff:orders.edit")
def produce_line(number: str, line_id: int) -> Response:
    """Set the production status of an order line."""
    order = production.get_order(number)
    form = ProductionForm()
    if not form.validate_on_submit():
        abort(400)
    status, old_status = ProductionStatus(form.status.data), ProductionStatus(form.was.data)
    line = production.produce(order, line_id, status, old_status, current_user)
    flash(_("%(title)s: %(state)s.", title=line.full_title, state=filters.label(status)), "success")
    db.session.commit()
    return redirect(url_for("backoffice.order", number=order.number, _anchor=f"line-{line_id}"))


@bp.route("/orders/<number>/ship", methods=["GET", "POST"])
@access("staff:orders.edit")
def ship_order(number: str) -> Response:
    """Mark an order as shipped and email the customer."""
    order, form = production.get_order(number), ShipForm()
    has_unfinished_cards = any(line.production_status in production.UNFINISHED for line in order.lines)

    def action() -> None:
        carrier, tracking_number = form.carrier.data or "", form.tracking_number.data or ""
        transitions.ship(order, current_user, utcnow(), carrier=carrier, tracking_number=tracking_number)

    return run_step(
        order, form, action, _("Marked as shipped. We've emailed the customer."),
        title=_("Ship order"), label=_("Mark as shipped"),
        warning=_("Some cards in this order aren't packed yet.") if has_unfinished_cards else "",
    )  # fmt: skip


@bp.route("/orders/<number>/cancel", methods=["GET", "POST"])
@access("staff:orders.edit")
def cancel_order(number: str) -> Response:
    """Cancel an unpaid order, release what it reserved and email the customer."""
    order, form = production.get_order(number), CancelForm()

    def action() -> None:
        if order.is_open:
            payment_workflows.close_online(order)
        production.cancel(order, form.why.data or "", current_user, current_app.extensions["keys"], utcnow())

    return run_step(
        order, form, action, _("Order cancelled. We've emailed the customer."), title=_("Cancel order"), kind="danger",
        lead=_("Stock, cards, credit and codes held by this order are released."), label=_("Cancel order"),
    )  # fmt: skip


@bp.route("/orders/<number>/extend", methods=["GET", "POST"])
@access("staff:orders.edit")
def extend_order(number: str) -> Response:
    """Extend the payment deadline of an order."""
    order, form = production.get_order(number), ExtendForm(days=filters.shop().offline_days)
    return run_step(
        order, form, lambda: production.extend_deadline(order, form.days.data, current_user, utcnow()),
        _("Payment deadline extended."), title=_("Extend payment deadline"), label=_("Extend deadline"),
        lead=_("Payment is currently due by %(instant)s.", instant=filters.write_datetime(order.expires_at)),
    )  # fmt: skip


@bp.route("/orders/<number>/note", methods=["GET", "POST"], endpoint="note_order")
@access("staff:orders.edit")
def add_note(number: str) -> Response:
    """Add an internal note to an order."""
    order, form = production.get_order(number), NoteForm()
    return run_step(
        order, form, lambda: production.add_note(order, form.note.data or "", current_user), _("Note added."),
        title=_("Add note"), label=_("Save note"),
        lead=_("Notes appear in the order history. Only staff can see them."),
    )  # fmt: skip


# --- payments ---------------------------------------------------------------------------------------------------------


@bp.route("/orders/<number>/payment", methods=["GET", "POST"], endpoint="take_payment")
@access("staff:payments.confirm")
def record_payment(number: str) -> Response:
    """Record an offline payment of all or part of the amount due."""
    order = production.get_order(number)
    form = PaymentForm(order.currency)

    def action() -> None:
        settlement.check_offline_amount(order, form.amount.amount, form.seen_amount)
        payment_workflows.close_online(order)
        receipt = settlement.OfflineReceipt(form.amount.amount, form.how.data, form.note.data or "")
        settlement.record_offline_payment(order, receipt, rule_context(), form.seen_amount)

    def lead() -> str:
        due = payments.amount_due(order)
        form.seen.data = str(due.amount)  # the amount on this page, not the submitted one
        form.amount.data = form.amount.data if form.is_submitted() else due.plain()
        money, total = filters.write_money(due), filters.write_money(order.total)
        return _("%(money)s of %(total)s is due.", money=money, total=total)

    return run_step(
        order, form, action, _("Payment recorded."),
        title=_("Record payment"), lead=lead, label=_("Record payment"),
    )  # fmt: skip


@bp.route("/orders/<number>/payments/<public_id>/seen", methods=["GET", "POST"])
@access("staff:payments.confirm")
def dismiss_payment(number: str, public_id: str) -> Response:
    """Mark a payment that needed review as resolved."""
    order, form = production.get_order(number), DismissForm()
    query = sa.select(Payment).where(Payment.order_id == order.id, Payment.public_id == public_id)
    payment = db.session.scalar(query) if public_id.isascii() and public_id.isprintable() else None
    if payment is None:
        abort(404)
    return run_step(
        order, form, lambda: settlement.dismiss(payment, form.why.data or "", actor=current_user),
        _("Payment marked as resolved."), title=_("Resolve payment"), label=_("Mark as resolved"),
        lead=labels.review_reason(order, payment),
    )  # fmt: skip
