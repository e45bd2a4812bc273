"""Uploaded pictures: size limit, and serving them with headers for caching."""

from pathlib import Path

from flask import Blueprint, Flask, Response, current_app, request
from werkzeug.datastructures import FileStorage

from .. import files, images
from .access import PUBLIC, access

ONE_YEAR = 365 * 24 * 60 * 60

bp = Blueprint("uploads", __name__)


def init_app(app: Flask) -> None:
    """Register the route of uploaded files."""
    app.register_blueprint(bp)


def folder() -> Path:
    """Return the folder of uploaded files."""
    return files.folder(current_app.instance_path)


def read_limited(upload: FileStorage, limit: int = images.MAX_BYTES) -> bytes:
    """Return the contents of an upload; raises the error of `images.file_too_large` above the limit."""
    data = upload.stream.read(limit + 1)
    if len(data) > limit:
        raise images.file_too_large()
    return data


@bp.get("/uploads/<name>")
@access(PUBLIC)
def file(name: str) -> Response:
    """Send a picture, cached forever, because its name is derived from its content."""
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
