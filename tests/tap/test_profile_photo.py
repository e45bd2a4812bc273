"""The photo of a profile: storing, replacing, refusing, and keeping it through errors."""

import io

import pytest
import sqlalchemy as sa
from werkzeug.datastructures import FileStorage, MultiDict
from werkzeug.test import stream_encode_multipart

from tapcard import files
from tapcard.db import db
from tapcard.models import Profile
from tests.conftest import login
from tests.tap.profiles import VALID, error_of, picture, submit_edit, uploads_of, value_of


def test_a_photo_is_stored_shown_replaced_and_removed(ada_client, client, ada_profile, app):
    submit_edit(ada_client, ada_profile, photo=(picture("red"), "ada.png"))
    first = ada_profile.photo
    assert files.NAME.fullmatch(first)
    assert f"/uploads/{first}" in client.get("/p/ada-obi").text
    assert client.get(f"/uploads/{first}").mimetype == "image/webp"
    submit_edit(ada_client, ada_profile, name="Ada O.")
    assert ada_profile.photo == first
    submit_edit(ada_client, ada_profile, photo=(picture("blue"), "ada.jpg"))
    assert ada_profile.photo not in (first, None)
    submit_edit(ada_client, ada_profile, remove_photo="y")
    assert ada_profile.photo is None


@pytest.mark.parametrize(
    ("content", "word"),
    [
        (b"hello", "read this file"),
        (b"<svg xmlns='http://www.w3.org/2000/svg' onload='alert(1)'/>", "read this file"),
        (picture(kind="GIF").getvalue(), "read this file"),
        (picture(kind="JPEG").getvalue()[:300], "damaged"),
        (picture(size=(5001, 5000)).getvalue(), "25 megapixels"),
    ],
    ids=["text", "svg", "gif", "cut", "25 megapixels"],
)
def test_an_invalid_photo_shows_an_error_and_the_form_keeps_the_rest(ada_client, ada_profile, app, content, word):
    response = submit_edit(ada_client, ada_profile, name="Ada O.", bio="Hello", photo=(io.BytesIO(content), "ada.png"))
    assert response.status_code == 422
    assert word in error_of(response.text, "photo")
    assert (value_of(response.text, "name"), value_of(response.text, "bio")) == ("Ada O.", "Hello")
    assert (ada_profile.photo, ada_profile.name) == (None, "Ada Obi")
    assert uploads_of(app) == set()


def test_a_photo_above_the_size_limit_shows_an_error_at_its_field(ada_client, ada_profile):
    page = ada_client.get(f"/profiles/{ada_profile.id}").text
    fields = {name: value_of(page, name) for name in ("csrf_token", "version")} | {"name": "Ada O.", "bio": "Hello"}
    heavy = picture().getvalue() + b"\0" * 9_000_000
    body, length, boundary = stream_encode_multipart(
        MultiDict({**fields, "photo": FileStorage(io.BytesIO(heavy), "ada.png")}), use_tempfile=False
    )
    kind = f"multipart/form-data; boundary={boundary}"
    response = ada_client.post(
        f"/profiles/{ada_profile.id}", input_stream=body, content_length=length, content_type=kind, csrf=False
    )
    assert response.status_code == 422
    assert "larger than 8 MB" in error_of(response.text, "photo")
    assert (value_of(response.text, "name"), value_of(response.text, "bio")) == ("Ada O.", "Hello")
    assert ada_profile.name == "Ada Obi"


def test_a_valid_photo_is_kept_through_errors_of_other_fields(ada_client, ada_profile, app):
    page = submit_edit(ada_client, ada_profile, email="nonsense", photo=(picture(), "ada.png")).text
    (name,) = uploads_of(app)
    assert ada_profile.photo is None
    assert "Your new image is uploaded" in page
    assert f"/uploads/{name}" in page
    token = value_of(page, "photo_kept")
    page = submit_edit(ada_client, ada_profile, email="still nonsense", photo_kept=token).text
    submit_edit(ada_client, ada_profile, email="ada@example.com", photo_kept=value_of(page, "photo_kept"))
    assert (ada_profile.photo, ada_profile.email) == (name, "ada@example.com")


def test_a_kept_photo_can_be_removed(ada_client, ada_profile):
    page = submit_edit(ada_client, ada_profile, email="nonsense", photo=(picture(), "ada.png")).text
    page = submit_edit(
        ada_client, ada_profile, email="nonsense", photo_kept=value_of(page, "photo_kept"), remove_photo="y"
    ).text
    assert value_of(page, "photo_kept") == ""
    submit_edit(ada_client, ada_profile, photo_kept=value_of(page, "photo_kept"), remove_photo="y")
    assert ada_profile.photo is None


def test_a_new_profile_keeps_its_photo_through_errors(ada_client):
    data = {"name": "", "photo": (picture(), "ada.png")}
    page = ada_client.post("/profiles/new", data=data, content_type="multipart/form-data").text
    ada_client.post("/profiles/new", data={**VALID, "photo_kept": value_of(page, "photo_kept")})
    assert db.session.scalars(sa.select(Profile)).one().photo


def test_a_kept_photo_of_another_user_is_refused(ada_client, ada_profile, cleo, new_client, app):
    other_client = new_client()
    login(other_client, cleo)
    data = {"name": "", "photo": (picture(), "cleo.png")}
    page = other_client.post("/profiles/new", data=data, content_type="multipart/form-data").text
    (name,) = uploads_of(app)
    for token in (value_of(page, "photo_kept"), name, f"{name}.x.y", value_of(page, "photo_kept")[:-2] + "xx"):
        submit_edit(ada_client, ada_profile, photo_kept=token)
        assert ada_profile.photo is None


def test_a_request_above_the_size_limit_is_refused(ada_client, ada_profile):
    size = {"CONTENT_LENGTH": str(33 * 1024 * 1024)}
    kind = "multipart/form-data; boundary=x"
    response = ada_client.post(f"/profiles/{ada_profile.id}", content_type=kind, environ_overrides=size, csrf=False)
    assert response.status_code == 413
