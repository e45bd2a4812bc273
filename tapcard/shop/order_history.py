"""The history of an order for its buyer."""

from datetime import datetime

from flask_babel import gettext as _
from flask_login import current_user

from ..models import CancelReason, Order, OrderEvent, OrderMove


def history(order: Order) -> list[tuple[datetime, str, str]]:
    """Return the steps of an order with their time, latest first."""
    return [(event.happened_at, event_label(order, event), "") for event in reversed(order.events)]


def event_label(order: Order, event: OrderEvent) -> str:
    """Return the text for one step; staff are not named."""
    if event.move is OrderMove.CANCEL:
        return cancel_label(order, event)
    if event.move is OrderMove.SHIP and order.carrier:
        return _("Order shipped with %(carrier)s", carrier=order.carrier)
    if event.move is OrderMove.DELIVER and not order.needs_shipping:
        return _("Order completed")
    return {
        OrderMove.PLACE: _("Order placed"),
        OrderMove.PAY: _("Payment received"),
        OrderMove.PROCESS: _("We started preparing your order"),
        OrderMove.SHIP: _("Order shipped"),
        OrderMove.DELIVER: _("Order delivered"),
        OrderMove.EXPIRE: _("Order expired because it wasn't paid in time"),
        OrderMove.REFUND: _("Payment refunded"),
    }[event.move]


def cancel_label(order: Order, event: OrderEvent) -> str:
    """Return the label of a cancellation: by the buyer, by a newer order of the cart, or by the shop."""
    if event.cancel_reason is CancelReason.REPLACED:
        return _("Replaced by a newer order")
    is_buyer = event.actor_id is None or event.actor_id in (order.user_id, current_user.id)
    return _("You cancelled the order") if is_buyer else _("The shop cancelled the order")
