"""Subjects of the application: the one list to edit to add a subject."""

from importlib import import_module
from importlib.util import find_spec
from types import ModuleType

from flask import Flask

# Each may import only those before it; see the contract `service_packages`.
SUBJECTS: tuple[str, ...] = (
    "core",
    "accounts",
    "cards",
    "taps",
    "profiles",
    "catalogue",
    "cart",
    "orders",
    "payments",
    "privacy",
    "content",
)

# Modules with the declarations of a subject, see `tapcard/registry.py`. A subject outside this package is given by its
# dotted name, and has these modules in its own package.
PARTS = ("services.{}.declarations", "workflows.{}", "mails.{}", "admin.{}")
OUTSIDE_PARTS = ("declarations", "workflows", "mails", "views")


def load() -> list[ModuleType]:
    """Import every module with declarations of a subject."""
    return [import_module(name) for subject in SUBJECTS for name in _parts_of(subject) if find_spec(name) is not None]


def init_app(app: Flask) -> None:
    """Load the subjects, and let those outside this package add their pages."""
    for module in load():
        if not module.__name__.startswith("tapcard.") and hasattr(module, "init_app"):
            module.init_app(app)


def _parts_of(subject: str) -> list[str]:
    if "." in subject:
        return [f"{subject}.{part}" for part in OUTSIDE_PARTS]
    return [f"tapcard.{part.format(subject)}" for part in PARTS]
