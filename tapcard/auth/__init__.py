"""Accounts: signing up and in, verifying, passwords and addresses."""

from flask import Flask

from . import sessions, two_factor
from .views import bp

__all__ = ["bp", "init_app", "sessions", "two_factor"]


def init_app(app: Flask) -> None:
    """Register the pages."""
    app.register_blueprint(bp)
