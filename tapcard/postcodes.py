"""Postal codes: what they are called in a country, and their format."""

import re

from .errors import mark as _

PATTERN = re.compile(r"[A-Z0-9](?:[A-Z0-9 -]{0,18}[A-Z0-9])?")
# Countries where every address has a postal code of one format; elsewhere the code is optional.
PATTERNS = {
    "AT": r"\d{4}", "AU": r"\d{4}", "BE": r"\d{4}", "BR": r"\d{5}-?\d{3}", "CA": r"[A-Z]\d[A-Z] ?\d[A-Z]\d",
    "CH": r"\d{4}", "DE": r"\d{5}", "DK": r"\d{4}", "ES": r"\d{5}", "FI": r"\d{5}", "FR": r"\d{5}",
    "GB": r"[A-Z]{1,2}\d[A-Z\d]? ?\d[A-Z]{2}", "IN": r"\d{3} ?\d{3}", "IT": r"\d{5}", "JP": r"\d{3}-?\d{4}",
    "NL": r"\d{4} ?[A-Z]{2}", "NO": r"\d{4}", "PL": r"\d{2}-\d{3}", "PT": r"\d{4}-\d{3}", "SE": r"\d{3} ?\d{2}",
    "US": r"\d{5}(?:-\d{4})?",
}  # fmt: skip
# Local terms for a postal code, with the messages for a missing and an invalid one.
TERMS = {
    "postcode": (
        _("Postcode"), _("Enter a postcode."), _("That postcode isn't valid for %(country)s."), "AU GB GG IM JE NZ"
    ),
    "zip": (
        _("ZIP code"), _("Enter a ZIP code."), _("That ZIP code isn't valid for %(country)s."), "AS GU MP PR US VI"
    ),
}  # fmt: skip
DEFAULT_TERMS = (
    _("Postal code"), _("Enter a postal code."), _("That postal code isn't valid for %(country)s.")
)  # fmt: skip


def terms(country: str) -> tuple[str, str, str]:
    """Return the local term for a postal code, and the messages for a missing and an invalid one."""
    for name, missing, invalid, codes in TERMS.values():
        if country in codes.split():
            return name, missing, invalid
    return DEFAULT_TERMS


def is_required(country: str) -> bool:
    """Return whether every address of a country has a postal code."""
    return country in PATTERNS


def is_valid(code: str, country: str) -> bool:
    """Return whether a code in capitals has the country's format, where known."""
    pattern = PATTERNS.get(country)
    return (re.fullmatch(pattern, code, re.ASCII) if pattern else PATTERN.fullmatch(code)) is not None
