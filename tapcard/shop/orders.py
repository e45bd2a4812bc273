"""Orders for their buyers: history, details, payment, cancellation, reordering and receipt."""

from flask import abort, current_app, flash, make_response, redirect, render_template, request, url_for
from flask_babel import gettext as _
from flask_login import current_user
from werkzeug.wrappers import Response

from .. import email_addresses, outbox
from ..clock import utcnow
from ..db import db
from ..errors import DomainError
from ..gateways.base import GatewayError
from ..models import LineKind, Order
from ..services.catalogue import reviews
from ..services.orders import ownership, queries, reorder, transitions
from ..services.payments import payments
from ..web import filters, payment_methods
from ..web.access import BUYER, HOLDER, PUBLIC, SIGNED_LINK, access
from ..web.carts import flash_reduced_items, get_or_create_cart, known_order_ids, remember_order
from ..web.context import rule_context
from ..web.paging import paginate_counted
from ..web.throttling import form_status, throttle
from ..workflows import payments as payment_workflows
from .blueprint import bp
from .checkout import current_buyer, pay
from .checkout_forms import PayForm
from .order_forms import FindOrderForm
from .order_history import history

ORDERS_PER_PAGE = 20


def own_order(number: str) -> Order:
    """Return an order that the visitor may open; raises `OrderNotFound`."""
    return queries.own_order(number, user=current_buyer(), known_ids=known_order_ids())


@bp.get("/orders", endpoint="orders")
@access(PUBLIC)
def list_orders() -> str:
    """List a person's orders, and those known to this browser."""
    orders = queries.visible_orders(current_buyer(), known_order_ids())
    return render_template("shop/orders.html", page=paginate_counted(orders, ORDERS_PER_PAGE))


# --- one order --------------------------------------------------------------------------------------------------------


@bp.get("/orders/<number>")
@access(BUYER)
def order(number: str) -> Response:
    """Show an order."""
    return order_page(own_order(number))


def order_page(order: Order, form: PayForm | None = None) -> Response:
    """Return the page of an order; an unpaid one asks how to pay."""
    gateways = payment_workflows.available_gateways(filters.shop()) if order.is_open else []
    payment = payments.find_open(order) if order.is_open else None
    if form is None:
        form = PayForm(gateways, formdata=None, data={"gateway": payment.gateway} if payment is not None else None)
    page = render_template(
        "shop/order.html",
        order=order,
        form=form,
        gateways=payment_methods.descriptions(gateways),
        payment=payment,
        due=payments.amount_due(order) if order.is_open else None,
        history=history(order),
        has_cards=any(line.kind is LineKind.CARD for line in order.lines),
        may_attach=can_attach(order),
        to_review=reviews.unreviewed_products(order),
    )
    return make_response(page, *form_status(form))


def can_attach(order: Order) -> bool:
    """Return whether the order can be attached to the visitor's account."""
    return order.user_id is None and current_user.is_verified and order.email == current_user.email


@bp.post("/orders/<number>/pay")
@access(BUYER)
def pay_order(number: str) -> Response:
    """Pay an unpaid order, by the same or another payment method."""
    throttle("place_order", account=current_user.id, address=True)
    order = own_order(number)
    form = PayForm(payment_workflows.available_gateways(filters.shop()))
    if order.is_open and not form.validate():
        return order_page(order, form)
    return pay(order, form.gateway.data or "")


@bp.route("/orders/<number>/cancel", methods=["GET", "POST"])
@access(BUYER)
def cancel_order(number: str) -> Response:
    """Cancel an unpaid order, after asking; an open payment is closed first."""
    order = own_order(number)
    if request.method != "POST" and order.is_open:
        paid_amount = order.money(payments.captured_amount(order))
        return make_response(render_template("shop/order_cancel.html", order=order, paid_amount=paid_amount))
    if request.method == "POST":
        cancel(order)
    return redirect(url_for("shop.order", number=number))


def cancel(order: Order) -> None:
    """Close the open payment and cancel; when the payment has just succeeded, the order stays."""
    order_id, open_payment = order.id, payments.find_open(order)
    try:
        if open_payment is not None:
            payment_workflows.close(open_payment)
        transitions.cancel(
            db.session.get_one(Order, order_id), current_buyer(), current_app.extensions["keys"], utcnow()
        )
        db.session.commit()
        flash(cancel_message(db.session.get_one(Order, order_id)), "success")
    except GatewayError:
        db.session.rollback()
        flash(_("The payment provider isn't responding. Try again in a few minutes."), "error")
    except DomainError as error:
        db.session.rollback()
        flash(_(error.message, **error.params), "warning")


def cancel_message(order: Order) -> str:
    """Return the message after a cancellation, with the amount to be refunded."""
    paid_amount = order.money(payments.captured_amount(order))
    if paid_amount:
        amount = filters.write_money(paid_amount)
        return _("Your order has been cancelled. We'll refund the %(amount)s you paid.", amount=amount)
    return _("Your order has been cancelled. There's nothing to pay.")


@bp.post("/orders/<number>/again")
@access(BUYER)
def buy_again(number: str) -> Response:
    """Reorder, with a message for each line that is not available, or only in part."""
    order = own_order(number)
    result = reorder.reorder_lines(order, get_or_create_cart(), rule_context())
    is_any_added = len(result.refused) < len(order.lines)
    db.session.commit()
    for title, error in result.refused:
        flash(_("%(title)s: %(why)s", title=title, why=_(error.message, **error.params)), "warning")
    flash_reduced_items(result.capped, result.limited)
    if not is_any_added:
        return redirect(url_for("shop.order", number=number))
    flash(_("Added to your cart at today's prices."), "success")
    return redirect(url_for("shop.cart"))


@bp.get("/orders/<number>/receipt")
@access(BUYER)
def receipt(number: str) -> str:
    """Show the receipt of a paid order, for printing."""
    order = own_order(number)
    if order.paid_at is None:
        abort(404)
    return render_template("shop/receipt.html", order=order)


# --- links ------------------------------------------------------------------------------------------------------------


@bp.get("/orders/link/<token>")
@access(SIGNED_LINK)
def order_link(token: str) -> Response:
    """Open an order by its emailed link; this browser may open it from now on."""
    order = queries.find_by_link_token(token, current_app.extensions["keys"])
    remember_order(order)
    return redirect(url_for("shop.order", number=order.number))


@bp.post("/orders/<number>/attach")
@access(HOLDER)
def attach_order(number: str) -> Response:
    """Attach an order of the visitor's email address to their account."""
    ownership.attach_order(own_order(number), current_user)
    db.session.commit()
    flash(_("The order has been added to your account."), "success")
    return redirect(url_for("shop.order", number=number))


@bp.route("/find-order", methods=["GET", "POST"])
@access(PUBLIC)
def find_order() -> Response:
    """Email the link of an order to its address; the response is the same whether or not it exists."""
    form = FindOrderForm()
    if form.validate_on_submit():
        email = email_addresses.fold(form.email.data)
        throttle("find_order", account=email, address=True)
        order = queries.find(form.number.data)
        if order is not None and order.email == email:
            outbox.post("mail.order_link", order_id=order.id)
        db.session.commit()
        return redirect(url_for("shop.order_link_sent"))
    return make_response(render_template("shop/find_order.html", form=form), *form_status(form))


@bp.get("/find-order/sent")
@access(PUBLIC)
def order_link_sent() -> str:
    """Ask the visitor to check their email."""
    return render_template("shop/order_link_sent.html")
