"""Names on other sites: what each site allows, and how an address is trimmed to the name in it."""

import re
from collections.abc import Callable
from dataclasses import dataclass
from urllib.parse import parse_qs, quote, unquote

from ...errors import DomainError
from ...errors import mark as _

YOUTUBE_PAGES = frozenset({"c", "channel", "embed", "feed", "live", "playlist", "results", "shorts", "user", "watch"})
FACEBOOK_PAGES = frozenset(
    {"events", "groups", "marketplace", "pages", "people", "profile.php", "share", "sharer.php", "story.php", "watch"}
)


class BadHandle(DomainError):
    """The text is no name on that site."""

    status = 422


class _NoHandle(Exception):
    """The address is one of the site's, but not somebody's page."""


@dataclass(frozen=True)
class Site:
    """A site where people have pages, and what a name looks like there."""

    name: str
    hosts: tuple[str, ...]
    pattern: re.Pattern[str]
    page: str
    rule: str
    shown: str = "@{}"
    not_people: frozenset[str] = frozenset()
    read_path: Callable[[list[str], str], str] | None = None


def _linkedin(steps: list[str], _query: str) -> str:
    """`in/ada` is Ada, `company/obi` a page that keeps its kind."""
    if len(steps) > 1 and steps[0] == "in":
        return steps[1]
    if len(steps) > 1 and steps[0] in ("company", "school"):
        return f"{steps[0]}/{steps[1]}"
    raise _NoHandle


def _snapchat(steps: list[str], _query: str) -> str:
    if steps[0] == "add" and len(steps) > 1:
        return steps[1]
    if steps[0].startswith("@"):
        return steps[0]
    raise _NoHandle


def _tiktok(steps: list[str], _query: str) -> str:
    if steps[0].startswith("@"):
        return steps[0]
    raise _NoHandle


def _youtube(steps: list[str], _query: str) -> str:
    """Old addresses have no @; what else stands there is no name."""
    if steps[0].startswith("@") or steps[0].lower() not in YOUTUBE_PAGES:
        return steps[0]
    raise _NoHandle


def _facebook(steps: list[str], query: str) -> str:
    """A number names a page too, if it has no name yet."""
    if steps[0] == "profile.php":
        return parse_qs(query).get("id", [""])[0]
    if steps[0] in ("people", "pages", "p") and len(steps) > 1:
        return steps[-1].rpartition("-")[2] if steps[0] == "p" else steps[-1]
    return steps[0]


SITES: dict[str, Site] = {
    "linkedin": Site(
        name="LinkedIn",
        hosts=("linkedin.com",),
        pattern=re.compile(r"(?=.{3,100}$)(?:(?:company|school)/)?(?:[^\W_]|-)+"),
        page="https://www.linkedin.com/{}",
        rule=_("LinkedIn usernames have 3 to 100 letters, digits and hyphens. Yours comes after linkedin.com/in/."),
        shown="{}",
        read_path=_linkedin,
    ),
    "instagram": Site(
        name="Instagram",
        hosts=("instagram.com", "instagr.am"),
        pattern=re.compile(r"(?!.*\.\.)(?!\.)[A-Za-z0-9_.]{1,30}(?<!\.)"),
        page="https://www.instagram.com/{}",
        rule=_("Instagram usernames have up to 30 letters, digits, full stops and underscores."),
        not_people=frozenset({"p", "reel", "reels", "stories", "explore", "accounts", "tv"}),
    ),
    "snapchat": Site(
        name="Snapchat",
        hosts=("snapchat.com",),
        pattern=re.compile(r"[A-Za-z][A-Za-z0-9._-]{1,13}[A-Za-z0-9]"),
        page="https://www.snapchat.com/add/{}",
        rule=_(
            "Snapchat usernames have 3 to 15 letters, digits, full stops, hyphens and underscores, "
            "and start with a letter."
        ),
        read_path=_snapchat,
    ),
    "x": Site(
        name="X",
        hosts=("x.com", "twitter.com"),
        pattern=re.compile(r"[A-Za-z0-9_]{1,15}"),
        page="https://x.com/{}",
        rule=_("X usernames have up to 15 letters, digits and underscores."),
        not_people=frozenset({"home", "i", "intent", "search", "hashtag", "share", "explore", "settings"}),
    ),
    "tiktok": Site(
        name="TikTok",
        hosts=("tiktok.com",),
        pattern=re.compile(r"[A-Za-z0-9_.]{2,24}(?<!\.)"),
        page="https://www.tiktok.com/@{}",
        rule=_("TikTok usernames have 2 to 24 letters, digits, full stops and underscores."),
        read_path=_tiktok,
    ),
    "youtube": Site(
        name="YouTube",
        hosts=("youtube.com",),
        pattern=re.compile(r"[^\W_][\w.·-]{1,28}[^\W_]"),
        page="https://www.youtube.com/@{}",
        rule=_("YouTube handles have 3 to 30 letters, digits, full stops, hyphens and underscores, after the @."),
        read_path=_youtube,
    ),
    "facebook": Site(
        name="Facebook",
        hosts=("facebook.com", "fb.com", "fb.me"),
        pattern=re.compile(r"[A-Za-z0-9.]{5,50}"),
        page="https://www.facebook.com/{}",
        rule=_("Facebook usernames have 5 to 50 letters, digits and full stops."),
        shown="{}",
        not_people=FACEBOOK_PAGES,
        read_path=_facebook,
    ),
    "github": Site(
        name="GitHub",
        hosts=("github.com",),
        pattern=re.compile(r"(?=.{1,39}$)[A-Za-z0-9]+(?:-[A-Za-z0-9]+)*"),
        page="https://github.com/{}",
        rule=_("GitHub usernames have up to 39 letters, digits and single hyphens."),
        shown="{}",
        not_people=frozenset({"orgs", "topics", "settings", "features", "about", "login", "marketplace", "sponsors"}),
    ),
}

_ADDRESS = re.compile(
    r"(?:(?P<scheme>[^/?#]*):)?(?://)?(?P<host>[^/?#]*)/?(?P<path>[^?#]*)(?:\?(?P<query>[^#]*))?(?:#.*)?"
)


def clean(key: str, text: str) -> str:
    """Turn a name or the address of a page into the bare name; raises `BadHandle` for anything else."""
    site = SITES[key]
    try:
        handle = _handle_in(site, text.strip()).removeprefix("@")
    except _NoHandle:
        handle = ""
    if not site.pattern.fullmatch(handle) or handle.lower() in {*site.not_people, *site.hosts}:
        raise BadHandle(site.rule, field=key)
    return handle


def page_of(key: str, handle: str) -> str:
    """The address of somebody's page."""
    if key == "linkedin" and "/" not in handle:
        handle = f"in/{handle}"
    return SITES[key].page.format(quote(handle))


def shown(key: str, handle: str) -> str:
    """A name the way people of the site write it."""
    if key == "linkedin" and "/" not in handle:
        handle = f"in/{handle}"
    return SITES[key].shown.format(handle)


def _handle_in(site: Site, text: str) -> str:
    if not _is_address(site, text):
        is_path = "/" in text.removeprefix("/")
        return _read(site, text, "") if is_path else text.removeprefix("/")
    match = _ADDRESS.fullmatch(text)
    if match is None or (match["scheme"] or "https").lower() not in ("http", "https"):
        raise _NoHandle
    host = match["host"].lower()
    if not any(host == own or host.endswith(f".{own}") for own in site.hosts):
        raise BadHandle(_("That address isn't on %(site)s."), field=_key(site), site=site.name)
    return _read(site, match["path"], match["query"] or "")


def _is_address(site: Site, text: str) -> bool:
    """Whether a text names a site; `ada.obi` is a name, `ada.obi/x` and `instagram.com` are not."""
    first, slash, _rest = text.partition("/")
    return "://" in text or text.startswith("//") or (bool(slash) and "." in first) or first.lower() in site.hosts


def _read(site: Site, path: str, query: str) -> str:
    try:
        steps = [unquote(step, errors="strict") for step in path.split("/") if step]
    except UnicodeDecodeError as error:
        raise _NoHandle from error
    if not steps:
        raise _NoHandle
    return site.read_path(steps, query) if site.read_path else steps[0]


def _key(site: Site) -> str:
    return next(key for key, each in SITES.items() if each is site)
