"""Form for visitors to share their contact details, with bot protection."""

from typing import Any

from flask_babel import gettext
from flask_babel import lazy_gettext as _
from wtforms import BooleanField, StringField, TextAreaField, ValidationError

from ..models import Profile
from ..services.profiles import leads
from ..services.profiles.leads import CONSENT_LENGTH, NAME_LENGTH, NOTE_LENGTH, Submission
from ..web.bot_protection import StampedForm
from ..web.forms import add_error

STAMP = "lead"


class LeadForm(StampedForm):
    """Name, contact details and consent of a visitor."""

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
                field.data = ""  # a file was submitted instead of a text
        self.profile_id = profile.id
        self.consent_text = consent_text[:CONSENT_LENGTH]
        self.read_stamp(STAMP, profile.id, self.consent_text)

    def submission(self) -> Submission:
        """Return the submitted contact details."""
        return Submission(
            name=self.name.data or "",
            email=self.email.data or "",
            phone=self.phone.data or "",
            note=self.note.data or "",
            region=self.region,
        )

    def validate_consent(self, field: BooleanField) -> None:
        """Require the consent."""
        if not field.data:
            raise ValidationError(gettext("Tick this box to share your contact details."))

    def validate(self, extra_validators: Any = None) -> bool:
        valid = super().validate(extra_validators)
        for error in leads.validation_errors(self.submission()):
            if error.field and not self[error.field].errors:
                add_error(self[error.field], gettext(error.message, **error.params))
                valid = False
        return valid and self.is_slow_enough()
