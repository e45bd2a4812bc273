"""Emails about leads and found cards."""

from flask_mail import Message

from .. import mail
from ..db import db
from ..errors import mark as _
from ..models import Card, Lead


@mail.kind("mail.lead_received", _("New lead"))
def lead_received(lead_id: int) -> Message | None:
    """Tell the owner of a profile about a lead; replies go to the visitor."""
    lead = db.session.get(Lead, lead_id)
    owner = mail.active_user(lead.owner_id) if lead is not None else None
    if lead is None or owner is None or not owner.is_verified or not owner.wants_lead_mail:
        return None
    link = mail.link_to("tap.leads")
    return mail.compose(
        "lead_received", owner.email, reply_to=mail.reply_address(lead.email), user=owner, lead=lead, link=link
    )


@mail.kind("mail.card_found", _("Found card"))
def card_found(card_id: int, owner_id: int, message: str, answer_to: str) -> Message | None:
    """Send a finder's message to the owner of a card, unless the card has another owner now."""
    card, owner = db.session.get(Card, card_id), mail.active_user(owner_id)
    if card is None or owner is None or card.owner_id != owner_id:
        return None
    link = mail.link_to("tap.card", token=card.token)
    return mail.compose(
        "card_found", owner.email, user=owner, card=card, message=message, answer_to=answer_to, link=link
    )
