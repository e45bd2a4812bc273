"""Static assets: one folder for each version, compressed and cached forever."""

import gzip
import os
import re
import threading
from pathlib import Path
from typing import Any

import pytest
from flask import Flask
from flask.testing import FlaskClient

import tapcard
from tapcard.web import assets


def fetch(client: FlaskClient, path: str, **headers: str) -> Any:
    """Return the whole response for a file, closed."""
    with client.get(path, headers={name.replace("_", "-"): value for name, value in headers.items()}) as response:
        response.get_data()
        return response


@pytest.fixture
def sources(tmp_path: Path) -> dict[str, Path]:
    folder = tmp_path / "static"
    (folder / "css").mkdir(parents=True)
    (folder / "css" / "one.css").write_text("a { color: red }\n" * 200)
    (folder / "img").mkdir()
    (folder / "img" / "dot.png").write_bytes(os.urandom(300))
    return {path.relative_to(folder).as_posix(): path for path in folder.rglob("*") if path.is_file()}


def test_a_page_links_to_existing_files(client: FlaskClient) -> None:
    page = client.get("/terms").get_data(as_text=True)
    links = re.findall(r'(?:href|src)="(/static/[^"]+)"', page)
    assert len(links) >= 5
    assert {fetch(client, link).status_code for link in links} == {200}


def test_files_are_cached_forever_with_their_type(app: Flask, client: FlaskClient) -> None:
    with app.test_request_context():
        url = assets.asset("css/tapcard.css")
    response = fetch(client, url)
    assert "immutable" in response.headers["Cache-Control"]
    assert response.headers["Content-Type"].startswith("text/css")
    assert response.headers["X-Content-Type-Options"] == "nosniff"
    assert "Set-Cookie" not in response.headers


def test_a_browser_that_reads_gzip_gets_gzip(app: Flask, client: FlaskClient) -> None:
    with app.test_request_context():
        url = assets.asset("css/bootstrap.min.css")
    plain, packed = fetch(client, url), fetch(client, url, Accept_Encoding="gzip")
    assert packed.headers["Content-Encoding"] == "gzip"
    assert gzip.decompress(packed.data) == plain.data
    assert len(packed.data) < len(plain.data) / 4


def test_links_keep_the_prefix_the_application_is_mounted_under(app: Flask, client: FlaskClient) -> None:
    page = client.get("/terms", environ_overrides={"SCRIPT_NAME": "/cards"}).get_data(as_text=True)
    assert 'href="/cards/static/' in page
    assert 'href="/static/' not in page


def test_an_unknown_file_is_an_error_when_rendering_the_page(app: Flask) -> None:
    with app.test_request_context(), pytest.raises(KeyError):
        assets.asset("css/tapcrad.css")


@pytest.mark.parametrize("path", ["/static/", "/static/css/tapcard.css", "/static/0123456789abcdef/css/tapcard.css"])
def test_other_paths_below_static_are_not_found(client: FlaskClient, path: str) -> None:
    assert client.get(path).status_code == 404


@pytest.mark.parametrize(("path", "kind"), [("/favicon.ico", "image/x-icon"), ("/robots.txt", "text/plain")])
def test_root_files_are_served_at_the_root(client: FlaskClient, path: str, kind: str) -> None:
    response = fetch(client, path)
    assert response.status_code == 200
    assert response.headers["Content-Type"].startswith(kind)
    assert "immutable" not in response.headers["Cache-Control"]


def test_robots_txt_disallows_taps_and_private_pages(client: FlaskClient) -> None:
    lines = fetch(client, "/robots.txt").get_data(as_text=True).splitlines()
    for path in ("/t/", "/q/", "/card/", "/admin", "/dashboard", "/activate/"):
        assert f"Disallow: {path}" in lines
    assert "Disallow: /" not in lines


def test_different_contents_have_different_names(sources: dict[str, Path]) -> None:
    before = assets.content_hash(sources)
    assert assets.content_hash(dict(reversed(sources.items()))) == before
    sources["css/one.css"].write_text("a { color: blue }")
    assert assets.content_hash(sources) != before


def test_a_build_has_every_file_and_compresses_those_that_shrink(sources: dict[str, Path], tmp_path: Path) -> None:
    target = tmp_path / "assets" / "abc"
    assets.build(sources, target)
    built = {path.relative_to(target).as_posix() for path in target.rglob("*") if path.is_file()}
    assert built == {"css/one.css", "css/one.css.gz", "img/dot.png"}


def test_an_existing_version_is_not_built_again(sources: dict[str, Path], tmp_path: Path) -> None:
    target = tmp_path / "assets" / "abc"
    assets.build(sources, target)
    (target / "mark").write_text("still the same folder")
    assets.build(sources, target)
    assert (target / "mark").exists()


def test_processes_that_start_together_use_one_folder(sources: dict[str, Path], tmp_path: Path) -> None:
    target = tmp_path / "assets" / "abc"
    gate = threading.Barrier(8)
    failures: list[Exception] = []

    def start() -> None:
        gate.wait()
        try:
            assets.build(sources, target)
        except Exception as error:
            failures.append(error)

    threads = [threading.Thread(target=start) for _ in range(8)]
    for thread in threads:
        thread.start()
    for thread in threads:
        thread.join()
    assert failures == []
    assert [path.name for path in target.parent.iterdir()] == ["abc"]
    assert (target / "css" / "one.css").read_text() == sources["css/one.css"].read_text()


def test_a_build_that_fails_leaves_nothing_behind(sources: dict[str, Path], tmp_path: Path) -> None:
    sources["css/gone.css"] = tmp_path / "gone.css"
    with pytest.raises(FileNotFoundError):
        assets.build(sources, tmp_path / "assets" / "abc")
    assert list((tmp_path / "assets").iterdir()) == []


def test_old_versions_are_deleted_and_the_newest_stay(sources: dict[str, Path], tmp_path: Path) -> None:
    builds = tmp_path / "assets"
    for number in range(7):
        assets.build(sources, builds / f"v{number}")
        os.utime(builds / f"v{number}", (1000 + number, 1000 + number))
    assets.build(sources, builds / "v7")
    assert sorted(path.name for path in builds.iterdir()) == ["v4", "v5", "v6", "v7"]


def test_a_version_in_use_counts_as_new(sources: dict[str, Path], tmp_path: Path) -> None:
    builds = tmp_path / "assets"
    for number in range(assets.MAX_VERSIONS):
        assets.build(sources, builds / f"v{number}")
        os.utime(builds / f"v{number}", (1000 + number, 1000 + number))
    assets.build(sources, builds / "v0")  # used again after a rollback
    assets.build(sources, builds / "v9")
    assert (builds / "v0").is_dir()
    assert not (builds / "v1").exists()


def test_files_of_the_previous_version_are_still_served(sources: dict[str, Path], tmp_path: Path) -> None:
    builds = tmp_path / "assets"
    old, new = "0" * 16, "1" * 16
    sources["root/robots.txt"] = sources["css/one.css"]
    assets.build(sources, builds / old)
    assets.build(sources, builds / new)
    served = assets.create_server(lambda environ, start: [], builds, new).files
    assert f"/static/{old}/css/one.css" in served
    assert f"/static/{new}/css/one.css" in served
    assert "/robots.txt" in served


def test_every_class_that_a_script_adds_has_a_style() -> None:
    folder = Path(tapcard.__file__).parent / "static"
    styles = "".join(path.read_text() for path in (*folder.rglob("*.css"), *assets.BOOTSTRAP_SOURCES.values()))
    scripts = "".join(path.read_text() for path in folder.rglob("*.js"))
    calls = re.findall(r"classList\.(?:add|toggle|replace)\(([^)]*)\)|className = (\"[^\"]*\")", scripts)
    names = {name for call in calls for text in re.findall(r'"([^"]+)"', "".join(call)) for name in text.split()}
    assert len(names) > 5
    missing = {name for name in names if f".{name}" not in styles and f'querySelector(".{name}")' not in scripts}
    assert missing == set()
