"""Buying again: what was ordered once goes into the cart anew, at today's price and through the checks of every day."""

from datetime import datetime
from typing import Any

from ..db import db
from ..errors import DomainError
from ..errors import mark as _
from ..models import Cart, LineKind, OptionKind, Order, OrderLine
from ..settings import ShopSettings
from . import carts
from .carts import Wish


class NotAgain(DomainError):
    """This cannot be bought a second time."""


def buy_again(order: Order, cart: Cart, shop: ShopSettings, now: datetime) -> list[tuple[str, DomainError]]:
    """Put the lines of an order into a cart; gives the titles of those that could not be, and why not."""
    refused = []
    for line in order.lines:
        try:
            with db.session.begin_nested():
                carts.add(cart, _wish(line, cart), shop, now)
        except DomainError as error:
            refused.append((line.full_title, error))
    return refused


def _wish(line: OrderLine, cart: Cart) -> Wish:
    """What a line asked for, in the words of today's product; raises `NotAgain`."""
    if line.kind is LineKind.ACTIVATION:
        raise NotAgain(_("A card is activated once."))
    product = line.product
    if product is None:
        raise NotAgain(_("This product is not sold any more."))
    keys = {option.label: option for option in product.options}
    answers: dict[str, str] = {}
    uploads: dict[str, str] = {}
    for said in line.options:
        option = keys.get(said["label"])
        if option is None:
            raise NotAgain(_("This product asks for other details now. Look at its page."))
        (uploads if option.kind is OptionKind.PICTURE else answers)[option.key] = said["value"]
    return Wish(product, line.quantity, answers, uploads, **_artwork(line, cart))


def _artwork(line: OrderLine, cart: Cart) -> dict[str, Any]:
    """The design of a line of cards; own pictures go along as pictures, because the design made of them is private."""
    design = line.design
    if design is None:
        return {}
    if design.front_picture in line.pictures and not carts.may_order(design, cart.user_id):
        return {"front_picture": design.front_picture, "rear_picture": design.rear_picture}
    return {"design": design}
