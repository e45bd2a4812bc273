"""Base class of all forms, with clean input, and helpers that show errors next to their field."""

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

from .. import email_addresses, spam
from ..db import db
from ..errors import DomainError

ALLOWED_CONTROLS = "\r\n\t"

TURNS_TEXT_ROUND = re.compile("[\u202a-\u202e\u2066-\u2069]")


def has_controls(text: str, allowed: str = "") -> bool:
    """Return whether a text has control characters other than the allowed ones."""
    return any(unicodedata.category(character) in ("Cc", "Cs", "Co") and character not in allowed for character in text)


class Form(FlaskForm):
    """Base form: strips text fields and rejects control characters."""

    class Meta(FlaskForm.Meta):
        def bind_field(self, form: Any, unbound_field: Any, options: dict[str, Any]) -> Any:
            if issubclass(unbound_field.field_class, StringField) and unbound_field.field_class is not PasswordField:
                filters = unbound_field.kwargs.get("filters", ())
                unbound_field.kwargs["filters"] = [
                    strip,
                    *(text_filter for text_filter in filters if text_filter is not strip),
                ]
            return unbound_field.bind(form=form, **options)

        def wrap_formdata(self, form: Any, formdata: Any) -> Any:
            """Return the submitted data without files for fields that are not file fields."""
            submitted = super().wrap_formdata(form, formdata)
            if submitted is None or not request.files:
                return submitted
            fields = form._unbound_fields  # noqa: SLF001  the form has no fields yet
            file_fields = {name for name, field in fields if issubclass(field.field_class, WTFormsFileField)}
            pairs = submitted.items(multi=True)
            return MultiDict((key, value) for key, value in pairs if isinstance(value, str) or key in file_fields)

    def validate(self, extra_validators: Any = None) -> bool:
        valid = bool(super().validate(extra_validators))
        for field in self:
            allowed = ALLOWED_CONTROLS if isinstance(field, TextAreaField) else ""
            if isinstance(field, StringField) and isinstance(field.data, str) and has_controls(field.data, allowed):
                add_error(field, lazy_gettext("This contains characters that aren't allowed here."))
                valid = False
        return valid


def strip(value: Any) -> Any:
    """Strip whitespace from both ends of a text."""
    return value.strip() if isinstance(value, str) else value


def add_error(field: Field, message: Any) -> None:
    """Add an error message to a field after its validation."""
    field.errors = [*field.errors, message]


@contextmanager
def refusals(form: FlaskForm) -> Iterator[None]:
    """Turn a `DomainError` into an error of the form, and roll back the transaction."""
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
    """Raise `ValidationError` unless the field holds an email address."""
    try:
        email_addresses.normalize(field.data)
    except email_addresses.InvalidEmail as error:
        raise ValidationError(gettext(error.message, **error.params)) from None


def is_name(form: FlaskForm, field: Any) -> None:
    """Raise `ValidationError` for a name that has a link, reverses the text direction or has no letter or digit."""
    if spam.has_link_or_email(field.data):  # names appear in emails, even to strangers
        raise ValidationError(lazy_gettext("Enter a name without links or email addresses."))
    if TURNS_TEXT_ROUND.search(field.data) or not any(character.isalnum() for character in field.data):
        raise ValidationError(lazy_gettext("Enter a name using letters."))
