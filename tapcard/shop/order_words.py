"""An order's life in sentences, as its buyer may read it."""

from datetime import datetime

from flask_babel import gettext as _
from flask_login import current_user

from ..models import Order, OrderEvent, OrderMove


def history(order: Order) -> list[tuple[datetime, str, str]]:
    """What happened to an order, the latest first."""
    return [(event.happened_at, sentence(order, event), "") for event in reversed(order.events)]


def sentence(order: Order, event: OrderEvent) -> str:
    """One step of an order's life in words; staff are not named."""
    if event.move is OrderMove.CANCEL:
        return canceled(order, event)
    if event.move is OrderMove.SHIP and order.carrier:
        return _("It is on its way with %(carrier)s.", carrier=order.carrier)
    if event.move is OrderMove.DELIVER and not order.needs_shipping:
        return _("Everything is done.")
    return {
        OrderMove.PLACE: _("You placed the order."),
        OrderMove.PAY: _("It is paid."),
        OrderMove.PROCESS: _("We are making and packing it."),
        OrderMove.SHIP: _("It is on its way."),
        OrderMove.DELIVER: _("It has arrived."),
        OrderMove.EXPIRE: _("It was not paid in time, and has ended."),
        OrderMove.REFUND: _("The money went back to you."),
    }[event.move]


def canceled(order: Order, event: OrderEvent) -> str:
    """Why an order was canceled: by its buyer, by a newer one of the same cart, or by the shop."""
    if event.why == "ordered anew":
        return _("A newer order took its place.")
    is_buyer = event.actor_id is None or event.actor_id in (order.user_id, current_user.id)
    return _("You canceled it.") if is_buyer else _("The shop canceled it.")
