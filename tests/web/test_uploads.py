"""Uploads: caching headers and the size limit."""

import io

import pytest
from werkzeug.datastructures import FileStorage

from tapcard import files
from tapcard.images import InvalidImage
from tapcard.web import uploads


@pytest.fixture
def name(app):
    return files.store(b"picture", uploads.folder())


def test_a_picture_may_be_cached_forever(client, name):
    response = client.get(f"/uploads/{name}")
    assert (response.status_code, response.data, response.mimetype) == (200, b"picture", "image/webp")
    assert response.headers["Cache-Control"] == "public, max-age=31536000, immutable"
    assert response.headers["X-Content-Type-Options"] == "nosniff"
    assert response.headers["Content-Security-Policy"] == "default-src 'none'"
    assert "Set-Cookie" not in response.headers


def test_a_cached_picture_is_not_sent_again(client, name):
    etag = client.get(f"/uploads/{name}").headers["ETag"]
    response = client.get(f"/uploads/{name}", headers={"If-None-Match": etag})
    assert (response.status_code, response.data) == (304, b"")
    assert client.head(f"/uploads/{name}").headers["Content-Length"] == "7"


@pytest.mark.parametrize(
    "path",
    ["x", "../config.py", "..%2fconfig.py", "%2e%2e/config.py", "a%00.webp", "a" * 32 + ".svg", "a" * 32 + ".webp",
     ".lock", "a" * 5000],
)  # fmt: skip
def test_no_other_file_of_the_server_can_be_read(client, name, path):
    assert client.get(f"/uploads/{path}").status_code == 404


def test_reading_an_upload_stops_just_above_the_limit():
    upload = FileStorage(io.BytesIO(b"12345678"))
    assert uploads.read_limited(upload, 8) == b"12345678"
    endless = io.BytesIO(b"x" * 100)
    with pytest.raises(InvalidImage, match="larger than 8 MB") as refusal:
        uploads.read_limited(FileStorage(endless), 8)
    assert refusal.value.field == "photo"
    assert endless.tell() == 9
