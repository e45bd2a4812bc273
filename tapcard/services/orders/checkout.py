"""What a buyer says at the checkout: cleaned, kept with the cart, and read once more before the order is placed.

`cart.checkout` holds `email`, `first_name`, `last_name`, `phone`, `note`, `address` (the columns of an address, none
for what is collected), `address_id` (of a saved one), `delivery_method_id` and `delivery_location`.
"""

from collections.abc import Mapping, Sequence
from datetime import datetime
from typing import Any

from ... import email_addresses, phones
from ...db import db
from ...errors import DomainError
from ...errors import mark as _
from ...ids import parse_id
from ...models import Address, Cart, DeliveryMethod, LineKind, User
from ...settings import ShopSettings
from ..accounts import addresses
from ..cart import delivery
from .placement import Buyer

NEW = "new"  # instead of the id of a saved address


class Incomplete(DomainError):
    """Somebody wants to pay who has not said yet who they are."""


def ships(cart: Cart) -> bool:
    """Whether anything in a cart has to be handed over or sent."""
    return any(line.kind is not LineKind.ACTIVATION for line in cart.lines)


def methods() -> Sequence[DeliveryMethod]:
    """The ways of delivery to choose from."""
    return db.session.scalars(delivery.available_methods()).all()


def columns_of(address: Address) -> dict[str, Any]:
    """An address as an order keeps it."""
    return {name: getattr(address, name) for name in addresses.INPUT_FIELDS}


def keep(cart: Cart, typed: Mapping[str, Any], user: User | None, shop: ShopSettings, now: datetime) -> None:
    """Keep with a cart what was typed; raises what is wrong with it, each with its field."""
    said = {
        "email": user.email if user is not None else email_addresses.normalize(typed["email"]),
        "first_name": " ".join(typed["first_name"].split()),
        "last_name": " ".join(typed["last_name"].split()),
        "phone": phones.clean(typed["phone"], typed.get("country") or shop.country) or "",
        "note": typed["note"],
    }
    if ships(cart):
        said |= _where(typed, f"{said['first_name']} {said['last_name']}", said["phone"], user)
    cart.checkout = {**cart.checkout, **said}
    cart.updated_at = now


def _where(typed: Mapping[str, Any], full_name: str, phone: str, user: User | None) -> dict[str, Any]:
    """Where everything goes and how; a new address is saved with the account if its owner says so."""
    choice = typed.get("address") or NEW
    saved = addresses.get_own_address(user, parse_id(choice) or 0) if user is not None and choice != NEW else None
    method_id = parse_id(typed.get("delivery_method")) or 0
    known = methods()
    method = next((each for each in known if each.id == method_id), None)
    location = typed.get(f"location_{method_id}") or ""
    country = saved.country if saved is not None else typed["country"]
    delivery.check(known, method, country, location)
    where: dict[str, Any] = {}
    if method is None or method.needs_address:
        where = columns_of(saved) if saved is not None else _clean(typed, full_name, phone)
        if saved is None and user is not None and typed.get("save_address"):
            saved = addresses.add(user, where)
    return {
        "address": where,
        "address_id": saved.id if saved is not None else None,
        "delivery_method_id": method.id if method is not None else None,
        "delivery_location": location if method is not None and method.locations else "",
    }


def _clean(typed: Mapping[str, Any], full_name: str, phone: str) -> dict[str, Any]:
    return addresses.clean_all({**typed, "name": typed.get("name") or full_name, "phone": phone})


def buyer(cart: Cart, user: User | None) -> Buyer:
    """Who orders and where to, as it was kept; raises `Incomplete`, or `NoDelivery` when that way is gone meanwhile."""
    said = cart.checkout
    email = user.email if user is not None else said.get("email")
    if not email or not said.get("first_name") or not said.get("last_name"):
        raise Incomplete(_("Enter your contact and delivery details first."))
    method: DeliveryMethod | None = None
    address: dict[str, Any] = {}
    if ships(cart):
        method, address = _checked(said)
    return Buyer(
        email=email,
        first_name=said["first_name"],
        last_name=said["last_name"],
        phone=said.get("phone") or None,
        user=user,
        address=address,
        method=method,
        location=said.get("delivery_location") or "" if method is not None else "",
        note=said.get("note") or "",
    )


def _checked(said: Mapping[str, Any]) -> tuple[DeliveryMethod | None, dict[str, Any]]:
    known, address = methods(), said.get("address") or {}
    method = next((each for each in known if each.id == said.get("delivery_method_id")), None)
    if (method is None or method.needs_address) and not address:
        raise Incomplete(_("Enter your contact and delivery details first."))
    delivery.check(known, method, address.get("country", ""), said.get("delivery_location") or "")
    return method, dict(address) if method is None or method.needs_address else {}
