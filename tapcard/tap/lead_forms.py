"""The form on which visitors leave their contact, with what keeps robots from it."""

from datetime import datetime
from typing import Any

from flask_babel import gettext
from flask_babel import lazy_gettext as _
from wtforms import BooleanField, StringField, TextAreaField, ValidationError

from ..models import Profile
from ..services.profiles import leads
from ..services.profiles.leads import CONSENT_LENGTH, NAME_LENGTH, NOTE_LENGTH
from ..web import bot_protection
from ..web.bot_protection import StampedForm
from ..web.forms import add_error

STAMP = "lead"


class LeadForm(StampedForm):
    """A visitor's name, how to reach them, and what they agree to."""

    name = StringField(_("Your name"), render_kw={"autocomplete": "name", "maxlength": NAME_LENGTH})
    email = StringField(_("Your email"), render_kw={"type": "email", "autocomplete": "email", "maxlength": 254})
    phone = StringField(_("Your phone number"), render_kw={"type": "tel", "autocomplete": "tel", "maxlength": 60})
    note = TextAreaField(_("Note"), render_kw={"maxlength": NOTE_LENGTH, "rows": 3})
    consent = BooleanField(_("I agree"))

    def __init__(self, profile: Profile, consent_text: str, region: str, **kwargs: Any) -> None:
        super().__init__(**kwargs)
        self.region = region
        for field in self:
            if isinstance(field, StringField) and not isinstance(field.data, str):
                field.data = ""  # a file, sent where a text belongs
        self.profile_id = profile.id
        self.consent_text = consent_text[:CONSENT_LENGTH]
        self.read_stamp(STAMP, profile.id, self.consent_text)

    def validate_consent(self, field: BooleanField) -> None:
        """Demand the consent."""
        if not field.data:
            raise ValidationError(gettext("Tick this box to share your contact details."))

    def validate(self, extra_validators: Any = None) -> bool:
        valid = super().validate(extra_validators)
        texts = {name: self[name].data or "" for name in ("name", "email", "phone", "note")}
        for error in leads.validation_errors(**texts, region=self.region):
            if error.field and not self[error.field].errors:
                add_error(self[error.field], gettext(error.message, **error.params))
                valid = False
        return valid and self.is_slow_enough()


def make_stamp(profile_id: int, consent_text: str, now: datetime) -> str:
    """Sign when a form was shown, whose profile it belongs to, and the consent it asks for."""
    return bot_protection.make_stamp(STAMP, now, profile_id, consent_text)
