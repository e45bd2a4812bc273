"""The shop: the pages that explain the product and show the designs."""

from flask import Flask

from . import contact, newsletter, pages, views
from .blueprint import bp

__all__ = ["bp", "contact", "init_app", "newsletter", "pages", "views"]  # they register their pages when imported


def init_app(app: Flask) -> None:
    """Open the shop, unless this installation has none."""
    if "shop" in app.config["TAPCARD"].modules:
        app.register_blueprint(bp)
