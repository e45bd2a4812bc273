"""vCards: parsed again with another library, with any text in the fields."""

import io
from datetime import UTC, datetime
from typing import Any

import pytest
import vobject
from hypothesis import given
from hypothesis import strategies as st
from PIL import Image

from tapcard import images
from tapcard.models import SOCIALS, Lead, Profile, ProfileLink
from tapcard.services.profiles import vcards

NOW = datetime(2026, 11, 21, 9, 30, tzinfo=UTC)
ADDRESS = "https://cards.example/p/ada"

ANY = st.characters(exclude_categories=("Cs",))
PRINTABLE = st.characters(exclude_categories=("Cc", "Cs"))
TRICKY = st.one_of(st.sampled_from(';:,\\"=\t \n'), st.sampled_from("BEGIN:VCARD\nEND"), PRINTABLE)
LINE = st.text(PRINTABLE, min_size=1, max_size=120).map(str.strip).filter(bool)
TEXT = st.text(TRICKY, min_size=1, max_size=300).map(str.strip).filter(bool)


def build_profile(**values: Any) -> Profile:
    return Profile(**{"id": 7, "slug": "ada", "name": "Ada Obi", "hidden_fields": [], **values})


def build_vcard(profile: Profile, photo: bytes | None = None) -> bytes:
    return vcards.profile_vcard(profile, address=ADDRESS, site="https://cards.example", photo=photo, now=NOW)


def parse(data: bytes) -> Any:
    return vobject.readOne(data.decode())


def assert_valid_lines(data: bytes) -> None:
    assert data.endswith(b"END:VCARD\r\n")
    assert b"\n" not in data.replace(b"\r\n", b"")
    assert b"\r" not in data.replace(b"\r\n", b"")
    for line in data.split(b"\r\n"):
        assert len(line) <= 75
        line.decode()  # no character is split


EVERYTHING = {
    "headline": "Architect",
    "company": "Obi & Daughters; Ibadan, Lagos",
    "bio": "Shade first,\nthen walls.",
    "email": "ada@example.com",
    "phone": "+2348035550142",
    "whatsapp": "+447700900123",
    "website": "https://example.com/work?a=1,2;b=%20",
    "address": "1 Ring Road\nIbadan, Nigeria",
    "linkedin": "ada-obi",
    "github": "ada-obi",
}


def test_a_vcard_contains_everything_on_the_page() -> None:
    profile = build_profile(**EVERYTHING)
    profile.links = [
        ProfileLink(id=1, position=1, title="Portfolio; new", url="https://example.com/folio", is_shown=True),
        ProfileLink(id=2, position=2, title="Draft", url="https://example.com/draft", is_shown=False),
    ]
    data = build_vcard(profile)
    assert_valid_lines(data)
    card = parse(data)
    assert card.version.value == "3.0"
    assert card.fn.value == "Ada Obi"
    assert (card.n.value.family, card.n.value.given) == ("Obi", "Ada")
    assert card.org.value == ["Obi & Daughters; Ibadan, Lagos"]
    assert card.title.value == "Architect"
    assert [(tel.value, tel.params["TYPE"]) for tel in card.contents["tel"]] == [
        ("+2348035550142", ["CELL", "VOICE", "PREF"]),
        ("+447700900123", ["CELL"]),
    ]
    assert card.email.value == "ada@example.com"
    assert card.email.params["TYPE"] == ["INTERNET", "WORK"]
    assert card.adr.value.street == "1 Ring Road\nIbadan, Nigeria"
    assert card.note.value == "Shade first,\nthen walls."
    urls = [url.value for url in card.contents["url"]]
    assert urls == ["https://example.com/work?a=1%2C2%3Bb=%20", ADDRESS, "https://example.com/folio"]
    labels = {label.group: label.value for label in card.contents["x-ablabel"]}
    assert sorted(labels.values()) == ["Portfolio; new", "WhatsApp", "tapcard"]
    assert {row.value: row.params["TYPE"] for row in card.contents["x-socialprofile"]} == {
        "https://www.linkedin.com/in/ada-obi": ["linkedin"],
        "https://github.com/ada-obi": ["github"],
        "https://wa.me/447700900123": ["whatsapp"],
    }
    assert card.rev.value == "2026-11-21T09:30:00Z"
    assert card.uid.value.startswith("urn:uuid:")


def test_a_minimal_profile_has_a_vcard() -> None:
    card = parse(build_vcard(build_profile(name="Ada")))
    assert (card.fn.value, card.n.value.given, card.n.value.family) == ("Ada", "Ada", "")
    assert not {"tel", "email", "adr", "org", "title", "note", "photo"} & card.contents.keys()


def test_equal_phone_numbers_are_listed_once() -> None:
    card = parse(build_vcard(build_profile(phone="+2348035550142", whatsapp="+2348035550142")))
    assert [tel.value for tel in card.contents["tel"]] == ["+2348035550142"]


# the text by which each field is recognized in a vCard
FIELD_TEXTS = {
    "headline": "TITLE:Architect",
    "company": "ORG:Obi",
    "bio": "NOTE:Shade",
    "email": "ada@example.com",
    "phone": "+2348035550142",
    "whatsapp": "447700900123",
    "website": "https://example.com/work",
    "address": "1 Ring Road",
    "linkedin": "https://www.linkedin.com/in/ada-obi",
    "github": "https://github.com/ada-obi",
    "links": "https://example.com/folio",
    "photo": "PHOTO;",
}


@pytest.mark.parametrize("field", FIELD_TEXTS)
def test_a_hidden_field_is_left_out(field: str) -> None:
    profile = build_profile(**EVERYTHING, hidden_fields=[field])
    profile.links = [ProfileLink(id=1, position=1, title="Folio", url="https://example.com/folio", is_shown=True)]
    text = build_vcard(profile, photo=b"jpeg").replace(b"\r\n ", b"").decode()
    assert {name for name, part in FIELD_TEXTS.items() if part not in text} == {field}


def test_the_uid_stays_when_the_slug_changes() -> None:
    site = "https://cards.example"
    moved = vcards.profile_vcard(build_profile(slug="new"), address=f"{site}/p/new", site=site, photo=None, now=NOW)
    assert parse(moved).uid.value == parse(build_vcard(build_profile())).uid.value


def test_a_photo_is_embedded_as_a_small_jpeg() -> None:
    out = io.BytesIO()
    Image.new("RGB", (512, 512), "teal").save(out, "WEBP")
    data = build_vcard(build_profile(), photo=images.make_contact_photo(out.getvalue()))
    assert_valid_lines(data)
    photo = parse(data).photo
    assert photo.params["TYPE"] == ["JPEG"]
    with Image.open(io.BytesIO(photo.value)) as picture:
        assert (picture.format, picture.size) == ("JPEG", (256, 256))


@given(name=LINE, company=LINE, headline=LINE, address=LINE, bio=TEXT, title=LINE)
def test_any_text_survives_a_round_trip(
    name: str, company: str, headline: str, address: str, bio: str, title: str
) -> None:
    profile = build_profile(name=name, company=company, headline=headline, address=address, bio=bio)
    profile.links = [ProfileLink(id=1, position=1, title=title, url="https://example.com/", is_shown=True)]
    data = build_vcard(profile)
    assert_valid_lines(data)
    card = parse(data)
    assert card.fn.value == name
    assert card.org.value == [company]
    assert card.title.value == headline
    assert card.adr.value.street == address
    assert card.note.value == bio
    assert title in [label.value for label in card.contents["x-ablabel"]]


PROPERTIES = {"n", "fn", "version", "prodid", "org", "title", "tel", "email", "adr", "url", "note", "uid", "rev",
              "x-ablabel", "x-socialprofile"}  # fmt: skip


@given(st.text(ANY | st.sampled_from("\r\n\x0b\x0c\x1c\x85\u2028\0;:,\\"), max_size=200))
def test_text_cannot_inject_a_property(text: str) -> None:
    evil = f"{text}\r\nX-EVIL:yes\nTEL:1\rEND:VCARD\r\nBEGIN:VCARD"
    fields = ("name", "company", "headline", "address", "bio", "email", "phone", "whatsapp", "website", *SOCIALS)
    profile = build_profile(**dict.fromkeys(fields, evil))
    profile.links = [ProfileLink(id=1, position=1, title=evil, url=evil, is_shown=True)]
    data = build_vcard(profile)
    assert_valid_lines(data)
    unfolded = data.replace(b"\r\n ", b"").decode()
    assert unfolded.split("\r\n").count("BEGIN:VCARD") == 1
    names = {line.partition(":")[0].partition(";")[0].rpartition(".")[2].lower() for line in unfolded.split("\r\n")}
    assert names <= PROPERTIES | {"begin", "end", ""}


@given(st.text(st.characters(exclude_categories=("Cs", "Cc")), max_size=400))
def test_a_folded_line_can_be_unfolded(line: str) -> None:
    folded = vcards.fold_line(line)
    assert folded.replace(b"\r\n ", b"") == line.encode() + b"\r\n"
    assert all(len(piece) <= 75 for piece in folded.split(b"\r\n"))


def test_several_leads_become_several_vcards() -> None:
    leads = [
        Lead(id=1, name="Gus Lind", email="gus@example.com", phone=None, note="At the fair;\nstand 5", created_at=NOW),
        Lead(id=2, name="Ngozi", email=None, phone="+2348035550177", note="", created_at=NOW),
    ]
    data = vcards.lead_vcards(leads, site="https://cards.example")
    gus, ngozi = vobject.readComponents(data.decode())
    assert (gus.fn.value, gus.email.value, gus.note.value) == ("Gus Lind", "gus@example.com", "At the fair;\nstand 5")
    assert (ngozi.fn.value, ngozi.tel.value) == ("Ngozi", "+2348035550177")
    assert gus.uid.value != ngozi.uid.value
    assert "note" not in ngozi.contents
