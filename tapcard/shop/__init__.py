"""The shop: the pages that explain the product, show what is sold, and sell it."""

from flask import Flask

from . import (
    activation,
    add_to_cart,
    cart,
    catalogue,
    checkout,
    codes,
    contact,
    newsletter,
    order_cards,
    orders,
    pages,
    reviews,
    site,
    views,
    wishlist,
)
from .blueprint import bp

# they register their pages when imported
__all__ = [
    "activation",
    "add_to_cart",
    "bp",
    "cart",
    "catalogue",
    "checkout",
    "codes",
    "contact",
    "init_app",
    "newsletter",
    "order_cards",
    "orders",
    "pages",
    "reviews",
    "site",
    "views",
    "wishlist",
]


def init_app(app: Flask) -> None:
    """Open the shop, unless this installation has none."""
    if "shop" in app.config["TAPCARD"].modules:
        app.register_blueprint(bp)
