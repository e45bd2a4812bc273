"""Addresses that holders type: checked, and turned into the wire form that a browser is sent to."""

import ipaddress
import re
import unicodedata
from collections.abc import Collection
from dataclasses import dataclass
from urllib.parse import quote, unquote, urlsplit

import idna
from email_validator import EmailNotValidError, validate_email

from ...errors import DomainError
from ...errors import mark as _

LONGEST = 2000
WEB = ("http", "https")
TAP_PATHS = frozenset({"t", "q", "card", "activate", "find-card", "log-in", "sign-up"})

# What werkzeug keeps as it is in a Location header.
SAFE_IN_PATH = "%!$&'()*+,/:;=@"
SAFE_IN_QUERY = SAFE_IN_PATH + "?"
SAFE_IN_FRAGMENT = SAFE_IN_QUERY + "#"

_SCHEME = re.compile(r"([A-Za-z][A-Za-z0-9+.-]*):(.*)", re.DOTALL)
_PORT_AND_REST = re.compile(r"[0-9]{1,5}(?:[/?#]|$)")
_AUTHORITY = re.compile(r"([^/?#]*)([^?#]*)(?:\?([^#]*))?(?:#(.*))?", re.DOTALL)
_LABEL = re.compile(r"[a-z0-9_](?:[a-z0-9_-]{0,61}[a-z0-9_])?")
_NUMBER = re.compile(r"[0-9]+|0x[0-9a-f]*")
_LONE_PERCENT = re.compile(r"%(?![0-9A-Fa-f]{2})")
_DIALLED = re.compile(r"\+?[0-9]{3,15}")
_DIRECTION_MARKS = frozenset("\u061c\u200e\u200f\u202a\u202b\u202c\u202d\u202e\u2066\u2067\u2068\u2069")


class BadLink(DomainError):
    """The text is not an address a card may lead to."""

    status = 422
    field = "reroute_url"


@dataclass(frozen=True)
class Link:
    """An address in wire form (ASCII, percent-encoded), and its host if it is a web address."""

    url: str
    host: str | None


def clean(text: str, own_hosts: Collection[str] = ()) -> Link:
    """Turn what somebody typed into a link; `own_hosts` are those whose tap addresses would lead round in a circle."""
    text = _printable(text)
    match = _SCHEME.match(text)
    scheme = match[1].lower() if match else ""
    if match and scheme in WEB:
        if not match[2].startswith("//"):
            raise BadLink(_("Enter the full web address, such as https://example.com."))
        link = _web(scheme, match[2][2:])
    elif match and scheme == "mailto":
        link = _mailto(match[2])
    elif match and scheme in ("tel", "sms"):
        link = _dialled(scheme, match[2])
    elif match and not ("." in scheme and _PORT_AND_REST.match(match[2])):
        raise BadLink(_("Start the address with https://, http://, mailto:, tel: or sms:."))
    else:
        link = _bare(text)
    if len(link.url) > LONGEST:
        raise BadLink(_("That address is too long. Use %(most)s characters or fewer."), most=LONGEST)
    if link.host and is_our_tap_url(link.url, own_hosts):
        raise BadLink(_("That address belongs to a card, so taps would go round in circles. Choose another address."))
    return link


def website(text: str) -> Link:
    """Turn what somebody typed into a web address: http or https only."""
    try:
        link = clean(text)
        if link.host is None:
            raise BadLink(_("Enter a web address, such as https://example.com."))
    except BadLink as error:
        raise BadLink(error.message, field="website", **error.params) from error
    return link


def host_of(url: str) -> str | None:
    """The lower-case host of a web address; None for anything else."""
    try:
        parts = urlsplit(url)
        return parts.hostname if parts.scheme in WEB else None
    except ValueError:
        return None


def is_our_tap_url(url: str, own_hosts: Collection[str]) -> bool:
    """Whether a web address is, in any spelling, one that a card carries."""
    host = host_of(url)
    if host is None or host not in {_without_port(own) for own in own_hosts}:
        return False
    path = urlsplit(url).path
    while (decoded := unquote(path)) != path:
        path = decoded
    steps: list[str] = []
    for step in path.lower().replace("\\", "/").split("/"):
        if step == "..":
            del steps[-1:]
        elif step not in ("", "."):
            steps.append(step)
    return not TAP_PATHS.isdisjoint(steps[:-1])


def _without_port(host: str) -> str:
    try:
        return (urlsplit("//" + host.strip().lower()).hostname or "").removesuffix(".")
    except ValueError:
        return ""  # a request may name its host as it likes


def _printable(text: str) -> str:
    text = text.strip().strip("\ufeff\u200b").strip()  # a copied address often brings these along
    if not text:
        raise BadLink(_("Enter an address, such as https://example.com."))
    if len(text) > 2 * LONGEST:
        raise BadLink(_("That address is too long. Use %(most)s characters or fewer."), most=LONGEST)
    for character in text:
        if character in _DIRECTION_MARKS or unicodedata.category(character) in ("Cc", "Cs", "Zl", "Zp"):
            raise BadLink(
                _("That address contains invisible characters. Type it again or copy it from the address bar.")
            )
    return text


def _bare(text: str) -> Link:
    """A web address without its scheme."""
    if text.startswith(("/", "?", "#")) and not text.startswith("//"):
        raise BadLink(_("Enter the full web address, such as https://example.com."))
    authority = re.split(r"[/?#]", text.removeprefix("//"), maxsplit=1)[0]
    if "@" in authority:
        raise BadLink(_("To link to an email address, add mailto: before it."))
    if re.fullmatch(r"[+(0-9][0-9 ()./-]{4,}", text) and not re.fullmatch(r"[0-9]+(\.[0-9]+){3}", authority):
        raise BadLink(_("To link to a phone number, add tel: before it."))
    return _web("https", text.removeprefix("//"))


def _web(scheme: str, rest: str) -> Link:
    if "\\" in rest:
        raise BadLink(_("Remove the backslash (\\) from the web address."))
    if any(unicodedata.category(character) == "Zs" for character in rest):
        raise BadLink(_("Remove the spaces from the web address."))
    match = _AUTHORITY.fullmatch(rest)
    assert match  # every part may be empty
    authority, path, query, fragment = match.groups()
    if "@" in authority:
        raise BadLink(_("Remove the username and password from the address."))
    bracketed = re.fullmatch(r"\[([^\[\]]*)\](?::([0-9]*))?", authority)
    if bracketed:
        host, port = _ipv6(bracketed[1]), bracketed[2] or ""
        netloc = f"[{host}]"
    else:
        typed, _colon, port = authority.partition(":")
        host = netloc = _host(typed)
    if port:
        netloc += f":{_port(port)}"
    url = f"{scheme}://{netloc}{_encoded(path, SAFE_IN_PATH)}"
    if query:
        url += "?" + _encoded(query, SAFE_IN_QUERY)
    if fragment:
        url += "#" + _encoded(fragment, SAFE_IN_FRAGMENT)
    return Link(url, host)


def _host(typed: str) -> str:
    wrong = BadLink(
        _("“%(host)s” isn't a valid domain. Enter an address such as https://example.com."), host=typed[:80]
    )
    if not typed:
        raise BadLink(_("The domain is missing. Enter an address such as https://example.com."))
    if len(typed) > 253:
        raise wrong
    try:
        host = typed.lower() if typed.isascii() else idna.encode(typed, uts46=True).decode()
    except UnicodeError as error:
        raise wrong from error
    host = host.removesuffix(".")
    labels = host.split(".")
    if len(host) > 253 or len(labels) < 2 or not all(_LABEL.fullmatch(label) for label in labels):
        raise wrong
    if _NUMBER.fullmatch(labels[-1]):
        # Browsers read 127.1 and 0x7f.0.0.1 as addresses too; only one spelling is let in.
        try:
            return str(ipaddress.IPv4Address(host))
        except ValueError as error:
            raise wrong from error
    return host


def _ipv6(typed: str) -> str:
    try:
        if "%" in typed:
            raise ValueError("a zone means nothing to somebody else's phone")
        return str(ipaddress.IPv6Address(typed))
    except ValueError as error:
        raise BadLink(_("“%(host)s” isn't a valid domain."), host=typed[:80]) from error


def _port(typed: str) -> int:
    if not re.fullmatch(r"[0-9]{1,5}", typed) or not 1 <= int(typed) <= 65535:
        raise BadLink(_("“%(port)s” isn't a valid port. Enter a number up to 65535."), port=typed[:20])
    return int(typed)


def _encoded(part: str, safe: str) -> str:
    return quote(_LONE_PERCENT.sub("%25", part), safe=safe)


def _mailto(rest: str) -> Link:
    address, _mark, query = rest.removeprefix("//").partition("?")
    url = "mailto:" + _mail_address(_decoded(address))
    headers = []
    for name, value in _headers(query, ("subject", "body", "cc")):
        if name == "cc":
            headers.append("cc=" + ",".join(_mail_address(each) for each in value.split(",")))
        else:
            headers.append(f"{name}={quote(value, safe='')}")
    return Link(url + ("?" + "&".join(headers) if headers else ""), None)


def _mail_address(typed: str) -> str:
    try:
        checked = validate_email(typed.strip(), check_deliverability=False, allow_smtputf8=False)
    except EmailNotValidError as error:
        raise BadLink(_("“%(address)s” isn't a valid email address."), address=typed.strip()[:80]) from error
    return quote(checked.ascii_email or checked.normalized, safe="!$'*+@")


def _dialled(scheme: str, rest: str) -> Link:
    number, _mark, query = rest.removeprefix("//").partition("?")
    number = re.sub(r"[ ().\u00a0\u2010-\u2015-]", "", _decoded(number))
    if not _DIALLED.fullmatch(number):
        raise BadLink(_("Enter the phone number with its country code, such as +44 20 7946 0000."))
    if query and scheme == "tel":
        raise BadLink(_("Remove everything after the phone number."))
    body = "&".join(f"{name}={quote(value, safe='')}" for name, value in _headers(query, ("body",)))
    return Link(f"{scheme}:{number}" + (f"?{body}" if body else ""), None)


def _headers(query: str, allowed: tuple[str, ...]) -> list[tuple[str, str]]:
    found: dict[str, str] = {}
    for pair in filter(None, query.split("&")):
        name, _equals, value = pair.partition("=")
        name = _decoded(name).lower()
        if name not in allowed or name in found:
            raise BadLink(
                _("After the question mark, you can only use these, once each: %(names)s."), names=", ".join(allowed)
            )
        value = _decoded(value)
        if name == "body":
            value = re.sub(r"\r\n?|\n", "\r\n", value)
        if any(unicodedata.category(each) == "Cc" for each in (value.replace("\r\n", "") if name == "body" else value)):
            raise BadLink(
                _("That address contains invisible characters. Type it again or copy it from the address bar.")
            )
        if value.strip():
            found[name] = value
    return list(found.items())


def _decoded(text: str) -> str:
    try:
        return unquote(text, errors="strict")
    except UnicodeDecodeError as error:
        raise BadLink(_("That address contains invalid characters. Type it again.")) from error
