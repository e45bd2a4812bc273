"""Accounts: signing up and in, verifying, passwords and addresses."""

from flask import Flask

from .views import bp


def init_app(app: Flask) -> None:
    """Register the pages."""
    app.register_blueprint(bp)
