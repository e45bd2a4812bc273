"""Creating, changing and deleting profiles, and what their forms refuse."""

import io

import pytest
import sqlalchemy as sa

from tapcard.db import db
from tapcard.models import SOCIALS, Profile, Target
from tapcard.services.profiles import slugs
from tests.conftest import login
from tests.tap.profiles import VALID, error_of, submit_edit, value_of


def test_a_holder_creates_a_profile(ada_client, ada):
    assert "No profiles yet" in ada_client.get("/profiles").text
    assert value_of(ada_client.get("/profiles/new").text, "name") == "Ada Obi"
    response = ada_client.post("/profiles/new", data={**VALID, "headline": "Architect", "phone": "020 7946 0000"})
    profile = db.session.scalars(sa.select(Profile)).one()
    assert response.location == f"/profiles/{profile.id}"
    assert (profile.owner_id, profile.slug, profile.phone) == (ada.id, "ada-obi", "+442079460000")
    assert "Profile created" in ada_client.get(response.location).text


def test_a_holder_can_have_several_profiles(ada_client, ada, ada_profile):
    ada_client.post("/profiles/new", data={"name": "Ada, private"})
    page = ada_client.get("/profiles").text
    assert "/p/ada-obi" in page
    assert "/p/ada-private" in page


def test_profile_pages_require_login(client, ada_profile):
    for path in ("/profiles", "/profiles/new", f"/profiles/{ada_profile.id}", f"/profiles/{ada_profile.id}/delete"):
        assert client.get(path).location.startswith("/log-in")
    for path in ("/profiles/new", f"/profiles/{ada_profile.id}", f"/profiles/{ada_profile.id}/delete"):
        assert client.post(path, data=VALID).location.startswith("/log-in")
    assert db.session.get(Profile, ada_profile.id) is not None


def test_profile_forms_require_the_csrf_token(ada_client, ada_profile):
    data = {"name": "Eve", "version": "1"}
    assert ada_client.post("/profiles/new", data=data, csrf=False).status_code == 400
    assert ada_client.post(f"/profiles/{ada_profile.id}", data=data, csrf=False).status_code == 400
    assert ada_client.post(f"/profiles/{ada_profile.id}/delete", csrf=False).status_code == 400
    assert [profile.name for profile in db.session.scalars(sa.select(Profile))] == ["Ada Obi"]


def test_a_new_profile_always_belongs_to_the_current_user(ada_client, ada, cleo):
    fields = {"owner": str(cleo.id), "owner_id": str(cleo.id), "user_id": str(cleo.id), "id": "77", "is_public": ""}
    ada_client.post("/profiles/new", data={**VALID, **fields})
    profile = db.session.scalars(sa.select(Profile)).one()
    assert (profile.owner_id, profile.is_public) == (ada.id, True)
    assert profile.id != 77


def test_the_profile_form_cannot_set_other_columns(ada_client, ada_profile, ada, cleo):
    fields = {"owner_id": str(cleo.id), "is_public": "", "banner": "x.webp", "links": "1", "hidden_fields": "bio"}
    submit_edit(ada_client, ada_profile, name="Ada", **fields)
    assert ada_profile.name == "Ada"
    assert (
        ada_profile.owner_id,
        ada_profile.is_public,
        ada_profile.banner,
        ada_profile.theme,
        ada_profile.hidden_fields,
    ) == (ada.id, True, None, "lake", [])


def test_creating_a_profile_for_a_card_sets_its_target(ada_client, ada, card):
    response = ada_client.post("/cards/ADASCARD", data={"alias": "At work", "target": "profile", "profile": "0"})
    assert response.location == "/profiles/new?card=ADASCARD"
    page = ada_client.get(response.location).text
    assert "At work" in page
    assert 'action="/profiles/new?card=ADASCARD"' in page
    response = ada_client.post(response.location, data=VALID)
    assert response.location == "/cards/ADASCARD"
    assert (card.alias, card.target, card.profile.slug) == ("At work", Target.PROFILE, "ada-obi")
    assert ada_client.get("/t/ADASCARD").location == "/p/ada-obi"


def test_an_error_keeps_the_card_in_the_form(ada_client, card):
    page = ada_client.post("/profiles/new?card=ADASCARD", data={"name": "", "headline": "Architect"}).text
    assert 'action="/profiles/new?card=ADASCARD"' in page
    assert value_of(page, "headline") == "Architect"
    assert card.target is Target.URL


@pytest.mark.parametrize("token", ["CLEOCARD", "NOSUCH", "A'B", "%00", "%F0%9F%98%80", "A" * 400, "../x"])
def test_a_profile_cannot_be_created_for_a_card_of_another_user(ada_client, cleo, create_card, token):
    card = create_card(cleo, token="CLEOCARD", url="https://example.com/")
    assert ada_client.get(f"/profiles/new?card={token}").status_code == 404
    assert ada_client.post(f"/profiles/new?card={token}", data=VALID).status_code == 404
    assert (card.target, card.profile_id) == (Target.URL, None)
    assert db.session.scalar(sa.select(Profile)) is None


def test_a_profile_of_another_user_cannot_be_edited(client, ada_profile, cleo):
    login(client, cleo)
    for path in (f"/profiles/{ada_profile.id}", f"/profiles/{ada_profile.id}/delete"):
        assert client.get(path).status_code == 404
        assert client.post(path, data={"name": "Eve", "version": "1"}).status_code == 404
    assert db.session.get(Profile, ada_profile.id).name == "Ada Obi"
    assert "ada-obi" not in client.get("/profiles").text


def test_staff_cannot_edit_profiles_on_these_pages(client, ada_profile, ben):
    login(client, ben)
    assert client.get(f"/profiles/{ada_profile.id}").status_code == 404


@pytest.mark.parametrize(
    "number", ["0", "-1", "999999", "9223372036854775808", "9" * 40, "x", "1.5", "%00", "1%20OR%201"]
)
def test_an_unknown_profile_id_is_not_found(ada_client, number):
    for path in (f"/profiles/{number}", f"/profiles/{number}/delete"):
        assert ada_client.get(path).status_code == 404
        assert ada_client.post(path, data=VALID).status_code == 404


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
def test_invalid_input_shows_an_error_and_keeps_the_other_values(ada_client, ada_profile, field, texts):
    rest = {"name": "Ada, changed", "headline": "Builder", "bio": "One\nTwo", "phone": "020 7946 0001", "version": "1"}
    for text in texts:
        for path in ("/profiles/new", f"/profiles/{ada_profile.id}"):
            response = ada_client.post(path, data={**rest, field: text})
            assert response.status_code == 422, ascii(text)
            page = response.text
            assert error_of(page, field), ascii(text)
            for name, value in rest.items():
                if name not in (field, "version"):
                    assert value_of(page, name) == value
            if text.isprintable():
                assert value_of(page, field) == text.strip()
    assert (ada_profile.name, ada_profile.headline) == ("Ada Obi", "Architect")
    assert db.session.scalar(sa.select(sa.func.count()).select_from(Profile)) == 1


def test_all_errors_show_at_once(ada_client):
    page = ada_client.post("/profiles/new", data={"name": "", "email": "ada", "phone": "x", "github": "a b"}).text
    assert all(error_of(page, field) for field in ("name", "email", "phone", "github"))
    assert 'href="#email"' in page  # in the error summary
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
def test_fields_of_the_wrong_type_do_not_break_the_page(ada_client, ada_profile, data):
    for path, rest in (("/profiles/new", VALID | {"slug": "another"}), (f"/profiles/{ada_profile.id}", VALID)):
        is_file = data.get("name") == "a file"
        sent = {"name": (io.BytesIO(b"a file"), "name.txt")} if is_file else data
        response = ada_client.post(path, data={**rest, **sent}, content_type="multipart/form-data")
        assert response.status_code in (302, 422)
    assert ada_profile.photo is None


def test_a_used_slug_shows_an_error_at_its_field(ada_client, ada_profile, cleo, create_profile):
    create_profile(cleo, "cleo-nemo")
    response = ada_client.post("/profiles/new", data={"name": "Ada", "slug": "CLEO-Nemo", "bio": "Hello"})
    assert response.status_code == 422
    assert "That address is taken" in error_of(response.text, "slug")
    assert value_of(response.text, "bio") == "Hello"
    assert submit_edit(ada_client, ada_profile, slug="cleo-nemo").status_code == 422
    assert ada_profile.slug == "ada-obi"


def test_a_slug_taken_after_the_check_shows_an_error_at_its_field(ada_client, cleo, create_profile, monkeypatch):
    create_profile(cleo, "cleo-nemo")
    monkeypatch.setattr(slugs, "check_free", lambda slug: None)
    response = ada_client.post("/profiles/new", data={"name": "Ada", "slug": "cleo-nemo"})
    assert response.status_code == 422
    assert "That address is taken" in error_of(response.text, "slug")


def test_the_form_can_be_saved_as_it_is_shown(ada_client, ada_profile):
    response = submit_edit(ada_client, ada_profile)
    assert response.location == f"/profiles/{ada_profile.id}"
    assert (ada_profile.version, ada_profile.phone) == (1, "+442079460000")
    submit_edit(ada_client, ada_profile, name="Ada O.", bio="One\r\n\r\nTwo", whatsapp="07700 900123", headline="")
    assert (ada_profile.name, ada_profile.bio, ada_profile.whatsapp, ada_profile.headline) == (
        "Ada O.",
        "One\n\nTwo",
        "+447700900123",
        None,
    )


def test_an_outdated_form_is_refused_and_keeps_its_values(ada_client, ada_profile):
    submit_edit(ada_client, ada_profile, headline="Builder")
    response = ada_client.post(f"/profiles/{ada_profile.id}", data={**VALID, "headline": "Gardener", "version": "1"})
    assert response.status_code == 422
    assert "This profile was changed in another window" in response.text
    assert value_of(response.text, "headline") == "Gardener"
    assert ada_profile.headline == "Builder"
    again = ada_client.post(f"/profiles/{ada_profile.id}", data={**VALID, "headline": "Gardener", "version": "1"})
    assert again.status_code == 422


def test_deleting_a_profile_asks_for_confirmation(ada_client, ada, ada_profile, create_card):
    card = create_card(ada, token="ADASCARD", profile=ada_profile)
    page = ada_client.get(f"/profiles/{ada_profile.id}/delete").text
    assert "1 card opens this profile" in page
    assert db.session.get(Profile, ada_profile.id) is not None
    assert ada_client.post(f"/profiles/{ada_profile.id}/delete").location == "/profiles"
    assert db.session.scalar(sa.select(Profile)) is None
    assert not card.is_set_up
    assert ada_client.get("/t/ADASCARD").location == "/cards/ADASCARD"
    assert ada_client.get("/cards/ADASCARD").status_code == 200
    assert ada_client.get("/p/ada-obi").status_code == 404
