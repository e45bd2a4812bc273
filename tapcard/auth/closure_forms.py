"""Forms to close the account and to choose optional emails."""

from flask_babel import lazy_gettext as _
from wtforms import BooleanField, PasswordField
from wtforms.validators import DataRequired, InputRequired, Length

from ..services.accounts.credentials import MAX_PASSWORD_LENGTH
from ..web.forms import Form


class CloseForm(Form):
    """Close the account: password and a confirmation."""

    current = PasswordField(
        _("Your password"),
        [
            InputRequired(_("Enter your password.")),
            Length(max=MAX_PASSWORD_LENGTH, message=_("Enter %(max)d characters or fewer.")),
        ],
    )
    sure = BooleanField(_("Yes, close my account"), [DataRequired(_("Tick this box to continue."))])


class MailsForm(Form):
    """Optional emails."""

    wants_lead_mail = BooleanField(_("Email me about each new lead"))
    wants_weekly_mail = BooleanField(
        _("Email me a weekly summary"),
        description=_("How often your cards were tapped, every Monday. Weeks without taps or new leads are skipped."),
    )
