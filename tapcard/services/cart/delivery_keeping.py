"""Ways of delivery as staff keep them; orders keep the name and the price they were placed with."""

from collections.abc import Mapping
from typing import Any

from sqlalchemy import Select, func, select

from ...db import db
from ...errors import DomainError
from ...errors import mark as _
from ...models import DeliveryKind, DeliveryMethod, User
from ..core import audit, optimistic_lock, rows


class BadMethod(DomainError):
    """What was typed cannot be a way of delivery."""

    status = 422


def listed() -> Select[DeliveryMethod]:
    """All ways of delivery in the order buyers see them."""
    return select(DeliveryMethod).order_by(DeliveryMethod.position, DeliveryMethod.id)


def create(typed: Mapping[str, Any], actor: User) -> DeliveryMethod:
    """Make a way of delivery, the last one; raises `BadMethod`."""
    last = db.session.scalar(select(func.max(DeliveryMethod.position)))
    method = DeliveryMethod(**_cleaned(typed), position=0 if last is None else last + 1)
    db.session.add(method)
    db.session.flush()  # for its id
    audit.record("delivery_method.made", subject=method, actor=actor, name=method.name)
    return method


def change(method: DeliveryMethod, typed: Mapping[str, Any], seen: str, actor: User) -> None:
    """Store what was typed over what was seen; raises `BadMethod` or `EditConflict`."""
    optimistic_lock.lock_unchanged(method, seen)
    values = _cleaned(typed)
    fields = sorted(name for name, value in values.items() if getattr(method, name) != value)
    for name in fields:
        setattr(method, name, values[name])
    if fields:
        audit.record("delivery_method.changed", subject=method, actor=actor, fields=fields)


def move(method: DeliveryMethod, by: int, actor: User) -> None:
    """Show it so many places later."""
    rows.set_positions(rows.reordered(list(db.session.scalars(listed())), method, by))
    audit.record("delivery_method.moved", subject=method, actor=actor)


def _cleaned(typed: Mapping[str, Any]) -> dict[str, Any]:
    """The columns as they are stored; what its kind does not ask for counts for nothing."""
    values, kind = dict(typed), typed["kind"]
    values["amount"] = (values["amount"] or 0) if kind is DeliveryKind.FLAT else 0
    values["percent"] = (values["percent"] or 0) if kind is DeliveryKind.PERCENT else 0
    if kind is DeliveryKind.PERCENT and not values["percent"]:
        raise BadMethod(_("Enter the percentage of the subtotal."), field="percent")
    if kind not in (DeliveryKind.FLAT, DeliveryKind.PERCENT):
        values["free_from_amount"] = None
    least, most = values["days_least"], values["days_most"]
    if least is not None and most is not None and least > most:
        raise BadMethod(_("Enter at least the minimum number of days."), field="days_most")
    return values
