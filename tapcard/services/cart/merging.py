"""Merging a guest cart into the cart of the person who logs in."""

from collections.abc import Sequence
from dataclasses import dataclass
from datetime import datetime

import sqlalchemy as sa

from ...db import db, execute_update
from ...models import (
    Cart,
    Order,
    User,
)
from ...settings import ShopSettings
from . import carts, editing, items


@dataclass(frozen=True)
class MergeResult:
    """What did not go along, or not whole, when a guest's cart was merged into that of whoever signed in."""

    left_out: Sequence[str] = ()  # titles of lines for which the cart had no room
    capped: Sequence[items.CartItem] = ()  # lines of which there are no more than this
    limited: Sequence[items.CartItem] = ()  # lines of which nobody may order more than this


def merge_guest_cart(guest_cart_id: int, user: User, shop: ShopSettings, now: datetime) -> MergeResult:
    """Let what a browser collected go into the cart of whoever signs in there: equal lines add up, capped by stock.

    Whoever logs in must get in: what finds no room is left out, and told.
    """
    carts.lock_owner(user)
    guest, own = carts.find_guest_cart(guest_cart_id), carts.find_by_user(user)
    if guest is None:
        return MergeResult()
    if own is None:
        guest.user_id = user.id
        return MergeResult()
    for cart in sorted((guest, own), key=lambda each: each.id):
        carts.lock(cart)
    had = {line.fingerprint: line.quantity for line in own.lines}
    left_out = _put_lines(own, guest, shop, now)
    limited = {
        line.fingerprint
        for line in guest.lines
        if had.get(line.fingerprint, 0) + line.quantity > items.max_quantity(line.kind)
    }
    if own.promotion_id is None:
        own.promotion_id = guest.promotion_id
    own.checkout = {**own.checkout, **guest.checkout}  # what was typed a moment ago
    execute_update(sa.update(Order).where(Order.cart_id == guest.id).values(cart_id=own.id))
    db.session.delete(guest)
    db.session.flush()  # the look below reads what is there now
    found = items.current_items(carts.reload(own), shop, now)
    for item in found:
        if item.is_capped:
            item.line.quantity = item.quantity
    capped = [item for item in found if item.is_capped]
    return MergeResult(
        left_out, capped, [each for each in found if each.line.fingerprint in limited and each not in capped]
    )


def _put_lines(own: Cart, guest: Cart, shop: ShopSettings, now: datetime) -> list[str]:
    """Put what lies in one cart into another one; gives the titles of what finds no room there."""
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
        [item.title for item in items.current_items(guest, shop, now) if item.line.id in without_room]
        if without_room
        else []
    )


COPIED_COLUMNS = (
    *("kind", "product_id", "design_id", "card_id", "options", "front_picture", "rear_picture", "pictures"),
    "shown_amount",
)
