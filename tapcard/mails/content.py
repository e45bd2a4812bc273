"""Emails of the newsletter and the contact form."""

from flask import current_app
from flask_mail import Message

from .. import mail
from ..db import db
from ..errors import mark as _
from ..models import Enquiry, Subscriber, SubscriberStatus
from ..services.content import newsletter


@mail.kind("mail.newsletter_confirm", _("Newsletter confirmation"))
def newsletter_confirm(subscriber_id: int) -> Message | None:
    """Ask a subscriber to confirm, unless they have confirmed or unsubscribed already."""
    subscriber = db.session.get(Subscriber, subscriber_id)
    if subscriber is None or subscriber.status is not SubscriberStatus.PENDING:
        return None
    keys = current_app.extensions["keys"]
    unsubscribe_link = mail.link_to("shop.unsubscribe", token=newsletter.unsubscribe_token(subscriber, keys))
    message = mail.compose(
        "newsletter_confirm",
        subscriber.email,
        consent=subscriber.consent_text,
        link=mail.link_to("shop.confirm_subscription", token=newsletter.confirm_token(subscriber, keys)),
        off=unsubscribe_link,
        days=newsletter.CONFIRM_WITHIN.days,
    )
    headers = {"List-Unsubscribe": f"<{unsubscribe_link}>", "List-Unsubscribe-Post": "List-Unsubscribe=One-Click"}
    message.extra_headers = {**(message.extra_headers or {}), **headers}
    return message


@mail.kind("mail.enquiry", _("New message (owner)"))
def enquiry_received(enquiry_id: int, to: str) -> Message | None:
    """Forward a message from the contact form to the shop; replies go to the sender."""
    enquiry = db.session.get(Enquiry, enquiry_id)
    if enquiry is None:
        return None
    link = mail.link_to("backoffice.enquiry", enquiry_id=enquiry.id) if mail.has_page("backoffice.enquiry") else ""
    return mail.compose("enquiry", to, reply_to=mail.reply_address(enquiry.email), enquiry=enquiry, link=link)
