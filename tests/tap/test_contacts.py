"""What visitors do on a public page: save the contact, open a link, share their own; and what is written down of it."""

import io
import re
from collections.abc import Callable
from datetime import timedelta
from typing import Any

import pytest
import sqlalchemy as sa
import vobject
import zxingcpp
from flask import Flask
from PIL import Image
from sqlalchemy.exc import OperationalError

from tapcard import files
from tapcard.clock import utcnow
from tapcard.db import db
from tapcard.models import Card, Lead, Profile, ProfileAction, ProfileActionKind, ProfileLink, User, WebSession
from tapcard.services.cards import blocked_hosts
from tapcard.tap import contacts
from tapcard.tap.lead_forms import STAMP
from tapcard.web import rate_limits
from tapcard.web.bot_protection import make_stamp
from tests.conftest import FormClient, login
from tests.taps import BOT, PHONE
from tests.watching import error_of, form_to, statements, words_of

GUS = {"name": "Gus Lind", "email": "gus@example.com", "phone": "", "note": "At the fair", "consent": "y"}
AS_A_PERSON = {"User-Agent": PHONE}


@pytest.fixture
def own(profile: Profile) -> Profile:
    """Ada's page with something to save and to open."""
    profile.phone, profile.website, profile.github = "+2348035550142", "https://example.com/work", "ada-obi"
    profile.email = "work@example.com"
    db.session.commit()
    return profile


def done() -> list[ProfileAction]:
    return list(db.session.scalars(sa.select(ProfileAction).order_by(ProfileAction.id)))


def left() -> list[Lead]:
    return list(db.session.scalars(sa.select(Lead).order_by(Lead.id)))


def share(client: FormClient, *, waited: float = 30, **changes: Any) -> Any:
    """Open the form, fill it in, wait as people do, send it."""
    form = form_to(client.get("/p/ada/share").text, "/p/ada/share")
    shown = db.session.scalars(sa.select(Profile).where(Profile.slug == "ada")).one()
    text = contacts_text(client)
    stamp = make_stamp(STAMP, utcnow() - timedelta(seconds=waited), shown.id, text)
    data = {**form.values, **GUS, "stamp": stamp, **changes}
    data = {name: value for name, value in data.items() if value is not None}
    return client.post("/p/ada/share", data=data, headers=AS_A_PERSON, csrf=False)


def contacts_text(client: FormClient) -> str:
    label = re.search(r'<label class="form-check-label" for="consent">(.*?)</label>', client.get("/p/ada/share").text)
    assert label
    return label[1]


# --- saving the contact -----------------------------------------------------------------------------------------------


def test_the_contact_is_saved_as_a_file(client: FormClient, own: Profile) -> None:
    answer = client.get("/p/ada.vcf", headers=AS_A_PERSON)
    assert answer.status_code == 200
    assert answer.headers["Content-Type"] == "text/vcard; charset=utf-8"
    assert answer.headers["Content-Disposition"] == 'attachment; filename="ada.vcf"'
    assert answer.headers["Cache-Control"] == "no-store"
    assert "Set-Cookie" not in answer.headers
    card = vobject.readOne(answer.text)
    assert (card.fn.value, card.tel.value) == ("Ada Obi", "+2348035550142")
    assert "http://localhost/p/ada" in [url.value for url in card.contents["url"]]


def test_its_photo_is_a_small_jpeg(app: Flask, client: FormClient, own: Profile) -> None:
    out = io.BytesIO()
    Image.new("RGB", (512, 512), "teal").save(out, "WEBP")
    own.photo = files.store(out.getvalue(), files.folder(app.instance_path))
    db.session.commit()
    with Image.open(io.BytesIO(vobject.readOne(client.get("/p/ada.vcf").text).photo.value)) as picture:
        assert (picture.format, picture.size) == ("JPEG", (256, 256))


@pytest.mark.parametrize("data", [None, b"no picture"])
def test_a_photo_that_is_gone_or_broken_is_left_out(
    app: Flask, client: FormClient, own: Profile, data: bytes | None
) -> None:
    own.photo = files.store(data, files.folder(app.instance_path)) if data else "0" * 32 + ".webp"
    db.session.commit()
    answer = client.get("/p/ada.vcf")
    assert answer.status_code == 200
    assert "PHOTO" not in answer.text


def test_capitals_lead_to_the_one_address(client: FormClient, own: Profile) -> None:
    assert client.get("/p/ADA.vcf").location == "/p/ada.vcf"
    assert client.get("/p/ADA/share").location == "/p/ada/share"


@pytest.mark.parametrize("path", ["/p/ada.vcf", "/p/ada/open/website", "/p/ada/share", "/p/ada/shared"])
def test_a_profile_that_is_not_public_is_its_owners_alone(
    new_client: Callable[[], FormClient], own: Profile, ada: User, cleo: User, ben: User, path: str
) -> None:
    own.is_public = False
    db.session.commit()
    for user in (None, cleo, ben):
        client = new_client()
        if user is not None:
            login(client, user)
        answer = client.get(path)
        assert answer.status_code == 404
        assert "+234" not in answer.text
        assert "Ada" not in answer.text
    owner = new_client()
    login(owner, ada)
    assert owner.get(path).status_code in (200, 302)


def test_who_is_not_public_gets_no_leads(client: FormClient, own: Profile) -> None:
    token = client.csrf_token()
    own.is_public = False
    db.session.commit()
    assert client.post("/p/ada/share", data={**GUS, "csrf_token": token}, csrf=False).status_code == 404
    assert left() == []


@pytest.mark.parametrize("path", ["/p/ada.vcf", "/p/ada/open/website", "/p/ada/share", "/p/ada/shared"])
def test_the_profiles_of_a_closed_account_are_gone(client: FormClient, own: Profile, ada: User, path: str) -> None:
    ada.is_active = False
    db.session.commit()
    assert client.get(path).status_code == 404


# --- opening links ----------------------------------------------------------------------------------------------------


def test_a_link_leads_on_to_where_its_owner_wants(client: FormClient, own: Profile) -> None:
    page = client.get("/p/ada").text
    assert 'href="/p/ada/open/website"' in page
    assert 'href="tel:+2348035550142"' in page
    assert 'href="mailto:work@example.com"' in page
    answer = client.get("/p/ada/open/website")
    assert (answer.status_code, answer.location) == (302, "https://example.com/work")
    assert answer.headers["Cache-Control"] == "no-store"
    assert "Set-Cookie" not in answer.headers
    assert client.get("/p/ada/open/github").location == "https://github.com/ada-obi"


def test_a_profile_that_is_not_stored_counts_nothing(app: Flask) -> None:
    assert contacts.counted_url(Profile(slug=""), "website", "https://example.com/") == "https://example.com/"


def test_it_leads_nowhere_else(client: FormClient, own: Profile, cleo: User, create_profile: Any) -> None:
    own.hidden_fields = ["github"]
    own.links = [ProfileLink(position=1, title="Draft", url="https://example.com/draft", is_shown=False)]
    other = create_profile(cleo, "cleo")
    other.links = [ProfileLink(position=1, title="Folio", url="https://example.com/folio")]
    db.session.commit()
    mine, theirs = own.links[0].id, other.links[0].id
    keys = [
        "github",
        "phone",
        "email",
        "address",
        "nothing",
        f"link-{mine}",
        f"link-{theirs}",
        "link-",
        "http:",
        "name",
    ]
    for key in keys:
        assert client.get(f"/p/ada/open/{key}").status_code == 404, key
        assert client.get(f"/p/ada/open/{key}?url=https://evil.example").status_code == 404
    assert client.get(f"/p/cleo/open/link-{theirs}").location == "https://example.com/folio"


def test_a_blocked_host_is_not_opened(client: FormClient, own: Profile, ben: User) -> None:
    blocked_hosts.block_host("example.com", ben)
    db.session.commit()
    assert client.get("/p/ada/open/website").status_code == 404
    assert client.get("/p/ada/open/github").status_code == 302


def test_a_blocked_host_is_not_handed_out_in_the_file(client: FormClient, own: Profile, ben: User) -> None:
    assert "https://example.com" in client.get("/p/ada.vcf").text
    blocked_hosts.block_host("example.com", ben)
    db.session.commit()
    text = client.get("/p/ada.vcf").text
    assert "https://example.com" not in text
    assert "github" in text


# --- what is written down ---------------------------------------------------------------------------------------------


def test_what_visitors_do_is_written_down(client: FormClient, own: Profile) -> None:
    client.get("/p/ada.vcf", headers=AS_A_PERSON)
    client.get("/p/ada/open/website", headers=AS_A_PERSON)
    saved, opened = done()
    assert (saved.kind, saved.profile_id, saved.detail) == (ProfileActionKind.CONTACT_SAVED, own.id, "")
    assert (opened.kind, opened.detail) == (ProfileActionKind.LINK_OPENED, "website")
    assert saved.visitor == opened.visitor
    assert re.fullmatch("[0-9a-f]{24}", saved.visitor or "")
    assert (saved.is_bot, saved.is_own, saved.card_id) == (False, False, None)


@pytest.mark.parametrize(
    "headers", [{"Sec-Purpose": "prefetch"}, {"Purpose": "prefetch;prerender"}, {"X-Moz": "prefetch"}], ids=str
)
def test_looking_ahead_is_not(client: FormClient, own: Profile, headers: dict[str, str]) -> None:
    assert client.get("/p/ada.vcf", headers=headers).status_code == 200
    assert client.get("/p/ada/open/website", headers=headers).status_code == 302
    assert client.head("/p/ada.vcf").status_code == 200
    assert client.head("/p/ada/open/website").status_code == 302
    assert done() == []


def test_robots_and_owners_are_told_apart(
    new_client: Callable[[], FormClient], own: Profile, ada: User, cleo: User
) -> None:
    new_client().get("/p/ada.vcf", headers={"User-Agent": BOT})
    for user in (ada, cleo):
        client = new_client()
        login(client, user)
        client.get("/p/ada.vcf", headers={"User-Agent": f"{PHONE} {user.first_name}"})
    assert [(row.is_bot, row.is_own) for row in done()] == [(True, False), (False, True), (False, False)]


def test_the_same_again_and_again_fills_nothing(client: FormClient, own: Profile) -> None:
    for _number in range(5):
        client.get("/p/ada.vcf", headers=AS_A_PERSON)
    assert len(done()) == 1


def test_one_address_does_not_fill_the_table(client: FormClient, own: Profile, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(rate_limits, "ACTION_LIMIT", "2 per hour")
    for number in range(4):
        assert client.get("/p/ada.vcf", headers={"User-Agent": f"{PHONE} {number}"}).status_code == 200
    assert len(done()) == 2


def test_a_failure_to_record_stops_nothing(client: FormClient, own: Profile, monkeypatch: pytest.MonkeyPatch) -> None:
    def fail(*_: object) -> None:
        raise OperationalError("INSERT", {}, Exception("disk full"))

    monkeypatch.setattr(contacts.engagement, "record", fail)
    assert client.get("/p/ada.vcf", headers=AS_A_PERSON).status_code == 200
    assert client.get("/p/ada/open/website").status_code == 302
    assert share(client).location == "/p/ada/shared"
    assert len(left()) == 1
    assert done() == []


def test_the_card_whose_tap_led_here_is_known(
    client: FormClient, own: Profile, ada: User, create_card: Callable[..., Card], run_worker: Callable[[], None]
) -> None:
    card = create_card(ada, token="ADASPAGE", profile=own)
    assert client.get("/t/ADASPAGE", headers=AS_A_PERSON).location == "/p/ada"
    run_worker()
    client.get("/p/ada.vcf", headers=AS_A_PERSON)
    share(client)
    assert [row.card_id for row in done()] == [card.id, card.id]
    assert [lead.card_id for lead in left()] == [card.id]


def test_looking_at_a_page_makes_no_session_and_writes_nothing(client: FormClient, own: Profile) -> None:
    with statements() as asked:
        answer = client.get("/p/ada")
    assert "Set-Cookie" not in answer.headers
    assert not any(each.startswith(("INSERT", "UPDATE")) for each in asked)
    assert db.session.scalar(sa.select(WebSession.id)) is None
    assert done() == []


# --- sharing one's own ------------------------------------------------------------------------------------------------


def test_a_visitor_leaves_their_contact(client: FormClient, own: Profile, ada: User, outbox: Any) -> None:
    answer = share(client)
    assert (answer.status_code, answer.location) == (302, "/p/ada/shared")
    assert "Thank you" in client.get("/p/ada/shared").text
    [lead] = left()
    assert (lead.owner_id, lead.name, lead.email, lead.phone) == (ada.id, "Gus Lind", "gus@example.com", None)
    assert lead.consent_text == contacts_text(client)
    assert "Ada Obi" in lead.consent_text
    assert outbox() == ["mail.lead_received"]
    [row] = done()
    assert (row.kind, row.visitor, row.is_own) == (ProfileActionKind.LEAD_SENT, None, False)


def test_only_what_is_asked_for_is_taken(client: FormClient, own: Profile, ada: User, cleo: User) -> None:
    share(client, owner_id=str(cleo.id), profile_id="99", card_id="1", consent_text="nothing", created_at="2001-01-01")
    [lead] = left()
    assert (lead.owner_id, lead.profile_id, lead.card_id) == (ada.id, own.id, None)
    assert lead.consent_text.startswith("I agree")
    assert lead.created_at.year > 2001


@pytest.mark.parametrize(
    ("changes", "field"),
    [
        ({"name": ""}, "name"),
        ({"email": "", "phone": ""}, "email"),
        ({"email": "gus"}, "email"),
        ({"phone": "12"}, "phone"),
        ({"note": "x" * 501}, "note"),
        ({"note": "a\0b"}, "note"),
        ({"consent": None}, "consent"),
    ],
    ids=str,
)
def test_what_is_wrong_is_said_at_its_field_and_nothing_is_lost(
    client: FormClient, own: Profile, changes: dict[str, Any], field: str
) -> None:
    answer = share(client, **changes)
    assert answer.status_code == 422
    assert error_of(answer.text, field)
    again = form_to(answer.text, "/p/ada/share").values
    for name, value in {**GUS, **changes}.items():
        if name != "consent":
            assert again[name] == value
    assert left() == []


def test_all_that_is_wrong_is_said_at_once(client: FormClient, own: Profile) -> None:
    page = share(client, name="", email="", note="x" * 501, consent=None).text
    assert all(error_of(page, field) for field in ("name", "email", "note", "consent"))
    page = share(client, email="gus", phone="12").text
    assert error_of(page, "email")
    assert error_of(page, "phone")


def test_without_a_token_nothing_is_taken(client: FormClient, own: Profile) -> None:
    assert client.post("/p/ada/share", data=GUS, csrf=False).status_code == 400
    assert left() == []


@pytest.mark.parametrize(
    "changes",
    [
        {"homepage": "https://spam.example"},
        {"note": "http://a.test http://b.test http://c.test"},
        {"note": "[url=x]"},
    ],
    ids=str,
)
def test_a_robot_gets_the_very_same_answer(
    client: FormClient, own: Profile, outbox: Any, changes: dict[str, str]
) -> None:
    answer, honest = share(client, **changes), share(client)
    assert (answer.status_code, answer.location, answer.data) == (honest.status_code, honest.location, honest.data)
    assert [lead.note for lead in left()] == ["At the fair"]
    assert len(done()) == 1
    assert len(outbox()) == 1


def test_the_same_twice_is_answered_the_same_and_stored_once(client: FormClient, own: Profile) -> None:
    first, second = share(client), share(client)
    assert (first.status_code, first.location, first.data) == (second.status_code, second.location, second.data)
    assert len(left()) == 1


def test_who_is_too_quick_presses_again(client: FormClient, own: Profile) -> None:
    answer = share(client, waited=0)
    assert answer.status_code == 422
    assert "submitted too quickly" in answer.text
    again = form_to(answer.text, "/p/ada/share").values
    assert again["name"] == "Gus Lind"
    assert left() == []
    assert share(client, waited=3).status_code == 302


@pytest.mark.parametrize("stamp", ["", "made up", None])
def test_a_form_that_was_never_shown_is_shown(client: FormClient, own: Profile, stamp: str | None) -> None:
    answer = share(client, stamp=stamp)
    assert answer.status_code == 422
    assert form_to(answer.text, "/p/ada/share").values["stamp"] not in ("", "made up")
    assert left() == []


def test_the_stamp_of_another_profile_another_text_or_another_day_does_not_count(
    client: FormClient, own: Profile
) -> None:
    text, then = contacts_text(client), utcnow() - timedelta(minutes=1)
    for stamp in (
        make_stamp(STAMP, then, own.id + 1, text),
        make_stamp(STAMP, then, own.id, "I agree to nothing."),
        make_stamp(STAMP, utcnow() - timedelta(days=2), own.id, text),
    ):
        assert share(client, stamp=stamp).status_code == 422
    assert left() == []


def test_one_address_leaves_so_many_and_is_told(client: FormClient, own: Profile) -> None:
    for number in range(30):
        assert share(client, note=str(number)).status_code == 302
    answer = share(client, note="once more")
    assert answer.status_code == 429
    assert answer.headers["Retry-After"]
    assert form_to(answer.text, "/p/ada/share").values["note"] == "once more"
    assert len(left()) == 30


def test_the_form_is_for_people(client: FormClient, own: Profile) -> None:
    page = client.get("/p/ada/share").text
    assert "Share your contact with Ada Obi" in words_of(page)
    assert re.search(r'<div class="tc-honeypot" aria-hidden="true">.*tabindex="-1"', page, re.DOTALL)
    assert 'name="robots" content="noindex"' in page


def test_what_a_holder_is_called_stays_text(client: FormClient, own: Profile) -> None:
    own.name = "<script>alert(1)</script>"
    db.session.commit()
    for path in ("/p/ada/share", "/p/ada/shared", "/p/ada"):
        assert "<script>alert" not in client.get(path).text


# --- the QR code ------------------------------------------------------------------------------------------------------


def test_the_owner_takes_the_qr_code_along(
    new_client: Callable[[], FormClient], own: Profile, ada: User, cleo: User
) -> None:
    client = new_client()
    login(client, ada)
    assert f"/profiles/{own.id}/qr.svg" in client.get(f"/profiles/{own.id}").text
    svg = client.get(f"/profiles/{own.id}/qr.svg")
    assert (svg.status_code, svg.mimetype) == (200, "image/svg+xml")
    assert svg.headers["Content-Disposition"] == 'attachment; filename="ada-qr.svg"'
    with Image.open(io.BytesIO(client.get(f"/profiles/{own.id}/qr.png").data)) as picture:
        assert picture.format == "PNG"
    assert client.get(f"/profiles/{own.id}/qr.gif").status_code == 404
    with Image.open(io.BytesIO(client.get(f"/profiles/{own.id}/qr.png?logo=y").data)) as picture:
        assert [found.text for found in zxingcpp.read_barcodes(picture.convert("L"))] == ["http://localhost/p/ada"]
    assert "#0091ca" in client.get(f"/profiles/{own.id}/qr.svg?logo=y").text
    stranger = new_client()
    login(stranger, cleo)
    assert stranger.get(f"/profiles/{own.id}/qr.svg").status_code == 404
