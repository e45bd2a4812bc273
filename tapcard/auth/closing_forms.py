"""What is asked before an account is closed, and which mails somebody wants."""

from flask_babel import lazy_gettext as _
from wtforms import BooleanField, PasswordField
from wtforms.validators import DataRequired, InputRequired, Length

from ..services.accounts.accounts import LONGEST_PASSWORD
from ..web.forms import Form


class CloseForm(Form):
    """The password, and a tick: nobody closes an account by mistake."""

    current = PasswordField(
        _("Your password"),
        [
            InputRequired(_("Type your password.")),
            Length(max=LONGEST_PASSWORD, message=_("At most %(max)d characters.")),
        ],
    )
    sure = BooleanField(_("Yes, close my account"), [DataRequired(_("Tick this to go on."))])


class MailsForm(Form):
    """Mails that come by themselves."""

    wants_lead_mail = BooleanField(_("A mail for each new lead"))
    wants_weekly_mail = BooleanField(
        _("A weekly mail with figures"),
        description=_(
            "On Mondays, how often your cards were tapped; after a week without taps and contacts none is sent."
        ),
    )
