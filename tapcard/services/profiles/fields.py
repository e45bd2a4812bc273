"""Text fields of a profile: lengths, validation and normalisation."""

import unicodedata
from collections.abc import Mapping

from email_validator import EmailNotValidError, validate_email

from ... import phones
from ...errors import DomainError
from ...errors import mark as _
from ...models import SOCIALS
from ...models.profiles import SLUG_LENGTH
from ...slugs import is_slug
from ..cards import target_urls
from . import social_handles

MAX_LENGTHS = {"name": 60, "headline": 80, "company": 80, "bio": 1000, "address": 300}
MULTILINE_FIELDS = ("bio", "address")
PHONE_FIELDS = ("phone", "whatsapp")
TEXT_FIELDS = (*MAX_LENGTHS, "slug", "email", *PHONE_FIELDS, "website", *SOCIALS)
# the owner may hide these on the page and in the vCard
HIDEABLE_FIELDS = (*PHONE_FIELDS, "email", "website", "address", *SOCIALS)
MIN_SLUG_LENGTH = 3
# fmt: off
RESERVED_SLUGS = frozenset([
    "about", "account", "accounts", "activate", "admin", "administrator", "api", "app", "assets", "auth",
    "backoffice", "billing", "blog", "card", "cards", "cart", "checkout", "contact", "dashboard", "dev", "edit",
    "event", "events", "help", "home", "index", "info", "legal", "log-in", "log-out", "login", "logout", "mail",
    "me", "new", "news", "null", "official", "order", "orders", "owner", "pay", "payment", "payments", "privacy",
    "profile", "profiles", "register", "root", "security", "settings", "shop", "sign-in", "sign-out", "sign-up",
    "signin", "signup", "slug", "staff", "static", "status", "store", "support", "system", "tapcard", "team",
    "terms", "test", "undefined", "uploads", "user", "users", "verify", "webmaster", "well-known", "www",
])
# fmt: on


class InvalidField(DomainError):
    """The value of a field is not allowed on a profile."""

    status = 422


def clean_all(submitted: Mapping[str, str], region: str) -> dict[str, str | None]:
    """Return the cleaned values of all text fields; missing ones are empty, unknown ones are ignored."""
    return {field: clean(field, submitted.get(field) or "", region) for field in TEXT_FIELDS}


def clean(field: str, text: str, region: str) -> str | None:
    """Return the cleaned value of a field, None if it is empty; phone numbers without country code are of `region`.

    Raises `InvalidField`, `InvalidUrl` or `InvalidHandle`.
    """
    text = text.replace("\r\n", "\n").strip()
    if any(
        unicodedata.category(character) in ("Cc", "Cs") and (character not in "\n\t" or field not in MULTILINE_FIELDS)
        for character in text
    ):
        raise InvalidField(_("This contains characters that aren't allowed here."), field=field)
    if field == "name" and all(unicodedata.category(character) in ("Cf", "Zs") for character in text):
        raise InvalidField(_("Enter a name."), field=field)
    if not text:
        return None
    if field in MAX_LENGTHS:
        return _clean_text(field, text)
    if field in PHONE_FIELDS:
        try:
            return phones.clean(text, region, field=field)
        except phones.InvalidPhone as error:
            raise InvalidField(error.message, field=field) from error
    if field in SOCIALS:
        return social_handles.clean(field, text)
    if field == "email":
        return _clean_email(text)
    if field == "website":
        return target_urls.clean_website(text).url
    return _clean_slug(text)


def _clean_text(field: str, text: str) -> str:
    if field not in MULTILINE_FIELDS:
        text = " ".join(text.split())
    if len(text) > MAX_LENGTHS[field]:
        raise InvalidField(_("Enter %(most)s characters or fewer."), field=field, most=MAX_LENGTHS[field])
    return text


def _clean_slug(text: str) -> str:
    slug = text.lower() if text.isascii() else ""
    if len(slug) < MIN_SLUG_LENGTH or not is_slug(slug, SLUG_LENGTH):
        raise InvalidField(
            _("Use %(least)s to %(most)s letters (a to z) and numbers, with single hyphens in between."),
            field="slug",
            least=MIN_SLUG_LENGTH,
            most=SLUG_LENGTH,
        )
    if slug in RESERVED_SLUGS:
        raise InvalidField(_("That address is reserved. Choose another one."), field="slug")
    return slug


def _clean_email(text: str) -> str:
    try:
        return validate_email(text, check_deliverability=False).normalized
    except EmailNotValidError as error:
        raise InvalidField(_("Enter a valid email address."), field="email") from error
