"""Adding a subject takes one line in one list."""

import json
import subprocess
import sys
from pathlib import Path

import pytest

from tapcard import registry, subjects
from tapcard.registry import Registry

ROOT = Path(__file__).resolve().parent.parent


def test_a_subject_is_added_by_one_line_in_the_list(tmp_path: Path) -> None:
    """`tests/throwaway` is added in a separate process, as no migration creates its table."""
    command = [sys.executable, "-m", "tests.throwaway.check", str(tmp_path)]
    result = subprocess.run(command, cwd=ROOT, capture_output=True, text=True, check=False)
    assert result.returncode == 0, result.stderr
    assert json.loads(result.stdout.splitlines()[-1]) == {
        "permission": ["staff"],
        "upload in use": True,
        "emails": [2],  # its text and its HTML
        "after the job": "HELLO",
        "page for ada@example.com": 404,
        "menu for ada@example.com": False,
        "page for ben@example.com": 200,
        "menu for ben@example.com": True,
        "after erasure": ["", None],
        "upload still in use": False,
        "declared personal": ["notes"],
    }


def test_a_name_cannot_be_declared_twice() -> None:
    registry_of_names: Registry[str, int] = Registry()
    registry_of_names.declare("a", 1)
    registry_of_names.declare("a", 1)  # the same declaration, read twice
    with pytest.raises(ValueError, match="'a' is declared twice"):
        registry_of_names.declare("a", 2)


def test_every_subject_is_loaded(app: object) -> None:
    loaded = {module.__name__ for module in subjects.load()}
    for subject in subjects.SUBJECTS:
        assert any(f".{subject}" in name for name in loaded), subject
    assert registry.jobs
    assert registry.outbox_handlers
