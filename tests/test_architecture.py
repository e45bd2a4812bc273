"""What holds for every file: who may commit, who knows the web, where imports stand, what may be caught."""

import ast
from functools import cache
from pathlib import Path

import pytest

ROOT = Path(__file__).resolve().parent.parent
PACKAGE = ROOT / "tapcard"
SOURCES = [ROOT / "config.py", ROOT / "wsgi.py", *sorted(PACKAGE.rglob("*.py"))]

# Below these, nothing commits: what a view, an action, a job or a command did is one transaction of its own.
BELOW_THE_ENTRY_POINTS = (
    "services",
    "models",
    "gateways",
    "mail",
    "outbox",
    "spool",
    "images",
    "qr",
    "files",
    "settings",
)

# Rules and what is under them; facts, actor and time are arguments. `flask` alone is meant: `flask_babel` is too.
KNOW_NO_WEB = ("services", "models", "gateways", "outbox", "spool", "images", "qr", "files", "settings", "backup",
               "money", "clock", "errors", "tokens", "keys")  # fmt: skip
WEB = ("flask", "flask_login", "flask_wtf", "flask_admin", "flask_limiter", "flask_session", "werkzeug", "wtforms")

# What adds amounts up.
COUNT_MONEY = ("carts", "checkout", "credit", "delivery", "orders", "payments", "pricing", "promotions")

# Where everything is caught, and why that is right there.
MAY_CATCH_EVERYTHING = {
    "tapcard/tap/recorder.py": "a failure to record never stops the redirect; it is logged and counted",
    "tapcard/worker.py": "what a sender or a job raises is written down with it, and must not stop the others",
}

# Who reads the environment, and what for.
MAY_READ_THE_ENVIRONMENT = {
    "config.py": "configuration is read here, once",
    "tapcard/workflows/backup.py": "hands it on to PostgreSQL's own programs",
}


def name_of(path: Path) -> str:
    return path.relative_to(ROOT).as_posix()


def in_rows(rows: tuple[str, ...]) -> list[Path]:
    """Every file of modules or packages right under `tapcard`."""
    return [
        path
        for path in SOURCES
        if path.is_relative_to(PACKAGE) and path.relative_to(PACKAGE).parts[0].removesuffix(".py") in rows
    ]


@cache
def nodes(path: Path) -> list[ast.AST]:
    return list(ast.walk(ast.parse(path.read_text(), str(path))))


def imported(node: ast.AST) -> list[str]:
    """The top names of the libraries that an import statement brings in; nothing for our own."""
    if isinstance(node, ast.Import):
        return [alias.name.split(".")[0] for alias in node.names]
    if isinstance(node, ast.ImportFrom) and not node.level and node.module:
        return [node.module.split(".")[0]]
    return []


def test_there_is_something_to_look_at() -> None:
    assert len(in_rows(("models",))) > 5
    assert len(in_rows(("services",))) > 5


@pytest.mark.parametrize("path", in_rows(BELOW_THE_ENTRY_POINTS), ids=name_of)
def test_only_entry_points_commit(path: Path) -> None:
    commits = [
        node.lineno
        for node in nodes(path)
        if isinstance(node, ast.Call) and isinstance(node.func, ast.Attribute) and node.func.attr in ("commit", "begin")
        and ast.unparse(node.func.value).endswith(("session", "db.engine"))
    ]  # fmt: skip
    assert not commits, f"{name_of(path)} commits in lines {commits}"


@pytest.mark.parametrize("path", in_rows(KNOW_NO_WEB), ids=name_of)
def test_rules_do_not_know_the_web(path: Path) -> None:
    known = [name for node in nodes(path) for name in imported(node) if name in WEB]
    assert not known, f"{name_of(path)} imports {known}"


@pytest.mark.parametrize("path", SOURCES, ids=name_of)
def test_imports_of_ours_stand_at_the_top(path: Path) -> None:
    inner = [
        f"line {node.lineno}"
        for function in nodes(path)
        if isinstance(function, ast.FunctionDef | ast.AsyncFunctionDef)
        for node in ast.walk(function)
        if (isinstance(node, ast.ImportFrom) and (node.level or (node.module or "").startswith("tapcard")))
        or (isinstance(node, ast.Import) and any(alias.name.startswith("tapcard") for alias in node.names))
    ]
    assert not inner, f"{name_of(path)} imports inside a function: {inner}"


@pytest.mark.parametrize("path", SOURCES, ids=name_of)
def test_nothing_catches_everything_without_a_reason(path: Path) -> None:
    broad = [
        f"line {node.lineno}"
        for node in nodes(path)
        if isinstance(node, ast.ExceptHandler)
        and (node.type is None or ast.unparse(node.type) in ("Exception", "BaseException"))
    ]
    if name_of(path) in MAY_CATCH_EVERYTHING:
        assert broad, f"{name_of(path)} needs its exception no more"
    else:
        assert not broad, f"{name_of(path)} catches everything in {broad}"


@pytest.mark.parametrize("path", SOURCES, ids=name_of)
def test_the_environment_is_read_in_one_place(path: Path) -> None:
    if name_of(path) in MAY_READ_THE_ENVIRONMENT:
        return
    reads = [
        node.lineno
        for node in nodes(path)
        if isinstance(node, ast.Attribute) and ast.unparse(node) in ("os.environ", "os.getenv")
    ]
    assert not reads, f"{name_of(path)} reads the environment in lines {reads}"


@pytest.mark.parametrize("path", SOURCES, ids=name_of)
def test_every_module_opens_with_a_sentence(path: Path) -> None:
    if path.read_text().strip():
        assert ast.get_docstring(ast.parse(path.read_text())), f"{name_of(path)} does not say what it is"


@pytest.mark.parametrize("path", SOURCES, ids=name_of)
def test_nobody_is_sent_where_the_browser_says_it_came_from(path: Path) -> None:
    """H41"""
    reads = [node.lineno for node in nodes(path) if isinstance(node, ast.Attribute) and node.attr == "referrer"]
    assert not reads, f"{name_of(path)} reads it in lines {reads}"


@pytest.mark.parametrize("name", ["money", *(f"services/{each}" for each in COUNT_MONEY)])
def test_money_is_counted_in_whole_units(name: str) -> None:
    """H42"""
    broken = [
        node.lineno
        for node in nodes(PACKAGE / f"{name}.py")
        if (isinstance(node, ast.Constant) and isinstance(node.value, float))
        or (isinstance(node, ast.BinOp) and isinstance(node.op, ast.Div))
        or (isinstance(node, ast.Name) and node.id == "float")
    ]
    assert not broken, f"{name} counts with fractions in lines {broken}"
