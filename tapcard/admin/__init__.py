"""Back office blueprint, including the tables served by Flask-Admin."""

from flask import Flask

from . import tables, views
from .blueprint import bp
from .cards import designs
from .cart import credit, offers
from .catalogue import categories, product_media, products, reviews
from .content import enquiries, newsletter, pages
from .orders import orders, production

__all__ = [
    "bp",
    "categories",
    "credit",
    "designs",
    "enquiries",
    "init_app",
    "newsletter",
    "offers",
    "orders",
    "pages",
    "product_media",
    "production",
    "products",
    "reviews",
    "tables",
    "views",
]  # they register their pages when imported


def init_app(app: Flask) -> None:
    """Register the pages of the back office, unless the module is switched off."""
    if "admin" in app.config["TAPCARD"].modules:
        app.register_blueprint(bp)
        tables.init_app(app)
