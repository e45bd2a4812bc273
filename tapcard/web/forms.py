"""What every form shares: clean input, and refusals shown beside their field."""

import re
import unicodedata
from collections.abc import Iterator
from contextlib import contextmanager
from typing import Any

from flask import request
from flask_babel import gettext, lazy_gettext
from flask_wtf import FlaskForm
from werkzeug.datastructures import MultiDict
from wtforms import Field, PasswordField, StringField, TextAreaField
from wtforms import FileField as WTFormsFileField
from wtforms.validators import ValidationError

from .. import email_addresses
from ..db import db
from ..errors import DomainError

ALLOWED_CONTROLS = "\r\n\t"

# Names stand in our mails: nobody shall send a stranger an advertisement through the sign-up form.
LOOKS_LIKE_A_LINK = re.compile(r"://|www\.|[@<>]", re.IGNORECASE)
TURNS_TEXT_ROUND = re.compile("[\u202a-\u202e\u2066-\u2069]")


def has_controls(text: str, allowed: str = "") -> bool:
    """Whether a text carries characters nobody types on purpose."""
    return any(unicodedata.category(each) in ("Cc", "Cs", "Co") and each not in allowed for each in text)


class Form(FlaskForm):
    """A form whose text fields come stripped, and without control characters."""

    class Meta(FlaskForm.Meta):
        def bind_field(self, form: Any, unbound_field: Any, options: dict[str, Any]) -> Any:
            if issubclass(unbound_field.field_class, StringField) and unbound_field.field_class is not PasswordField:
                more = unbound_field.kwargs.get("filters", ())
                unbound_field.kwargs["filters"] = [strip, *(each for each in more if each is not strip)]
            return unbound_field.bind(form=form, **options)

        def wrap_formdata(self, form: Any, formdata: Any) -> Any:
            """Take what was sent, but a file only where the form asks for one."""
            sent = super().wrap_formdata(form, formdata)
            if sent is None or not request.files:
                return sent
            fields = form._unbound_fields  # noqa: SLF001  no form has its fields yet when this is asked
            asked = {name for name, field in fields if issubclass(field.field_class, WTFormsFileField)}
            pairs = sent.items(multi=True)
            return MultiDict((key, value) for key, value in pairs if isinstance(value, str) or key in asked)

    def validate(self, extra_validators: Any = None) -> bool:
        valid = bool(super().validate(extra_validators))
        for field in self:
            allowed = ALLOWED_CONTROLS if isinstance(field, TextAreaField) else ""
            if isinstance(field, StringField) and isinstance(field.data, str) and has_controls(field.data, allowed):
                add_error(field, lazy_gettext("This contains characters that aren't allowed here."))
                valid = False
        return valid


def strip(value: Any) -> Any:
    """Take the blanks off both ends of a text."""
    return value.strip() if isinstance(value, str) else value


def add_error(field: Field, message: Any) -> None:
    """Show a message beside a field that was valid in itself."""
    field.errors = [*field.errors, message]


@contextmanager
def refusals(form: FlaskForm) -> Iterator[None]:
    """Turn a rule's refusal into an error of the form; what the rule had begun is rolled back."""
    try:
        yield
    except DomainError as error:
        db.session.rollback()
        message = gettext(error.message, **error.params)
        field = form._fields.get(error.field) if error.field else None
        if field is not None:
            add_error(field, message)
        else:
            form.form_errors.append(message)


def is_email(form: FlaskForm, field: Any) -> None:
    """Refuse what is not an email address."""
    try:
        email_addresses.normalize(field.data)
    except email_addresses.InvalidEmail as error:
        raise ValidationError(gettext(error.message, **error.params)) from None


def is_name(form: FlaskForm, field: Any) -> None:
    """Refuse a link in place of a name, and what nobody can read."""
    if LOOKS_LIKE_A_LINK.search(field.data):
        raise ValidationError(lazy_gettext("Enter a name without links or email addresses."))
    if TURNS_TEXT_ROUND.search(field.data) or not any(character.isalnum() for character in field.data):
        raise ValidationError(lazy_gettext("Enter a name using letters."))
