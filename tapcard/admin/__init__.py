"""Back office blueprint, including the tables served by Flask-Admin."""

from flask import Flask

from . import (
    credit,
    designs,
    offers,
    orders,
    product_parts,
    production,
    products,
    reviews,
    shelves,
    tables,
    views,
    words,
)
from .blueprint import bp

__all__ = [
    "bp",
    "credit",
    "designs",
    "init_app",
    "offers",
    "orders",
    "product_parts",
    "production",
    "products",
    "reviews",
    "shelves",
    "tables",
    "views",
    "words",
]  # they register their pages when imported


def init_app(app: Flask) -> None:
    """Register the pages of the back office, unless the module is switched off."""
    if "admin" in app.config["TAPCARD"].modules:
        app.register_blueprint(bp)
        tables.init_app(app)
