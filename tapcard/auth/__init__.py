"""Accounts: signing up and in, verifying, passwords and addresses."""

from flask import Flask

from . import addresses, closing
from .views import bp

__all__ = ["addresses", "closing", "init_app"]  # they register their pages when imported


def init_app(app: Flask) -> None:
    """Register the pages."""
    app.register_blueprint(bp)
