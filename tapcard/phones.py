"""Phone numbers: parsed by country, stored in E.164, shown in international format."""

import unicodedata

import phonenumbers
from phonenumbers import NumberParseException, PhoneNumberFormat, ValidationResult

from .errors import DomainError
from .errors import mark as _


class InvalidPhone(DomainError):
    """The text is not a phone number."""

    status = 422


def clean(text: str, region: str, *, field: str = "phone") -> str | None:
    """Return a typed phone number in E.164, or None for blank text; numbers without country code are of `region`.

    Raises `InvalidPhone` for `field`.
    """
    text = text.replace("\r\n", "\n").strip()
    if any(unicodedata.category(character) in ("Cc", "Cs") for character in text):
        raise InvalidPhone(_("This contains characters that aren't allowed here."), field=field)
    if not text:
        return None
    try:
        number = phonenumbers.parse(text, region)
    except NumberParseException:
        number = None
    # only by length, because the library lags behind newly assigned number ranges
    is_possible = phonenumbers.is_possible_number_with_reason(number) if number else None
    if number is None or number.extension or is_possible != ValidationResult.IS_POSSIBLE:
        raise InvalidPhone(
            _("Enter a valid phone number with its country code, such as +44 20 7946 0000."), field=field
        )
    return phonenumbers.format_number(number, PhoneNumberFormat.E164)


def display(number: str) -> str:
    """Return a stored phone number in international format: +44 20 7946 0000."""
    try:
        return phonenumbers.format_number(phonenumbers.parse(number, None), PhoneNumberFormat.INTERNATIONAL)
    except NumberParseException:
        return number
