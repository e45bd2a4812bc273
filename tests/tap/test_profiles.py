"""A holder's profiles, and the page that everybody sees."""

import gzip
import io
import re
from html import unescape

import pytest
import sqlalchemy as sa
from PIL import Image
from werkzeug.datastructures import FileStorage, MultiDict
from werkzeug.test import stream_encode_multipart

from tapcard import files
from tapcard.db import db
from tapcard.models import SOCIALS, Profile, Target
from tapcard.services.profiles import fields, profiles, slugs
from tests.conftest import login

VALID = {"name": "Ada Obi", "slug": "ada-obi"}


def picture(color: str = "red", kind: str = "PNG", size: tuple[int, int] = (40, 40)) -> io.BytesIO:
    out = io.BytesIO()
    Image.new("RGB", size, color).save(out, kind)
    return io.BytesIO(out.getvalue())


def uploads_of(app) -> set[str]:
    folder = files.folder(app.instance_path)
    return {path.name for path in folder.glob("*.webp")} if folder.exists() else set()


def value_of(page: str, name: str) -> str:
    """What a field of a page holds."""
    area = re.search(rf'<textarea[^>]*name="{name}"[^>]*>\r?\n?(.*?)</textarea>', page, re.DOTALL)
    if area:
        return unescape(area[1])
    tag = re.search(rf'<input[^>]*name="{name}"[^>]*>', page)
    assert tag, f"no field {name}"
    found = re.search(r'value="([^"]*)"', tag[0])
    return unescape(found[1]) if found else ""


def error_of(page: str, name: str) -> str:
    """The message beside a field."""
    found = re.search(rf'id="{name}-error"[^>]*>.*?<span>(.*?)</span>', page, re.DOTALL)
    return unescape(found[1]) if found else ""


@pytest.fixture
def signed_in(client, ada):
    login(client, ada)
    return client


@pytest.fixture
def own(ada, create_profile):
    return create_profile(ada, "ada-obi", headline="Architect", phone="+442079460000")


def edit(client, profile, **data):
    """Open the form, change some of it, send it."""
    page = client.get(f"/profiles/{profile.id}").text
    typed = {name: value_of(page, name) for name in (*fields.TEXT_FIELDS, "version")}
    return client.post(f"/profiles/{profile.id}", data={**typed, **data}, content_type="multipart/form-data")


# --- making -----------------------------------------------------------------------------------------------------------


def test_a_holder_makes_a_profile(signed_in, ada):
    assert "No profiles yet" in signed_in.get("/profiles").text
    assert value_of(signed_in.get("/profiles/new").text, "name") == "Ada Obi"
    response = signed_in.post("/profiles/new", data={**VALID, "headline": "Architect", "phone": "020 7946 0000"})
    profile = db.session.scalars(sa.select(Profile)).one()
    assert response.location == f"/profiles/{profile.id}"
    assert (profile.owner_id, profile.slug, profile.phone) == (ada.id, "ada-obi", "+442079460000")
    assert "Profile created" in signed_in.get(response.location).text


def test_a_holder_may_have_several(signed_in, ada, own):
    signed_in.post("/profiles/new", data={"name": "Ada, private"})
    page = signed_in.get("/profiles").text
    assert "/p/ada-obi" in page
    assert "/p/ada-private" in page


def test_a_visitor_is_asked_to_log_in(client, own):
    for path in ("/profiles", "/profiles/new", f"/profiles/{own.id}", f"/profiles/{own.id}/delete"):
        assert client.get(path).location.startswith("/log-in")
    for path in ("/profiles/new", f"/profiles/{own.id}", f"/profiles/{own.id}/delete"):
        assert client.post(path, data=VALID).location.startswith("/log-in")
    assert db.session.get(Profile, own.id) is not None


def test_a_form_without_its_token_changes_nothing(signed_in, own):
    data = {"name": "Eve", "version": "1"}
    assert signed_in.post("/profiles/new", data=data, csrf=False).status_code == 400
    assert signed_in.post(f"/profiles/{own.id}", data=data, csrf=False).status_code == 400
    assert signed_in.post(f"/profiles/{own.id}/delete", csrf=False).status_code == 400
    assert [profile.name for profile in db.session.scalars(sa.select(Profile))] == ["Ada Obi"]


def test_a_profile_for_somebody_else_cannot_be_made(signed_in, ada, cleo):
    fields = {"owner": str(cleo.id), "owner_id": str(cleo.id), "user_id": str(cleo.id), "id": "77", "is_public": ""}
    signed_in.post("/profiles/new", data={**VALID, **fields})
    profile = db.session.scalars(sa.select(Profile)).one()
    assert (profile.owner_id, profile.is_public) == (ada.id, True)
    assert profile.id != 77


def test_nothing_but_what_is_on_the_form_can_be_changed(signed_in, own, ada, cleo):
    fields = {"owner_id": str(cleo.id), "is_public": "", "banner": "x.webp", "links": "1", "hidden_fields": "bio"}
    edit(signed_in, own, name="Ada", **fields)
    assert own.name == "Ada"
    assert (own.owner_id, own.is_public, own.banner, own.theme, own.hidden_fields) == (ada.id, True, None, "lake", [])


# --- from a card ------------------------------------------------------------------------------------------------------


def test_who_picks_my_profile_without_one_is_led_to_make_it(signed_in, ada, card):
    response = signed_in.post("/cards/ADASCARD", data={"alias": "At work", "target": "profile", "profile": "0"})
    assert response.location == "/profiles/new?card=ADASCARD"
    page = signed_in.get(response.location).text
    assert "At work" in page
    assert 'action="/profiles/new?card=ADASCARD"' in page
    response = signed_in.post(response.location, data=VALID)
    assert response.location == "/cards/ADASCARD"
    assert (card.alias, card.target, card.profile.slug) == ("At work", Target.PROFILE, "ada-obi")
    assert signed_in.get("/t/ADASCARD").location == "/p/ada-obi"


def test_an_error_on_the_way_keeps_the_card(signed_in, card):
    page = signed_in.post("/profiles/new?card=ADASCARD", data={"name": "", "headline": "Architect"}).text
    assert 'action="/profiles/new?card=ADASCARD"' in page
    assert value_of(page, "headline") == "Architect"
    assert card.target is Target.URL


@pytest.mark.parametrize("token", ["CLEOCARD", "NOSUCH", "A'B", "%00", "%F0%9F%98%80", "A" * 400, "../x"])
def test_a_card_of_somebody_else_does_not_exist(signed_in, cleo, create_card, token):
    card = create_card(cleo, token="CLEOCARD", url="https://example.com/")
    assert signed_in.get(f"/profiles/new?card={token}").status_code == 404
    assert signed_in.post(f"/profiles/new?card={token}", data=VALID).status_code == 404
    assert (card.target, card.profile_id) == (Target.URL, None)
    assert db.session.scalar(sa.select(Profile)) is None


# --- strangers --------------------------------------------------------------------------------------------------------


def test_a_stranger_finds_no_profile_to_edit(client, own, cleo):
    login(client, cleo)
    for path in (f"/profiles/{own.id}", f"/profiles/{own.id}/delete"):
        assert client.get(path).status_code == 404
        assert client.post(path, data={"name": "Eve", "version": "1"}).status_code == 404
    assert db.session.get(Profile, own.id).name == "Ada Obi"
    assert "ada-obi" not in client.get("/profiles").text


def test_staff_do_not_edit_profiles_here_either(client, own, ben):
    login(client, ben)
    assert client.get(f"/profiles/{own.id}").status_code == 404


@pytest.mark.parametrize(
    "number", ["0", "-1", "999999", "9223372036854775808", "9" * 40, "x", "1.5", "%00", "1%20OR%201"]
)
def test_a_number_that_names_nothing_is_not_found(signed_in, number):
    for path in (f"/profiles/{number}", f"/profiles/{number}/delete"):
        assert signed_in.get(path).status_code == 404
        assert signed_in.post(path, data=VALID).status_code == 404


# --- bad input --------------------------------------------------------------------------------------------------------

LOOKALIKES = ["javascript:alert(1)", "JaVaScRiPt:alert(1)", "ｊａｖａｓｃｒｉｐｔ:alert(1)", "data:text/html,<script>"]
BAD = [
    ("name", ["", "   ", "a" * 61, "Ada\x00", "Ada\x1b[0m"]),
    ("headline", ["a" * 81, "a\x00b"]),
    ("company", ["a" * 81, "a\x7fb"]),
    ("bio", ["a" * 1001, "a\x00b", "a" * 20_000]),
    ("slug", ["ab", "a" * 26, "a--b", "-ada", "ada/obi", "аda", "admin", "ada\x00", *LOOKALIKES]),
    ("email", ["ada", "ada@", "a\r\nBcc: b@example.com", "a" * 300 + "@example.com", *LOOKALIKES]),
    ("phone", ["hello", "1", "9" * 400, "+999123", "020 7946\x000000", *LOOKALIKES]),
    ("whatsapp", ["hello", "1", "9" * 400, "+", *LOOKALIKES]),
    ("website", ["hello", "mailto:ada@example.com", "https://" + "a" * 5000, "https://a:b@example.com", *LOOKALIKES]),
    *[(key, ["a b", "a" * 400, "ada\x00", "https://evil.example/ada", "@", *LOOKALIKES]) for key in SOCIALS],
]


@pytest.mark.parametrize(("field", "texts"), BAD, ids=[field for field, _texts in BAD])
def test_a_bad_entry_is_said_at_its_field_and_nothing_is_lost(signed_in, own, field, texts):
    rest = {"name": "Ada, changed", "headline": "Builder", "bio": "One\nTwo", "phone": "020 7946 0001", "version": "1"}
    for text in texts:
        for path in ("/profiles/new", f"/profiles/{own.id}"):
            response = signed_in.post(path, data={**rest, field: text})
            assert response.status_code == 422, ascii(text)
            page = response.text
            assert error_of(page, field), ascii(text)
            for name, typed in rest.items():
                if name not in (field, "version"):
                    assert value_of(page, name) == typed
            if text.isprintable():
                assert value_of(page, field) == text.strip()
    assert (own.name, own.headline) == ("Ada Obi", "Architect")
    assert db.session.scalar(sa.select(sa.func.count()).select_from(Profile)) == 1


def test_all_errors_are_said_at_once(signed_in):
    page = signed_in.post("/profiles/new", data={"name": "", "email": "ada", "phone": "x", "github": "a b"}).text
    assert all(error_of(page, field) for field in ("name", "email", "phone", "github"))
    assert 'href="#email"' in page  # the summary on top leads there
    assert 'aria-describedby="email-error' in page


@pytest.mark.parametrize(
    "data",
    [
        {"photo": "not a file"},
        {"photo_kept": "forged.webp"},
        {"photo_kept": "\x00"},
        {"remove_photo": "perhaps"},
        {"version": "\x00"},
        {"version": "9" * 400},
        {"version": "١"},
        {"version": "-1"},
        {"version": ""},
        {"name": ["Ada", "Eve"]},
        {"name": "a file"},
    ],
    ids=str,
)
def test_fields_of_the_wrong_kind_never_break_the_page(signed_in, own, data):
    for path, rest in (("/profiles/new", VALID | {"slug": "another"}), (f"/profiles/{own.id}", VALID)):
        is_file = data.get("name") == "a file"
        sent = {"name": (io.BytesIO(b"a file"), "name.txt")} if is_file else data
        response = signed_in.post(path, data={**rest, **sent}, content_type="multipart/form-data")
        assert response.status_code in (302, 422)
    assert own.photo is None


def test_an_address_that_is_taken_is_said_at_its_field(signed_in, own, cleo, create_profile):
    create_profile(cleo, "cleo-nemo")
    response = signed_in.post("/profiles/new", data={"name": "Ada", "slug": "CLEO-Nemo", "bio": "Hello"})
    assert response.status_code == 422
    assert "That address is taken" in error_of(response.text, "slug")
    assert value_of(response.text, "bio") == "Hello"
    assert edit(signed_in, own, slug="cleo-nemo").status_code == 422
    assert own.slug == "ada-obi"


def test_an_address_taken_in_that_very_moment_is_a_message_too(signed_in, cleo, create_profile, monkeypatch):
    create_profile(cleo, "cleo-nemo")
    monkeypatch.setattr(slugs, "check_free", lambda slug: None)
    response = signed_in.post("/profiles/new", data={"name": "Ada", "slug": "cleo-nemo"})
    assert response.status_code == 422
    assert "That address is taken" in error_of(response.text, "slug")


# --- editing ----------------------------------------------------------------------------------------------------------


def test_the_form_saves_what_it_shows(signed_in, own):
    response = edit(signed_in, own)
    assert response.location == f"/profiles/{own.id}"
    assert (own.version, own.phone) == (1, "+442079460000")
    edit(signed_in, own, name="Ada O.", bio="One\r\n\r\nTwo", whatsapp="07700 900123", headline="")
    assert (own.name, own.bio, own.whatsapp, own.headline) == ("Ada O.", "One\n\nTwo", "+447700900123", None)


def test_of_two_windows_the_later_one_overwrites_nothing(signed_in, own):
    edit(signed_in, own, headline="Builder")
    response = signed_in.post(f"/profiles/{own.id}", data={**VALID, "headline": "Gardener", "version": "1"})
    assert response.status_code == 422
    assert "This profile was changed in another window" in response.text
    assert value_of(response.text, "headline") == "Gardener"
    assert own.headline == "Builder"
    again = signed_in.post(f"/profiles/{own.id}", data={**VALID, "headline": "Gardener", "version": "1"})
    assert again.status_code == 422


def test_deleting_asks_first(signed_in, ada, own, create_card):
    card = create_card(ada, token="ADASCARD", profile=own)
    page = signed_in.get(f"/profiles/{own.id}/delete").text
    assert "1 card opens this profile" in page
    assert db.session.get(Profile, own.id) is not None
    assert signed_in.post(f"/profiles/{own.id}/delete").location == "/profiles"
    assert db.session.scalar(sa.select(Profile)) is None
    assert not card.is_set_up
    assert signed_in.get("/t/ADASCARD").location == "/cards/ADASCARD"
    assert signed_in.get("/cards/ADASCARD").status_code == 200
    assert signed_in.get("/p/ada-obi").status_code == 404


# --- photo ------------------------------------------------------------------------------------------------------------


def test_a_photo_is_stored_shown_replaced_and_removed(signed_in, client, own, app):
    edit(signed_in, own, photo=(picture("red"), "ada.png"))
    first = own.photo
    assert files.NAME.fullmatch(first)
    assert f"/uploads/{first}" in client.get("/p/ada-obi").text
    assert client.get(f"/uploads/{first}").mimetype == "image/webp"
    edit(signed_in, own, name="Ada O.")
    assert own.photo == first
    edit(signed_in, own, photo=(picture("blue"), "ada.jpg"))
    assert own.photo not in (first, None)
    edit(signed_in, own, remove_photo="y")
    assert own.photo is None


@pytest.mark.parametrize(
    ("content", "word"),
    [
        (b"hello", "not a picture"),
        (b"<svg xmlns='http://www.w3.org/2000/svg' onload='alert(1)'/>", "not a picture"),
        (picture(kind="GIF").getvalue(), "not a picture"),
        (picture(kind="JPEG").getvalue()[:300], "damaged"),
        (picture(size=(5001, 5000)).getvalue(), "25 megapixels"),
    ],
    ids=["text", "svg", "gif", "cut", "25 megapixels"],
)
def test_a_bad_picture_is_said_at_its_field_and_the_rest_is_kept(signed_in, own, app, content, word):
    response = edit(signed_in, own, name="Ada O.", bio="Hello", photo=(io.BytesIO(content), "ada.png"))
    assert response.status_code == 422
    assert word in error_of(response.text, "photo")
    assert (value_of(response.text, "name"), value_of(response.text, "bio")) == ("Ada O.", "Hello")
    assert (own.photo, own.name) == (None, "Ada Obi")
    assert uploads_of(app) == set()


def test_a_picture_that_is_too_heavy_is_said_at_its_field_too(signed_in, own):
    page = signed_in.get(f"/profiles/{own.id}").text
    fields = {name: value_of(page, name) for name in ("csrf_token", "version")} | {"name": "Ada O.", "bio": "Hello"}
    heavy = picture().getvalue() + b"\0" * 9_000_000
    body, length, boundary = stream_encode_multipart(
        MultiDict({**fields, "photo": FileStorage(io.BytesIO(heavy), "ada.png")}), use_tempfile=False
    )
    kind = f"multipart/form-data; boundary={boundary}"
    response = signed_in.post(
        f"/profiles/{own.id}", input_stream=body, content_length=length, content_type=kind, csrf=False
    )
    assert response.status_code == 422
    assert "larger than 8 MB" in error_of(response.text, "photo")
    assert (value_of(response.text, "name"), value_of(response.text, "bio")) == ("Ada O.", "Hello")
    assert own.name == "Ada Obi"


def test_a_good_picture_outlives_the_errors_of_other_fields(signed_in, own, app):
    page = edit(signed_in, own, email="nonsense", photo=(picture(), "ada.png")).text
    (name,) = uploads_of(app)
    assert own.photo is None
    assert "Your new image is uploaded" in page
    assert f"/uploads/{name}" in page
    kept = value_of(page, "photo_kept")
    page = edit(signed_in, own, email="still nonsense", photo_kept=kept).text
    edit(signed_in, own, email="ada@example.com", photo_kept=value_of(page, "photo_kept"))
    assert (own.photo, own.email) == (name, "ada@example.com")


def test_a_kept_picture_may_be_given_up(signed_in, own):
    page = edit(signed_in, own, email="nonsense", photo=(picture(), "ada.png")).text
    page = edit(signed_in, own, email="nonsense", photo_kept=value_of(page, "photo_kept"), remove_photo="y").text
    assert value_of(page, "photo_kept") == ""
    edit(signed_in, own, photo_kept=value_of(page, "photo_kept"), remove_photo="y")
    assert own.photo is None


def test_a_new_profile_keeps_its_picture_through_errors_too(signed_in):
    data = {"name": "", "photo": (picture(), "ada.png")}
    page = signed_in.post("/profiles/new", data=data, content_type="multipart/form-data").text
    signed_in.post("/profiles/new", data={**VALID, "photo_kept": value_of(page, "photo_kept")})
    assert db.session.scalars(sa.select(Profile)).one().photo


def test_the_kept_picture_of_somebody_else_is_not_taken(signed_in, own, cleo, new_client, app):
    other = new_client()
    login(other, cleo)
    data = {"name": "", "photo": (picture(), "cleo.png")}
    page = other.post("/profiles/new", data=data, content_type="multipart/form-data").text
    (name,) = uploads_of(app)
    for kept in (value_of(page, "photo_kept"), name, f"{name}.x.y", value_of(page, "photo_kept")[:-2] + "xx"):
        edit(signed_in, own, photo_kept=kept)
        assert own.photo is None


def test_a_request_that_is_far_too_large_is_refused(signed_in, own):
    size = {"CONTENT_LENGTH": str(33 * 1024 * 1024)}
    kind = "multipart/form-data; boundary=x"
    response = signed_in.post(f"/profiles/{own.id}", content_type=kind, environ_overrides=size, csrf=False)
    assert response.status_code == 413


# --- the public page --------------------------------------------------------------------------------------------------

EVERYTHING = {
    "name": "Ada Obi",
    "headline": "Architect",
    "company": "Obi & Daughters",
    "bio": "Shade first.\nThen walls.",
    "email": "work@example.com",
    "phone": "+442079460000",
    "whatsapp": "+2348035550142",
    "website": "https://example.com/work",
    "photo": "0" * 32 + ".webp",
    "linkedin": "ada-obi",
    "instagram": "obi.builds",
    "snapchat": "ada_obi",
    "x": "ada_obi",
    "tiktok": "ada.obi",
    "youtube": "AdaObi",
    "facebook": "ada.obi",
    "github": "ada-obi",
}


def test_everybody_sees_every_stored_contact(client, ada, create_profile):
    create_profile(ada, "ada-obi", **EVERYTHING)
    response = client.get("/p/ada-obi")
    page = response.text
    assert response.status_code == 200
    for href in (
        "tel:+442079460000",
        "mailto:work@example.com",
        *(f"/p/ada-obi/open/{key}" for key in ("whatsapp", "website", *SOCIALS)),
    ):
        assert f'href="{href}"' in page
    for text in (
        ">Architect<",
        ">Obi &amp; Daughters<",
        "Shade first.<br>Then walls.",
        "+234 803 555 0142",
        "Made with",
    ):
        assert text in page
    for tag in re.findall(r'<a [^>]*href="/p/ada-obi/open/[^>]*>', page):
        assert 'rel="noopener nofollow"' in tag
    assert len(re.findall("btn-primary", page)) == 1
    assert "<nav" not in page


def test_the_mail_link_never_is_the_visitors_address(client, own, cleo, ada):
    own.email = "work@example.com"
    db.session.commit()
    login(client, cleo)
    page = client.get("/p/ada-obi").text
    assert re.findall(r'href="mailto:([^"]*)"', page) == ["work@example.com"]
    assert "cleo@example.com" not in page
    own.email = None
    db.session.commit()
    assert "mailto:" not in client.get("/p/ada-obi").text
    assert ada.email not in client.get("/p/ada-obi").text


def test_a_bare_profile_is_a_page_too(client, ada, create_profile):
    create_profile(ada, "ada-obi")
    page = client.get("/p/ada-obi").text
    assert "Ada Obi" in page
    assert page.count("btn-primary") == 1
    assert "None" not in page


def test_it_can_be_shared(client, ada, create_profile):
    create_profile(ada, "ada-obi", **EVERYTHING)
    page = client.get("/p/ada-obi", headers={"Host": "evil.example"}).text
    assert '<link rel="canonical" href="http://localhost/p/ada-obi">' in page
    assert '<meta property="og:title" content="Ada Obi">' in page
    assert '<meta property="og:url" content="http://localhost/p/ada-obi">' in page
    assert f'<meta property="og:image" content="http://localhost/uploads/{"0" * 32}.webp">' in page
    assert '<meta name="description" content="Shade first. Then walls.">' in page
    assert "evil.example" not in page


def test_its_qr_code_is_drawn_here(client, own):
    page = client.get("/p/ada-obi").text
    assert '<svg role="img"' in page
    assert not re.search(r'<(?:img|script|link|iframe)[^>]*(?:src|href)="(?:https?:)?//(?!localhost)', page)


def test_it_weighs_little_and_asks_nobody_else(client, ada, create_profile):
    create_profile(ada, "ada-obi", **{**EVERYTHING, "bio": "Ñandú " * 166})
    response = client.get("/p/ada-obi")
    weight = len(gzip.compress(response.data))
    for address in set(re.findall(r'(?:src|href)="(/static/[^"]+)"', response.text)):
        with client.get(address, headers={"Accept-Encoding": "gzip"}) as asset:
            weight += len(asset.data)
    assert weight < 60 * 1024


def test_what_a_holder_types_stays_text(client, ada, create_profile):
    evil = "\"'><script>alert(1)</script><img src=x onerror=alert(1)>"
    create_profile(ada, "ada-obi", name=evil[:60], headline=evil, company=evil, bio=f"{evil}\n{{{{ 7*7 }}}}")
    page = client.get("/p/ada-obi").text
    assert "<script>alert" not in page
    assert "onerror=alert(1)>" not in page
    assert "{{ 7*7 }}" in page
    login(client, ada)
    for path in ("/profiles", f"/profiles/{profiles.find_by_slug('ada-obi').profile.id}"):
        assert "<script>alert" not in client.get(path).text


@pytest.mark.parametrize("slug", ["ADA-OBI", "Ada-Obi"])
def test_capitals_lead_to_the_one_address(client, own, slug):
    response = client.get(f"/p/{slug}")
    assert (response.status_code, response.location) == (301, "/p/ada-obi")


def test_the_first_systems_address_leads_there(client, own):
    for path in ("/profile/slug/ada-obi/", "/profile/slug/ada-obi", "/profile/slug/ADA-obi/"):
        response = client.get(path)
        assert (response.status_code, response.location) == (301, "/p/ada-obi")
    for path in ("/profile/slug/%2F%2Fevil.example/", "/profile/slug/%5Cevil.example/", "/profile/slug/a%0D%0Ab/"):
        response = client.get(path)
        assert response.status_code in (301, 308, 404)  # 308: doubled slashes are taken out first
        assert re.fullmatch(r"/p/[^/]*|http://localhost/profile/slug/.*|None", str(response.location))


@pytest.mark.parametrize(
    "slug", ["nobody", "ada%00obi", "ada%2Fobi", "%F0%9F%98%80", "%FF", "a" * 3000, "..", "'", "{{7*7}}"]
)
def test_an_unknown_address_is_not_found(client, own, slug):
    assert client.get(f"/p/{slug}").status_code == 404


def test_a_profile_that_is_not_public_says_so(client, new_client, own, ada, cleo):
    own.is_public = False
    db.session.commit()
    login(client, cleo)
    for visitor in (client, new_client()):
        response = visitor.get("/p/ada-obi")
        assert response.status_code == 404
        assert "This profile is private" in response.text
        assert 'name="robots" content="noindex"' in response.text
        assert "Architect" not in response.text
        assert "Ada" not in response.text
    owner = new_client()
    login(owner, ada)
    response = owner.get("/p/ada-obi")
    assert response.status_code == 200
    assert "Only you can see it" in response.text
    assert "Architect" in response.text
    assert 'content="noindex"' in response.text


def test_the_profiles_of_a_closed_account_are_gone(client, own, ada):
    ada.is_active = False
    db.session.commit()
    assert client.get("/p/ada-obi").status_code == 404


def test_its_owner_finds_the_way_to_edit_it(signed_in, new_client, own):
    assert f"/profiles/{own.id}" in signed_in.get("/p/ada-obi").text
    assert f"/profiles/{own.id}" not in new_client().get("/p/ada-obi").text


@pytest.mark.parametrize("path", ["/p/ada-obi", "/profiles", "/profiles/{id}"])
def test_a_page_asks_the_database_a_fixed_number_of_questions(signed_in, ada, own, create_profile, create_card, path):
    def questions() -> int:
        asked = []

        def count(_connection, _cursor, statement, *_rest):
            if not statement.startswith(("BEGIN", "PRAGMA", "SAVEPOINT", "RELEASE", "ROLLBACK")):
                asked.append(statement)

        sa.event.listen(db.engine, "before_cursor_execute", count)
        try:
            assert signed_in.get(path.format(id=own.id)).status_code == 200
        finally:
            sa.event.remove(db.engine, "before_cursor_execute", count)
        return len(asked)

    questions()  # the first page after logging in also shows what there was to say
    few = questions()
    for number in range(10):
        create_card(ada, profile=create_profile(ada, f"ada-{number}", **EVERYTHING))
    for field, value in EVERYTHING.items():
        setattr(own, field, value)
    db.session.commit()
    assert questions() == few
    assert few <= 12


def test_head_is_answered_like_get(client, own):
    response = client.head("/p/ada-obi")
    assert (response.status_code, response.data) == (200, b"")
