"""Buying again: what was ordered once goes into the cart anew, at today's price and through the checks of every day."""

from dataclasses import dataclass, field
from datetime import datetime
from typing import Any

from ...db import db
from ...errors import DomainError
from ...errors import mark as _
from ...models import Cart, LineKind, OptionKind, Order, OrderLine
from ...settings import ShopSettings
from ..cart import editing, items
from ..cart.editing import LineRequest
from ..cart.items import CartItem


class NotAgain(DomainError):
    """This cannot be bought a second time."""


@dataclass(frozen=True)
class Again:
    """What could not be bought again, or not as much of it."""

    refused: list[tuple[str, DomainError]] = field(default_factory=list)  # titles of lines, and why not
    capped: list[CartItem] = field(default_factory=list)  # lines of which there are no more than this
    limited: list[CartItem] = field(default_factory=list)  # lines of which nobody may order more than this


def buy_again(order: Order, cart: Cart, shop: ShopSettings, now: datetime) -> Again:
    """Put the lines of an order into a cart; tells of which it could not, or not of all pieces."""
    told = Again()
    for line in order.lines:
        before = sum(each.quantity for each in cart.lines)
        try:
            with db.session.begin_nested():
                item = editing.add(cart, _wish(line, cart), shop, now)
        except DomainError as error:
            told.refused.append((line.full_title, error))
            continue
        if item.is_capped:
            told.capped.append(item)
        elif sum(each.quantity for each in item.line.cart.lines) - before < line.quantity:
            told.limited.append(item)
    return told


def _wish(line: OrderLine, cart: Cart) -> LineRequest:
    """What a line asked for, in the words of today's product; raises `NotAgain`."""
    if line.kind is LineKind.ACTIVATION:
        raise NotAgain(_("A card can only be activated once."))
    product = line.product
    if product is None:
        raise NotAgain(_("This product is no longer available."))
    keys = {option.label: option for option in product.options}
    answers: dict[str, str] = {}
    uploads: dict[str, str] = {}
    for said in line.options:
        option = keys.get(said["label"])
        if option is None:
            raise NotAgain(_("This product's options have changed. Choose them on the product page."))
        (uploads if option.kind is OptionKind.PICTURE else answers)[option.key] = said["value"]
    return LineRequest(product, line.quantity, answers, uploads, **_artwork(line, cart))


def _artwork(line: OrderLine, cart: Cart) -> dict[str, Any]:
    """The design of a line of cards; own pictures go along as pictures, because the design made of them is private."""
    design = line.design
    if design is None:
        return {}
    if design.front_picture in line.pictures and not items.can_order_design(design, cart.user_id):
        return {"front_picture": design.front_picture, "rear_picture": design.rear_picture}
    return {"design": design}
