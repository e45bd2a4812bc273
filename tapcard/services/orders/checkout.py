"""Checkout: contact and delivery details, kept with the cart, and placing the order.

`cart.checkout` holds `email`, `first_name`, `last_name`, `phone`, `note`, `address` (the columns of an address, none
for pickup), `address_id` (of a saved one), `delivery_method_id` and `delivery_location`.
"""

from collections.abc import Mapping, Sequence
from typing import Any

from ... import email_addresses, phones
from ...context import RuleContext
from ...db import db
from ...errors import DomainError
from ...errors import mark as _
from ...ids import parse_id
from ...models import Cart, DeliveryMethod, LineKind, Order, Payment, User
from ..accounts import addresses
from ..cart import carts, delivery, quote
from ..cart.promotions import Customer
from ..cart.quote import Quote
from . import placement, replacement, transitions
from .placement import Buyer

NEW = "new"  # instead of the id of a saved address


class Incomplete(DomainError):
    """The contact or delivery details are incomplete."""


def needs_delivery(cart: Cart) -> bool:
    """Return whether anything in a cart has to be delivered."""
    return any(line.kind is not LineKind.ACTIVATION for line in cart.lines)


def delivery_methods() -> Sequence[DeliveryMethod]:
    """Return the delivery methods to choose from."""
    return db.session.scalars(delivery.available_methods()).all()


def store_details(cart: Cart, typed: Mapping[str, Any], context: RuleContext) -> None:
    """Store the validated form with the cart; raises a `DomainError` with the field of the first problem."""
    user = context.actor
    details = {
        "email": user.email if user is not None else email_addresses.normalize(typed["email"]),
        "first_name": " ".join(typed["first_name"].split()),
        "last_name": " ".join(typed["last_name"].split()),
        "phone": phones.clean(typed["phone"], typed.get("country") or context.shop.country) or "",
        "note": typed["note"],
    }
    if needs_delivery(cart):
        details |= _delivery_details(typed, f"{details['first_name']} {details['last_name']}", details["phone"], user)
    cart.checkout = {**cart.checkout, **details}
    cart.updated_at = context.now


def _delivery_details(typed: Mapping[str, Any], full_name: str, phone: str, user: User | None) -> dict[str, Any]:
    """Return the delivery details; a new address is saved with the account on request."""
    choice = typed.get("address") or NEW
    saved = addresses.get_own_address(user, parse_id(choice) or 0) if user is not None and choice != NEW else None
    method_id = parse_id(typed.get("delivery_method")) or 0
    available = delivery_methods()
    method = next((option for option in available if option.id == method_id), None)
    location = typed.get(f"location_{method_id}") or ""
    country = saved.country if saved is not None else typed["country"]
    delivery.check(available, method, country, location)
    where: dict[str, Any] = {}
    if method is None or method.needs_address:
        where = saved.parts if saved is not None else _clean_address(typed, full_name, phone)
        if saved is None and user is not None and typed.get("save_address"):
            saved = addresses.add(user, where)
    return {
        "address": where,
        "address_id": saved.id if saved is not None else None,
        "delivery_method_id": method.id if method is not None else None,
        "delivery_location": location if method is not None and method.locations else "",
    }


def _clean_address(typed: Mapping[str, Any], full_name: str, phone: str) -> dict[str, Any]:
    return addresses.clean_all({**typed, "name": typed.get("name") or full_name, "phone": phone})


def get_buyer(cart: Cart, user: User | None) -> Buyer:
    """Return the buyer from the stored details; raises `Incomplete`, or `NoDelivery` when the method is gone."""
    details = cart.checkout
    email = user.email if user is not None else details.get("email")
    if not email or not details.get("first_name") or not details.get("last_name"):
        raise Incomplete(_("Enter your contact and delivery details first."))
    method: DeliveryMethod | None = None
    address: dict[str, Any] = {}
    if needs_delivery(cart):
        method, address = _stored_delivery(details)
    return Buyer(
        email=email,
        first_name=details["first_name"],
        last_name=details["last_name"],
        phone=details.get("phone") or None,
        user=user,
        address=address,
        method=method,
        location=details.get("delivery_location") or "" if method is not None else "",
        note=details.get("note") or "",
    )


def _stored_delivery(details: Mapping[str, Any]) -> tuple[DeliveryMethod | None, dict[str, Any]]:
    available, address = delivery_methods(), details.get("address") or {}
    method = next((option for option in available if option.id == details.get("delivery_method_id")), None)
    if (method is None or method.needs_address) and not address:
        raise Incomplete(_("Enter your contact and delivery details first."))
    delivery.check(available, method, address.get("country", ""), details.get("delivery_location") or "")
    return method, dict(address) if method is None or method.needs_address else {}


def quote_cart(cart: Cart, customer: Customer, method: DeliveryMethod | None, context: RuleContext) -> Quote:
    """Return the quote of a cart; reservations of its replaceable orders count as available."""
    reservations = replacement.quote_reservations(cart, customer, context.now)
    return quote.compute(cart, customer, method, reservations, context)


def place_order(cart: Cart, buyer: Buyer, expected_total: int, context: RuleContext) -> Order:
    """Quote a cart under its lock and place the order; raises what `placement.place` raises."""
    cart = carts.lock_and_reload(cart)
    promotion_id = cart.promotion_id  # release the uses of expired orders, even if no worker runs
    if promotion_id is not None and transitions.expire_due(context.now, context.keys, promotion_id=promotion_id):
        cart = carts.reload(cart)  # with the use count as it is now
    return placement.place(quote_cart(cart, buyer.customer, buyer.method, context), buyer, expected_total, context)


def payments_to_close(cart: Cart, buyer: Buyer, expected_total: int, context: RuleContext) -> Sequence[Payment]:
    """Return the open payments to close before the order is placed: those of the orders that it replaces."""
    open_payments = replacement.open_payments(cart.id)
    if not open_payments:
        return []
    current = quote_cart(cart, buyer.customer, buyer.method, context)
    is_repeated = placement.find_repeated(current, buyer, expected_total, context.now) is not None
    return [] if is_repeated else open_payments
