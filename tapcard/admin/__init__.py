"""The back office: what staff do today; the rest of it is drawn by Flask-Admin."""

from flask import Flask

from . import credit, orders, production, tables, views
from .blueprint import bp

__all__ = ["bp", "credit", "init_app", "orders", "production", "tables", "views"]  # pages register when imported


def init_app(app: Flask) -> None:
    """Register the pages of the back office, unless the module is switched off."""
    if "admin" in app.config["TAPCARD"].modules:
        app.register_blueprint(bp)
        tables.init_app(app)
