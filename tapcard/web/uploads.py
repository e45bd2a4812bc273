"""Uploaded pictures: taken in with a limit, served with headers that let browsers keep them."""

from pathlib import Path

from flask import Blueprint, Flask, Response, current_app, request
from werkzeug.datastructures import FileStorage

from .. import files, images
from .access import PUBLIC, access

ONE_YEAR = 365 * 24 * 60 * 60

bp = Blueprint("uploads", __name__)


def init_app(app: Flask) -> None:
    """Serve what was uploaded."""
    app.register_blueprint(bp)


def folder() -> Path:
    """Where this installation keeps its uploads."""
    return files.folder(current_app.instance_path)


def read_limited(upload: FileStorage, limit: int = images.MAX_BYTES) -> bytes:
    """Read an upload, but never more than a little over the limit; refuse what is heavier."""
    data = upload.stream.read(limit + 1)
    if len(data) > limit:
        raise images.file_too_large()
    return data


@bp.get("/uploads/<name>")
@access(PUBLIC)
def file(name: str) -> Response:
    """Send a picture; its name says what is in it, so it never changes."""
    with files.open_upload(name, folder()) as upload:
        response = Response(upload.read(), mimetype=files.KINDS[name.rpartition(".")[2]])
    response.set_etag(name.partition(".")[0])
    response.cache_control.public = True
    response.cache_control.max_age = ONE_YEAR
    response.cache_control.immutable = True
    response.headers["X-Content-Type-Options"] = "nosniff"
    response.headers["Content-Security-Policy"] = "default-src 'none'"
    response.make_conditional(request)
    return response
