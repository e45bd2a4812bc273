"""Orders as their buyers see them: history, one order, paying again, canceling, buying again, the receipt."""

import re

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
from ..web.carts import cart_to_fill, known_orders, remember_order, tell_fewer
from ..web.throttling import form_status, throttle
from ..workflows import payments as payment_workflows
from .blueprint import bp
from .checkout import buyer_here, pay
from .checkout_forms import PayForm
from .order_forms import FindOrderForm
from .order_words import history

ORDERS_A_PAGE = 20
PAGE_NUMBER = re.compile(r"[1-9][0-9]{0,5}")


def own(number: str) -> Order:
    """An order that whoever is looking may open; any other does not exist."""
    return queries.own_order(number, user=buyer_here(), known=known_orders())


@bp.get("/orders", endpoint="orders")
@access(PUBLIC)
def list_orders() -> str:
    """A person's orders, and those of this browser."""
    number = request.args.get("page", "1")
    if not PAGE_NUMBER.fullmatch(number):
        abort(404)
    theirs = queries.visible_to(buyer_here(), known_orders())
    page = db.paginate(theirs, page=int(number), per_page=ORDERS_A_PAGE)
    return render_template("shop/orders.html", page=page)


# --- one order --------------------------------------------------------------------------------------------------------


@bp.get("/orders/<number>")
@access(BUYER)
def order(number: str) -> Response:
    """Tell how an order stands, and what can be done about it."""
    return show(own(number))


def show(found: Order, form: PayForm | None = None) -> Response:
    """The page of an order; while it waits for money it asks how to pay."""
    offered = payment_workflows.available_gateways(filters.shop()) if found.is_open else []
    payment = payments.find_open(found) if found.is_open else None
    if form is None:
        form = PayForm(offered, formdata=None, data={"gateway": payment.gateway} if payment is not None else None)
    page = render_template(
        "shop/order.html",
        order=found,
        form=form,
        gateways=payment_methods.descriptions(offered),
        payment=payment,
        due=payments.amount_due(found) if found.is_open else None,
        history=history(found),
        has_cards=any(line.kind is LineKind.CARD for line in found.lines),
        may_attach=can_attach(found),
        to_review=reviews.unreviewed_products(found),
    )
    return make_response(page, *form_status(form))


def can_attach(found: Order) -> bool:
    """Whether the order waits for the address of whoever is looking."""
    return found.user_id is None and current_user.is_verified and found.email == current_user.email


@bp.post("/orders/<number>/pay")
@access(BUYER)
def pay_order(number: str) -> Response:
    """Pay an order that waits for its money, by the same way or another one."""
    throttle("place_order", account=current_user.id, address=True)
    found = own(number)
    form = PayForm(payment_workflows.available_gateways(filters.shop()))
    if found.is_open and not form.validate():
        return show(found, form)
    return pay(found, form.gateway.data or "")


@bp.route("/orders/<number>/cancel", methods=["GET", "POST"])
@access(BUYER)
def cancel_order(number: str) -> Response:
    """Cancel an order that is not paid, after asking; a payment under way is closed first."""
    found = own(number)
    if request.method != "POST" and found.is_open:
        came = found.money(payments.captured_amount(found))
        return make_response(render_template("shop/order_cancel.html", order=found, came=came))
    if request.method == "POST":
        cancel(found)
    return redirect(url_for("shop.order", number=number))


def cancel(found: Order) -> None:
    """Close what is being paid, and cancel; money that came a moment before counts, and the order stays."""
    order_id, under_way = found.id, payments.find_open(found)
    try:
        if under_way is not None:
            payment_workflows.close(under_way)
        transitions.cancel(db.session.get_one(Order, order_id), buyer_here(), current_app.extensions["keys"], utcnow())
        db.session.commit()
        flash(canceled_words(db.session.get_one(Order, order_id)), "success")
    except GatewayError:
        db.session.rollback()
        flash(_("The payment provider isn't responding. Try again in a few minutes."), "error")
    except DomainError as error:
        db.session.rollback()
        flash(_(error.message, **error.params), "warning")


def canceled_words(found: Order) -> str:
    """What becomes of the money of an order that was canceled."""
    came = found.money(payments.captured_amount(found))
    if came:
        amount = filters.write_money(came)
        return _("Your order has been cancelled. We'll refund the %(amount)s you paid.", amount=amount)
    return _("Your order has been cancelled. There's nothing to pay.")


@bp.post("/orders/<number>/again")
@access(BUYER)
def buy_again(number: str) -> Response:
    """Put what was ordered into the cart once more, and say of each line that cannot be had, or not whole, why not."""
    found = own(number)
    again = reorder.buy_again(found, cart_to_fill(), filters.shop(), utcnow())
    is_any = len(again.refused) < len(found.lines)
    db.session.commit()
    for title, error in again.refused:
        flash(_("%(title)s: %(why)s", title=title, why=_(error.message, **error.params)), "warning")
    tell_fewer(again.capped, again.limited)
    if not is_any:
        return redirect(url_for("shop.order", number=number))
    flash(_("Added to your cart at today's prices."), "success")
    return redirect(url_for("shop.cart"))


@bp.get("/orders/<number>/receipt")
@access(BUYER)
def receipt(number: str) -> str:
    """What was paid, as a page to print."""
    found = own(number)
    if found.paid_at is None:
        abort(404)
    return render_template("shop/receipt.html", order=found)


# --- links ------------------------------------------------------------------------------------------------------------


@bp.get("/orders/link/<token>")
@access(SIGNED_LINK)
def order_link(token: str) -> Response:
    """Open an order by the link of its mails, in this browser from now on; whose it is stays as it is."""
    found = queries.of_token(token, current_app.extensions["keys"])
    remember_order(found)
    return redirect(url_for("shop.order", number=found.number))


@bp.post("/orders/<number>/attach")
@access(HOLDER)
def attach_order(number: str) -> Response:
    """Let an order that waits for one's address become part of one's account."""
    ownership.attach_one(own(number), current_user)
    db.session.commit()
    flash(_("The order has been added to your account."), "success")
    return redirect(url_for("shop.order", number=number))


@bp.route("/find-order", methods=["GET", "POST"])
@access(PUBLIC)
def find_order() -> Response:
    """Send the link of an order to its address; the answer is the same whether or not there is one."""
    form = FindOrderForm()
    if form.validate_on_submit():
        email = email_addresses.fold(form.email.data)
        throttle("find_order", account=email, address=True)
        found = queries.find(form.number.data)
        if found is not None and found.email == email:
            outbox.post("mail.order_link", order_id=found.id)
        db.session.commit()
        return redirect(url_for("shop.order_link_sent"))
    return make_response(render_template("shop/find_order.html", form=form), *form_status(form))


@bp.get("/find-order/sent")
@access(PUBLIC)
def order_link_sent() -> str:
    """Ask the customer to check their email."""
    return render_template("shop/order_link_sent.html")
