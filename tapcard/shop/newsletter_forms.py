"""Form to sign up for the newsletter."""

from typing import Any

from flask_babel import gettext
from flask_babel import lazy_gettext as _
from wtforms import EmailField, HiddenField, StringField
from wtforms.validators import DataRequired, Length, ValidationError

from .. import email_addresses
from ..clock import utcnow
from ..email_addresses import MAX_EMAIL_LENGTH
from ..web import bot_protection
from ..web.forms import Form

STAMP = "newsletter"


def is_email(form: Form, field: Any) -> None:
    """Raise `ValidationError` unless the field holds an email address."""
    try:
        email_addresses.normalize(field.data)
    except email_addresses.InvalidEmail as error:
        raise ValidationError(gettext(error.message, **error.params)) from None


class SubscribeForm(Form):
    """Form to sign up for the newsletter: an email address and the consent text."""

    email = EmailField(
        _("Your email"),
        [
            DataRequired(_("Enter your email address.")),
            Length(max=MAX_EMAIL_LENGTH, message=_("Enter %(max)d characters or fewer.")),
            is_email,
        ],
        render_kw={"autocomplete": "email"},
    )
    homepage = StringField(  # honeypot: hidden from people, filled in by bots
        _("Leave this field empty"), render_kw={"autocomplete": "off", "tabindex": "-1", "maxlength": 200}
    )
    stamp = HiddenField()

    def __init__(self, consent_text: str, **kwargs: Any) -> None:
        super().__init__(**kwargs)
        self.consent_text = consent_text
        self.is_of_now = bot_protection.shown_at(STAMP, self.stamp.data, utcnow(), consent_text) is not None
        if not self.is_of_now:
            self.stamp.data = bot_protection.make_stamp(STAMP, utcnow(), consent_text)

    @property
    def is_from_bot(self) -> bool:
        """Return whether the honeypot field was filled in."""
        return bool(self.homepage.data)

    def validate(self, extra_validators: Any = None) -> bool:
        valid = super().validate(extra_validators)
        if valid and not self.is_of_now:  # the stored consent must be the text that was shown
            self.form_errors.append(gettext("Please read what you're agreeing to and submit the form again."))
            return False
        return valid
