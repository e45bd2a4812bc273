"""Reordering: the lines of an order go into the cart again, at today's prices and with today's checks."""

from dataclasses import dataclass, field
from typing import Any

from ...context import RuleContext
from ...db import db
from ...errors import DomainError
from ...errors import mark as _
from ...models import Cart, LineKind, OptionKind, Order, OrderLine
from ..cart import editing, items
from ..cart.editing import LineRequest
from ..cart.items import CartItem
from . import replacement


class CannotReorder(DomainError):
    """The line cannot be ordered again."""


@dataclass(frozen=True)
class ReorderResult:
    """The lines that could not be reordered, or only in part."""

    refused: list[tuple[str, DomainError]] = field(default_factory=list)  # line title and reason
    capped: list[CartItem] = field(default_factory=list)  # items capped by stock
    limited: list[CartItem] = field(default_factory=list)  # items capped by the maximum per order


def reorder_lines(order: Order, cart: Cart, context: RuleContext) -> ReorderResult:
    """Put the lines of an order into a cart; return those that were refused or capped."""
    result = ReorderResult()
    for line in order.lines:
        before = sum(row.quantity for row in cart.lines)
        try:
            with db.session.begin_nested():
                item = editing.add(cart, _line_request(line, cart), context, replacement.reservations_for)
        except DomainError as error:
            result.refused.append((line.full_title, error))
            continue
        if item.is_capped:
            result.capped.append(item)
        elif sum(row.quantity for row in item.line.cart.lines) - before < line.quantity:
            result.limited.append(item)
    return result


def _line_request(line: OrderLine, cart: Cart) -> LineRequest:
    """Return the request for a line by today's product; raises `CannotReorder`."""
    if line.kind is LineKind.ACTIVATION:
        raise CannotReorder(_("A card can only be activated once."))
    product = line.product
    if product is None:
        raise CannotReorder(_("This product is no longer available."))
    keys = {option.label: option for option in product.options}
    answers: dict[str, str] = {}
    uploads: dict[str, str] = {}
    for answer in line.options:
        option = keys.get(answer["label"])
        if option is None:
            raise CannotReorder(_("This product's options have changed. Choose them on the product page."))
        (uploads if option.kind is OptionKind.PICTURE else answers)[option.key] = answer["value"]
    return LineRequest(product, line.quantity, answers, uploads, **_artwork(line, cart))


def _artwork(line: OrderLine, cart: Cart) -> dict[str, Any]:
    """Return the design of a line of cards, or its pictures if the design made of them is private."""
    design = line.design
    if design is None:
        return {}
    if design.front_picture in line.pictures and not items.can_order_design(design, cart.user_id):
        return {"front_picture": design.front_picture, "rear_picture": design.rear_picture}
    return {"design": design}
