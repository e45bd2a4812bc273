"""What people type about an order they have placed."""

from flask_babel import lazy_gettext as _
from wtforms import EmailField, StringField
from wtforms.validators import DataRequired, Length

from ..models.users import EMAIL_LENGTH
from ..web.forms import Form

LONGEST_NUMBER = 40


class FindOrderForm(Form):
    """Which order somebody means, and where its mails go."""

    number = StringField(
        _("Order number"),
        [DataRequired(_("Type the number of the order.")), Length(max=LONGEST_NUMBER, message=_("It is shorter."))],
        description=_("It looks like TC-7F3K-92QX."),
        render_kw={"autocomplete": "off", "autocapitalize": "characters", "spellcheck": "false"},
    )
    email = EmailField(
        _("E-mail address of the order"),
        [
            DataRequired(_("Type your e-mail address.")),
            Length(max=EMAIL_LENGTH, message=_("At most %(max)d characters.")),
        ],
    )
