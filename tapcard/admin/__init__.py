"""Back office blueprint, including the tables served by Flask-Admin."""

from flask import Flask

from . import tables, views
from .blueprint import bp
from .cards import designs
from .cart import credit, delivery, promotions
from .catalogue import categories, exchange_rates, product_media, products, reviews
from .content import enquiries, newsletter, pages
from .orders import orders, production

__all__ = [
    "bp",
    "categories",
    "credit",
    "delivery",
    "designs",
    "enquiries",
    "exchange_rates",
    "init_app",
    "newsletter",
    "orders",
    "pages",
    "product_media",
    "production",
    "products",
    "promotions",
    "reviews",
    "tables",
    "views",
]  # they register their pages when imported


def init_app(app: Flask) -> None:
    """Register the pages of the back office, unless the module is switched off."""
    if "admin" in app.config["TAPCARD"].modules:
        app.register_blueprint(bp)
        tables.init_app(app)
