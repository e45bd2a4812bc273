"""Emails about cards: artwork decisions and transfers."""

from flask import current_app
from flask_mail import Message
from sqlalchemy import select

from .. import mail
from ..clock import utcnow
from ..db import db
from ..errors import mark as _
from ..models import CardTransfer, Design, DesignStatus, Order, TransferOutcome, User
from ..services.core import anonymization
from ..services.orders import queries

ORDER_ENDPOINT = "shop.order_link"


@mail.kind("mail.artwork_decided", _("Artwork decision"))
def artwork_decided(design_id: int, order_id: int | None = None) -> Message | None:
    """Tell the customer, or else the owner of a design, whether it was approved, and the reason if it was rejected."""
    design = db.session.get(Design, design_id)
    order = db.session.get(Order, order_id) if order_id is not None else None
    if design is None or design.status is DesignStatus.REQUESTED:
        return None
    owner = design.owner if design.owner is not None and design.owner.is_active else None
    recipient = order.email if order is not None else owner.email if owner is not None else ""
    if not recipient or anonymization.is_erased_email(recipient):
        return None
    name = order.first_name if order is not None else owner.first_name if owner is not None else ""
    has_page = order is not None and ORDER_ENDPOINT in current_app.view_functions
    link = (
        mail.link_to(ORDER_ENDPOINT, token=queries.link_token(order, current_app.extensions["keys"]))
        if order is not None and has_page
        else mail.link_to("tap.dashboard")
    )
    return mail.compose(
        "artwork_decided",
        recipient,
        first_name=name,
        design=design,
        is_approved=design.status is DesignStatus.APPROVED,
        number=order.number if order is not None else "",
        link=link,
        links_to_order=has_page,
    )


@mail.kind("mail.card_offered", _("Card transfer"))
def card_offered(transfer_id: int) -> Message | None:
    """Tell the recipient about an open transfer offer."""
    transfer = db.session.get(CardTransfer, transfer_id)
    sender = mail.active_user(transfer.from_user_id) if transfer is not None else None
    if transfer is None or sender is None or transfer.ended_at is not None or transfer.expires_at <= utcnow():
        return None
    if db.session.scalar(select(User.id).where(User.email == transfer.to_email, ~User.is_active)) is not None:
        return None
    link = mail.link_to("tap.offer", offer_id=transfer.id)
    return mail.compose("card_offered", transfer.to_email, sender=sender, link=link)


@mail.kind("mail.offer_answered", _("Reply to a card transfer"))
def offer_answered(transfer_id: int) -> Message | None:
    """Tell the sender of a transfer offer whether it was accepted."""
    transfer = db.session.get(CardTransfer, transfer_id)
    sender = mail.active_user(transfer.from_user_id) if transfer is not None else None
    if transfer is None or sender is None:
        return None
    is_accepted = transfer.outcome is TransferOutcome.ACCEPTED
    link = mail.link_to("tap.dashboard")
    return mail.compose(
        "offer_answered", sender.email, user=sender, transfer=transfer, is_accepted=is_accepted, link=link
    )
