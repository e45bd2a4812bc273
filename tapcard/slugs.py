"""Slugs: names of pages in URLs, such as `steel-bottle`."""

import re
import unicodedata

PATTERN = re.compile(r"[a-z0-9]+(?:-[a-z0-9]+)*")


def slugify(text: str, max_length: int) -> str:
    """Return a text as a slug: lowercase letters without accents, digits, single hyphens; may be empty."""
    plain = unicodedata.normalize("NFKD", text).encode("ascii", "ignore").decode().lower().replace("'", "")
    return re.sub(r"[^a-z0-9]+", "-", plain).strip("-")[:max_length].strip("-")


def is_slug(text: str, max_length: int) -> bool:
    """Return whether a text is a slug of at most this length."""
    return len(text) <= max_length and PATTERN.fullmatch(text) is not None
