"""vCard 3.0 files (RFC 2426) of profiles and leads."""

import base64
import re
import unicodedata
import uuid
from collections.abc import Collection, Iterable
from datetime import UTC, datetime
from urllib.parse import quote

from ...models import SOCIALS, Lead, Profile
from ..cards import target_urls
from . import social_handles

MAX_LINE_OCTETS = 75  # without the line end
# printable ASCII without the separators and the escape character
URI_SAFE_CHARACTERS = "".join(chr(code) for code in range(0x21, 0x7F) if chr(code) not in ",;\\")
LINE_ENDS = re.compile(r"\r\n?")


class _VCardWriter:
    """Collects the properties of one vCard and returns it as folded lines."""

    def __init__(self, name: str) -> None:
        self.lines = ["BEGIN:VCARD", "VERSION:3.0", "PRODID:-//tapcard//vCard//EN"]
        self.groups = 0
        family_name, given_names = _split_name(name)
        self.add("N", ";".join((escape_text(family_name), escape_text(given_names), "", "", "")))
        self.add("FN", escape_text(name))

    def add(self, name: str, value: str) -> None:
        """Add a property with an escaped value."""
        self.lines.append(f"{name}:{value}")

    def text(self, name: str, value: str | None) -> None:
        """Escape and add a text, unless it is empty."""
        if value:
            self.add(name, escape_text(value))

    def labelled(self, name: str, value: str, label: str) -> None:
        """Add a property with a label that address books show."""
        self.groups += 1
        self.add(f"item{self.groups}.{name}", value)
        self.add(f"item{self.groups}.X-ABLabel", escape_text(label))

    def end(self, uid: str, revised_at: datetime) -> bytes:
        """Return the finished vCard."""
        self.add("UID", f"urn:uuid:{uuid.uuid5(uuid.NAMESPACE_URL, uid)}")
        self.add("REV", f"{revised_at.astimezone(UTC):%Y-%m-%dT%H:%M:%SZ}")
        return b"".join(fold_line(line) for line in (*self.lines, "END:VCARD"))


def profile_vcard(
    profile: Profile, *, address: str, site: str, photo: bytes | None, now: datetime, blocked: Collection[str] = ()
) -> bytes:
    """Return the vCard of a profile with what its page shows; `address` is the URL of the page, `photo` a JPEG.

    Links to the hosts in `blocked` are left out, as on the page.
    """
    hidden = set(profile.hidden_fields or ())

    def visible_value(field: str) -> str | None:
        return None if field in hidden else getattr(profile, field)

    card = _VCardWriter(profile.name)
    if company := visible_value("company"):
        card.add("ORG", escape_text(company))
    card.text("TITLE", visible_value("headline"))
    phone, whatsapp, email = visible_value("phone"), visible_value("whatsapp"), visible_value("email")
    if phone:
        card.text("TEL;TYPE=CELL,VOICE,PREF", phone)
    if whatsapp and whatsapp != phone:
        card.labelled("TEL;TYPE=CELL", escape_text(whatsapp), "WhatsApp")
    if email:
        card.text("EMAIL;TYPE=INTERNET,WORK" if company else "EMAIL;TYPE=INTERNET", email)
    if place := visible_value("address"):
        card.add("ADR;TYPE=WORK" if company else "ADR;TYPE=HOME", f";;{escape_text(place)};;;;")
    website = visible_value("website")
    if website and target_urls.host_of(website) not in blocked:
        card.add("URL;TYPE=WORK" if company else "URL", encode_uri(website))
    card.labelled("URL", encode_uri(address), "tapcard")
    for link in profile.links if "links" not in hidden else ():
        if link.is_shown and target_urls.host_of(link.url) not in blocked:
            card.labelled("URL", encode_uri(link.url), link.title)
    for key in SOCIALS:
        if handle := visible_value(key):
            card.add(f"X-SOCIALPROFILE;TYPE={key}", encode_uri(social_handles.profile_url(key, handle)))
    if whatsapp:
        card.add("X-SOCIALPROFILE;TYPE=whatsapp", encode_uri(f"https://wa.me/{whatsapp.removeprefix('+')}"))
    card.text("NOTE", visible_value("bio"))
    if photo and "photo" not in hidden:
        card.add("PHOTO;ENCODING=b;TYPE=JPEG", base64.b64encode(photo).decode())
    return card.end(f"{site}/profiles/{profile.id}", now)


def lead_vcards(leads: Iterable[Lead], *, site: str) -> bytes:
    """Return the vCards of leads in one file."""
    return b"".join(_lead_vcard(lead, site) for lead in leads)


def _lead_vcard(lead: Lead, site: str) -> bytes:
    card = _VCardWriter(lead.name)
    card.text("TEL;TYPE=CELL", lead.phone)
    card.text("EMAIL;TYPE=INTERNET", lead.email)
    card.text("NOTE", lead.note)
    return card.end(f"{site}/leads/{lead.id}", lead.created_at)


def escape_text(text: str) -> str:
    """Return a text as the value of a property: separators escaped, control characters removed."""
    text = LINE_ENDS.sub("\n", text)
    value = "".join(char for char in text if char in "\n\t" or unicodedata.category(char) not in ("Cc", "Cs"))
    for plain, escaped in (("\\", "\\\\"), (";", "\\;"), (",", "\\,"), ("\n", "\\n")):
        value = value.replace(plain, escaped)
    return value


def encode_uri(address: str) -> str:
    """Return a URL as the value of a property, in printable ASCII."""
    return quote(address.encode("utf-8", "ignore"), safe=URI_SAFE_CHARACTERS)


def fold_line(line: str) -> bytes:
    """Return a line with its end, folded so that no part has more than 75 octets and no character is split."""
    octets = line.encode()
    pieces = []
    while len(octets) > MAX_LINE_OCTETS:
        end = MAX_LINE_OCTETS
        while octets[end] & 0xC0 == 0x80:  # in the middle of a character
            end -= 1
        pieces.append(octets[:end])
        octets = b" " + octets[end:]
    return b"".join(piece + b"\r\n" for piece in (*pieces, octets))


def _split_name(name: str) -> tuple[str, str]:
    """Return family name (the last word, if there are several) and given names."""
    given_names, _space, family = name.strip().rpartition(" ")
    return (family, given_names) if given_names else ("", family)
