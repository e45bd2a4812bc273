"""From the cart to the order: who and where, then everything once more and the way to pay."""

from typing import Any

from flask import current_app, flash, make_response, redirect, render_template, url_for
from flask_babel import gettext as _
from flask_babel import ngettext
from flask_login import current_user
from werkzeug.wrappers import Response

from ..clock import utcnow
from ..db import db
from ..errors import DomainError
from ..gateways.base import GatewayError
from ..models import Cart, DeliveryKind, DeliveryMethod, Order, User
from ..services.accounts import addresses
from ..services.cart import delivery, editing, pricing
from ..services.cart.pricing import Totals
from ..services.orders import checkout, placement
from ..services.orders.checkout import NEW
from ..web import filters, payment_methods
from ..web.access import PUBLIC, access, redirect_to_log_in
from ..web.carts import current_cart, draft_of, remember_order
from ..web.forms import refusals
from ..web.throttling import form_status, throttle
from ..workflows import payments as payment_workflows
from .blueprint import bp
from .checkout_forms import CheckoutForm, ReviewForm, checkout_form

MOST_NAMED = 4  # countries beside a way of delivery


def buyer_here() -> User | None:
    """Whoever is signed in and buys; None for a guest."""
    return current_user if current_user.is_authenticated else None


def nothing_to_order() -> Response:
    """Say that the cart is empty, where it can be filled."""
    flash(_("Your cart is empty."), "info")
    return redirect(url_for("shop.cart"))


def who_logs_in_first(cart: Cart) -> Response | None:
    """Send a guest to log in who is about to activate a card: it becomes the card of somebody."""
    if current_user.is_authenticated or all(line.card_id is None for line in cart.lines):
        return None
    flash(_("Log in or sign up first so we can link the card to your account."), "info")
    return redirect_to_log_in()


# --- who and where ----------------------------------------------------------------------------------------------------


@bp.route("/checkout", methods=["GET", "POST"], endpoint="checkout")
@access(PUBLIC)
def who_and_where() -> Response:
    """Ask who orders, where to and how."""
    cart = current_cart()
    if cart is None or not cart.lines:
        return nothing_to_order()
    ahead = who_logs_in_first(cart)
    if ahead is not None:
        return ahead
    form, values = details(cart)
    if form.is_submitted() and is_whole(form, values["methods"]):
        with refusals(form):
            checkout.keep(cart, form.typed, buyer_here(), filters.shop(), utcnow())
            db.session.commit()
            return redirect(url_for("shop.review_order"))
    chosen = form.delivery_method.data if "delivery_method" in form else None
    draft = draft_of(cart, next((each for each in values["methods"] if str(each.id) == chosen), None))
    page = render_template("shop/checkout.html", form=form, draft=draft, **values)
    return make_response(page, *form_status(form))


def details(cart: Cart) -> tuple[CheckoutForm, dict[str, Any]]:
    """The form of the first step, with what is known of the buyer, and what its page shows beside."""
    user, shop, said = buyer_here(), filters.shop(), cart.checkout
    ships = checkout.ships(cart)
    methods = checkout.methods() if ships else []
    own = list(db.session.scalars(addresses.owned_by(user))) if user is not None and ships else []
    data: dict[str, Any] = {"country": shop.country}
    if user is not None:
        data |= {"first_name": user.first_name, "last_name": user.last_name}
    data |= {name: said[name] for name in ("email", "first_name", "last_name", "phone", "note") if said.get(name)}
    typed = said.get("address") or {}
    if typed and said.get("address_id") is None:
        data |= {name: typed.get(name) for name in addresses.MAX_LENGTHS}
        data |= {"country": typed.get("country"), "address": NEW}
        if typed.get("name") == f"{data.get('first_name')} {data.get('last_name')}":
            data["name"] = ""
    elif own:
        kept = next((each for each in own if each.id == said.get("address_id")), own[0])
        data["address"] = str(kept.id)
    place = said.get("delivery_location") or ""
    data |= {f"location_{method.id}": place for method in methods if place in method.locations}
    data["delivery_method"] = str(said.get("delivery_method_id") or "")
    form = checkout_form(
        is_guest=user is None, ships=ships, methods=methods, own=own, locale=shop.locale, data=data
    )  # fmt: skip
    country = country_of(form, own) if ships else ""
    able = [each for each in methods if not each.needs_address or delivery.ships_to(each, country)]
    if "delivery_method" in form and not form.is_submitted():
        names = [str(each.id) for each in able]
        form.delivery_method.data = next((each for each in names if each == form.delivery_method.data), [*names, ""][0])
    shown = {"methods": methods, "able": able, "addresses": own, "ships": ships, "delivery_words": delivery_words}
    return form, shown


def delivery_words(method: DeliveryMethod, totals: Totals) -> str:
    """What a way of delivery costs for this cart, how long it takes and where to it goes."""
    shop = filters.shop()
    amount = pricing.delivery_amount(method, totals.subtotal_amount)
    words = [_("Free") if not amount else totals.money(amount).format(shop.locale)]
    if method.kind is DeliveryKind.TO_BE_AGREED:
        words = [_("We'll contact you to agree the price")]
    if amount and method.free_from_amount is not None:
        words.append(_("Free from %(amount)s", amount=totals.money(method.free_from_amount).format(shop.locale)))
    if method.days_most is not None:
        days = {method.days_least or method.days_most, method.days_most}
        spelled = "–".join(str(each) for each in sorted(days))
        words.append(ngettext("%(days)s day", "%(days)s days", method.days_most, days=spelled))
    if method.needs_address and 0 < len(method.countries) <= MOST_NAMED:
        words.append(", ".join(filters.country_name(code) for code in method.countries))
    return " · ".join(words)


def country_of(form: CheckoutForm, own: list[Any]) -> str:
    """The country that the form names: of the address that is chosen, else the one that is typed."""
    chosen = form.address.data if "address" in form else NEW
    saved = next((each for each in own if str(each.id) == chosen), None)
    return saved.country if saved is not None else form.country.data or ""


def is_whole(form: CheckoutForm, methods: list[DeliveryMethod]) -> bool:
    """Whether the form has all that it asks for; what is collected needs no address."""
    valid = form.validate()
    if "line1" in form and form.is_new_address:
        chosen = form.delivery_method.data if "delivery_method" in form else None
        method = next((each for each in methods if str(each.id) == chosen), None)
        if method is None or method.needs_address:
            form.require_address()
    return valid and not form.errors


# --- everything once more ---------------------------------------------------------------------------------------------


@bp.get("/checkout/review")
@access(PUBLIC)
def review_order() -> Response:
    """Show everything once more, and ask how to pay."""
    cart = current_cart()
    if cart is None or not cart.lines:
        return nothing_to_order()
    try:
        return review(cart, checkout.buyer(cart, buyer_here()))
    except DomainError as error:
        return back_to("shop.checkout", error)


def review(cart: Cart, buyer: placement.Buyer, form: ReviewForm | None = None) -> Response:
    """The page of the second step."""
    draft = draft_of(cart, buyer.method, buyer.email)
    if form is None:
        form = ReviewForm(
            payment_workflows.available_gateways(filters.shop()), formdata=None, is_free=not draft.totals.total_amount
        )
    form.total.data = f"{draft.totals.total_amount} {draft.totals.currency}"
    page = render_template(
        "shop/review_order.html",
        form=form,
        draft=draft,
        buyer=buyer,
        gateways=payment_methods.descriptions(payment_workflows.available_gateways(filters.shop())),
    )
    return make_response(page, *form_status(form))


@bp.post("/checkout/changes")
@access(PUBLIC)
def go_on() -> Response:
    """Go on with a cart as it can be bought today, once its buyer has read what changed."""
    cart = current_cart()
    if cart is None or not cart.lines:
        return nothing_to_order()
    if draft_of(cart).refusal is not None:
        cart.promotion = None
    editing.accept_changes(cart, filters.shop(), utcnow())
    db.session.commit()
    return redirect(url_for("shop.review_order"))


# --- placing ----------------------------------------------------------------------------------------------------------


@bp.post("/checkout/place")
@access(PUBLIC)
def place_order() -> Response:
    """Place the order and start its payment; pressed twice, it is one order with one payment."""
    throttle("place_order", account=current_user.id, address=True)
    cart = current_cart()
    if cart is None or not cart.lines:
        return ordered_before(cart)
    try:
        buyer = checkout.buyer(cart, buyer_here())
        form = ReviewForm(
            payment_workflows.available_gateways(filters.shop()),
            is_free=not draft_of(cart, buyer.method, buyer.email).totals.total_amount,
        )
        if not form.validate():
            return review(cart, buyer, form)
        paid = payment_workflows.close_replaced(placement.being_paid(cart, buyer, **terms(form)))
        if paid is not None:
            flash(_("Your previous order has just been paid. Check it before you order again."), "info")
            return redirect(url_for("shop.order", number=paid.number))
        order = place(cart, buyer, form)
    except GatewayError:
        db.session.rollback()
        flash(
            _("Your previous payment is still being processed and the payment provider isn't responding. Try again."),
            "error",
        )
        return redirect(url_for("shop.review_order"))
    except (checkout.Incomplete, delivery.NoDelivery) as error:
        return back_to("shop.checkout", error)
    except placement.NeedsAccount as error:
        flash(_(error.message, **error.params), "info")
        return redirect(url_for("auth.log_in", next=url_for("shop.review_order")))
    except DomainError as error:
        return back_to("shop.review_order", error)
    return pay(order, form.gateway.data if "gateway" in form else "")


def ordered_before(cart: Cart | None) -> Response:
    """Lead to the order that the cart was made into: whoever presses in a second tab need not wonder."""
    order = placement.last_of(cart) if cart is not None else None
    if order is None:
        return nothing_to_order()
    flash(_("You've already placed this order."), "info")
    return redirect(url_for("shop.order", number=order.number))


def terms(form: ReviewForm) -> dict[str, Any]:
    """What an order is placed on: the total that was seen, the shop as it is, and today."""
    keys = current_app.extensions["keys"]
    return {"expected_total": form.seen_total, "shop": filters.shop(), "keys": keys, "now": utcnow()}


def place(cart: Cart, buyer: placement.Buyer, form: ReviewForm) -> Order:
    """Place the order, for good; from now on this browser may open it."""
    order = placement.place(cart, buyer, **terms(form))
    db.session.commit()
    remember_order(order)
    return order


def pay(order: Order, code: str) -> Response:
    """Start the payment of an order, and go where the buyer pays; if that fails, the order stays and says so."""
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


def back_to(endpoint: str, error: DomainError) -> Response:
    """Lead back to a step with what was refused there; nothing that was typed is lost."""
    db.session.rollback()
    flash(_(error.message, **error.params), "warning")
    return redirect(url_for(endpoint))
