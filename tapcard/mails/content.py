"""The mail that asks whether somebody really wants the newsletter."""

from flask import current_app
from flask_mail import Message

from .. import mail
from ..db import db
from ..models import Subscriber, SubscriberStatus
from ..services.content import newsletter


def ask_to_confirm(subscriber_id: int) -> Message | None:
    """Write it, unless the person confirmed or left meanwhile."""
    subscriber = db.session.get(Subscriber, subscriber_id)
    if subscriber is None or subscriber.status is not SubscriberStatus.PENDING:
        return None
    keys = current_app.extensions["keys"]
    off = mail.link_to("shop.unsubscribe", token=newsletter.leave_token(subscriber, keys))
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
