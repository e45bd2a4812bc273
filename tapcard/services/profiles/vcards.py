"""Business cards as files: vCard 3.0 (RFC 2426), which every phone can read."""

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

LONGEST_LINE = 75  # octets, the line end not counted
URI_SAFE = "".join(chr(code) for code in range(0x21, 0x7F) if chr(code) not in ",;\\")  # those separate and escape
LINE_ENDS = re.compile(r"\r\n?")


class _Card:
    """A card that is being written: properties in, folded lines out."""

    def __init__(self, name: str) -> None:
        self.lines = ["BEGIN:VCARD", "VERSION:3.0", "PRODID:-//tapcard//vCard//EN"]
        self.groups = 0
        family, given = _split(name)
        self.add("N", ";".join((escape(family), escape(given), "", "", "")))
        self.add("FN", escape(name))

    def add(self, name: str, value: str) -> None:
        """Add a property whose value is written already."""
        self.lines.append(f"{name}:{value}")

    def text(self, name: str, value: str | None) -> None:
        """Add a text, if there is one."""
        if value:
            self.add(name, escape(value))

    def labelled(self, name: str, value: str, label: str) -> None:
        """Add a property with the words that an address book shows for it."""
        self.groups += 1
        self.add(f"item{self.groups}.{name}", value)
        self.add(f"item{self.groups}.X-ABLabel", escape(label))

    def end(self, uid: str, revised_at: datetime) -> bytes:
        """The whole card."""
        self.add("UID", f"urn:uuid:{uuid.uuid5(uuid.NAMESPACE_URL, uid)}")
        self.add("REV", f"{revised_at.astimezone(UTC):%Y-%m-%dT%H:%M:%SZ}")
        return b"".join(fold(line) for line in (*self.lines, "END:VCARD"))


def of_profile(
    profile: Profile, *, address: str, site: str, photo: bytes | None, now: datetime, blocked: Collection[str] = ()
) -> bytes:
    """The card of a profile, with what its page shows and nothing else; `address` is the page, `photo` a JPEG.

    Addresses at the hosts in `blocked` are left out, as on the page.
    """
    hidden = set(profile.hidden_fields or ())

    def shown(field: str) -> str | None:
        return None if field in hidden else getattr(profile, field)

    card = _Card(profile.name)
    if company := shown("company"):
        card.add("ORG", escape(company))
    card.text("TITLE", shown("headline"))
    phone, whatsapp, email = shown("phone"), shown("whatsapp"), shown("email")
    if phone:
        card.text("TEL;TYPE=CELL,VOICE,PREF", phone)
    if whatsapp and whatsapp != phone:
        card.labelled("TEL;TYPE=CELL", escape(whatsapp), "WhatsApp")
    if email:
        card.text("EMAIL;TYPE=INTERNET,WORK" if company else "EMAIL;TYPE=INTERNET", email)
    if place := shown("address"):
        card.add("ADR;TYPE=WORK" if company else "ADR;TYPE=HOME", f";;{escape(place)};;;;")
    website = shown("website")
    if website and target_urls.host_of(website) not in blocked:
        card.add("URL;TYPE=WORK" if company else "URL", uri(website))
    card.labelled("URL", uri(address), "tapcard")
    for link in profile.links if "links" not in hidden else ():
        if link.is_shown and target_urls.host_of(link.url) not in blocked:
            card.labelled("URL", uri(link.url), link.title)
    for key in SOCIALS:
        if handle := shown(key):
            card.add(f"X-SOCIALPROFILE;TYPE={key}", uri(social_handles.page_of(key, handle)))
    if whatsapp:
        card.add("X-SOCIALPROFILE;TYPE=whatsapp", uri(f"https://wa.me/{whatsapp.removeprefix('+')}"))
    card.text("NOTE", shown("bio"))
    if photo and "photo" not in hidden:
        card.add("PHOTO;ENCODING=b;TYPE=JPEG", base64.b64encode(photo).decode())
    return card.end(f"{site}/profiles/{profile.id}", now)


def of_leads(leads: Iterable[Lead], *, site: str) -> bytes:
    """The cards of people who left their contact, one after the other."""
    return b"".join(_of_lead(lead, site) for lead in leads)


def _of_lead(lead: Lead, site: str) -> bytes:
    card = _Card(lead.name)
    card.text("TEL;TYPE=CELL", lead.phone)
    card.text("EMAIL;TYPE=INTERNET", lead.email)
    card.text("NOTE", lead.note)
    return card.end(f"{site}/leads/{lead.id}", lead.created_at)


def escape(text: str) -> str:
    """A text as the value of a property: what separates is escaped, what cannot be written is left out."""
    text = LINE_ENDS.sub("\n", text)
    kept = "".join(each for each in text if each in "\n\t" or unicodedata.category(each) not in ("Cc", "Cs"))
    for plain, escaped in (("\\", "\\\\"), (";", "\\;"), (",", "\\,"), ("\n", "\\n")):
        kept = kept.replace(plain, escaped)
    return kept


def uri(address: str) -> str:
    """An address as the value of a property: printable ASCII."""
    return quote(address.encode("utf-8", "ignore"), safe=URI_SAFE)


def fold(line: str) -> bytes:
    """A line with its end, broken so that no piece has more than 75 octets and no character is cut in two."""
    octets = line.encode()
    pieces = []
    while len(octets) > LONGEST_LINE:
        end = LONGEST_LINE
        while octets[end] & 0xC0 == 0x80:  # in the middle of a character
            end -= 1
        pieces.append(octets[:end])
        octets = b" " + octets[end:]
    return b"".join(piece + b"\r\n" for piece in (*pieces, octets))


def _split(name: str) -> tuple[str, str]:
    """Family name and the rest: the last word, if there are several."""
    given, _space, family = name.strip().rpartition(" ")
    return (family, given) if given else ("", family)
