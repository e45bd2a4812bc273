"""The cart page: contents, totals and everything that can be changed before the checkout."""

from collections.abc import Sequence
from dataclasses import dataclass

from flask import flash, make_response, redirect, render_template, request, url_for
from flask_babel import gettext as _
from flask_login import current_user
from werkzeug.wrappers import Response

from ..db import db
from ..models import Cart, CartLine, DeliveryMethod, LineKind
from ..money import Money
from ..services.cart import carts, editing, items, promotions
from ..services.cart.carts import LineNotFound
from ..services.orders import checkout
from ..services.orders.replacement import reservations_for
from ..web.access import BUYER, PUBLIC, access
from ..web.carts import current_cart, get_or_create_cart, quote_of, stock_limit_message
from ..web.context import rule_context
from ..web.filters import shop
from ..web.forms import refusals
from ..web.throttling import form_status, throttle
from .add_to_cart_forms import QuantityForm
from .blueprint import bp
from .cart_forms import CodeForm, DeliveryForm, delivery_form, price_in_words

METHOD, PLACE = "delivery_method_id", "delivery_location"  # in `cart.checkout`


@dataclass
class Forms:
    """Submitted forms of the page that have errors; the others are new."""

    line: QuantityForm | None = None
    line_id: int | None = None
    code: CodeForm | None = None
    delivery: DeliveryForm | None = None

    @property
    def submitted(self) -> QuantityForm | CodeForm | DeliveryForm | None:
        """Return the form that was submitted."""
        return self.line or self.code or self.delivery


@bp.get("/cart", endpoint="cart")
@access(PUBLIC)
def show_cart() -> Response:
    """Show the contents and totals of the cart."""
    return cart_page(Forms())


@bp.post("/cart/lines/<int:line_id>")
@access(BUYER)
def change_line(line_id: int) -> Response:
    """Change the quantity of a line."""
    line = own_line(line_id)
    form = QuantityForm(items.max_quantity(line.kind))
    if form.validate_on_submit():
        with refusals(form):
            item = editing.change_quantity(line.cart, line_id, form.number, rule_context(), reservations_for)
            message = stock_limit_message(item) if item.is_capped else None
            db.session.commit()
            if message:
                flash(message, "warning")
            return redirect(url_for("shop.cart"))
    return cart_page(Forms(line=form, line_id=line_id))


@bp.post("/cart/lines/<int:line_id>/remove")
@access(BUYER)
def remove_line(line_id: int) -> Response:
    """Remove a line."""
    editing.remove(own_line(line_id).cart, line_id)
    db.session.commit()
    return redirect(url_for("shop.cart"))


@bp.route("/cart/clear", methods=["GET", "POST"])
@access(PUBLIC)
def clear_cart() -> Response:
    """Remove all lines, after a confirmation."""
    cart = current_cart()
    if request.method == "POST":
        if cart is not None:
            editing.clear(cart)
            db.session.commit()
        flash(_("All items removed from your cart."), "success")
        return redirect(url_for("shop.cart"))
    if cart is None or not cart.lines:
        return redirect(url_for("shop.cart"))
    return make_response(render_template("shop/cart_clear.html", count=sum(line.quantity for line in cart.lines)))


@bp.post("/cart/accept")
@access(PUBLIC)
def accept_changes() -> Response:
    """Accept prices and quantities that have changed since the buyer saw them."""
    cart = current_cart()
    if cart is not None and editing.accept_changes(cart, rule_context(), reservations_for):
        db.session.commit()
        if not quote_of(cart).has_changed:  # items that need a choice stay
            flash(_("Changes accepted. Your cart is up to date."), "success")
    return redirect(url_for("shop.cart"))


@bp.post("/cart/code")
@access(PUBLIC)
def use_code() -> Response:
    """Apply a promotion code; raises the reason why it does not apply."""
    form = CodeForm()
    if form.validate_on_submit():
        with refusals(form):
            cart = get_or_create_cart()
            throttle("promotion_code", account=cart.id, address=True)
            cart.promotion = promotions.find(form.code.data or "")
            if (refusal := quote_of(cart).refusal) is not None:
                raise refusal
            db.session.commit()
            flash(_("Code applied."), "success")
            return redirect(url_for("shop.cart"))
    return cart_page(Forms(code=form))


@bp.post("/cart/code/drop", endpoint="drop_code")
@access(PUBLIC)
def remove_code() -> Response:
    """Remove the promotion code."""
    cart = current_cart()
    if cart is not None:
        cart.promotion = None
        db.session.commit()
    return redirect(url_for("shop.cart"))


@bp.post("/cart/delivery")
@access(PUBLIC)
def choose_delivery() -> Response:
    """Choose the delivery method."""
    cart, methods = get_or_create_cart(), checkout.delivery_methods()
    form = delivery_form(methods, *chosen_delivery(cart, methods))
    if form.validate_on_submit() and form.method is not None:
        cart.checkout = {**cart.checkout, METHOD: form.method.id, PLACE: form.place}
        db.session.commit()
        return redirect(url_for("shop.cart"))
    return cart_page(Forms(delivery=form))


@bp.post("/cart/credit")
@access(PUBLIC)
def use_credit() -> Response:
    """Turn the use of store credit on or off."""
    cart = current_cart()
    if cart is not None and current_user.is_authenticated:
        cart.uses_credit = request.form.get("use") == "y"
        db.session.commit()
    return redirect(url_for("shop.cart"))


# --- page -------------------------------------------------------------------------------------------------------------


def cart_page(forms: Forms) -> Response:
    """Return the cart page, with the submitted forms that have errors."""
    cart = current_cart()
    if cart is None or not cart.lines:
        page = render_template("shop/cart.html", quote=None, problem=forms.submitted)
        return make_response(page, *(form_status(forms.submitted) if forms.submitted else (200,)))
    methods = checkout.delivery_methods()
    method, place = chosen_delivery(cart, methods)
    quote = quote_of(cart, method)
    page = render_template(
        "shop/cart.html",
        cart=cart,
        quote=quote,
        line_forms={item.line.id: line_form(item.line, forms) for item in quote.items},
        code_form=forms.code or CodeForm(formdata=None),
        delivery_form=forms.delivery or delivery_form(methods, method, place, formdata=None),
        price_in_words=price_in_words,
        balance=Money(quote.balance, shop().currency) if quote.balance else None,
        problem=forms.submitted,
    )
    return make_response(page, *(form_status(forms.submitted) if forms.submitted else (200,)))


def line_form(line: CartLine, forms: Forms) -> QuantityForm | None:
    """Return the quantity form of a line; None for an activation, of which there is one."""
    if line.kind is LineKind.ACTIVATION:
        return None
    is_sent = forms.line is not None and forms.line_id == line.id
    form = (
        forms.line
        if is_sent
        else QuantityForm(items.max_quantity(line.kind), formdata=None, quantity=str(line.quantity))
    )
    assert form is not None
    form.quantity.id = f"quantity-{line.id}"  # unique on the page
    return form


def chosen_delivery(cart: Cart, methods: Sequence[DeliveryMethod]) -> tuple[DeliveryMethod | None, str]:
    """Return the chosen delivery method and location; the first method unless another one was chosen."""
    method_id, place = cart.checkout.get(METHOD), cart.checkout.get(PLACE)
    method = next((option for option in methods if option.id == method_id), methods[0] if methods else None)
    is_offered = method is not None and method.id == method_id and place in method.locations
    return method, str(place) if is_offered else ""


def own_line(line_id: int) -> CartLine:
    """Return a line of the visitor's cart; raises `LineNotFound`."""
    cart = current_cart()
    if cart is None:
        raise LineNotFound(_("This item is no longer in your cart."))
    return carts.get_line(cart, line_id)
