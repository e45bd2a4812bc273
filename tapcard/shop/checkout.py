"""The checkout: contact and delivery, then the review with the payment method, then the order."""

from typing import Any

from flask import flash, make_response, redirect, render_template, url_for
from flask_babel import gettext as _
from flask_babel import ngettext
from flask_login import current_user
from werkzeug.wrappers import Response

from ..db import db
from ..errors import DomainError
from ..gateways.base import GatewayError
from ..models import Cart, DeliveryKind, DeliveryMethod, Order, User
from ..services.accounts import addresses
from ..services.cart import delivery, editing, pricing
from ..services.cart.pricing import Totals
from ..services.orders import checkout, placement, queries
from ..services.orders.checkout import NEW
from ..services.orders.replacement import reservations_for
from ..web import filters, payment_methods
from ..web.access import PUBLIC, access, redirect_to_log_in
from ..web.carts import current_cart, quote_of, remember_order
from ..web.context import rule_context
from ..web.forms import refusals
from ..web.throttling import form_status, throttle
from ..workflows import payments as payment_workflows
from .blueprint import bp
from .checkout_forms import CheckoutForm, ReviewForm, checkout_form

MAX_COUNTRIES_SHOWN = 4  # next to a delivery method


def current_buyer() -> User | None:
    """Return the logged-in user; None for a guest."""
    return current_user if current_user.is_authenticated else None


def redirect_to_empty_cart() -> Response:
    """Redirect to the cart with the message that it is empty."""
    flash(_("Your cart is empty."), "info")
    return redirect(url_for("shop.cart"))


def login_redirect(cart: Cart) -> Response | None:
    """Return the redirect to log in for a guest whose cart activates a card; None for other visitors."""
    if current_user.is_authenticated or all(line.card_id is None for line in cart.lines):
        return None
    flash(_("Log in or sign up first so we can link the card to your account."), "info")
    return redirect_to_log_in()


# --- contact and delivery ---------------------------------------------------------------------------------------------


@bp.route("/checkout", methods=["GET", "POST"], endpoint="checkout")
@access(PUBLIC)
def enter_details() -> Response:
    """Ask for contact details, address and delivery method."""
    cart = current_cart()
    if cart is None or not cart.lines:
        return redirect_to_empty_cart()
    login_first = login_redirect(cart)
    if login_first is not None:
        return login_first
    form, values = details_form(cart)
    if form.is_submitted() and is_complete(form, values["methods"]):
        with refusals(form):
            checkout.store_details(cart, form.values, rule_context())
            db.session.commit()
            return redirect(url_for("shop.review_order"))
    method_id = form.delivery_method.data if "delivery_method" in form else None
    quote = quote_of(cart, next((option for option in values["methods"] if str(option.id) == method_id), None))
    page = render_template("shop/checkout.html", form=form, quote=quote, **values)
    return make_response(page, *form_status(form))


def details_form(cart: Cart) -> tuple[CheckoutForm, dict[str, Any]]:
    """Return the form of the first step, prefilled with the buyer's known details, and the variables of its page."""
    user, shop, saved_details = current_buyer(), filters.shop(), cart.checkout
    ships = checkout.needs_delivery(cart)
    methods = checkout.delivery_methods() if ships else []
    own = list(db.session.scalars(addresses.owned_by(user))) if user is not None and ships else []
    data: dict[str, Any] = {"country": shop.country}
    if user is not None:
        data |= {"first_name": user.first_name, "last_name": user.last_name}
    data |= {
        name: saved_details[name]
        for name in ("email", "first_name", "last_name", "phone", "note")
        if saved_details.get(name)
    }
    address = saved_details.get("address") or {}
    if address and saved_details.get("address_id") is None:
        data |= {name: address.get(name) for name in addresses.MAX_LENGTHS}
        data |= {"country": address.get("country"), "address": NEW}
        if address.get("name") == f"{data.get('first_name')} {data.get('last_name')}":
            data["name"] = ""
    elif own:
        selected = next((saved for saved in own if saved.id == saved_details.get("address_id")), own[0])
        data["address"] = str(selected.id)
    place = saved_details.get("delivery_location") or ""
    data |= {f"location_{method.id}": place for method in methods if place in method.locations}
    data["delivery_method"] = str(saved_details.get("delivery_method_id") or "")
    form = checkout_form(
        is_guest=user is None, ships=ships, methods=methods, saved=own, locale=shop.locale, data=data
    )  # fmt: skip
    country = country_of(form, own) if ships else ""
    usable = [method for method in methods if not method.needs_address or delivery.ships_to(method, country)]
    if "delivery_method" in form and not form.is_submitted():
        method_ids = [str(method.id) for method in usable]
        is_usable = form.delivery_method.data in method_ids
        form.delivery_method.data = form.delivery_method.data if is_usable else next(iter(method_ids), "")
    variables = {
        "methods": methods,
        "usable_methods": usable,
        "addresses": own,
        "ships": ships,
        "delivery_summary": delivery_summary,
    }
    return form, variables


def delivery_summary(method: DeliveryMethod, totals: Totals) -> str:
    """Return what a delivery method costs for this cart, how long it takes and which countries it serves."""
    shop = filters.shop()
    amount = pricing.delivery_amount(method, totals.subtotal_amount)
    words = [_("Free") if not amount else totals.money(amount).format(shop.locale)]
    if method.kind is DeliveryKind.TO_BE_AGREED:
        words = [_("We'll contact you to agree the price")]
    if amount and method.free_from_amount is not None:
        words.append(_("Free from %(amount)s", amount=totals.money(method.free_from_amount).format(shop.locale)))
    if method.days_most is not None:
        days = {method.days_least or method.days_most, method.days_most}
        spelled = "–".join(str(day) for day in sorted(days))
        words.append(ngettext("%(days)s day", "%(days)s days", method.days_most, days=spelled))
    if method.needs_address and 0 < len(method.countries) <= MAX_COUNTRIES_SHOWN:
        words.append(", ".join(filters.country_name(code) for code in method.countries))
    return " · ".join(words)


def country_of(form: CheckoutForm, own: list[Any]) -> str:
    """Return the country of the address chosen in the form, else of the one entered."""
    address_id = form.address.data if "address" in form else NEW
    saved = next((option for option in own if str(option.id) == address_id), None)
    return saved.country if saved is not None else form.country.data or ""


def is_complete(form: CheckoutForm, methods: list[DeliveryMethod]) -> bool:
    """Return whether the form is valid; an address is required unless the order is picked up."""
    valid = form.validate()
    if "line1" in form and form.is_new_address:
        method_id = form.delivery_method.data if "delivery_method" in form else None
        method = next((option for option in methods if str(option.id) == method_id), None)
        if method is None or method.needs_address:
            form.require_address()
    return valid and not form.errors


# --- review -----------------------------------------------------------------------------------------------------------


@bp.get("/checkout/review")
@access(PUBLIC)
def review_order() -> Response:
    """Show the summary of the order and the payment methods."""
    cart = current_cart()
    if cart is None or not cart.lines:
        return redirect_to_empty_cart()
    try:
        return review(cart, checkout.get_buyer(cart, current_buyer()))
    except DomainError as error:
        return redirect_with_error("shop.checkout", error)


def review(cart: Cart, buyer: placement.Buyer, form: ReviewForm | None = None) -> Response:
    """Return the page of the second step."""
    quote = quote_of(cart, buyer.method, buyer.email)
    if form is None:
        form = ReviewForm(
            payment_workflows.available_gateways(filters.shop()), formdata=None, is_free=not quote.totals.total_amount
        )
    form.total.data = f"{quote.totals.total_amount} {quote.totals.currency}"
    page = render_template(
        "shop/review_order.html",
        form=form,
        quote=quote,
        buyer=buyer,
        gateways=payment_methods.descriptions(payment_workflows.available_gateways(filters.shop())),
    )
    return make_response(page, *form_status(form))


@bp.post("/checkout/changes", endpoint="go_on")
@access(PUBLIC)
def continue_with_changes() -> Response:
    """Continue with the cart as it is available now, after the buyer has seen what changed."""
    cart = current_cart()
    if cart is None or not cart.lines:
        return redirect_to_empty_cart()
    if quote_of(cart).refusal is not None:
        cart.promotion = None
    editing.accept_changes(cart, rule_context(), reservations_for)
    db.session.commit()
    return redirect(url_for("shop.review_order"))


# --- placing ----------------------------------------------------------------------------------------------------------


@bp.post("/checkout/place")
@access(PUBLIC)
def place_order() -> Response:
    """Place the order and start its payment; a repeated request leads to the same order and payment."""
    throttle("place_order", account=current_user.id, address=True)
    cart = current_cart()
    if cart is None or not cart.lines:
        return redirect_to_last_order(cart)
    try:
        buyer = checkout.get_buyer(cart, current_buyer())
        form = ReviewForm(
            payment_workflows.available_gateways(filters.shop()),
            is_free=not quote_of(cart, buyer.method, buyer.email).totals.total_amount,
        )
        if not form.validate():
            return review(cart, buyer, form)
        payments = checkout.payments_to_close(cart, buyer, form.seen_total, rule_context())
        paid_order = payment_workflows.close_replaced(payments)
        if paid_order is not None:
            flash(_("Your previous order has just been paid. Check it before you order again."), "info")
            return redirect(url_for("shop.order", number=paid_order.number))
        order = place(cart, buyer, form)
    except GatewayError:
        return redirect_to_review_while_paying()
    except (checkout.Incomplete, delivery.NoDelivery) as error:
        return redirect_with_error("shop.checkout", error)
    except placement.NeedsAccount as error:
        flash(_(error.message, **error.params), "info")
        return redirect(url_for("auth.log_in", next=url_for("shop.review_order")))
    except DomainError as error:
        return redirect_with_error("shop.review_order", error)
    return pay(order, form.gateway.data if "gateway" in form else "")


def redirect_to_review_while_paying() -> Response:
    """Roll back and redirect to the review page, as the previous payment could not be closed."""
    db.session.rollback()
    flash(
        _("Your previous payment is still being processed and the payment provider isn't responding. Try again."),
        "error",
    )
    return redirect(url_for("shop.review_order"))


def redirect_to_last_order(cart: Cart | None) -> Response:
    """Redirect to the latest order placed from the cart, for a repeated request from a second tab."""
    order = queries.find_last_of_cart(cart) if cart is not None else None
    if order is None:
        return redirect_to_empty_cart()
    flash(_("You've already placed this order."), "info")
    return redirect(url_for("shop.order", number=order.number))


def place(cart: Cart, buyer: placement.Buyer, form: ReviewForm) -> Order:
    """Place the order and commit; the browser may open the order from then on."""
    order = checkout.place_order(cart, buyer, form.seen_total, rule_context())
    db.session.commit()
    remember_order(order)
    return order


def pay(order: Order, code: str) -> Response:
    """Start the payment of an order and redirect to where the buyer pays, or to the order if that fails."""
    number = order.number
    try:
        return redirect(payment_workflows.start(order, code, filters.shop()))
    except GatewayError:
        db.session.rollback()
        flash(
            _("This payment method isn't responding. Your order is saved: try again or choose another payment method."),
            "error",
        )
    except DomainError as error:
        db.session.rollback()
        flash(_(error.message, **error.params), "warning")
    return redirect(url_for("shop.order", number=number))


def redirect_with_error(endpoint: str, error: DomainError) -> Response:
    """Redirect to a step of the checkout with an error message; the stored details are kept."""
    db.session.rollback()
    flash(_(error.message, **error.params), "warning")
    return redirect(url_for(endpoint))
