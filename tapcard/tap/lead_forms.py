"""The form on which visitors leave their contact, with what keeps robots from it."""

from datetime import datetime
from typing import Any

from flask import current_app
from flask_babel import gettext
from flask_babel import lazy_gettext as _
from itsdangerous import BadSignature, URLSafeSerializer
from wtforms import BooleanField, HiddenField, StringField, TextAreaField, ValidationError

from ..clock import utcnow
from ..models import Profile
from ..services import leads
from ..services.leads import CONSENT_LENGTH, NAME_LENGTH, NOTE_LENGTH
from ..web.forms import Form, add_error

SHORTEST_SECONDS = 2  # nobody types a name in less
LONGEST_SECONDS = 24 * 60 * 60


class LeadForm(Form):
    """A visitor's name, how to reach them, and what they agree to."""

    name = StringField(_("Your name"), render_kw={"autocomplete": "name", "maxlength": NAME_LENGTH})
    email = StringField(_("Your e-mail"), render_kw={"type": "email", "autocomplete": "email", "maxlength": 254})
    phone = StringField(_("Your phone"), render_kw={"type": "tel", "autocomplete": "tel", "maxlength": 60})
    note = TextAreaField(_("Note"), render_kw={"maxlength": NOTE_LENGTH, "rows": 3})
    consent = BooleanField(_("I agree"))
    homepage = StringField(  # people do not see it, robots fill it in
        _("Leave this empty"), render_kw={"autocomplete": "off", "tabindex": "-1", "maxlength": 200}
    )
    stamp = HiddenField()

    def __init__(self, profile: Profile, consent_text: str, region: str, **kwargs: Any) -> None:
        super().__init__(**kwargs)
        self.region = region
        for field in self:
            if isinstance(field, StringField) and not isinstance(field.data, str):
                field.data = ""  # a file, sent where a text belongs
        self.profile_id = profile.id
        self.consent_text = consent_text[:CONSENT_LENGTH]
        self.shown_at = self._read_stamp()
        if self.shown_at is None:
            self.stamp.data = make_stamp(profile.id, self.consent_text, utcnow())

    @property
    def is_by_a_robot(self) -> bool:
        """Whether something filled in what people do not see."""
        return bool(self.homepage.data)

    def validate_consent(self, field: BooleanField) -> None:
        """Demand the consent."""
        if not field.data:
            raise ValidationError(gettext("Without this your contact cannot be passed on."))

    def validate(self, extra_validators: Any = None) -> bool:
        valid = super().validate(extra_validators)
        texts = {name: self[name].data or "" for name in ("name", "email", "phone", "note")}
        for error in leads.refusals(**texts, region=self.region):
            if error.field and not self[error.field].errors:
                add_error(self[error.field], gettext(error.message, **error.params))
                valid = False
        if valid and not self._is_old_enough():
            self.form_errors.append(gettext("That was quick. Look over what you typed, then press the button again."))
            return False
        return valid

    def _is_old_enough(self) -> bool:
        return self.shown_at is not None and (utcnow() - self.shown_at).total_seconds() >= SHORTEST_SECONDS

    def _read_stamp(self) -> datetime | None:
        """When this form with this very consent was shown; None for a stamp that is forged, old, or another's."""
        try:
            profile_id, text, seconds = _signer().loads(self.stamp.data or "")
            shown_at = datetime.fromtimestamp(seconds, utcnow().tzinfo)
        except (BadSignature, ValueError, TypeError):
            return None
        age = (utcnow() - shown_at).total_seconds()
        is_ours = profile_id == self.profile_id and text == self.consent_text
        return shown_at if is_ours and age < LONGEST_SECONDS else None


def make_stamp(profile_id: int, consent_text: str, now: datetime) -> str:
    """Sign when a form was shown, whose profile it belongs to, and the consent it asks for."""
    return str(_signer().dumps([profile_id, consent_text, now.timestamp()]))


def _signer() -> URLSafeSerializer:
    config = current_app.config
    secrets = [*reversed(config["SECRET_KEY_FALLBACKS"]), config["SECRET_KEY"]]  # the newest signs
    return URLSafeSerializer(secrets, salt="lead-form")
