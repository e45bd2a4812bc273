"""Pages for paying and returning from gateways."""

from flask import Flask

from ..gateways import registry
from . import sandbox, views
from .blueprint import bp

__all__ = ["bp", "init_app", "sandbox", "views"]  # they register their pages when imported


def init_app(app: Flask) -> None:
    """Register the gateways, and the pages if the shop is enabled."""
    config = app.config["TAPCARD"]
    app.extensions["gateways"] = registry.build(config, lambda public_id: f"/billing/sandbox/{public_id}")
    if "shop" in config.modules:
        app.register_blueprint(bp)
