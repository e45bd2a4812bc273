"""Contact form with bot protection."""

from typing import Any

from flask_babel import lazy_gettext as _
from wtforms import EmailField, StringField, TextAreaField
from wtforms.validators import DataRequired, Length, Optional

from ..email_addresses import MAX_EMAIL_LENGTH
from ..services.content.enquiries import MAX_MESSAGE_LENGTH, MAX_NAME_LENGTH, MAX_ORDER_LENGTH
from ..web.bot_protection import StampedForm
from .newsletter_forms import is_email

STAMP = "contact"
TOO_LONG = _("Enter %(max)d characters or fewer.")


class ContactForm(StampedForm):
    """Form to send a message to the shop."""

    name = StringField(
        _("Your name"),
        [DataRequired(_("Enter your name.")), Length(max=MAX_NAME_LENGTH, message=TOO_LONG)],
        render_kw={"autocomplete": "name"},
    )
    email = EmailField(
        _("Your email"),
        [DataRequired(_("Enter your email address.")), Length(max=MAX_EMAIL_LENGTH, message=TOO_LONG), is_email],
        render_kw={"autocomplete": "email"},
    )
    order_number = StringField(
        _("Order number"),
        [Optional(), Length(max=MAX_ORDER_LENGTH, message=TOO_LONG)],
        description=_("If your message is about an order, for example TC-7F3K-92QX."),
        render_kw={"autocomplete": "off"},
    )
    message = TextAreaField(
        _("Message"),
        [DataRequired(_("Enter a message."))],
        render_kw={"maxlength": MAX_MESSAGE_LENGTH, "rows": 7},
    )

    def __init__(self, **kwargs: Any) -> None:
        super().__init__(**kwargs)
        self.read_stamp(STAMP)

    def validate(self, extra_validators: Any = None) -> bool:
        return super().validate(extra_validators) and self.is_slow_enough()
