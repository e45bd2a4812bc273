"""Names in the audit log: staff never read the tags and tables of the database."""

import ast
from collections.abc import Iterator
from pathlib import Path

import tapcard
from tapcard import registry, subjects
from tapcard.db import Base


def recorded_tags() -> Iterator[str]:
    """Give every tag that the code records."""
    for path in sorted(Path(tapcard.__file__).parent.rglob("*.py")):
        for node in ast.walk(ast.parse(path.read_text(encoding="utf-8"))):
            if isinstance(node, ast.Call) and ast.unparse(node.func) in ("audit.record", "audit.record_all"):
                yield from tags_of(node.args[0])


def tags_of(argument: ast.expr) -> list[str]:
    """Return the tags that an argument can be."""
    if isinstance(argument, ast.IfExp):
        return [*tags_of(argument.body), *tags_of(argument.orelse)]
    if isinstance(argument, ast.JoinedStr):  # f"review.{status.value}"
        subject = ast.literal_eval(argument.values[0])
        return [f"{subject}approved", f"{subject}rejected"]
    return [ast.literal_eval(argument)]


def test_each_recorded_action_has_a_label() -> None:
    tags = set(recorded_tags())
    assert len(tags) > 80
    subjects.load()
    assert tags == set(registry.audit_actions)


def test_each_object_is_a_table() -> None:
    subjects.load()
    assert set(registry.audit_objects) <= set(Base.metadata.tables)
