"""Emails of the newsletter and the contact form."""

from flask import current_app
from flask_mail import Message

from .. import mail
from ..db import db
from ..models import Enquiry, Subscriber, SubscriberStatus
from ..services.content import newsletter


@mail.kind("mail.newsletter_confirm")
def newsletter_confirm(subscriber_id: int) -> Message | None:
    """Write it, unless the person confirmed or left meanwhile."""
    subscriber = db.session.get(Subscriber, subscriber_id)
    if subscriber is None or subscriber.status is not SubscriberStatus.PENDING:
        return None
    keys = current_app.extensions["keys"]
    off = mail.link_to("shop.unsubscribe", token=newsletter.unsubscribe_token(subscriber, keys))
    message = mail.compose(
        "newsletter_confirm",
        subscriber.email,
        consent=subscriber.consent_text,
        link=mail.link_to("shop.confirm_subscription", token=newsletter.confirm_token(subscriber, keys)),
        off=off,
        days=newsletter.CONFIRM_WITHIN.days,
    )
    headers = {"List-Unsubscribe": f"<{off}>", "List-Unsubscribe-Post": "List-Unsubscribe=One-Click"}
    message.extra_headers = {**(message.extra_headers or {}), **headers}
    return message


@mail.kind("mail.enquiry")
def enquiry(enquiry_id: int, to: str) -> Message | None:
    """Pass on to the shop what somebody wrote through its form; answering the mail answers that person."""
    found = db.session.get(Enquiry, enquiry_id)
    if found is None:
        return None
    link = mail.link_to("backoffice.enquiry", enquiry_id=found.id) if mail.has_page("backoffice.enquiry") else ""
    return mail.compose("enquiry", to, reply_to=mail.reply_address(found.email), enquiry=found, link=link)
