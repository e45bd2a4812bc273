"""Handles on social networks: the syntax that each site allows, and extraction from a profile URL."""

import re
from collections.abc import Callable
from dataclasses import dataclass
from urllib.parse import parse_qs, quote, unquote

from ...errors import DomainError
from ...errors import mark as _

YOUTUBE_PATHS = frozenset({"c", "channel", "embed", "feed", "live", "playlist", "results", "shorts", "user", "watch"})
FACEBOOK_PATHS = frozenset(
    {"events", "groups", "marketplace", "pages", "people", "profile.php", "share", "sharer.php", "story.php", "watch"}
)


class InvalidHandle(DomainError):
    """The text is not a handle of that site."""

    status = 422


class _NotAProfileUrl(Exception):
    """The URL is on the site but is not that of a profile."""


@dataclass(frozen=True)
class Site:
    """A social network and the syntax of its handles."""

    name: str
    hosts: tuple[str, ...]
    pattern: re.Pattern[str]
    url_format: str
    rule: str
    display_format: str = "@{}"
    reserved: frozenset[str] = frozenset()
    read_path: Callable[[list[str], str], str] | None = None


def _linkedin(segments: list[str], _query: str) -> str:
    """Return `ada` for `in/ada`, and `company/obi` unchanged."""
    if len(segments) > 1 and segments[0] == "in":
        return segments[1]
    if len(segments) > 1 and segments[0] in ("company", "school"):
        return f"{segments[0]}/{segments[1]}"
    raise _NotAProfileUrl


def _snapchat(segments: list[str], _query: str) -> str:
    if segments[0] == "add" and len(segments) > 1:
        return segments[1]
    if segments[0].startswith("@"):
        return segments[0]
    raise _NotAProfileUrl


def _tiktok(segments: list[str], _query: str) -> str:
    if segments[0].startswith("@"):
        return segments[0]
    raise _NotAProfileUrl


def _youtube(segments: list[str], _query: str) -> str:
    """Return the handle; old URLs have no @, and other paths are not handles."""
    if segments[0].startswith("@") or segments[0].lower() not in YOUTUBE_PATHS:
        return segments[0]
    raise _NotAProfileUrl


def _facebook(segments: list[str], query: str) -> str:
    """Return the handle, or the number of a page without one."""
    if segments[0] == "profile.php":
        return parse_qs(query).get("id", [""])[0]
    if segments[0] in ("people", "pages", "p") and len(segments) > 1:
        return segments[-1].rpartition("-")[2] if segments[0] == "p" else segments[-1]
    return segments[0]


SITES: dict[str, Site] = {
    "linkedin": Site(
        name="LinkedIn",
        hosts=("linkedin.com",),
        pattern=re.compile(r"(?=.{3,100}$)(?:(?:company|school)/)?(?:[^\W_]|-)+"),
        url_format="https://www.linkedin.com/{}",
        rule=_("LinkedIn usernames have 3 to 100 letters, numbers and hyphens. Yours comes after linkedin.com/in/."),
        display_format="{}",
        read_path=_linkedin,
    ),
    "instagram": Site(
        name="Instagram",
        hosts=("instagram.com", "instagr.am"),
        pattern=re.compile(r"(?!.*\.\.)(?!\.)[A-Za-z0-9_.]{1,30}(?<!\.)"),
        url_format="https://www.instagram.com/{}",
        rule=_("Instagram usernames have up to 30 letters, numbers, full stops and underscores."),
        reserved=frozenset({"p", "reel", "reels", "stories", "explore", "accounts", "tv"}),
    ),
    "snapchat": Site(
        name="Snapchat",
        hosts=("snapchat.com",),
        pattern=re.compile(r"[A-Za-z][A-Za-z0-9._-]{1,13}[A-Za-z0-9]"),
        url_format="https://www.snapchat.com/add/{}",
        rule=_(
            "Snapchat usernames have 3 to 15 letters, numbers, full stops, hyphens and underscores, "
            "and start with a letter."
        ),
        read_path=_snapchat,
    ),
    "x": Site(
        name="X",
        hosts=("x.com", "twitter.com"),
        pattern=re.compile(r"[A-Za-z0-9_]{1,15}"),
        url_format="https://x.com/{}",
        rule=_("X usernames have up to 15 letters, numbers and underscores."),
        reserved=frozenset({"home", "i", "intent", "search", "hashtag", "share", "explore", "settings"}),
    ),
    "tiktok": Site(
        name="TikTok",
        hosts=("tiktok.com",),
        pattern=re.compile(r"[A-Za-z0-9_.]{2,24}(?<!\.)"),
        url_format="https://www.tiktok.com/@{}",
        rule=_("TikTok usernames have 2 to 24 letters, numbers, full stops and underscores."),
        read_path=_tiktok,
    ),
    "youtube": Site(
        name="YouTube",
        hosts=("youtube.com",),
        pattern=re.compile(r"[^\W_][\w.·-]{1,28}[^\W_]"),
        url_format="https://www.youtube.com/@{}",
        rule=_("YouTube handles have 3 to 30 letters, numbers, full stops, hyphens and underscores, after the @."),
        read_path=_youtube,
    ),
    "facebook": Site(
        name="Facebook",
        hosts=("facebook.com", "fb.com", "fb.me"),
        pattern=re.compile(r"[A-Za-z0-9.]{5,50}"),
        url_format="https://www.facebook.com/{}",
        rule=_("Facebook usernames have 5 to 50 letters, numbers and full stops."),
        display_format="{}",
        reserved=FACEBOOK_PATHS,
        read_path=_facebook,
    ),
    "github": Site(
        name="GitHub",
        hosts=("github.com",),
        pattern=re.compile(r"(?=.{1,39}$)[A-Za-z0-9]+(?:-[A-Za-z0-9]+)*"),
        url_format="https://github.com/{}",
        rule=_("GitHub usernames have up to 39 letters, numbers and single hyphens."),
        display_format="{}",
        reserved=frozenset({"orgs", "topics", "settings", "features", "about", "login", "marketplace", "sponsors"}),
    ),
}

_URL = re.compile(r"(?:(?P<scheme>[^/?#]*):)?(?://)?(?P<host>[^/?#]*)/?(?P<path>[^?#]*)(?:\?(?P<query>[^#]*))?(?:#.*)?")


def clean(key: str, text: str) -> str:
    """Return the handle in a typed handle or profile URL; raise `InvalidHandle` for anything else."""
    site = SITES[key]
    try:
        handle = _extract_handle(site, text.strip()).removeprefix("@")
    except _NotAProfileUrl:
        handle = ""
    if not site.pattern.fullmatch(handle) or handle.lower() in {*site.reserved, *site.hosts}:
        raise InvalidHandle(site.rule, field=key)
    return handle


def profile_url(key: str, handle: str) -> str:
    """Return the URL of a profile."""
    if key == "linkedin" and "/" not in handle:
        handle = f"in/{handle}"
    return SITES[key].url_format.format(quote(handle))


def display_handle(key: str, handle: str) -> str:
    """Return a handle as the site displays it."""
    if key == "linkedin" and "/" not in handle:
        handle = f"in/{handle}"
    return SITES[key].display_format.format(handle)


def _extract_handle(site: Site, text: str) -> str:
    if not _is_url(site, text):
        is_path = "/" in text.removeprefix("/")
        return _handle_from_path(site, text, "") if is_path else text.removeprefix("/")
    match = _URL.fullmatch(text)
    if match is None or (match["scheme"] or "https").lower() not in ("http", "https"):
        raise _NotAProfileUrl
    host = match["host"].lower()
    if not any(host == site_host or host.endswith(f".{site_host}") for site_host in site.hosts):
        raise InvalidHandle(_("That address isn't on %(site)s."), field=_key(site), site=site.name)
    return _handle_from_path(site, match["path"], match["query"] or "")


def _is_url(site: Site, text: str) -> bool:
    """Return whether a text is a URL; `ada.obi` is a handle, `ada.obi/x` and `instagram.com` are not."""
    first, slash, _rest = text.partition("/")
    return "://" in text or text.startswith("//") or (bool(slash) and "." in first) or first.lower() in site.hosts


def _handle_from_path(site: Site, path: str, query: str) -> str:
    try:
        segments = [unquote(segment, errors="strict") for segment in path.split("/") if segment]
    except UnicodeDecodeError as error:
        raise _NotAProfileUrl from error
    if not segments:
        raise _NotAProfileUrl
    return site.read_path(segments, query) if site.read_path else segments[0]


def _key(site: Site) -> str:
    return next(key for key, other in SITES.items() if other is site)
