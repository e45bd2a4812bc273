"""Documentation agrees with the code: settings, commands, checks, paths and images."""

import dataclasses
import re
from collections.abc import Iterator
from pathlib import Path

import click
import pytest
from flask import Flask

from docs.check_pages import third_party_loads
from tapcard import settings

ROOT = Path(__file__).resolve().parent.parent
DOCS = ROOT / "docs"
PAGES = sorted(path for path in DOCS.rglob("*.md") if "_build" not in path.parts)
GUIDES = [*PAGES, ROOT / "README.md", ROOT / "CONTRIBUTING.md"]
LARGEST_README, LARGEST_IMAGE = 6 * 1024, 200 * 1024
COMMANDS_OF_OTHERS = {"db", "routes", "run", "shell"}  # commands of Flask and Flask-Migrate


def table(path: Path, heading: str) -> dict[str, list[str]]:
    """Return the rows of the tables below a heading by the name in their first column."""
    section = path.read_text().split(f"\n## {heading}\n")[1].split("\n## ")[0]
    rows = [line for line in section.splitlines() if line.startswith("| `")]
    cells = [[cell.strip() for cell in re.split(r"(?<!\\)\|", row.strip("|"))] for row in rows]
    return {row[0].strip("`"): row[1:] for row in cells}


def test_every_environment_variable_is_documented() -> None:
    documented = set(table(DOCS / "operator" / "configuration.md", "All settings"))
    read = set(re.findall(r'read\.\w+\(\s*"([A-Z_]+)"', (ROOT / "config.py").read_text())) - {"FLASK_DEBUG"}
    explained = set(re.findall(r"^#?([A-Z_]+)=", (ROOT / ".env.example").read_text(), re.MULTILINE))
    assert documented == read == explained


def test_every_shop_setting_is_documented_with_its_default() -> None:
    rows = table(DOCS / "shop-owner" / "settings.md", "All shop settings")
    defaults = {field.name: str(field.default) for field in dataclasses.fields(settings.ShopSettings)}
    assert {name: row[0].strip("`").replace("(empty)", "") for name, row in rows.items()} == defaults


def commands(group: click.Group, path: tuple[str, ...] = ()) -> Iterator[str]:
    for name, command in group.commands.items():
        if isinstance(command, click.Group):
            yield from commands(command, (*path, name))
        else:
            yield " ".join((*path, name))


def test_every_command_is_documented(app: Flask) -> None:
    own = {name for name in commands(app.cli) if name.split()[0] not in COMMANDS_OF_OTHERS}
    lines = re.findall(
        r"^\| `flask --app wsgi ([a-z-]+(?: [a-z-]+)?)", (DOCS / "operator" / "commands.md").read_text(), re.MULTILINE
    )
    assert set(lines) - {"db upgrade"} == own


def test_every_command_named_in_a_guide_exists(app: Flask) -> None:
    own = set(commands(app.cli))
    groups = {name.split()[0] for name in own if " " in name}
    named = re.compile(r"(?:flask --app wsgi|^ *tapcard) ([a-z][a-z-]+)(?: ([a-z][a-z-]+))?", re.MULTILINE)
    wrong = []
    for path in GUIDES:
        for first, second in named.findall(code_of(path.read_text())):
            name = f"{first} {second}" if first in groups else first
            if name not in own and first not in COMMANDS_OF_OTHERS:
                wrong.append((path.name, name))
    assert not wrong


def test_every_label_named_in_a_guide_is_in_the_interface() -> None:
    """Bold text in the guides of shop owners and holders is a label."""
    sources = [path.read_text() for kind in ("*.py", "*.html") for path in (ROOT / "tapcard").rglob(kind)]
    labels = {label for text in sources for label in re.findall(r"""_\(\s*["']([^"'\n]+)["']""", text)}
    guides = [*(DOCS / "shop-owner").glob("*.md"), *(DOCS / "holder").glob("*.md")]
    bold = {
        (path.name, label.strip(".:")) for path in guides for label in re.findall(r"\*\*([^*]+)\*\*", path.read_text())
    }
    assert {(page, label) for page, label in bold if label not in labels} == set()


def code_of(text: str) -> str:
    """Return only inline code and code blocks."""
    blocks = re.findall(r"^ *```[^\n]*\n(.*?)^ *```", text, re.MULTILINE | re.DOTALL)
    inline = re.findall(r"`([^`\n]+)`", re.sub(r"```.*?```", "", text, flags=re.DOTALL))
    return "\n".join([*blocks, *inline])


def test_every_health_check_is_documented() -> None:
    sources = [path.read_text() for path in (ROOT / "tapcard").rglob("health.py")]
    named = {name for text in sources for name in re.findall(r'CheckResult\(\s*"(\w+)"', text)}
    assert set(table(DOCS / "operator" / "health-checks.md", "All checks")) == named


def test_every_make_target_and_path_named_in_a_guide_exists() -> None:
    targets = set(re.findall(r"^([a-z-]+):", (ROOT / "Makefile").read_text(), re.MULTILINE))
    make_targets = re.compile(r"(?:^|&&) *make ([a-z][a-z-]*)", re.MULTILINE)
    named = re.compile(r"(?<![\w./<>-])((?:[\w-]+/)+[\w.-]+\.(?:py|md|html|conf))(?![\w/])")
    places = (ROOT, ROOT / "tapcard", DOCS)
    wrong = []
    for path in GUIDES:
        code = code_of(path.read_text())
        wrong += [(path.name, target) for target in make_targets.findall(code) if target not in targets]
        paths = [name for name in named.findall(code) if not name.startswith("docs/_build/")]  # made by `make docs`
        wrong += [(path.name, name) for name in paths if not any((place / name).exists() for place in places)]
    assert not wrong


def test_the_readme_is_short() -> None:
    assert len((ROOT / "README.md").read_bytes()) <= LARGEST_README


def test_every_image_exists_and_is_small() -> None:
    shown = set()
    for path in GUIDES:
        for name in re.findall(r'!\[[^\]]+\]\(([^)]+)\)|<img src="([^"]+)"', path.read_text()):
            shown.add((path.parent / "".join(name)).resolve())
    assert shown
    assert all(picture.is_file() and picture.stat().st_size <= LARGEST_IMAGE for picture in shown)
    assert shown == set((DOCS / "images").glob("*.png")), "an image that no page uses"


@pytest.mark.parametrize(
    "page",
    [
        '<script src="https://cdn.example/x.js"></script>',
        '<link rel="stylesheet" href="//fonts.example/css">',
        '<img src="https://example.com/x.png">',
        '<div style="background: url(https://example.com/x.png)"></div>',
        '<style>@import "https://example.com/x.css";</style>',
    ],
)
def test_a_resource_of_another_host_is_found(page: str) -> None:
    assert third_party_loads(page, ".html")


def test_links_and_own_resources_are_accepted() -> None:
    page = '<a href="https://example.com/">x</a><script src="_static/x.js"></script><link href="_static/x.css">'
    assert third_party_loads(page, ".html") == []
    assert third_party_loads("a { background: url(x.png) }", ".css") == []
