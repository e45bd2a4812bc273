"""Cards in the hand: taps, claiming, and what a holder does with cards and profiles."""

from pathlib import Path
from typing import Any

import maxminddb
from flask import Flask

from ..db import db
from ..services.taps.ingest import ReadingStore
from ..spool import Spool
from . import contacts, dashboard, found, leads, profile_links, profiles, replace, statistics, transfers, views
from .blueprint import bp
from .fast import FastTaps
from .recorder import TapRecorder

__all__ = [
    "answer_in_front",
    "contacts",
    "dashboard",
    "found",
    "init_app",
    "leads",
    "profile_links",
    "profiles",
    "replace",
    "statistics",
    "transfers",
    "views",
]


def init_app(app: Flask) -> None:
    """Register the views and open the spool."""
    config = app.config["TAPCARD"]
    spool = Spool(config.instance_path / "spool", sync=config.spool_sync)
    app.extensions["spool"] = spool
    with app.app_context():
        app.extensions["tap_recorder"] = TapRecorder(
            spool, ReadingStore(app.extensions["keys"]), db.engine, config.country_header, _geoip(config.geoip_path)
        )
    app.register_blueprint(bp)


def answer_in_front(app: Flask) -> None:
    """Put the fast way in front of everything that is wrapped so far."""
    config = app.config["TAPCARD"]
    app.extensions["without_fast_taps"] = app.wsgi_app
    if config.tap_fast:
        recorder: TapRecorder = app.extensions["tap_recorder"]
        app.wsgi_app = FastTaps(  # type: ignore[method-assign]
            app.wsgi_app,
            recorder.engine,
            recorder,
            is_secure=config.is_production,
            timeouts=app.config["SQLALCHEMY_ENGINE_OPTIONS"].get("connect_args"),
        )


def _geoip(path: Path | None) -> Any:
    if path is None:
        return None
    return maxminddb.open_database(path)
