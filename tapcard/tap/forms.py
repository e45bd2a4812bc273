"""What holders and claimers of cards type."""

from typing import Any

from flask_babel import lazy_gettext as _
from wtforms import BooleanField, RadioField, SelectChoice, SelectField, StringField, SubmitField
from wtforms.validators import DataRequired, Length, Optional

from ..models import Target
from ..models.cards import ALIAS_LENGTH, URL_LENGTH
from ..models.profiles import Profile
from ..web.forms import Form


class ClaimForm(Form):
    """The code from the insert."""

    code = StringField(
        _("Claim code"),
        [
            DataRequired(_("Type the code from the insert.")),
            Length(max=20, message=_("A claim code has 8 characters.")),
        ],
        description=_("8 letters and digits; capitals and spaces do not matter."),
        render_kw={"autocomplete": "off", "autocapitalize": "characters", "spellcheck": "false"},
    )


class OpenClaimForm(Form):
    """One press, for cards handed out in person."""


class CardForm(Form):
    """A card's name and where it leads."""

    alias = StringField(
        _("Name of the card"),
        [Optional(), Length(max=ALIAS_LENGTH, message=_("At most %(max)d characters."))],
        description=_("Only you see it. For example: Everyday."),
    )
    target = RadioField(
        _("A tap opens"),
        choices=[
            SelectChoice(Target.URL.value, _("A web address")),
            SelectChoice(Target.PROFILE.value, _("My profile")),
        ],
        validators=[DataRequired(_("Choose where the card leads."))],
    )
    reroute_url = StringField(
        _("Web address"),
        [Optional(), Length(max=URL_LENGTH, message=_("At most %(max)d characters."))],
        description=_("Counts when “A web address” is chosen. Also mailto:, tel: and sms:."),
        render_kw={"inputmode": "url", "autocapitalize": "off", "autocomplete": "url", "spellcheck": "false"},
    )
    profile = SelectField(
        _("Profile"), coerce=int, validate_choice=True, description=_("Counts when “My profile” is chosen.")
    )

    def __init__(self, profiles: list[Profile], *args: Any, **kwargs: Any) -> None:
        super().__init__(*args, **kwargs)
        self.profile.choices = [SelectChoice(each.id, each.name) for each in profiles] or [
            SelectChoice(0, _("Create a profile next"))
        ]
        if self.profile.data is None and not self.profile.raw_data:
            self.profile.data = self.profile.choices[0].value
            self.profile.process_errors = []


class ReleaseForm(Form):
    """The consent to give a card back."""

    sure = BooleanField(_("Yes, I give this card back"), [DataRequired(_("Tick this to go on."))])
    submit = SubmitField(_("Give the card back"))
