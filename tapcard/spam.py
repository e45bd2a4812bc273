"""Signs of advertising in text that strangers type."""

import re

MAX_LINKS = 2

_LINK = re.compile(
    r"https?:|www\.|(?<![@.\w-])[a-z0-9-]+\.(?:com|net|org|info|biz|ru|cn|top|xyz|shop|online|site|io)\b",
    re.IGNORECASE,
)
_MARKUP = re.compile(r"</?a\b|\[/?(?:url|link)\b", re.IGNORECASE)
_LINK_OR_EMAIL = re.compile(r"://|www\.|[@<>]", re.IGNORECASE)


def is_spam(name: str, message: str) -> bool:
    """Return whether a message looks like spam: with markup, or more than two links."""
    return _MARKUP.search(f"{name} {message}") is not None or len(_LINK.findall(message)) > MAX_LINKS


def has_link(text: str) -> bool:
    """Return whether a text has a web address, even without `https://`."""
    return _LINK.search(text) is not None


def has_link_or_email(name: str) -> bool:
    """Return whether a name has parts of a web or email address, or markup; "J.Net" is a name."""
    return _LINK_OR_EMAIL.search(name) is not None
