"""Forms for registering cards and blocking domains."""

from collections.abc import Sequence
from typing import Any

from flask_babel import lazy_gettext as _
from wtforms import HiddenField, RadioField, SelectChoice, SelectField, StringField
from wtforms.validators import DataRequired, Length, Optional, Regexp

from ..models import ClaimPolicy, Design
from ..models.cards import HOST_LENGTH, MAX_TOKEN_LENGTH
from ..web.forms import Form

NO_DESIGN = 0


class RegisterForm(Form):
    """A blank card to register."""

    token = StringField(
        _("Token"),
        [
            DataRequired(_("Enter the card's token.")),
            Length(max=MAX_TOKEN_LENGTH, message=_("Enter %(max)d characters or fewer.")),
            Regexp(r"[0-9A-Za-z]+\Z", message=_("Use letters and numbers only.")),
        ],
        description=_("The last part of the card's tap URL."),
        render_kw={"autocomplete": "off", "autocapitalize": "characters", "spellcheck": "false"},
    )
    design = SelectField(_("Design"), coerce=int)
    policy = RadioField(
        _("How it can be claimed"),
        choices=[
            SelectChoice(ClaimPolicy.CODE.value, _("With a claim code")),
            SelectChoice(ClaimPolicy.OPEN.value, _("Without a code, for cards handed out in person")),
            SelectChoice(ClaimPolicy.PAY.value, _("By paying for activation")),
        ],
        default=ClaimPolicy.CODE.value,
    )

    def __init__(self, designs: Sequence[Design], *args: Any, **kwargs: Any) -> None:
        super().__init__(*args, **kwargs)
        self.design.choices = [
            SelectChoice(NO_DESIGN, _("No design")),
            *(SelectChoice(design.id, design.name) for design in designs),
        ]


class BlockHostForm(Form):
    """A domain to block as a card target."""

    host = StringField(
        _("Domain"),
        [
            DataRequired(_("Enter a domain.")),
            Length(max=HOST_LENGTH, message=_("Enter %(max)d characters or fewer.")),
        ],
        description=_("For example, example.com. Its subdomains are blocked too."),
    )
    reason = StringField(_("Reason"), [Optional(), Length(max=200, message=_("Enter %(max)d characters or fewer."))])


class UnblockHostForm(Form):
    """A button that unblocks a domain."""

    host = HiddenField(validators=[DataRequired(), Length(max=HOST_LENGTH)])
