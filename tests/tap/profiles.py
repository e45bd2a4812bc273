"""Fill in and submit the forms of profiles."""

import io
import re
from html import unescape

from PIL import Image

from tapcard import files
from tapcard.services.profiles import fields

VALID = {"name": "Ada Obi", "slug": "ada-obi"}


def picture(color: str = "red", kind: str = "PNG", size: tuple[int, int] = (40, 40)) -> io.BytesIO:
    out = io.BytesIO()
    Image.new("RGB", size, color).save(out, kind)
    return io.BytesIO(out.getvalue())


def uploads_of(app) -> set[str]:
    folder = files.folder(app.instance_path)
    return {path.name for path in folder.glob("*.webp")} if folder.exists() else set()


def value_of(page: str, name: str) -> str:
    """Return the value of a field on a page."""
    area = re.search(rf'<textarea[^>]*name="{name}"[^>]*>\r?\n?(.*?)</textarea>', page, re.DOTALL)
    if area:
        return unescape(area[1])
    tag = re.search(rf'<input[^>]*name="{name}"[^>]*>', page)
    assert tag, f"no field {name}"
    match = re.search(r'value="([^"]*)"', tag[0])
    return unescape(match[1]) if match else ""


def error_of(page: str, name: str) -> str:
    """The message beside a field."""
    match = re.search(rf'id="{name}-error"[^>]*>.*?<span>(.*?)</span>', page, re.DOTALL)
    return unescape(match[1]) if match else ""


def submit_edit(client, profile, **data):
    """Open the edit form, change some fields and submit it."""
    page = client.get(f"/profiles/{profile.id}").text
    values = {name: value_of(page, name) for name in (*fields.TEXT_FIELDS, "version")}
    return client.post(f"/profiles/{profile.id}", data={**values, **data}, content_type="multipart/form-data")
