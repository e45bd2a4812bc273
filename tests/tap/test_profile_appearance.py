"""The look of a profile: theme, banner, crop, visibility, preview, former slugs and shared images."""

import base64
import io
import re
from collections.abc import Callable
from pathlib import Path

import pytest
import sqlalchemy as sa
from flask import Flask
from PIL import Image

from tapcard import files
from tapcard.db import db
from tapcard.models import AuditEntry, Profile, ProfileLink, ProfileTheme, User
from tapcard.services.profiles import contacts
from tapcard.web.brand import contrast
from tests.conftest import FormClient, login
from tests.pages import error_of, form_to, forms_on, words_of
from tests.statements import statements, writes

STYLES = Path(__file__).resolve().parents[2] / "tapcard" / "static" / "css" / "tapcard.css"


def picture(size: tuple[int, int] = (60, 40), left: str = "red", right: str = "blue", kind: str = "PNG") -> io.BytesIO:
    """Return a picture of two colors side by side."""
    image = Image.new("RGB", size, left)
    image.paste(right, (size[0] // 2, 0, *size))
    out = io.BytesIO()
    image.save(out, kind)
    return io.BytesIO(out.getvalue())


@pytest.fixture
def ada_client(client: FormClient, ada: User) -> FormClient:
    login(client, ada)
    return client


@pytest.fixture
def ada_profile(ada: User, create_profile: Callable[..., Profile]) -> Profile:
    return create_profile(ada, "ada-obi", headline="Architect", phone="+442079460000", website="https://example.com/")


def form_values(client: FormClient, path: str) -> dict[str, object]:
    """Return the values of the form on a page."""
    return dict(form_to(client.get(path).text, path).values)


def submit_edit(client: FormClient, profile: Profile, **changes: object):
    path = f"/profiles/{profile.id}"
    data = {**form_values(client, path), **changes}
    return client.post(path, data=data, content_type="multipart/form-data", csrf=False)


def uploaded_image(app: Flask, name: str | None) -> Image.Image:
    assert name
    with files.open_upload(name, files.folder(app.instance_path)) as upload:
        return Image.open(io.BytesIO(upload.read())).convert("RGB")


# --- theme, banner, photo ---------------------------------------------------------------------------------------------


@pytest.mark.parametrize("theme", ProfileTheme)
def test_a_theme_is_chosen_and_shown(ada_client: FormClient, ada_profile: Profile, theme: ProfileTheme) -> None:
    assert submit_edit(ada_client, ada_profile, theme=theme.value).status_code == 302
    assert ada_profile.theme is theme
    assert f"tc-themed theme-{theme.value}" in ada_client.get("/p/ada-obi").text
    assert form_values(ada_client, f"/profiles/{ada_profile.id}")["theme"] == theme.value


def test_an_unknown_theme_is_refused_and_an_empty_one_keeps_the_current(
    ada_client: FormClient, ada_profile: Profile
) -> None:
    submit_edit(ada_client, ada_profile, theme="rose")
    response = submit_edit(ada_client, ada_profile, theme="plaid")
    assert response.status_code == 422
    assert ada_profile.theme is ProfileTheme.ROSE
    submit_edit(ada_client, ada_profile, theme="")
    assert ada_profile.theme is ProfileTheme.ROSE


def theme_colors(theme: str) -> dict[str, str]:
    [rule] = re.findall(rf"^\.theme-{theme} {{(.*?)}}", STYLES.read_text(), re.MULTILINE)
    return dict(re.findall(r"--tp-(\w+): (#[0-9a-f]{6})", rule))


@pytest.mark.parametrize("theme", sorted(set(ProfileTheme) - {ProfileTheme.LAKE}))
def test_every_theme_has_enough_contrast_in_light_and_dark_mode(theme: str) -> None:
    """`web/brand.py` tests the default theme, Lake."""
    colours = theme_colors(theme)
    ink, muted, dark_ink, dark_muted = "#13294b", "#54637d", "#e7eefb", "#a9b8d3"
    assert contrast(colours["strong"], "#ffffff") >= 4.5
    for text in (colours["strong"], ink, muted):
        assert contrast(text, colours["light"]) >= 4.5
    for ground in (colours["dark"], colours["raised"]):
        for text in (colours["soft"], dark_ink, dark_muted):
            assert contrast(text, ground) >= 4.5


def test_a_banner_is_stored_shown_replaced_and_removed(
    ada_client: FormClient, ada_profile: Profile, app: Flask
) -> None:
    submit_edit(ada_client, ada_profile, banner=(picture((3000, 2000)), "wide.png"))
    first = ada_profile.banner
    assert uploaded_image(app, first).size == (1500, 500)
    assert f'src="/uploads/{first}"' in ada_client.get("/p/ada-obi").text
    submit_edit(ada_client, ada_profile, name="Ada O.")
    assert ada_profile.banner == first
    submit_edit(ada_client, ada_profile, banner=(picture(left="green"), "b.png"))
    assert ada_profile.banner not in (None, first)
    submit_edit(ada_client, ada_profile, remove_banner="y")
    assert ada_profile.banner is None


def test_a_banner_is_kept_through_errors_and_cannot_become_the_photo(
    ada_client: FormClient, ada_profile: Profile
) -> None:
    path = f"/profiles/{ada_profile.id}"
    response = submit_edit(ada_client, ada_profile, email="nonsense", banner=(picture(), "b.png"))
    token = form_to(response.text, path).values["banner_kept"]
    assert token
    submit_edit(ada_client, ada_profile, photo_kept=token)
    assert (ada_profile.photo, ada_profile.banner) == (None, None)
    submit_edit(ada_client, ada_profile, banner_kept=token)
    assert ada_profile.banner


def test_an_invalid_banner_shows_an_error_and_the_form_keeps_the_rest(
    ada_client: FormClient, ada_profile: Profile
) -> None:
    changes = {"name": "Ada O.", "theme": "night", "hidden": ["phone"], "is_private": "y"}
    response = submit_edit(ada_client, ada_profile, banner=(io.BytesIO(b"<svg/>"), "b.svg"), **changes)
    assert response.status_code == 422
    assert "read this file" in error_of(response.text, "banner")
    again = form_to(response.text, f"/profiles/{ada_profile.id}").values
    assert {name: again[name] for name in changes} == {**changes, "hidden": "phone"}
    assert (ada_profile.name, ada_profile.banner) == ("Ada Obi", None)


def test_a_photo_is_cropped_to_the_chosen_part(ada_client: FormClient, ada_profile: Profile, app: Flask) -> None:
    wide = picture((600, 200))
    submit_edit(ada_client, ada_profile, photo=(wide, "a.png"), crop_x="0.6", crop_y="0", crop_size="1")
    assert uploaded_image(app, ada_profile.photo).size == (200, 200)
    assert uploaded_image(app, ada_profile.photo).getpixel((10, 100))[2] > 200
    submit_edit(ada_client, ada_profile, photo=(picture((600, 200)), "a.png"))
    middle = uploaded_image(app, ada_profile.photo)
    assert middle.getpixel((10, 100))[0] > 200
    assert middle.getpixel((190, 100))[2] > 200


@pytest.mark.parametrize(
    "crop", [("0.9", "0", "1"), ("x", "0", "1"), ("nan", "0", "1"), ("", "", "inf"), ("0", "0", "")]
)
def test_an_invalid_crop_shows_an_error_at_the_photo(
    ada_client: FormClient, ada_profile: Profile, crop: tuple[str, ...]
) -> None:
    parts = dict(zip(("crop_x", "crop_y", "crop_size"), crop, strict=True))
    response = submit_edit(ada_client, ada_profile, photo=(picture((600, 200)), "a.png"), **parts)
    assert response.status_code == 422
    assert "outside the image" in error_of(response.text, "photo")
    assert ada_profile.photo is None


# --- visibility -------------------------------------------------------------------------------------------------------


def test_hidden_fields_are_not_on_the_page(ada_client: FormClient, ada_profile: Profile) -> None:
    submit_edit(ada_client, ada_profile, hidden=["phone", "github"], github="ada-obi", address="1 Lake Street\nIbadan")
    assert ada_profile.hidden_fields == ["phone", "github"]
    page = ada_client.get("/p/ada-obi").text
    assert "tel:" not in page
    assert "github.com" not in page
    assert "example.com" in page
    assert "1 Lake Street, Ibadan" in page
    assert not contacts.is_field_shown(ada_profile, "phone")
    assert contacts.is_field_shown(ada_profile, "website")
    submit_edit(ada_client, ada_profile, hidden=[])
    assert ada_profile.hidden_fields == []


@pytest.mark.parametrize("name", ["name", "slug", "bio", "owner_id", "", "x" * 3000])
def test_only_contact_fields_can_be_hidden(ada_client: FormClient, ada_profile: Profile, name: str) -> None:
    assert submit_edit(ada_client, ada_profile, hidden=[name]).status_code == 422
    assert ada_profile.hidden_fields == []


def test_a_profile_is_made_private_and_public_again(
    ada_client: FormClient, new_client: Callable[[], FormClient], ada_profile: Profile
) -> None:
    submit_edit(ada_client, ada_profile, is_private="y")
    assert not ada_profile.is_public
    assert new_client().get("/p/ada-obi").status_code == 404
    assert form_values(ada_client, f"/profiles/{ada_profile.id}")["is_private"] == "y"
    data = form_values(ada_client, f"/profiles/{ada_profile.id}")
    del data["is_private"]
    ada_client.post(f"/profiles/{ada_profile.id}", data=data, csrf=False)
    assert ada_profile.is_public


def test_an_outdated_form_keeps_appearance_and_visibility(ada_client: FormClient, ada_profile: Profile) -> None:
    path = f"/profiles/{ada_profile.id}"
    stale = form_values(ada_client, path)
    submit_edit(ada_client, ada_profile, headline="Builder")
    changes = {"theme": "night", "hidden": "phone", "bio": "Hello", "is_private": "y"}
    response = ada_client.post(path, data={**stale, **changes}, csrf=False)
    assert response.status_code == 422
    assert "This profile was changed in another window" in words_of(response.text)
    again = form_to(response.text, path).values
    assert {name: again[name] for name in changes} == changes
    assert (ada_profile.headline, ada_profile.theme, ada_profile.is_public) == ("Builder", ProfileTheme.LAKE, True)


# --- preview ----------------------------------------------------------------------------------------------------------


def preview(client: FormClient, profile: Profile | None, query: str = "", **changes: object):
    edit = f"/profiles/{profile.id}" if profile else "/profiles/new"
    path = f"/profiles/{profile.id}/preview" if profile else "/profiles/preview"
    data = {**form_values(client, edit), **changes}
    return client.post(path + query, data=data, content_type="multipart/form-data", csrf=False)


def test_a_preview_shows_unsaved_changes_and_stores_nothing(
    ada_client: FormClient, ada_profile: Profile, app: Flask
) -> None:
    db.session.add(
        ProfileLink(profile_id=ada_profile.id, position=0, title="My houses", url="https://example.com/houses")
    )
    db.session.commit()
    changes = {"name": "Ada Preview", "theme": "rose", "hidden": ["phone"], "slug": "elsewhere"}
    form_values(ada_client, f"/profiles/{ada_profile.id}")
    with statements() as recorded:
        response = preview(ada_client, ada_profile, photo=(picture(), "a.png"), **changes)
    throttled = [statement for statement in writes(recorded) if "throttle_counters" not in statement]
    assert throttled == []
    assert response.status_code == 200
    page = response.text
    for text in ("Ada Preview", "theme-rose", "My houses", "Nothing has been saved", 'content="noindex"'):
        assert text in page
    assert "tel:" not in page
    [drawn] = re.findall(r'src="data:image/webp;base64,([^"]+)"', page)
    assert Image.open(io.BytesIO(base64.b64decode(drawn))).size == (40, 40)
    assert (ada_profile.name, ada_profile.slug, ada_profile.photo, ada_profile.version) == (
        "Ada Obi",
        "ada-obi",
        None,
        1,
    )
    assert list(files.folder(app.instance_path).glob("*.webp")) == []


def test_a_preview_without_pictures_writes_nothing(ada_client: FormClient, ada_profile: Profile) -> None:
    data = form_values(ada_client, f"/profiles/{ada_profile.id}")
    for path in (f"/profiles/{ada_profile.id}/preview?part=1", "/profiles/preview"):
        with statements() as recorded:
            assert ada_client.post(path, data=data, csrf=False).status_code == 200
        assert writes(recorded) == []
    assert db.session.scalar(sa.select(sa.func.count()).select_from(Profile)) == 1


def test_a_partial_preview_contains_only_the_profile(ada_client: FormClient, ada_profile: Profile) -> None:
    page = preview(ada_client, ada_profile, "?part=1").text
    assert page.strip().startswith('<div class="tc-profile')
    assert "<html" not in page
    assert "<script" not in page
    assert "Nothing has been saved" not in page
    assert forms_on(page) == []


def test_a_new_profile_can_be_previewed(ada_client: FormClient) -> None:
    page = preview(ada_client, None, name="", headline="Architect").text
    assert "Architect" in page
    assert db.session.scalar(sa.select(Profile)) is None


def test_invalid_fields_are_left_out_of_the_preview(ada_client: FormClient, ada_profile: Profile) -> None:
    markup = "<script>alert(1)</script>"
    response = preview(
        ada_client, ada_profile, email="nonsense", website="javascript:alert(1)", headline=markup, slug="a b"
    )
    assert response.status_code == 200
    assert "Fields with errors aren't shown" in response.text
    assert "javascript:" not in response.text
    assert markup not in response.text
    assert preview(ada_client, ada_profile, photo=(io.BytesIO(b"no picture"), "a.png")).status_code == 200


def test_only_the_owner_can_preview_a_profile(client: FormClient, ada_profile: Profile, cleo: User) -> None:
    assert client.post(f"/profiles/{ada_profile.id}/preview", data={"name": "Eve"}).location.startswith("/log-in")
    login(client, cleo)
    assert client.post(f"/profiles/{ada_profile.id}/preview", data={"name": "Eve"}).status_code == 404
    assert client.get(f"/profiles/{ada_profile.id}/preview").status_code == 405


# --- slugs ------------------------------------------------------------------------------------------------------------


def test_a_former_slug_redirects_until_another_profile_takes_it(
    ada_client: FormClient, new_client: Callable[[], FormClient], ada_profile: Profile, cleo: User
) -> None:
    submit_edit(ada_client, ada_profile, slug="ada-new")
    visitor = new_client()
    for path in ("/p/ada-obi", "/p/ADA-obi"):
        response = visitor.get(path)
        assert (response.status_code, response.location) == (302, "/p/ada-new")
        assert response.headers["Cache-Control"] == "no-store"
    assert "ada-obi" in ada_client.get(f"/profiles/{ada_profile.id}").text
    login(visitor, cleo)
    assert visitor.post("/profiles/new", data={"name": "Cleo", "slug": "ada-obi"}).status_code == 302
    assert "Cleo" in new_client().get("/p/ada-obi").text
    assert db.session.scalars(sa.select(AuditEntry.tag).where(AuditEntry.tag == "profile.changed")).all()


def test_a_former_slug_of_a_private_profile_does_not_reveal_the_current_one(
    ada_client: FormClient, new_client: Callable[[], FormClient], ada_profile: Profile
) -> None:
    submit_edit(ada_client, ada_profile, slug="ada-secret", is_private="y")
    response = new_client().get("/p/ada-obi")
    assert response.status_code == 404
    assert "ada-secret" not in response.text + str(response.headers)
    assert ada_client.get("/p/ada-obi").location == "/p/ada-secret"


# --- sharing ----------------------------------------------------------------------------------------------------------


@pytest.mark.parametrize(
    ("values", "ends", "card"),
    [
        ({"photo": "0" * 32 + ".webp", "banner": "1" * 32 + ".webp"}, "0" * 32 + ".webp", "summary"),
        ({"banner": "1" * 32 + ".webp"}, "1" * 32 + ".webp", "summary_large_image"),
        ({}, "img/touch-icon.png", "summary"),
    ],
    ids=["photo", "banner", "neither"],
)
def test_a_shared_link_always_has_an_image_of_this_site(
    client: FormClient, ada_profile: Profile, values: dict[str, str], ends: str, card: str
) -> None:
    for name, value in values.items():
        setattr(ada_profile, name, value)
    db.session.commit()
    page = client.get("/p/ada-obi", headers={"Host": "evil.example"}).text
    [address] = re.findall(r'property="og:image" content="([^"]+)"', page)
    assert address.startswith("http://localhost/")
    assert address.endswith(ends)
    assert f'name="twitter:card" content="{card}"' in page
    if not values:
        with client.get(address.removeprefix("http://localhost")) as response:
            assert (response.status_code, response.mimetype) == (200, "image/png")
