"""Forms to claim, edit and release a card."""

from typing import Any

from flask_babel import lazy_gettext as _
from wtforms import BooleanField, RadioField, SelectChoice, SelectField, StringField, SubmitField
from wtforms.validators import DataRequired, Length, Optional

from ..models import Target
from ..models.cards import ALIAS_LENGTH, URL_LENGTH
from ..models.profiles import Profile
from ..services.cards.claims import CLAIM_CODE_LENGTH
from ..web.forms import Form


class ClaimForm(Form):
    """Form to enter the claim code from the insert."""

    code = StringField(
        _("Claim code"),
        [
            DataRequired(_("Enter the claim code from the insert.")),
            Length(max=20, message=_("Claim codes have %(count)d characters.", count=CLAIM_CODE_LENGTH)),
        ],
        description=_(
            "%(count)d letters and numbers, printed on the insert that came with your card.", count=CLAIM_CODE_LENGTH
        ),
        render_kw={"autocomplete": "off", "autocapitalize": "characters", "spellcheck": "false"},
    )


class OpenClaimForm(Form):
    """Form with a button only, for cards that need no claim code."""


class CardForm(Form):
    """Form for the name and the destination of a card."""

    alias = StringField(
        _("Card name"),
        [Optional(), Length(max=ALIAS_LENGTH, message=_("Enter %(max)d characters or fewer."))],
        description=_("Only you can see this. For example, “Everyday”."),
    )
    target = RadioField(
        _("Tapping this card opens"),
        choices=[
            SelectChoice(Target.URL.value, _("A web address")),
            SelectChoice(Target.PROFILE.value, _("My profile")),
        ],
        validators=[DataRequired(_("Choose what this card opens."))],
    )
    reroute_url = StringField(
        _("Web address"),
        [Optional(), Length(max=URL_LENGTH, message=_("Enter %(max)d characters or fewer."))],
        description=_("Used when “A web address” is selected. You can also use mailto:, tel: and sms: links."),
        render_kw={"inputmode": "url", "autocapitalize": "off", "autocomplete": "url", "spellcheck": "false"},
    )
    profile = SelectField(
        _("Profile"), coerce=int, validate_choice=True, description=_("Used when “My profile” is selected.")
    )

    def __init__(self, profiles: list[Profile], *args: Any, **kwargs: Any) -> None:
        super().__init__(*args, **kwargs)
        self.profile.choices = [SelectChoice(profile.id, profile.name) for profile in profiles] or [
            SelectChoice(0, _("Create a new profile"))
        ]
        if self.profile.data is None and not self.profile.raw_data:
            self.profile.data = self.profile.choices[0].value
            self.profile.process_errors = []


class ReleaseForm(Form):
    """Form to confirm the release of a card."""

    sure = BooleanField(_("Yes, release this card"), [DataRequired(_("Tick this box to continue."))])
    submit = SubmitField(_("Release card"))
