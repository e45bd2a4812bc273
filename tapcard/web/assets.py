"""Static assets, collected and compressed per version and served under a content hash."""

import hashlib
import importlib.util
import logging
import os
import shutil
import tempfile
from pathlib import Path
from wsgiref.headers import Headers

import flask_bootstrap
from flask import Flask, current_app, has_request_context, request
from whitenoise import WhiteNoise
from whitenoise.compress import Compressor

from .brand import palette

BOOTSTRAP = Path(flask_bootstrap.__file__).parent / "static" / "bootstrap5"
FROM_BOOTSTRAP = {"css/bootstrap.min.css": BOOTSTRAP / "css" / "bootstrap.min.css"}
PLOTLY = "plotly"  # found without being imported: its Python is heavy, and never needed
ROOT_FOLDER = "root/"  # what browsers and robots ask for at the top of the site
ROOT_MAX_AGE = 24 * 3600
KEPT = 4

log = logging.getLogger(__name__)


def init_app(app: Flask) -> None:
    """Build the folder of this version unless it is there, and serve it in front of the application."""
    sources = collect(Path(app.root_path) / "static")
    version = content_hash(sources)
    builds = Path(app.instance_path) / "assets"
    build(sources, builds / version)
    app.extensions["assets"] = {name: f"/static/{version}/{name}" for name in sources}
    app.jinja_env.globals.update(asset=asset, palette=palette)
    app.wsgi_app = server(app.wsgi_app, builds, version)  # type: ignore[method-assign]


def asset(name: str) -> str:
    """The URL of one of our files; a name that does not exist is an error."""
    path = path_of(name)
    return f"{request.script_root}{path}" if has_request_context() else path


def path_of(name: str) -> str:
    """The path of one of our files below the top of the site."""
    path: str = current_app.extensions["assets"][name]
    return path


def collect(folder: Path) -> dict[str, Path]:
    """Find every file to be served, by the name it is asked for."""
    ours = {
        path.relative_to(folder).as_posix(): path
        for path in sorted(folder.rglob("*"))
        if path.is_file() and not path.name.startswith(".")
    }
    return {**FROM_BOOTSTRAP, **from_plotly(), **ours}


def from_plotly() -> dict[str, Path]:
    """Plotly's script for browsers, out of the installed package; nothing where that is left out."""
    spec = importlib.util.find_spec(PLOTLY)
    if spec is None or not spec.submodule_search_locations:
        return {}
    return {"js/plotly.min.js": Path(spec.submodule_search_locations[0]) / "package_data" / "plotly.min.js"}


def content_hash(sources: dict[str, Path]) -> str:
    """Name a version after what it contains."""
    digest = hashlib.sha256()
    for name, path in sorted(sources.items()):
        content = path.read_bytes()
        digest.update(f"{name}\0{len(content)}\0".encode())
        digest.update(content)
    return digest.hexdigest()[:16]


def build(sources: dict[str, Path], target: Path) -> None:
    """Copy and compress the files into `target`; whoever renames first wins, the others throw theirs away."""
    if target.is_dir():
        os.utime(target)  # in use, so among the newest
        return
    target.parent.mkdir(parents=True, exist_ok=True)
    working = Path(tempfile.mkdtemp(prefix=".building-", dir=target.parent))
    try:
        compressor = Compressor(use_brotli=False, quiet=True)
        for name, path in sources.items():
            copy = working / name
            copy.parent.mkdir(parents=True, exist_ok=True)
            shutil.copyfile(path, copy)
            if compressor.should_compress(copy.name):
                compressor.compress(str(copy))
        working.chmod(0o755)
        try:
            working.rename(target)
        except OSError:
            if not target.is_dir():
                raise
    finally:
        shutil.rmtree(working, ignore_errors=True)
    forget_old(target.parent)


def forget_old(builds: Path) -> None:
    """Remove all versions but the newest few; those stay for pages that are still open somewhere."""
    for path in newest_first(builds)[KEPT:]:
        shutil.rmtree(path, ignore_errors=True)


def newest_first(builds: Path) -> list[Path]:
    """List the finished versions."""
    found = []
    for path in builds.iterdir():
        if not path.name.startswith("."):
            try:
                found.append((path.stat().st_mtime_ns, path))
            except FileNotFoundError:  # another process was tidying up
                continue
    return [path for _time, path in sorted(found, reverse=True)]


def server(application: object, builds: Path, version: str) -> WhiteNoise:
    """Serve this version and the ones still kept for ever, and a few files at the top of the site for a day."""
    noise = WhiteNoise(
        application,
        max_age=ROOT_MAX_AGE,
        allow_all_origins=False,
        immutable_file_test=r"^/static/[0-9a-f]{16}/",
        add_headers_function=add_headers,
    )
    for path in newest_first(builds):
        try:
            noise.add_files(str(path), f"/static/{path.name}/")
        except FileNotFoundError:
            if path.name == version:
                raise
            log.info("asset version %s was removed while it was being read", path.name)
    noise.add_files(str(builds / version / ROOT_FOLDER), "/")
    return noise


def add_headers(headers: Headers, path: str, url: str) -> None:
    """Add what every answer of ours carries."""
    headers["X-Content-Type-Options"] = "nosniff"
