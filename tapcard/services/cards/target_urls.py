"""Target addresses that card owners type: validation, and conversion to the form sent in a Location header."""

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

MAX_URL_LENGTH = 2000
WEB_SCHEMES = ("http", "https")
TAP_PATHS = frozenset({"t", "q", "card", "activate", "find-card", "log-in", "sign-up"})

# Characters that werkzeug does not quote in a Location header.
SAFE_IN_PATH = "%!$&'()*+,/:;=@"
SAFE_IN_QUERY = SAFE_IN_PATH + "?"
SAFE_IN_FRAGMENT = SAFE_IN_QUERY + "#"

_SCHEME = re.compile(r"([A-Za-z][A-Za-z0-9+.-]*):(.*)", re.DOTALL)
_PORT_AND_REST = re.compile(r"[0-9]{1,5}(?:[/?#]|$)")
_AUTHORITY = re.compile(r"([^/?#]*)([^?#]*)(?:\?([^#]*))?(?:#(.*))?", re.DOTALL)
_LABEL = re.compile(r"[a-z0-9_](?:[a-z0-9_-]{0,61}[a-z0-9_])?")
_NUMBER = re.compile(r"[0-9]+|0x[0-9a-f]*")
_LONE_PERCENT = re.compile(r"%(?![0-9A-Fa-f]{2})")
_PHONE_NUMBER = re.compile(r"\+?[0-9]{3,15}")
_DIRECTION_MARKS = frozenset("\u061c\u200e\u200f\u202a\u202b\u202c\u202d\u202e\u2066\u2067\u2068\u2069")


class InvalidUrl(DomainError):
    """The text is not an address that a card may open."""

    status = 422
    field = "reroute_url"


@dataclass(frozen=True)
class TargetUrl:
    """An address as sent to browsers (ASCII, percent-encoded), and its host if it is a web address."""

    url: str
    host: str | None


def clean(text: str, own_hosts: Collection[str] = ()) -> TargetUrl:
    """Return a typed address in its cleaned form; raise `InvalidUrl` for any other text.

    Tap addresses on one of `own_hosts` are refused, because they would redirect in a loop.
    """
    text = _clean_text(text)
    match = _SCHEME.match(text)
    scheme = match[1].lower() if match else ""
    if match and scheme in WEB_SCHEMES:
        if not match[2].startswith("//"):
            raise InvalidUrl(_("Enter the full web address, such as https://example.com."))
        link = _clean_web_url(scheme, match[2][2:])
    elif match and scheme == "mailto":
        link = _clean_mailto(match[2])
    elif match and scheme in ("tel", "sms"):
        link = _clean_phone(scheme, match[2])
    elif match and not ("." in scheme and _PORT_AND_REST.match(match[2])):
        raise InvalidUrl(_("Start the address with https://, http://, mailto:, tel: or sms:."))
    else:
        link = _clean_url_without_scheme(text)
    if len(link.url) > MAX_URL_LENGTH:
        raise InvalidUrl(_("That address is too long. Use %(most)s characters or fewer."), most=MAX_URL_LENGTH)
    if link.host and is_our_tap_url(link.url, own_hosts):
        raise InvalidUrl(
            _("That address belongs to a card, so taps would go round in circles. Choose another address.")
        )
    return link


def clean_website(text: str) -> TargetUrl:
    """Return a typed web address (http or https) in its cleaned form; raise `InvalidUrl` for the field `website`."""
    try:
        link = clean(text)
        if link.host is None:
            raise InvalidUrl(_("Enter a web address, such as https://example.com."))
    except InvalidUrl as error:
        raise InvalidUrl(error.message, field="website", **error.params) from error
    return link


def host_of(url: str) -> str | None:
    """Return the lower-case host of a web address, or None for any other address."""
    try:
        parts = urlsplit(url)
        return parts.hostname if parts.scheme in WEB_SCHEMES else None
    except ValueError:
        return None


def is_our_tap_url(url: str, own_hosts: Collection[str]) -> bool:
    """Return whether a web address is a tap address on one of `own_hosts`, however it is spelled."""
    host = host_of(url)
    if host is None or host not in {_without_port(own) for own in own_hosts}:
        return False
    path = urlsplit(url).path
    while (decoded := unquote(path)) != path:
        path = decoded
    segments: list[str] = []
    for segment in path.lower().replace("\\", "/").split("/"):
        if segment == "..":
            del segments[-1:]
        elif segment not in ("", "."):
            segments.append(segment)
    return not TAP_PATHS.isdisjoint(segments[:-1])


def _without_port(host: str) -> str:
    try:
        return (urlsplit("//" + host.strip().lower()).hostname or "").removesuffix(".")
    except ValueError:
        return ""  # the Host header of a request may contain anything


def _clean_text(text: str) -> str:
    text = text.strip().strip("\ufeff\u200b").strip()  # often copied along with an address
    if not text:
        raise InvalidUrl(_("Enter an address, such as https://example.com."))
    if len(text) > 2 * MAX_URL_LENGTH:
        raise InvalidUrl(_("That address is too long. Use %(most)s characters or fewer."), most=MAX_URL_LENGTH)
    for character in text:
        if character in _DIRECTION_MARKS or unicodedata.category(character) in ("Cc", "Cs", "Zl", "Zp"):
            raise InvalidUrl(
                _("That address contains invisible characters. Type it again or copy it from the address bar.")
            )
    return text


def _clean_url_without_scheme(text: str) -> TargetUrl:
    """Return a web address typed without its scheme, as https."""
    if text.startswith(("/", "?", "#")) and not text.startswith("//"):
        raise InvalidUrl(_("Enter the full web address, such as https://example.com."))
    authority = re.split(r"[/?#]", text.removeprefix("//"), maxsplit=1)[0]
    if "@" in authority:
        raise InvalidUrl(_("To link to an email address, add mailto: before it."))
    if re.fullmatch(r"[+(0-9][0-9 ()./-]{4,}", text) and not re.fullmatch(r"[0-9]+(\.[0-9]+){3}", authority):
        raise InvalidUrl(_("To link to a phone number, add tel: before it."))
    return _clean_web_url("https", text.removeprefix("//"))


def _clean_web_url(scheme: str, text: str) -> TargetUrl:
    if "\\" in text:
        raise InvalidUrl(_("Remove the backslash (\\) from the web address."))
    if any(unicodedata.category(character) == "Zs" for character in text):
        raise InvalidUrl(_("Remove the spaces from the web address."))
    match = _AUTHORITY.fullmatch(text)
    assert match  # matches any text, because every part may be empty
    authority, path, query, fragment = match.groups()
    if "@" in authority:
        raise InvalidUrl(_("Remove the username and password from the address."))
    bracketed = re.fullmatch(r"\[([^\[\]]*)\](?::([0-9]*))?", authority)
    if bracketed:
        host, port = _clean_ipv6(bracketed[1]), bracketed[2] or ""
        netloc = f"[{host}]"
    else:
        host_text, _colon, port = authority.partition(":")
        host = netloc = _clean_host(host_text)
    if port:
        netloc += f":{_clean_port(port)}"
    url = f"{scheme}://{netloc}{_percent_encode(path, SAFE_IN_PATH)}"
    if query:
        url += "?" + _percent_encode(query, SAFE_IN_QUERY)
    if fragment:
        url += "#" + _percent_encode(fragment, SAFE_IN_FRAGMENT)
    return TargetUrl(url, host)


def _clean_host(host_text: str) -> str:
    invalid_host = InvalidUrl(
        _("“%(host)s” isn't a valid domain. Enter an address such as https://example.com."), host=host_text[:80]
    )
    if not host_text:
        raise InvalidUrl(_("The domain is missing. Enter an address such as https://example.com."))
    if len(host_text) > 253:
        raise invalid_host
    try:
        host = host_text.lower() if host_text.isascii() else idna.encode(host_text, uts46=True).decode()
    except UnicodeError as error:
        raise invalid_host from error
    host = host.removesuffix(".")
    labels = host.split(".")
    if len(host) > 253 or len(labels) < 2 or not all(_LABEL.fullmatch(label) for label in labels):
        raise invalid_host
    if _NUMBER.fullmatch(labels[-1]):
        # Browsers read 127.1 and 0x7f.0.0.1 as IP addresses too; only the usual spelling is accepted.
        try:
            return str(ipaddress.IPv4Address(host))
        except ValueError as error:
            raise invalid_host from error
    return host


def _clean_ipv6(host_text: str) -> str:
    try:
        if "%" in host_text:
            raise ValueError("zones are only valid on one machine")
        return str(ipaddress.IPv6Address(host_text))
    except ValueError as error:
        raise InvalidUrl(_("“%(host)s” isn't a valid domain."), host=host_text[:80]) from error


def _clean_port(port_text: str) -> int:
    if not re.fullmatch(r"[0-9]{1,5}", port_text) or not 1 <= int(port_text) <= 65535:
        raise InvalidUrl(_("“%(port)s” isn't a valid port. Enter a number up to 65535."), port=port_text[:20])
    return int(port_text)


def _percent_encode(part: str, safe: str) -> str:
    return quote(_LONE_PERCENT.sub("%25", part), safe=safe)


def _clean_mailto(text: str) -> TargetUrl:
    address, _mark, query = text.removeprefix("//").partition("?")
    url = "mailto:" + _clean_email_address(_percent_decode(address))
    headers = []
    for name, value in _parse_headers(query, ("subject", "body", "cc")):
        if name == "cc":
            headers.append("cc=" + ",".join(_clean_email_address(address) for address in value.split(",")))
        else:
            headers.append(f"{name}={quote(value, safe='')}")
    return TargetUrl(url + ("?" + "&".join(headers) if headers else ""), None)


def _clean_email_address(text: str) -> str:
    try:
        checked = validate_email(text.strip(), check_deliverability=False, allow_smtputf8=False)
    except EmailNotValidError as error:
        raise InvalidUrl(_("“%(address)s” isn't a valid email address."), address=text.strip()[:80]) from error
    return quote(checked.ascii_email or checked.normalized, safe="!$'*+@")


def _clean_phone(scheme: str, text: str) -> TargetUrl:
    number, _mark, query = text.removeprefix("//").partition("?")
    number = re.sub(r"[ ().\u00a0\u2010-\u2015-]", "", _percent_decode(number))
    if not _PHONE_NUMBER.fullmatch(number):
        raise InvalidUrl(_("Enter the phone number with its country code, such as +44 20 7946 0000."))
    if query and scheme == "tel":
        raise InvalidUrl(_("Remove everything after the phone number."))
    body = "&".join(f"{name}={quote(value, safe='')}" for name, value in _parse_headers(query, ("body",)))
    return TargetUrl(f"{scheme}:{number}" + (f"?{body}" if body else ""), None)


def _parse_headers(query: str, allowed: tuple[str, ...]) -> list[tuple[str, str]]:
    headers: dict[str, str] = {}
    for pair in filter(None, query.split("&")):
        name, _equals, value = pair.partition("=")
        name = _percent_decode(name).lower()
        if name not in allowed or name in headers:
            raise InvalidUrl(
                _("After the question mark, you can only use these, once each: %(names)s."), names=", ".join(allowed)
            )
        value = _percent_decode(value)
        if name == "body":
            value = re.sub(r"\r\n?|\n", "\r\n", value)
        checked = value.replace("\r\n", "") if name == "body" else value
        if any(unicodedata.category(character) == "Cc" for character in checked):
            raise InvalidUrl(
                _("That address contains invisible characters. Type it again or copy it from the address bar.")
            )
        if value.strip():
            headers[name] = value
    return list(headers.items())


def _percent_decode(text: str) -> str:
    try:
        return unquote(text, errors="strict")
    except UnicodeDecodeError as error:
        raise InvalidUrl(_("That address contains invalid characters. Type it again.")) from error
