"""The cart: what is in it, what it comes to today, and everything that can be changed before checking out."""

from collections.abc import Sequence
from dataclasses import dataclass

from flask import flash, make_response, redirect, render_template, request, url_for
from flask_babel import gettext as _
from flask_login import current_user
from werkzeug.wrappers import Response

from ..clock import utcnow
from ..db import db
from ..models import Cart, CartLine, DeliveryMethod, LineKind
from ..money import Money
from ..services.cart import carts, editing, items, promotions
from ..services.cart.carts import LineNotFound
from ..services.orders import checkout
from ..web.access import BUYER, PUBLIC, access
from ..web.carts import cart_to_fill, current_cart, draft_of, only_left
from ..web.filters import shop
from ..web.forms import refusals
from ..web.throttling import form_status, throttle
from .add_to_cart_forms import QuantityForm
from .blueprint import bp
from .cart_forms import CodeForm, DeliveryForm, delivery_form, price_in_words

METHOD, PLACE = "delivery_method_id", "delivery_location"  # in `cart.checkout`


@dataclass
class Forms:
    """The forms of the page that were sent and refused; the others start afresh."""

    line: QuantityForm | None = None
    line_id: int | None = None
    code: CodeForm | None = None
    delivery: DeliveryForm | None = None

    @property
    def sent(self) -> QuantityForm | CodeForm | DeliveryForm | None:
        """The one that was sent."""
        return self.line or self.code or self.delivery


@bp.get("/cart", endpoint="cart")
@access(PUBLIC)
def show_cart() -> Response:
    """What is in the cart, and what it comes to."""
    return cart_page(Forms())


@bp.post("/cart/lines/<int:line_id>")
@access(BUYER)
def change_line(line_id: int) -> Response:
    """Change how many of a line are wanted."""
    line = own_line(line_id)
    form = QuantityForm(items.max_quantity(line.kind))
    if form.validate_on_submit():
        with refusals(form):
            item = editing.change_quantity(line.cart, line_id, form.number, shop(), utcnow())
            told = only_left(item) if item.is_capped else None
            db.session.commit()
            if told:
                flash(told, "warning")
            return redirect(url_for("shop.cart"))
    return cart_page(Forms(line=form, line_id=line_id))


@bp.post("/cart/lines/<int:line_id>/remove")
@access(BUYER)
def remove_line(line_id: int) -> Response:
    """Take a line out."""
    editing.remove(own_line(line_id).cart, line_id)
    db.session.commit()
    return redirect(url_for("shop.cart"))


@bp.route("/cart/clear", methods=["GET", "POST"])
@access(PUBLIC)
def clear_cart() -> Response:
    """Take everything out, after asking."""
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
    """Take over what has changed since the buyer looked last."""
    cart = current_cart()
    if cart is not None and editing.accept_changes(cart, shop(), utcnow()):
        db.session.commit()
        if not draft_of(cart).has_changed:  # what has to be chosen again stays
            flash(_("Changes accepted. Your cart is up to date."), "success")
    return redirect(url_for("shop.cart"))


@bp.post("/cart/code")
@access(PUBLIC)
def use_code() -> Response:
    """Let a promotion lower the total; each refusal says why."""
    form = CodeForm()
    if form.validate_on_submit():
        with refusals(form):
            cart = cart_to_fill()
            throttle("promotion_code", account=cart.id, address=True)
            cart.promotion = promotions.find(form.code.data or "")
            if (refusal := draft_of(cart).refusal) is not None:
                raise refusal
            db.session.commit()
            flash(_("Code applied."), "success")
            return redirect(url_for("shop.cart"))
    return cart_page(Forms(code=form))


@bp.post("/cart/code/drop")
@access(PUBLIC)
def drop_code() -> Response:
    """Do without the promotion."""
    cart = current_cart()
    if cart is not None:
        cart.promotion = None
        db.session.commit()
    return redirect(url_for("shop.cart"))


@bp.post("/cart/delivery")
@access(PUBLIC)
def choose_delivery() -> Response:
    """Choose how the parcel travels."""
    cart, methods = cart_to_fill(), checkout.methods()
    form = delivery_form(methods, *chosen_delivery(cart, methods))
    if form.validate_on_submit() and form.method is not None:
        cart.checkout = {**cart.checkout, METHOD: form.method.id, PLACE: form.place}
        db.session.commit()
        return redirect(url_for("shop.cart"))
    return cart_page(Forms(delivery=form))


@bp.post("/cart/credit")
@access(PUBLIC)
def use_credit() -> Response:
    """Spend one's credit on what is in the cart, or keep it."""
    cart = current_cart()
    if cart is not None and current_user.is_authenticated:
        cart.uses_credit = request.form.get("use") == "y"
        db.session.commit()
    return redirect(url_for("shop.cart"))


# --- looking ----------------------------------------------------------------------------------------------------------


def cart_page(forms: Forms) -> Response:
    """The page, with whatever was refused."""
    cart = current_cart()
    if cart is None or not cart.lines:
        page = render_template("shop/cart.html", draft=None, problem=forms.sent)
        return make_response(page, *(form_status(forms.sent) if forms.sent else (200,)))
    methods = checkout.methods()
    method, place = chosen_delivery(cart, methods)
    draft = draft_of(cart, method)
    page = render_template(
        "shop/cart.html",
        cart=cart,
        draft=draft,
        line_forms={item.line.id: line_form(item.line, forms) for item in draft.items},
        code_form=forms.code or CodeForm(formdata=None),
        delivery_form=forms.delivery or delivery_form(methods, method, place, formdata=None),
        price_in_words=price_in_words,
        balance=Money(draft.balance, shop().currency) if draft.balance else None,
        problem=forms.sent,
    )
    return make_response(page, *(form_status(forms.sent) if forms.sent else (200,)))


def line_form(line: CartLine, forms: Forms) -> QuantityForm | None:
    """The form of a line's quantity; None where there can be but one."""
    if line.kind is LineKind.ACTIVATION:
        return None
    is_sent = forms.line is not None and forms.line_id == line.id
    form = (
        forms.line
        if is_sent
        else QuantityForm(items.max_quantity(line.kind), formdata=None, quantity=str(line.quantity))
    )
    assert form is not None
    form.quantity.id = f"quantity-{line.id}"  # there is one for each line
    return form


def chosen_delivery(cart: Cart, methods: Sequence[DeliveryMethod]) -> tuple[DeliveryMethod | None, str]:
    """The way of delivery and the place that were chosen; the first way unless another one was."""
    wanted, place = cart.checkout.get(METHOD), cart.checkout.get(PLACE)
    method = next((each for each in methods if each.id == wanted), methods[0] if methods else None)
    is_offered = method is not None and method.id == wanted and place in method.locations
    return method, str(place) if is_offered else ""


def own_line(line_id: int) -> CartLine:
    """A line of the visitor's own cart; any other does not exist."""
    cart = current_cart()
    if cart is None:
        raise LineNotFound(_("This item is no longer in your cart."))
    return carts.get_line(cart, line_id)
