"""Rules for every source file: commits, imports, exceptions, environment, size and docstrings."""

import ast
import re
import tomllib
from collections.abc import Callable, Iterable
from functools import cache
from pathlib import Path

from tapcard.db import db

ROOT = Path(__file__).resolve().parent.parent
PACKAGE = ROOT / "tapcard"
SOURCES = [ROOT / "config.py", ROOT / "wsgi.py", *sorted(PACKAGE.rglob("*.py"))]

# These packages never commit; views, actions, jobs and commands do.
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
    "phones",
    "email_addresses",
)

# Rules and the layers below them get facts, actor and time as arguments and do not import `flask`.
KNOW_NO_WEB = ("services", "models", "gateways", "outbox", "spool", "images", "qr", "files", "settings",
               "workflows/backup", "money", "clock", "errors", "tokens", "keys",
               "ids", "phones", "email_addresses", "slugs", "spam", "countries", "postcodes",
               "address_format")  # fmt: skip
WEB = ("flask", "flask_login", "flask_wtf", "flask_admin", "flask_limiter", "flask_session", "werkzeug", "wtforms")

# Services that use fractions for something other than money.
MAY_USE_FRACTIONS = {
    "product_lists": "divides in SQL, to sort by rating",
    "erasure": "joins paths",
    "ingest": "milliseconds",
    "statistics": "halves of a span of time",
}

# Files that catch every exception, and why.
MAY_CATCH_EVERYTHING = {
    "tapcard/tap/recorder.py": "a failure to record never stops the redirect; it is logged and counted",
    "tapcard/workflows/payments.py": "one payment that cannot be checked must not stop the others",
    "tapcard/workflows/privacy.py": "one account that cannot be erased must not stop the others",
    "tapcard/worker.py": "what a sender or a job raises is written down with it, and must not stop the others",
}

# Files that read the environment, and why.
MAY_READ_THE_ENVIRONMENT = {
    "config.py": "configuration is read here, once",
    "tapcard/workflows/backup.py": "hands it on to PostgreSQL's own programs",
}


def name_of(path: Path) -> str:
    return path.relative_to(ROOT).as_posix()


def in_rows(rows: tuple[str, ...]) -> list[Path]:
    """Return the files of some modules and packages of `tapcard`."""
    inside = {path: path.relative_to(PACKAGE).with_suffix("").as_posix() for path in SOURCES if PACKAGE in path.parents}
    return [path for path, name in inside.items() if any(name == row or name.startswith(f"{row}/") for row in rows)]


@cache
def nodes(path: Path) -> list[ast.AST]:
    return list(ast.walk(ast.parse(path.read_text(), str(path))))


def imported(node: ast.AST) -> list[str]:
    """Return the names of third-party libraries that a statement imports."""
    if isinstance(node, ast.Import):
        return [alias.name.split(".")[0] for alias in node.names]
    if isinstance(node, ast.ImportFrom) and not node.level and node.module:
        return [node.module.split(".")[0]]
    return []


def found_in(paths: Iterable[Path], is_wrong: Callable[[ast.AST], object]) -> list[str]:
    """Return the place, as `file:line`, of every node of these files that breaks a rule."""
    return [
        f"{name_of(path)}:{node.lineno}"  # type: ignore[attr-defined]
        for path in paths
        for node in nodes(path)
        if is_wrong(node)
    ]


def test_the_rules_have_files_to_check() -> None:
    assert len(SOURCES) > 100
    for row in {*BELOW_THE_ENTRY_POINTS, *KNOW_NO_WEB}:
        assert in_rows((row,)), f"there is no tapcard.{row}, so its rules check nothing"
    assert len(in_rows(("models",))) > 5
    assert len(in_rows(("services",))) > 5


def test_only_entry_points_commit() -> None:
    def commits(node: ast.AST) -> bool:
        return (
            isinstance(node, ast.Call)
            and isinstance(node.func, ast.Attribute)
            and node.func.attr in ("commit", "begin")
            and ast.unparse(node.func.value).endswith(("session", "db.engine"))
        )

    assert found_in(in_rows(BELOW_THE_ENTRY_POINTS), commits) == []


def test_rules_do_not_import_the_web() -> None:
    assert found_in(in_rows(KNOW_NO_WEB), lambda node: set(imported(node)) & set(WEB)) == []


def test_own_modules_are_imported_at_the_top_of_a_file() -> None:
    def is_ours(node: ast.AST) -> bool:
        if isinstance(node, ast.ImportFrom):
            return bool(node.level) or (node.module or "").startswith("tapcard")
        return isinstance(node, ast.Import) and any(alias.name.startswith("tapcard") for alias in node.names)

    def imports_inside(node: ast.AST) -> bool:
        return isinstance(node, ast.FunctionDef | ast.AsyncFunctionDef) and any(map(is_ours, ast.walk(node)))

    assert found_in(SOURCES, imports_inside) == []


def test_foreign_keys_point_to_models_that_come_before() -> None:
    """A key to a model that comes later is a plain column; the contract in pyproject.toml sees imports alone."""
    contracts = tomllib.loads((ROOT / "pyproject.toml").read_text())["tool"]["importlinter"]["contracts"]
    [layers] = [contract["layers"] for contract in contracts if contract["id"] == "models"]
    places = {module: place for place, layer in enumerate(reversed(layers)) for module in re.findall(r"\w+", layer)}
    modules = {
        target.group(1): path.stem
        for path in (PACKAGE / "models").glob("*.py")
        for target in re.finditer(r'(?:__tablename__ = |sa\.Table\(\s*)"(\w+)"', path.read_text())
    }
    assert modules.keys() == db.metadata.tables.keys()
    wrong = [
        f"{table.name}.{key.parent.name}"
        for table in db.metadata.sorted_tables
        for key in table.foreign_keys
        for module, target in [(modules[table.name], modules[key.column.table.name])]
        if module != target and places[module] <= places[target]
    ]
    assert wrong == []


def test_only_listed_files_catch_every_exception() -> None:
    def catches_everything(node: ast.AST) -> bool:
        return isinstance(node, ast.ExceptHandler) and (
            node.type is None or ast.unparse(node.type) in ("Exception", "BaseException")
        )

    broad = found_in(SOURCES, catches_everything)
    files = {place.partition(":")[0] for place in broad}
    assert [place for place in broad if place.partition(":")[0] not in MAY_CATCH_EVERYTHING] == []
    assert MAY_CATCH_EVERYTHING.keys() - files == set(), "remove these exceptions from the list"


def test_only_listed_files_read_the_environment() -> None:
    def reads_it(node: ast.AST) -> bool:
        return isinstance(node, ast.Attribute) and ast.unparse(node) in ("os.environ", "os.getenv")

    reads = found_in(SOURCES, reads_it)
    assert [place for place in reads if place.partition(":")[0] not in MAY_READ_THE_ENVIRONMENT] == []


def test_every_module_has_a_docstring() -> None:
    without = [
        name_of(path)
        for path in SOURCES
        for text in [path.read_text()]
        if text.strip() and not ast.get_docstring(ast.parse(text))
    ]
    assert without == []


def test_the_referrer_is_never_used() -> None:
    """H41"""
    assert found_in(SOURCES, lambda node: isinstance(node, ast.Attribute) and node.attr == "referrer") == []


def test_amounts_are_never_fractions() -> None:
    """H42"""

    def is_fraction(node: ast.AST) -> bool:
        return (
            (isinstance(node, ast.Constant) and isinstance(node.value, float))
            or (isinstance(node, ast.BinOp) and isinstance(node.op, ast.Div))
            or (isinstance(node, ast.Name) and node.id == "float")
        )

    broken = found_in(in_rows(("money", "services")), is_fraction)
    stems = {Path(place.partition(":")[0]).stem for place in broken}
    assert [place for place in broken if Path(place.partition(":")[0]).stem not in MAY_USE_FRACTIONS] == []
    assert MAY_USE_FRACTIONS.keys() - stems == set(), "remove these exceptions from the list"


# --- size and documentation -------------------------------------------------------------------------------------------

Function = ast.FunctionDef | ast.AsyncFunctionDef

MAX_MODULE_LINES = 400
MAX_FUNCTION_LINES = 60
MAX_PARAMETERS = 6

# First words of docstrings that do not start with a verb.
NO_VERBS = frozenset(
    (
        "A", "An", "The", "What", "Whether", "Who", "Whom", "Whose", "How", "Where", "When", "Why", "Which",
        "Every", "Each", "All", "Some", "Any", "Nobody", "Somebody", "Nothing", "Something", "One", "Both",
        "It", "They", "This", "That", "These", "Those", "Their", "His", "Her", "If", "As", "In", "On", "Of",
        "For", "From", "To", "With", "And", "But", "So",
    )
)  # fmt: skip


def functions(path: Path) -> list[tuple[str, ast.FunctionDef | ast.AsyncFunctionDef]]:
    """Return the functions and methods of a file with their names as `file:function`."""
    return [(f"{name_of(path)}:{node.name}", node) for node in nodes(path) if isinstance(node, Function)]


def public_functions(path: Path) -> list[ast.FunctionDef | ast.AsyncFunctionDef]:
    """Return the public functions of a module, without methods and functions within functions."""
    body = ast.parse(path.read_text(), str(path)).body
    return [node for node in body if isinstance(node, Function) and not node.name.startswith("_")]


def parameter_count(node: ast.FunctionDef | ast.AsyncFunctionDef) -> int:
    """Count the parameters of a function, without `self`, `cls`, `*args` and `**kwargs`."""
    names = [argument.arg for argument in (*node.args.posonlyargs, *node.args.args, *node.args.kwonlyargs)]
    return len([name for name in names if name not in ("self", "cls")])


def test_modules_are_short() -> None:
    long = {name_of(path) for path in SOURCES if len(path.read_text().splitlines()) > MAX_MODULE_LINES}
    assert long == set()


def test_functions_are_short() -> None:
    long = {
        name
        for path in SOURCES
        for name, node in functions(path)
        if (node.end_lineno or 0) - node.lineno + 1 > MAX_FUNCTION_LINES
    }
    assert long == set()


def test_functions_have_few_parameters() -> None:
    many = {name for path in SOURCES for name, node in functions(path) if parameter_count(node) > MAX_PARAMETERS}
    assert many == set()


def test_docstrings_of_public_functions_start_with_a_verb() -> None:
    unclear = {
        f"{name_of(path)}:{node.name}"
        for path in SOURCES
        for node in public_functions(path)
        for text in [ast.get_docstring(node) or ""]
        if not text or text.split()[0].strip("`,.:;") in NO_VERBS
    }
    assert unclear == set()
