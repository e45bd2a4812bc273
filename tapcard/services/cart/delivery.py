"""Delivery methods: editing them, which ones ship to a country, and checking a buyer's choice."""

from collections.abc import Mapping, Sequence
from typing import Any

from sqlalchemy import Select, func, select

from ...db import db
from ...errors import DomainError
from ...errors import mark as _
from ...models import DeliveryKind, DeliveryMethod, User
from ..core import audit, optimistic_lock, rows


class NoDelivery(DomainError):
    """The chosen method does not deliver to this buyer."""

    status = 422
    field = "delivery_method"


def available_methods() -> Select[DeliveryMethod]:
    """Return the query for active delivery methods in the shop's order."""
    return select(DeliveryMethod).where(DeliveryMethod.is_active).order_by(DeliveryMethod.position, DeliveryMethod.id)


def ships_to(method: DeliveryMethod, country: str) -> bool:
    """Return whether a method ships to a country; one without a list of countries ships everywhere."""
    return not method.countries or country in method.countries


def check(methods: Sequence[DeliveryMethod], method: DeliveryMethod | None, country: str, location: str) -> None:
    """Raise `NoDelivery` unless the method serves the country and the location is one of its own.

    A shop without delivery methods arranges delivery with each buyer. Pickup is open to buyers of any country.
    """
    if not methods and method is None:
        return
    usable = [option for option in methods if not option.needs_address or ships_to(option, country)]
    if not usable:
        raise NoDelivery(_("We don't deliver to this country yet. Choose another address."), field="country")
    if method is None or method not in methods:
        raise NoDelivery(_("Choose a delivery method."))
    if method not in usable:
        raise NoDelivery(_("This delivery method isn't available for that country. Choose another one."))
    if method.locations and location not in method.locations:
        raise NoDelivery(_("Choose a delivery location."), field=f"location_{method.id}")


class InvalidMethod(DomainError):
    """The values are not a valid delivery method."""

    status = 422


def all_methods() -> Select[DeliveryMethod]:
    """Return the query for all delivery methods in the shop's order."""
    return select(DeliveryMethod).order_by(DeliveryMethod.position, DeliveryMethod.id)


def create(submitted: Mapping[str, Any], actor: User) -> DeliveryMethod:
    """Create a delivery method at the end of the list; raises `InvalidMethod`."""
    last = db.session.scalar(select(func.max(DeliveryMethod.position)))
    method = DeliveryMethod(**_clean_values(submitted), position=0 if last is None else last + 1)
    db.session.add(method)
    db.session.flush()  # assigns its id
    audit.record("delivery_method.made", subject=method, actor=actor, name=method.name)
    return method


def change(method: DeliveryMethod, submitted: Mapping[str, Any], seen_fingerprint: str, actor: User) -> None:
    """Update a delivery method that staff saw; raises `InvalidMethod` or `EditConflict`."""
    optimistic_lock.lock_unchanged(method, seen_fingerprint)
    values = _clean_values(submitted)
    fields = sorted(name for name, value in values.items() if getattr(method, name) != value)
    for name in fields:
        setattr(method, name, values[name])
    if fields:
        audit.record("delivery_method.changed", subject=method, actor=actor, fields=fields)


def move(method: DeliveryMethod, by: int, actor: User) -> None:
    """Move a method by a number of places in the list."""
    for position, sibling in enumerate(rows.reordered(list(db.session.scalars(all_methods())), method, by)):
        sibling.position = position
    audit.record("delivery_method.moved", subject=method, actor=actor)


def _clean_values(submitted: Mapping[str, Any]) -> dict[str, Any]:
    """Return the columns to store; values that the kind of method does not use are reset."""
    values, kind = dict(submitted), submitted["kind"]
    values["amount"] = (values["amount"] or 0) if kind is DeliveryKind.FLAT else 0
    values["percent"] = (values["percent"] or 0) if kind is DeliveryKind.PERCENT else 0
    if kind is DeliveryKind.PERCENT and not values["percent"]:
        raise InvalidMethod(_("Enter the percentage of the subtotal."), field="percent")
    if kind not in (DeliveryKind.FLAT, DeliveryKind.PERCENT):
        values["free_from_amount"] = None
    min_days, max_days = values["days_least"], values["days_most"]
    if min_days is not None and max_days is not None and min_days > max_days:
        raise InvalidMethod(_("Enter at least the minimum number of days."), field="days_most")
    return values
