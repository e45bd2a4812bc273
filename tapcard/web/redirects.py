"""Where a visitor goes on to: `next` is only ever a plain path of this site."""

import re
import unicodedata
from urllib.parse import unquote, urlsplit

from flask import current_app, request

LONGEST = 2000
MOST_DECODINGS = 4
LEADS_AWAY = re.compile(r"/(t|q|card)(/|$)", re.IGNORECASE)  # a tap goes wherever the card's holder likes
# control, format, surrogate, private, unassigned, line and paragraph separators
UNSEEN = ("Cc", "Cf", "Cs", "Co", "Cn", "Zl", "Zp")


def safe_next(raw: str | None) -> str | None:
    """A path of this site that is safe to redirect to; None for anything else.

    A path is looked at as it came and as often decoded and normalised as a browser, a proxy or a framework on the way
    might do it; each form has to be a plain path.
    """
    if not raw or len(raw) > LONGEST:
        return None
    text = raw
    for _time in range(MOST_DECODINGS):
        if not _is_plain_path(text):
            return None
        decoded = unicodedata.normalize("NFKC", unquote(text))
        if decoded == text:
            return raw
        text = decoded
    return None


def asked_next() -> str | None:
    """The `next` of this request, from its form or its query, if it is safe."""
    return safe_next(request.form.get("next")) or safe_next(request.args.get("next"))


def next_url(default: str) -> str:
    """Where to go after this request: its safe `next`, else the default."""
    return asked_next() or default


def own_hosts() -> frozenset[str]:
    """The hosts under which this site is known."""
    return frozenset({urlsplit(current_app.config["SITE_URL"]).netloc, request.host})


def _is_plain_path(text: str) -> bool:
    if not text.startswith("/") or "\\" in text:
        return False
    if any(unicodedata.category(character) in UNSEEN for character in text):
        return False
    path = text.partition("?")[0].partition("#")[0]
    return "//" not in "".join(path.split()) and not LEADS_AWAY.match(path)
