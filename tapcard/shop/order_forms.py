"""Form for finding an order."""

from flask_babel import lazy_gettext as _
from wtforms import EmailField, StringField
from wtforms.validators import DataRequired, Length

from ..email_addresses import MAX_EMAIL_LENGTH
from ..web.forms import Form

MAX_NUMBER_LENGTH = 40


class FindOrderForm(Form):
    """Form to find an order by its number and email address."""

    number = StringField(
        _("Order number"),
        [
            DataRequired(_("Enter your order number.")),
            Length(max=MAX_NUMBER_LENGTH, message=_("That order number is too long. Check it and try again.")),
        ],
        description=_("For example TC-7F3K-92QX."),
        render_kw={"autocomplete": "off", "autocapitalize": "characters", "spellcheck": "false"},
    )
    email = EmailField(
        _("Email address used for the order"),
        [
            DataRequired(_("Enter your email address.")),
            Length(max=MAX_EMAIL_LENGTH, message=_("Enter %(max)d characters or fewer.")),
        ],
    )
