"""Emails about leads and found cards."""

from flask_mail import Message

from .. import mail
from ..db import db
from ..models import Card, Lead


@mail.kind("mail.lead_received")
def lead_received(lead_id: int) -> Message | None:
    """Tell a holder about a lead; replies go to the person who left it."""
    lead = db.session.get(Lead, lead_id)
    holder = mail.active_user(lead.owner_id) if lead is not None else None
    if lead is None or holder is None or not holder.is_verified or not holder.wants_lead_mail:
        return None
    link = mail.link_to("tap.leads")
    return mail.compose(
        "lead_received", holder.email, reply_to=mail.reply_address(lead.email), user=holder, lead=lead, link=link
    )


@mail.kind("mail.card_found")
def card_found(card_id: int, owner_id: int, message: str, answer_to: str) -> Message | None:
    """Forward a finder's message to the card's owner, unless the card has changed hands; replies go to the finder."""
    card, owner = db.session.get(Card, card_id), mail.active_user(owner_id)
    if card is None or owner is None or card.owner_id != owner_id:
        return None
    link = mail.link_to("tap.card", token=card.token)
    return mail.compose(
        "card_found", owner.email, user=owner, card=card, message=message, answer_to=answer_to, link=link
    )
