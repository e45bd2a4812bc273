"""Email addresses: their syntax and the one spelling that is stored."""

from email_validator import EmailNotValidError, validate_email

from .errors import DomainError
from .errors import mark as _

MAX_EMAIL_LENGTH = 254  # RFC 5321


class InvalidEmail(DomainError):
    """The text is not an email address."""

    status = 422
    field = "email"


def normalize(raw: str) -> str:
    """Return the spelling in which an email address is stored; raise `InvalidEmail`."""
    try:
        checked = validate_email(raw.strip(), check_deliverability=False, allow_smtputf8=False, strict=True)
    except EmailNotValidError:
        raise InvalidEmail(_("Enter a valid email address, such as ada@example.com.")) from None
    email = checked.normalized.lower()
    if len(email) > MAX_EMAIL_LENGTH:
        raise InvalidEmail(_("That email address is too long."))
    return email


def fold(raw: str) -> str:
    """Return the spelling to look an address up by; text that is no address is only lowercased."""
    try:
        return normalize(raw)
    except InvalidEmail:
        return raw.strip().lower()
