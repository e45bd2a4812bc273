"""Account forms; none has a field for roles, verification or the like."""

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
MIN_BIRTH_DATE = date(1900, 1, 1)
TOO_LONG = _("Enter %(max)d characters or fewer.")


def _name(label: Any, prompt: Any) -> StringField:
    return StringField(label, [DataRequired(prompt), Length(max=NAME_LENGTH, message=TOO_LONG), is_name])


def _email(label: Any) -> EmailField:
    validators = [DataRequired(_("Enter an email address.")), Length(max=MAX_EMAIL_LENGTH, message=TOO_LONG), is_email]
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


def _current_password(label: Any) -> PasswordField:
    return PasswordField(
        label, [InputRequired(_("Enter your password.")), Length(max=MAX_PASSWORD_LENGTH, message=TOO_LONG)]
    )


class SignUpForm(Form):
    """Sign up."""

    first_name = _name(_("First name"), _("Enter your first name."))
    last_name = _name(_("Last name"), _("Enter your last name."))
    email = _email(_("Email"))
    password = _new_password(_("Password"))
    terms = BooleanField(_("I accept the terms"), [DataRequired(_("Accept the terms to continue."))])


class LogInForm(Form):
    """Log in; the address is not validated, so that every wrong input gets the same answer."""

    email = EmailField(
        _("Email"),
        [DataRequired(_("Enter your email address.")), Length(max=MAX_EMAIL_LENGTH, message=TOO_LONG)],
    )
    password = _current_password(_("Password"))
    remember = BooleanField(_("Remember me on this device"))


class ForgotPasswordForm(Form):
    """Request a link to set a password."""

    email = _email(_("Email"))


class SetPasswordForm(Form):
    """Set a password through an emailed link."""

    password = _new_password(_("New password"))


class ChangePasswordForm(Form):
    """Change the password."""

    current = _current_password(_("Current password"))
    password = _new_password(_("New password"))


class ChangeEmailForm(Form):
    """Change the email address."""

    email = _email(_("New email"))
    current = _current_password(_("Your password"))


class DetailsForm(Form):
    """Title, names and date of birth."""

    title = StringField(_("Title"), [Optional(), Length(max=TITLE_LENGTH, message=TOO_LONG), is_name])
    first_name = _name(_("First name"), _("Enter your first name."))
    last_name = _name(_("Last name"), _("Enter your last name."))
    born_on = DateField(_("Date of birth"), [Optional()])

    def validate_born_on(self, field: Any) -> None:
        # in some time zone it is already tomorrow
        if field.data is not None and not MIN_BIRTH_DATE <= field.data <= utcnow().date() + timedelta(days=1):
            raise ValidationError(_("Enter a date between 1900 and today."))


# --- two-factor log in ------------------------------------------------------------------------------------------------

MAX_TWO_FACTOR_CODE_LENGTH = 40
MAX_SIGNED_VALUE_LENGTH = 1000


def _code(label: Any) -> StringField:
    return StringField(
        label, [DataRequired(_("Enter the code.")), Length(max=MAX_TWO_FACTOR_CODE_LENGTH, message=TOO_LONG)]
    )


class ConfirmPasswordForm(Form):
    """Confirm the password."""

    current = _current_password(_("Your password"))


class SecondFactorForm(Form):
    """Enter a code of the app, or a recovery code."""

    code = _code(_("Code"))


class SetUpTwoFactorForm(Form):
    """The first code of the app, with the set-up token (field `offer`) that contains the encrypted secret."""

    offer = HiddenField(validators=[Length(max=MAX_SIGNED_VALUE_LENGTH, message=TOO_LONG)])
    code = _code(_("Code from your authenticator app"))


class DisableTwoFactorForm(Form):
    """Password and code, to disable two-factor authentication."""

    current = _current_password(_("Your password"))
    code = _code(_("Code from your authenticator app, or a recovery code"))


class DownloadCodesForm(Form):
    """Recovery codes that were just shown, to download as a file."""

    codes = HiddenField(validators=[DataRequired(), Length(max=MAX_SIGNED_VALUE_LENGTH, message=TOO_LONG)])
