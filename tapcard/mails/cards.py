"""The mail that tells a buyer what became of their own artwork."""

from flask import current_app
from flask_mail import Message

from .. import mail
from ..db import db
from ..models import Design, DesignStatus, Order
from ..services.orders import orders
from ..services.privacy import erasure

ORDER = "shop.order_link"


def write(design_id: int, order_id: int | None = None) -> Message | None:
    """Tell whoever ordered cards of a design, or else whose it is, whether it can be printed, and if not, why."""
    design = db.session.get(Design, design_id)
    order = db.session.get(Order, order_id) if order_id is not None else None
    if design is None or design.status is DesignStatus.REQUESTED:
        return None
    owner = design.owner if design.owner is not None and design.owner.is_active else None
    to = order.email if order is not None else owner.email if owner is not None else ""
    if not to or erasure.is_erased(to):
        return None
    name = order.first_name if order is not None else owner.first_name if owner is not None else ""
    has_page = order is not None and ORDER in current_app.view_functions
    link = (
        mail.link_to(ORDER, token=orders.token_of(order, current_app.extensions["keys"]))
        if order is not None and has_page
        else mail.link_to("tap.dashboard")
    )
    return mail.compose(
        "artwork_decided",
        to,
        first_name=name,
        design=design,
        is_approved=design.status is DesignStatus.APPROVED,
        number=order.number if order is not None else "",
        link=link,
        label_of_order=has_page,
    )
