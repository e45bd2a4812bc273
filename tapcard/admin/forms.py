"""What staff type."""

from collections.abc import Sequence
from typing import Any

from flask_babel import lazy_gettext as _
from wtforms import HiddenField, RadioField, SelectChoice, SelectField, StringField
from wtforms.validators import DataRequired, Length, Optional, Regexp

from ..models import ClaimPolicy, Design
from ..models.cards import HOST_LENGTH, TOKEN_LENGTH
from ..web.forms import Form

NO_DESIGN = 0


class RegisterForm(Form):
    """A blank card in the hand."""

    token = StringField(
        _("Token"),
        [
            DataRequired(_("Type the token of the card.")),
            Length(max=TOKEN_LENGTH, message=_("At most %(max)d characters.")),
            Regexp(r"[0-9A-Za-z]+\Z", message=_("Letters and digits alone.")),
        ],
        description=_("The last part of the card's address."),
        render_kw={"autocomplete": "off", "autocapitalize": "characters", "spellcheck": "false"},
    )
    design = SelectField(_("Design"), coerce=int)
    policy = RadioField(
        _("How it gets its owner"),
        choices=[
            SelectChoice(ClaimPolicy.CODE.value, _("By a claim code")),
            SelectChoice(ClaimPolicy.OPEN.value, _("By one press, for cards handed out in person")),
            SelectChoice(ClaimPolicy.PAY.value, _("By paying for the activation")),
        ],
        default=ClaimPolicy.CODE.value,
    )

    def __init__(self, designs: Sequence[Design], *args: Any, **kwargs: Any) -> None:
        super().__init__(*args, **kwargs)
        self.design.choices = [
            SelectChoice(NO_DESIGN, _("None")),
            *(SelectChoice(design.id, design.name) for design in designs),
        ]


class BlockHostForm(Form):
    """A host no card may lead to."""

    host = StringField(
        _("Host"),
        [
            DataRequired(_("Which host?")),
            Length(max=HOST_LENGTH, message=_("At most %(max)d characters.")),
        ],
        description=_("Like example.com; everything below it is blocked too."),
    )
    reason = StringField(_("Reason"), [Optional(), Length(max=200, message=_("At most %(max)d characters."))])


class UnblockHostForm(Form):
    """One press."""

    host = HiddenField(validators=[DataRequired(), Length(max=HOST_LENGTH)])
