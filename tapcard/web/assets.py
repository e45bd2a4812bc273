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
BOOTSTRAP_SOURCES = {"css/bootstrap.min.css": BOOTSTRAP / "css" / "bootstrap.min.css"}
PLOTLY = "plotly"  # located without importing it, which is slow
ROOT_FOLDER = "root/"  # files served at the root of the site, like robots.txt
ROOT_MAX_AGE = 24 * 3600
MAX_VERSIONS = 4

log = logging.getLogger(__name__)


def init_app(app: Flask) -> None:
    """Build the assets of this version if they are missing and serve them in front of the application."""
    sources = collect(Path(app.root_path) / "static")
    version = content_hash(sources)
    builds = Path(app.instance_path) / "assets"
    build(sources, builds / version)
    app.extensions["assets"] = {name: f"/static/{version}/{name}" for name in sources}
    app.jinja_env.globals.update(asset=asset, palette=palette)
    app.wsgi_app = create_server(app.wsgi_app, builds, version)  # type: ignore[method-assign]


def asset(name: str) -> str:
    """Return the URL of an asset; raise `KeyError` for an unknown name."""
    path = path_of(name)
    return f"{request.script_root}{path}" if has_request_context() else path


def path_of(name: str) -> str:
    """Return the path of an asset below the root of the site."""
    path: str = current_app.extensions["assets"][name]
    return path


def collect(folder: Path) -> dict[str, Path]:
    """Return the source file of each asset by its name."""
    own_sources = {
        path.relative_to(folder).as_posix(): path
        for path in sorted(folder.rglob("*"))
        if path.is_file() and not path.name.startswith(".")
    }
    return {**BOOTSTRAP_SOURCES, **plotly_sources(), **own_sources}


def plotly_sources() -> dict[str, Path]:
    """Return Plotly's browser script from the installed package; nothing if it is not installed."""
    spec = importlib.util.find_spec(PLOTLY)
    if spec is None or not spec.submodule_search_locations:
        return {}
    return {"js/plotly.min.js": Path(spec.submodule_search_locations[0]) / "package_data" / "plotly.min.js"}


def content_hash(sources: dict[str, Path]) -> str:
    """Return the hash of names and contents that identifies a version."""
    digest = hashlib.sha256()
    for name, path in sorted(sources.items()):
        content = path.read_bytes()
        digest.update(f"{name}\0{len(content)}\0".encode())
        digest.update(content)
    return digest.hexdigest()[:16]


def build(sources: dict[str, Path], target: Path) -> None:
    """Copy and compress the files into `target`, atomically; of several processes the first to rename wins."""
    if target.is_dir():
        os.utime(target)  # marks the version as in use
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
    delete_old_versions(target.parent)


def delete_old_versions(builds: Path) -> None:
    """Delete all but the newest versions, which pages that are still open may need."""
    for path in versions_newest_first(builds)[MAX_VERSIONS:]:
        shutil.rmtree(path, ignore_errors=True)


def versions_newest_first(builds: Path) -> list[Path]:
    """Return the folders of the complete versions, most recently used first."""
    versions = []
    for path in builds.iterdir():
        if not path.name.startswith("."):
            try:
                versions.append((path.stat().st_mtime_ns, path))
            except FileNotFoundError:  # deleted by another process
                continue
    return [path for _time, path in sorted(versions, reverse=True)]


def create_server(application: object, builds: Path, version: str) -> WhiteNoise:
    """Return a WSGI server of all stored versions, cached forever, and of the root files, cached for a day."""
    server = WhiteNoise(
        application,
        max_age=ROOT_MAX_AGE,
        allow_all_origins=False,
        immutable_file_test=r"^/static/[0-9a-f]{16}/",
        add_headers_function=add_headers,
    )
    for path in versions_newest_first(builds):
        try:
            server.add_files(str(path), f"/static/{path.name}/")
        except FileNotFoundError:
            if path.name == version:
                raise
            log.info("asset version %s was removed while it was being read", path.name)
    server.add_files(str(builds / version / ROOT_FOLDER), "/")
    return server


def add_headers(headers: Headers, path: str, url: str) -> None:
    """Add the security headers of static files."""
    headers["X-Content-Type-Options"] = "nosniff"
