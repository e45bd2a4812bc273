"""The shop: the pages that explain the product and show the designs."""

from flask import Flask

from . import buying, cart, ordering, views, wishlist
from .blueprint import bp

# they register their pages when imported
__all__ = ["bp", "buying", "cart", "init_app", "ordering", "views", "wishlist"]


def init_app(app: Flask) -> None:
    """Open the shop, unless this installation has none."""
    if "shop" in app.config["TAPCARD"].modules:
        app.register_blueprint(bp)
