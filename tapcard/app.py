"""The application factory: a table of contents."""

from pathlib import Path

from flask import Flask
from flask_babel import Babel
from flask_migrate import Migrate
from werkzeug.middleware.proxy_fix import ProxyFix

from config import Config

from . import admin, auth, billing, db, mail, shop, subjects, tap, worker
from .cli import commands
from .keys import Keys
from .web import (
    access,
    assets,
    carts,
    errors,
    filters,
    guards,
    health,
    icons,
    logs,
    mailbox,
    navigation,
    rate_limits,
    security,
    sessions,
    uploads,
)
from .web.transactions import RetryingFlask, TransactionMode

MIGRATIONS = Path(__file__).resolve().parents[1] / "migrations"


def create_app(config: Config) -> Flask:
    """Build the application from its configuration."""
    app = RetryingFlask("tapcard", instance_path=str(config.instance_path), static_folder=None)
    app.config.from_mapping(config.for_flask())
    app.url_map.strict_slashes = False
    app.extensions["keys"] = Keys(config.secret_key, config.secret_key_fallbacks)
    logs.init_app(app)
    db.init_app(app)
    Migrate(app, db.db, directory=str(MIGRATIONS), render_as_batch=True)
    Babel(app)
    for part in (
        sessions,
        security,
        rate_limits,
        guards,
        errors,
        filters,
        icons,
        navigation,
        carts,
        mail,
        assets,
        uploads,
        health,
    ):
        part.init_app(app)
    for module in (subjects, tap, auth, shop, billing, admin, mailbox, worker, commands):
        module.init_app(app)
    access.check(app)
    app.wsgi_app = TransactionMode(app.wsgi_app)  # type: ignore[method-assign]
    tap.install_fast_path(app)
    if config.trusted_proxies:
        hops = config.trusted_proxies
        app.wsgi_app = ProxyFix(app.wsgi_app, hops, hops, hops)  # type: ignore[method-assign]
    return app
