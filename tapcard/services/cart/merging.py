"""Merging a guest cart into the cart of the person who logs in."""

from collections.abc import Sequence
from dataclasses import dataclass

import sqlalchemy as sa

from ...context import RuleContext
from ...db import db, execute_update
from ...models import (
    Cart,
    Order,
    User,
)
from . import carts, editing, items
from .items import CartItem, ReservationsFor


@dataclass(frozen=True)
class MergeResult:
    """What was left out or capped when a guest cart was merged."""

    left_out: Sequence[str] = ()  # titles of lines the full cart had no room for
    capped: Sequence[CartItem] = ()  # items capped by stock
    limited: Sequence[CartItem] = ()  # items capped by the maximum per order


def merge_guest_cart(
    guest_cart_id: int, user: User, context: RuleContext, reservations: ReservationsFor
) -> MergeResult:
    """Merge a guest's cart into the cart of the person who logs in: equal lines add up, capped by stock.

    Never fails for a full cart: lines without room are left out and returned.
    """
    carts.lock_owner(user)
    guest, own = carts.find_guest_cart(guest_cart_id), carts.find_by_user(user)
    if guest is None:
        return MergeResult()
    if own is None:
        guest.user_id = user.id
        return MergeResult()
    for cart in sorted((guest, own), key=lambda entry: entry.id):
        carts.lock(cart)
    quantities = {line.fingerprint: line.quantity for line in own.lines}
    left_out = _put_lines(own, guest, context, reservations)
    limited = {
        line.fingerprint
        for line in guest.lines
        if quantities.get(line.fingerprint, 0) + line.quantity > items.max_quantity(line.kind)
    }
    if own.promotion_id is None:
        own.promotion_id = guest.promotion_id
    own.checkout = {**own.checkout, **guest.checkout}  # the latest entries win
    execute_update(sa.update(Order).where(Order.cart_id == guest.id).values(cart_id=own.id))
    db.session.delete(guest)
    db.session.flush()  # the items below are read from the database
    current = items.current_items(carts.reload(own), context.shop, reservations(own, context.now))
    for item in current:
        if item.is_capped:
            item.line.quantity = item.quantity
    capped = [item for item in current if item.is_capped]
    return MergeResult(
        left_out, capped, [entry for entry in current if entry.line.fingerprint in limited and entry not in capped]
    )


def _put_lines(own: Cart, guest: Cart, context: RuleContext, reservations: ReservationsFor) -> list[str]:
    """Put the lines of one cart into another; return the titles of those without room."""
    without_room = set()
    for line in guest.lines:
        try:
            editing.put_line(
                own,
                {name: getattr(line, name) for name in COPIED_COLUMNS},
                line.quantity,
                items.max_quantity(line.kind),
            )
        except editing.TooManyLines:
            without_room.add(line.id)
    return (
        [
            item.title
            for item in items.current_items(guest, context.shop, reservations(guest, context.now))
            if item.line.id in without_room
        ]
        if without_room
        else []
    )


COPIED_COLUMNS = (
    *("kind", "product_id", "design_id", "card_id", "options", "front_picture", "rear_picture", "pictures"),
    "shown_amount",
)
