"""Contact rows of a profile page: phone, email, website, address and social networks."""

from dataclasses import dataclass
from urllib.parse import quote, urlsplit

from ... import phones
from ...errors import mark as _
from ...models import SOCIALS, Profile
from . import social_handles


@dataclass(frozen=True)
class ContactRow:
    """One row of contact details; `verb` is the label of its button."""

    kind: str
    label: str
    verb: str
    href: str
    text: str

    @property
    def is_external(self) -> bool:
        """Return whether the row opens another website."""
        return self.href.startswith("https:") or self.href.startswith("http:")


def is_field_shown(profile: Profile, field: str) -> bool:
    """Return whether the page and vCard of a profile show a field; `HIDEABLE_FIELDS` can be hidden."""
    return field not in (profile.hidden_fields or ())


def contact_rows(profile: Profile) -> list[ContactRow]:
    """Return the contact rows that a profile shows, the most direct first."""
    rows: list[ContactRow] = []
    if profile.phone:
        rows.append(ContactRow("phone", _("Phone"), _("Call"), f"tel:{profile.phone}", phones.display(profile.phone)))
    if profile.email:
        rows.append(ContactRow("email", _("Email"), _("Email"), mail_link(profile.email), profile.email))
    if profile.whatsapp:
        number, chat = phones.display(profile.whatsapp), f"https://wa.me/{profile.whatsapp.removeprefix('+')}"
        rows.append(ContactRow("whatsapp", "WhatsApp", _("Message on WhatsApp"), chat, number))
    if profile.website:
        host = (urlsplit(profile.website).hostname or "").removeprefix("www.")
        rows.append(ContactRow("website", _("Website"), _("Visit website"), profile.website, host))
    if profile.address:
        lines = ", ".join(line.strip() for line in profile.address.splitlines() if line.strip())
        rows.append(ContactRow("address", _("Address"), _("View on map"), map_link(lines), lines))
    for key in SOCIALS:
        handle = getattr(profile, key)
        if handle:
            name, url = social_handles.SITES[key].name, social_handles.profile_url(key, handle)
            rows.append(ContactRow(key, name, name, url, social_handles.display_handle(key, handle)))
    return [row for row in rows if is_field_shown(profile, row.kind)]


def mail_link(address: str) -> str:
    """Return the mailto link of an email address."""
    return "mailto:" + quote(address, safe="@+")


def map_link(address: str) -> str:
    """Return the Google Maps search link of a postal address; phones open it in an app."""
    return "https://www.google.com/maps/search/?api=1&query=" + quote(address, safe="")
