"""Actions of visitors on a profile: vCard, links, sharing a contact, and recording them."""

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
from tests.pages import error_of, form_to, words_of
from tests.statements import statements
from tests.tap_requests import BOT, PHONE

GUS = {"name": "Gus Lind", "email": "gus@example.com", "phone": "", "note": "At the fair", "consent": "y"}
AS_A_PERSON = {"User-Agent": PHONE}


@pytest.fixture
def contact_profile(profile: Profile) -> Profile:
    """Return a profile of Ada's with contacts and links."""
    profile.phone, profile.website, profile.github = "+2348035550142", "https://example.com/work", "ada-obi"
    profile.email = "work@example.com"
    db.session.commit()
    return profile


def recorded_actions() -> list[ProfileAction]:
    return list(db.session.scalars(sa.select(ProfileAction).order_by(ProfileAction.id)))


def stored_leads() -> list[Lead]:
    return list(db.session.scalars(sa.select(Lead).order_by(Lead.id)))


def submit_share(client: FormClient, *, waited: float = 30, **changes: Any) -> Any:
    """Open the share form, fill it in, wait and submit it."""
    form = form_to(client.get("/p/ada/share").text, "/p/ada/share")
    shown = db.session.scalars(sa.select(Profile).where(Profile.slug == "ada")).one()
    text = consent_on_page(client)
    stamp = make_stamp(STAMP, utcnow() - timedelta(seconds=waited), shown.id, text)
    data = {**form.values, **GUS, "stamp": stamp, **changes}
    data = {name: value for name, value in data.items() if value is not None}
    return client.post("/p/ada/share", data=data, headers=AS_A_PERSON, csrf=False)


def consent_on_page(client: FormClient) -> str:
    label = re.search(r'<label class="form-check-label" for="consent">(.*?)</label>', client.get("/p/ada/share").text)
    assert label
    return label[1]


# --- vCard ------------------------------------------------------------------------------------------------------------


def test_the_contact_is_downloaded_as_a_vcard(client: FormClient, contact_profile: Profile) -> None:
    response = client.get("/p/ada.vcf", headers=AS_A_PERSON)
    assert response.status_code == 200
    assert response.headers["Content-Type"] == "text/vcard; charset=utf-8"
    assert response.headers["Content-Disposition"] == 'attachment; filename="ada.vcf"'
    assert response.headers["Cache-Control"] == "no-store"
    assert "Set-Cookie" not in response.headers
    card = vobject.readOne(response.text)
    assert (card.fn.value, card.tel.value) == ("Ada Obi", "+2348035550142")
    assert "http://localhost/p/ada" in [url.value for url in card.contents["url"]]


def test_the_photo_in_the_vcard_is_a_small_jpeg(app: Flask, client: FormClient, contact_profile: Profile) -> None:
    out = io.BytesIO()
    Image.new("RGB", (512, 512), "teal").save(out, "WEBP")
    contact_profile.photo = files.store(out.getvalue(), files.folder(app.instance_path))
    db.session.commit()
    with Image.open(io.BytesIO(vobject.readOne(client.get("/p/ada.vcf").text).photo.value)) as picture:
        assert (picture.format, picture.size) == ("JPEG", (256, 256))


@pytest.mark.parametrize("data", [None, b"no picture"])
def test_a_missing_or_invalid_photo_is_left_out(
    app: Flask, client: FormClient, contact_profile: Profile, data: bytes | None
) -> None:
    contact_profile.photo = files.store(data, files.folder(app.instance_path)) if data else "0" * 32 + ".webp"
    db.session.commit()
    response = client.get("/p/ada.vcf")
    assert response.status_code == 200
    assert "PHOTO" not in response.text


def test_uppercase_addresses_redirect_to_lowercase(client: FormClient, contact_profile: Profile) -> None:
    assert client.get("/p/ADA.vcf").location == "/p/ada.vcf"
    assert client.get("/p/ADA/share").location == "/p/ada/share"


@pytest.mark.parametrize("path", ["/p/ada.vcf", "/p/ada/open/website", "/p/ada/share", "/p/ada/shared"])
def test_the_pages_of_a_private_profile_are_visible_only_to_its_owner(
    new_client: Callable[[], FormClient], contact_profile: Profile, ada: User, cleo: User, ben: User, path: str
) -> None:
    contact_profile.is_public = False
    db.session.commit()
    for user in (None, cleo, ben):
        client = new_client()
        if user is not None:
            login(client, user)
        response = client.get(path)
        assert response.status_code == 404
        assert "+234" not in response.text
        assert "Ada" not in response.text
    owner = new_client()
    login(owner, ada)
    assert owner.get(path).status_code in (200, 302)


def test_a_private_profile_accepts_no_leads(client: FormClient, contact_profile: Profile) -> None:
    token = client.csrf_token()
    contact_profile.is_public = False
    db.session.commit()
    assert client.post("/p/ada/share", data={**GUS, "csrf_token": token}, csrf=False).status_code == 404
    assert stored_leads() == []


@pytest.mark.parametrize("path", ["/p/ada.vcf", "/p/ada/open/website", "/p/ada/share", "/p/ada/shared"])
def test_profiles_of_a_closed_account_are_not_found(
    client: FormClient, contact_profile: Profile, ada: User, path: str
) -> None:
    ada.is_active = False
    db.session.commit()
    assert client.get(path).status_code == 404


# --- opening links ----------------------------------------------------------------------------------------------------


def test_a_link_redirects_to_its_target(client: FormClient, contact_profile: Profile) -> None:
    page = client.get("/p/ada").text
    assert 'href="/p/ada/open/website"' in page
    assert 'href="tel:+2348035550142"' in page
    assert 'href="mailto:work@example.com"' in page
    response = client.get("/p/ada/open/website")
    assert (response.status_code, response.location) == (302, "https://example.com/work")
    assert response.headers["Cache-Control"] == "no-store"
    assert "Set-Cookie" not in response.headers
    assert client.get("/p/ada/open/github").location == "https://github.com/ada-obi"


def test_a_preview_counts_no_opened_links(app: Flask) -> None:
    assert contacts.counted_url(Profile(slug=""), "website", "https://example.com/") == "https://example.com/"


def test_only_shown_links_of_the_profile_redirect(
    client: FormClient, contact_profile: Profile, cleo: User, create_profile: Any
) -> None:
    contact_profile.hidden_fields = ["github"]
    contact_profile.links = [ProfileLink(position=1, title="Draft", url="https://example.com/draft", is_shown=False)]
    other_profile = create_profile(cleo, "cleo")
    other_profile.links = [ProfileLink(position=1, title="Folio", url="https://example.com/folio")]
    db.session.commit()
    mine, theirs = contact_profile.links[0].id, other_profile.links[0].id
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


def test_a_link_to_a_blocked_host_is_not_found(client: FormClient, contact_profile: Profile, ben: User) -> None:
    blocked_hosts.block_host("example.com", ben)
    db.session.commit()
    assert client.get("/p/ada/open/website").status_code == 404
    assert client.get("/p/ada/open/github").status_code == 302


def test_a_vcard_contains_no_link_to_a_blocked_host(client: FormClient, contact_profile: Profile, ben: User) -> None:
    assert "https://example.com" in client.get("/p/ada.vcf").text
    blocked_hosts.block_host("example.com", ben)
    db.session.commit()
    text = client.get("/p/ada.vcf").text
    assert "https://example.com" not in text
    assert "github" in text


# --- recorded actions -------------------------------------------------------------------------------------------------


def test_actions_of_visitors_are_recorded(client: FormClient, contact_profile: Profile) -> None:
    client.get("/p/ada.vcf", headers=AS_A_PERSON)
    client.get("/p/ada/open/website", headers=AS_A_PERSON)
    saved, opened = recorded_actions()
    assert (saved.kind, saved.profile_id, saved.detail) == (ProfileActionKind.CONTACT_SAVED, contact_profile.id, "")
    assert (opened.kind, opened.detail) == (ProfileActionKind.LINK_OPENED, "website")
    assert saved.visitor == opened.visitor
    assert re.fullmatch("[0-9a-f]{24}", saved.visitor or "")
    assert (saved.is_bot, saved.is_own, saved.card_id) == (False, False, None)


@pytest.mark.parametrize(
    "headers", [{"Sec-Purpose": "prefetch"}, {"Purpose": "prefetch;prerender"}, {"X-Moz": "prefetch"}], ids=str
)
def test_prefetches_and_head_requests_are_not_recorded(
    client: FormClient, contact_profile: Profile, headers: dict[str, str]
) -> None:
    assert client.get("/p/ada.vcf", headers=headers).status_code == 200
    assert client.get("/p/ada/open/website", headers=headers).status_code == 302
    assert client.head("/p/ada.vcf").status_code == 200
    assert client.head("/p/ada/open/website").status_code == 302
    assert recorded_actions() == []


def test_actions_of_bots_and_owners_are_marked(
    new_client: Callable[[], FormClient], contact_profile: Profile, ada: User, cleo: User
) -> None:
    new_client().get("/p/ada.vcf", headers={"User-Agent": BOT})
    for user in (ada, cleo):
        client = new_client()
        login(client, user)
        client.get("/p/ada.vcf", headers={"User-Agent": f"{PHONE} {user.first_name}"})
    assert [(row.is_bot, row.is_own) for row in recorded_actions()] == [(True, False), (False, True), (False, False)]


def test_a_repeated_action_is_recorded_once(client: FormClient, contact_profile: Profile) -> None:
    for _number in range(5):
        client.get("/p/ada.vcf", headers=AS_A_PERSON)
    assert len(recorded_actions()) == 1


def test_recorded_actions_are_limited_by_ip_address(
    client: FormClient, contact_profile: Profile, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(rate_limits, "ACTION_LIMIT", "2 per hour")
    for number in range(4):
        assert client.get("/p/ada.vcf", headers={"User-Agent": f"{PHONE} {number}"}).status_code == 200
    assert len(recorded_actions()) == 2


def test_a_recording_error_does_not_affect_the_response(
    client: FormClient, contact_profile: Profile, monkeypatch: pytest.MonkeyPatch
) -> None:
    def fail(*_: object) -> None:
        raise OperationalError("INSERT", {}, Exception("disk full"))

    monkeypatch.setattr(contacts.engagement, "record", fail)
    assert client.get("/p/ada.vcf", headers=AS_A_PERSON).status_code == 200
    assert client.get("/p/ada/open/website").status_code == 302
    assert submit_share(client).location == "/p/ada/shared"
    assert len(stored_leads()) == 1
    assert recorded_actions() == []


def test_actions_are_attributed_to_the_tapped_card(
    client: FormClient,
    contact_profile: Profile,
    ada: User,
    create_card: Callable[..., Card],
    run_worker: Callable[[], None],
) -> None:
    card = create_card(ada, token="ADASPAGE", profile=contact_profile)
    assert client.get("/t/ADASPAGE", headers=AS_A_PERSON).location == "/p/ada"
    run_worker()
    client.get("/p/ada.vcf", headers=AS_A_PERSON)
    submit_share(client)
    assert [row.card_id for row in recorded_actions()] == [card.id, card.id]
    assert [lead.card_id for lead in stored_leads()] == [card.id]


def test_viewing_a_profile_starts_no_session_and_writes_nothing(client: FormClient, contact_profile: Profile) -> None:
    with statements() as recorded:
        response = client.get("/p/ada")
    assert "Set-Cookie" not in response.headers
    assert not any(statement.startswith(("INSERT", "UPDATE")) for statement in recorded)
    assert db.session.scalar(sa.select(WebSession.id)) is None
    assert recorded_actions() == []


# --- sharing a contact ------------------------------------------------------------------------------------------------


def test_a_visitor_shares_their_contact(client: FormClient, contact_profile: Profile, ada: User, outbox: Any) -> None:
    response = submit_share(client)
    assert (response.status_code, response.location) == (302, "/p/ada/shared")
    assert "Thank you" in client.get("/p/ada/shared").text
    [lead] = stored_leads()
    assert (lead.owner_id, lead.name, lead.email, lead.phone) == (ada.id, "Gus Lind", "gus@example.com", None)
    assert lead.consent_text == consent_on_page(client)
    assert "Ada Obi" in lead.consent_text
    assert outbox() == ["mail.lead_received"]
    [row] = recorded_actions()
    assert (row.kind, row.visitor, row.is_own) == (ProfileActionKind.LEAD_SENT, None, False)


def test_the_share_form_cannot_set_other_columns(
    client: FormClient, contact_profile: Profile, ada: User, cleo: User
) -> None:
    submit_share(
        client, owner_id=str(cleo.id), profile_id="99", card_id="1", consent_text="nothing", created_at="2001-01-01"
    )
    [lead] = stored_leads()
    assert (lead.owner_id, lead.profile_id, lead.card_id) == (ada.id, contact_profile.id, None)
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
def test_invalid_input_shows_an_error_and_keeps_the_values(
    client: FormClient, contact_profile: Profile, changes: dict[str, Any], field: str
) -> None:
    response = submit_share(client, **changes)
    assert response.status_code == 422
    assert error_of(response.text, field)
    again = form_to(response.text, "/p/ada/share").values
    for name, value in {**GUS, **changes}.items():
        if name != "consent":
            assert again[name] == value
    assert stored_leads() == []


def test_all_errors_show_at_once(client: FormClient, contact_profile: Profile) -> None:
    page = submit_share(client, name="", email="", note="x" * 501, consent=None).text
    assert all(error_of(page, field) for field in ("name", "email", "note", "consent"))
    page = submit_share(client, email="gus", phone="12").text
    assert error_of(page, "email")
    assert error_of(page, "phone")


def test_sharing_requires_the_csrf_token(client: FormClient, contact_profile: Profile) -> None:
    assert client.post("/p/ada/share", data=GUS, csrf=False).status_code == 400
    assert stored_leads() == []


@pytest.mark.parametrize(
    "changes",
    [
        {"homepage": "https://spam.example"},
        {"note": "http://a.test http://b.test http://c.test"},
        {"note": "[url=x]"},
    ],
    ids=str,
)
def test_spam_gets_the_same_response_as_a_lead(
    client: FormClient, contact_profile: Profile, outbox: Any, changes: dict[str, str]
) -> None:
    response, honest = submit_share(client, **changes), submit_share(client)
    assert (response.status_code, response.location, response.data) == (
        honest.status_code,
        honest.location,
        honest.data,
    )
    assert [lead.note for lead in stored_leads()] == ["At the fair"]
    assert len(recorded_actions()) == 1
    assert len(outbox()) == 1


def test_a_repeated_lead_gets_the_same_response_and_is_stored_once(
    client: FormClient, contact_profile: Profile
) -> None:
    first, second = submit_share(client), submit_share(client)
    assert (first.status_code, first.location, first.data) == (second.status_code, second.location, second.data)
    assert len(stored_leads()) == 1


def test_a_form_submitted_too_quickly_is_shown_again(client: FormClient, contact_profile: Profile) -> None:
    response = submit_share(client, waited=0)
    assert response.status_code == 422
    assert "submitted too quickly" in response.text
    again = form_to(response.text, "/p/ada/share").values
    assert again["name"] == "Gus Lind"
    assert stored_leads() == []
    assert submit_share(client, waited=3).status_code == 302


@pytest.mark.parametrize("stamp", ["", "made up", None])
def test_a_form_without_a_valid_stamp_is_shown_again(
    client: FormClient, contact_profile: Profile, stamp: str | None
) -> None:
    response = submit_share(client, stamp=stamp)
    assert response.status_code == 422
    assert form_to(response.text, "/p/ada/share").values["stamp"] not in ("", "made up")
    assert stored_leads() == []


def test_a_stamp_of_another_profile_text_or_day_is_refused(client: FormClient, contact_profile: Profile) -> None:
    text, then = consent_on_page(client), utcnow() - timedelta(minutes=1)
    for stamp in (
        make_stamp(STAMP, then, contact_profile.id + 1, text),
        make_stamp(STAMP, then, contact_profile.id, "I agree to nothing."),
        make_stamp(STAMP, utcnow() - timedelta(days=2), contact_profile.id, text),
    ):
        assert submit_share(client, stamp=stamp).status_code == 422
    assert stored_leads() == []


def test_leads_are_limited_by_ip_address(client: FormClient, contact_profile: Profile) -> None:
    for number in range(30):
        assert submit_share(client, note=str(number)).status_code == 302
    response = submit_share(client, note="once more")
    assert response.status_code == 429
    assert response.headers["Retry-After"]
    assert form_to(response.text, "/p/ada/share").values["note"] == "once more"
    assert len(stored_leads()) == 30


def test_the_share_page_has_a_hidden_field_and_is_not_indexed(client: FormClient, contact_profile: Profile) -> None:
    page = client.get("/p/ada/share").text
    assert "Share your contact with Ada Obi" in words_of(page)
    assert re.search(r'<div class="tc-honeypot" aria-hidden="true">.*tabindex="-1"', page, re.DOTALL)
    assert 'name="robots" content="noindex"' in page


def test_the_name_of_the_holder_is_escaped(client: FormClient, contact_profile: Profile) -> None:
    contact_profile.name = "<script>alert(1)</script>"
    db.session.commit()
    for path in ("/p/ada/share", "/p/ada/shared", "/p/ada"):
        assert "<script>alert" not in client.get(path).text


# --- the QR code ------------------------------------------------------------------------------------------------------


def test_only_the_owner_can_download_the_qr_code(
    new_client: Callable[[], FormClient], contact_profile: Profile, ada: User, cleo: User
) -> None:
    client = new_client()
    login(client, ada)
    assert f"/profiles/{contact_profile.id}/qr.svg" in client.get(f"/profiles/{contact_profile.id}").text
    svg = client.get(f"/profiles/{contact_profile.id}/qr.svg")
    assert (svg.status_code, svg.mimetype) == (200, "image/svg+xml")
    assert svg.headers["Content-Disposition"] == 'attachment; filename="ada-qr.svg"'
    with Image.open(io.BytesIO(client.get(f"/profiles/{contact_profile.id}/qr.png").data)) as picture:
        assert picture.format == "PNG"
    assert client.get(f"/profiles/{contact_profile.id}/qr.gif").status_code == 404
    with Image.open(io.BytesIO(client.get(f"/profiles/{contact_profile.id}/qr.png?logo=y").data)) as picture:
        assert [code.text for code in zxingcpp.read_barcodes(picture.convert("L"))] == ["http://localhost/p/ada"]
    assert "#0091ca" in client.get(f"/profiles/{contact_profile.id}/qr.svg?logo=y").text
    stranger = new_client()
    login(stranger, cleo)
    assert stranger.get(f"/profiles/{contact_profile.id}/qr.svg").status_code == 404
