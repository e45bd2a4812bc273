"""Safe redirects: `next` may only be a plain path of this site."""

import re
import unicodedata
from urllib.parse import unquote, urlsplit

from flask import current_app, request

MAX_LENGTH = 2000
MAX_DECODINGS = 4
TAP_PATH = re.compile(r"/(t|q|card)(/|$)", re.IGNORECASE)  # a tap redirects to any address that the card's owner chose
# control, format, surrogate, private, unassigned, line and paragraph separators
INVISIBLE_CATEGORIES = ("Cc", "Cf", "Cs", "Co", "Cn", "Zl", "Zp")


def safe_next(raw: str | None) -> str | None:
    """Return a path of this site if it is safe to redirect to, otherwise None.

    Check the path as it came and repeatedly decoded and normalized, as a browser, a proxy or a framework on the way
    might do; each form has to be a plain path.
    """
    if not raw or len(raw) > MAX_LENGTH:
        return None
    text = raw
    for _attempt in range(MAX_DECODINGS):
        if not _is_plain_path(text):
            return None
        decoded = unicodedata.normalize("NFKC", unquote(text))
        if decoded == text:
            return raw
        text = decoded
    return None


def requested_next() -> str | None:
    """Return the `next` of this request, from its form or its query string, if it is safe."""
    return safe_next(request.form.get("next")) or safe_next(request.args.get("next"))


def next_url(default: str) -> str:
    """Return where to redirect after this request: its safe `next`, otherwise the default."""
    return requested_next() or default


def own_hosts() -> frozenset[str]:
    """Return the host names of this site."""
    return frozenset({urlsplit(current_app.config["SITE_URL"]).netloc, request.host})


def _is_plain_path(text: str) -> bool:
    if not text.startswith("/") or "\\" in text:
        return False
    if any(unicodedata.category(character) in INVISIBLE_CATEGORIES for character in text):
        return False
    path = text.partition("?")[0].partition("#")[0]
    return "//" not in "".join(path.split()) and not TAP_PATH.match(path)
