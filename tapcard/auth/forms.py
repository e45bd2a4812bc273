"""What people type about themselves; roles, verification and the like are never among it."""

from datetime import date, timedelta
from typing import Any

from flask_babel import lazy_gettext as _
from wtforms import BooleanField, DateField, EmailField, HiddenField, PasswordField, StringField
from wtforms.validators import DataRequired, InputRequired, Length, Optional, ValidationError

from ..clock import utcnow
from ..email_addresses import MAX_EMAIL_LENGTH
from ..models.users import NAME_LENGTH
from ..services.accounts.credentials import MAX_PASSWORD_LENGTH, MIN_PASSWORD_LENGTH
from ..web.forms import Form, is_email, is_name

TITLE_LENGTH = 20
EARLIEST_BIRTH = date(1900, 1, 1)
AT_MOST = _("Enter %(max)d characters or fewer.")


def _name(label: Any, prompt: Any) -> StringField:
    return StringField(label, [DataRequired(prompt), Length(max=NAME_LENGTH, message=AT_MOST), is_name])


def _email(label: Any) -> EmailField:
    validators = [DataRequired(_("Enter an email address.")), Length(max=MAX_EMAIL_LENGTH, message=AT_MOST), is_email]
    return EmailField(label, validators)


def _new_password(label: Any) -> PasswordField:
    return PasswordField(
        label,
        [
            InputRequired(_("Choose a password.")),
            Length(min=MIN_PASSWORD_LENGTH, message=_("Use at least %(min)d characters.")),
            Length(max=MAX_PASSWORD_LENGTH, message=_("Enter %(max)d characters or fewer.")),
        ],
    )


def _known_password(label: Any) -> PasswordField:
    return PasswordField(
        label, [InputRequired(_("Enter your password.")), Length(max=MAX_PASSWORD_LENGTH, message=AT_MOST)]
    )


class SignUpForm(Form):
    """A new account."""

    first_name = _name(_("First name"), _("Enter your first name."))
    last_name = _name(_("Last name"), _("Enter your last name."))
    email = _email(_("Email"))
    password = _new_password(_("Password"))
    terms = BooleanField(_("I accept the terms"), [DataRequired(_("Accept the terms to continue."))])


class LogInForm(Form):
    """Who somebody is; the address is not checked, because that would be another answer than "wrong"."""

    email = EmailField(
        _("Email"),
        [DataRequired(_("Enter your email address.")), Length(max=MAX_EMAIL_LENGTH, message=AT_MOST)],
    )
    password = _known_password(_("Password"))
    remember = BooleanField(_("Remember me on this device"))


class ForgotPasswordForm(Form):
    """Where to send the link."""

    email = _email(_("Email"))


class SetPasswordForm(Form):
    """A password, through a mailed link."""

    password = _new_password(_("New password"))


class ChangePasswordForm(Form):
    """Another password."""

    current = _known_password(_("Current password"))
    password = _new_password(_("New password"))


class ChangeEmailForm(Form):
    """Another address."""

    email = _email(_("New email"))
    current = _known_password(_("Your password"))


class DetailsForm(Form):
    """How somebody is called."""

    title = StringField(_("Title"), [Optional(), Length(max=TITLE_LENGTH, message=AT_MOST), is_name])
    first_name = _name(_("First name"), _("Enter your first name."))
    last_name = _name(_("Last name"), _("Enter your last name."))
    born_on = DateField(_("Date of birth"), [Optional()])

    def validate_born_on(self, field: Any) -> None:
        # in some zone it is tomorrow already
        if field.data is not None and not EARLIEST_BIRTH <= field.data <= utcnow().date() + timedelta(days=1):
            raise ValidationError(_("Enter a date between 1900 and today."))


# --- two-factor log in ------------------------------------------------------------------------------------------------

LONGEST_CODE = 40
LONGEST_OFFER = 1000


def _code(label: Any) -> StringField:
    return StringField(label, [DataRequired(_("Enter the code.")), Length(max=LONGEST_CODE, message=AT_MOST)])


class ConfirmPasswordForm(Form):
    """The password once more."""

    current = _known_password(_("Your password"))


class SecondFactorForm(Form):
    """A code of the app, or a recovery code."""

    code = _code(_("Code"))


class SetUpTwoFactorForm(Form):
    """The first code of an app; the secret that was shown comes back sealed."""

    offer = HiddenField(validators=[Length(max=LONGEST_OFFER, message=AT_MOST)])
    code = _code(_("Code from your authenticator app"))


class SwitchOffForm(Form):
    """Password and code, to do without them from now on."""

    current = _known_password(_("Your password"))
    code = _code(_("Code from your authenticator app, or a recovery code"))


class DownloadCodesForm(Form):
    """Recovery codes that were just shown, to be sent as a file."""

    codes = HiddenField(validators=[DataRequired(), Length(max=LONGEST_OFFER, message=AT_MOST)])
