"""The shop: the pages that explain the product and show the designs."""

from flask import Flask

from .views import bp


def init_app(app: Flask) -> None:
    """Open the shop, unless this installation has none."""
    if "shop" in app.config["TAPCARD"].modules:
        app.register_blueprint(bp)
