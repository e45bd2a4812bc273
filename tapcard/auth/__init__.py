"""Accounts: signing up and in, verifying, passwords and addresses."""

from flask import Flask

from . import addresses, closing, sessions, two_factor
from .views import bp

__all__ = [
    "addresses",
    "bp",
    "closing",
    "init_app",
    "sessions",
    "two_factor",
]  # they register their pages when imported


def init_app(app: Flask) -> None:
    """Register the pages."""
    app.register_blueprint(bp)
