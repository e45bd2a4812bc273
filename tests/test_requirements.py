"""Requirements: pinned, with a reason, and equal to what is installed."""

import ast
import re
import sys
from importlib import metadata
from pathlib import Path

import pytest

ROOT = Path(__file__).resolve().parent.parent
LINE = re.compile(r"(?P<name>[A-Za-z0-9_.-]+)(\[[a-z,]+\])?==(?P<version>[\w.+-]+)(\s+#\s(?P<reason>.+))?")
USUAL = ("requirements.txt", "requirements-dev.txt")
DOCS = "requirements-docs.txt"  # installed only by `make docs`
BROUGHT_ALONG = "# --- dependencies of the above"


def read(name: str) -> tuple[list[str], list[str]]:
    """Return the lines of a requirements file: direct ones and their dependencies."""
    direct, _rule, along = (ROOT / name).read_text().partition(BROUGHT_ALONG)
    return [
        [line for line in part.splitlines() if line and not line.startswith(("#", "-r", " "))]
        for part in (direct, along.partition("\n")[2])
    ]  # type: ignore[return-value]


def normalize(name: str) -> str:
    return re.sub(r"[-_.]+", "-", name).lower()


def pins(*names: str) -> dict[str, str]:
    versions = {}
    for line in (line for name in names or USUAL for part in read(name) for line in part):
        match = LINE.fullmatch(line)
        assert match, f"not pinned: {line}"
        versions[normalize(match["name"])] = match["version"]
    return versions


@pytest.mark.parametrize("file", [*USUAL, DOCS])
def test_every_direct_requirement_has_a_reason(file: str) -> None:
    direct, _along = read(file)
    assert direct
    without = [line for line in direct if not (match := LINE.fullmatch(line)) or not match["reason"]]
    assert not without


def test_installed_versions_are_the_pinned_ones() -> None:
    differing = {
        name: (version, metadata.version(name)) for name, version in pins().items() if metadata.version(name) != version
    }
    assert not differing


def test_documentation_requirements_agree_with_the_others() -> None:
    usual, docs = pins(), pins(DOCS)
    assert {name: docs[name] for name in docs.keys() & usual.keys() if docs[name] != usual[name]} == {}
    runtime = pins("requirements.txt").keys()
    installed = {name for name in docs if is_installed(name)}  # none before the first `make docs`
    assert {need for name in installed for need in needs_of(name)} <= docs.keys() | runtime


def test_every_imported_library_is_a_direct_requirement() -> None:
    direct = {normalize(match["name"]) for line in read("requirements.txt")[0] if (match := LINE.fullmatch(line))}
    owners = metadata.packages_distributions()
    missing = set()
    sources = [
        ROOT / "config.py",
        ROOT / "wsgi.py",
        *(ROOT / "tapcard").rglob("*.py"),
        *(ROOT / "migrations").rglob("*.py"),
    ]
    for path in sources:
        for node in ast.walk(ast.parse(path.read_text())):
            names = [alias.name for alias in node.names] if isinstance(node, ast.Import) else []
            names += [node.module] if isinstance(node, ast.ImportFrom) and not node.level and node.module else []
            for top in (
                {name.split(".")[0] for name in names}
                - set(sys.stdlib_module_names)
                - {"tapcard", "config", "wsgi", "_typeshed"}
            ):
                if not direct & {normalize(name) for name in owners.get(top, [])}:
                    missing.add(f"{path.relative_to(ROOT)}: {top}")
    assert not missing


def test_every_dependency_of_a_requirement_is_pinned() -> None:
    pinned = pins()
    loose = {f"{name} needs {need}" for name in pinned for need in needs_of(name) if need not in pinned}
    assert not loose


def needs_of(name: str) -> set[str]:
    """Return the dependencies of an installed package without extras and other systems."""
    needed = (
        re.match(r"[A-Za-z0-9_.-]+", requirement)
        for requirement in metadata.requires(name) or []
        if ";" not in requirement
    )
    return {normalize(match[0]) for match in needed if match}


def is_installed(name: str) -> bool:
    try:
        metadata.version(name)
    except metadata.PackageNotFoundError:
        return False
    return True


def test_no_requirement_names_an_index() -> None:
    for file in (*USUAL, DOCS):
        assert "://" not in (ROOT / file).read_text()
