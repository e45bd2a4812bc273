"""Taps, claiming cards, and the pages of card holders: cards, profiles, leads and statistics."""

from pathlib import Path
from typing import Any

import maxminddb
from flask import Flask
from flask_babel import lazy_gettext as _

from ..db import db
from ..registry import Menu, MenuEntry, declare_menu_entries
from ..services.taps.ingest import ReadingStore
from ..spool import Spool
from . import (
    contacts,
    dashboard,
    found_reports,
    leads,
    profile_links,
    profiles,
    replacement,
    statistics,
    transfers,
    views,
)
from .blueprint import bp
from .fast import FastTaps
from .recorder import TapRecorder

__all__ = [
    "contacts",
    "dashboard",
    "found_reports",
    "init_app",
    "install_fast_path",
    "leads",
    "profile_links",
    "profiles",
    "replacement",
    "statistics",
    "transfers",
    "views",
]

declare_menu_entries(
    MenuEntry(
        Menu.HOLDER,
        "tap.dashboard",
        _("My cards"),
        10,
        "credit-card-2-front",
        pages=frozenset(
            {"tap.card", "tap.dashboard", "tap.offer", "tap.release_card", "tap.replace_card", "tap.transfer_card"}
        ),
    ),
    MenuEntry(
        Menu.HOLDER,
        "tap.profiles",
        _("Profiles"),
        20,
        "person-vcard",
        pages=frozenset(
            {
                "tap.delete_profile",
                "tap.edit_profile",
                "tap.new_profile",
                "tap.profile_link",
                "tap.profile_links",
                "tap.profiles",
            }
        ),
    ),
    MenuEntry(Menu.HOLDER, "tap.statistics", _("Statistics"), 30, "bar-chart"),
    MenuEntry(Menu.HOLDER, "tap.leads", _("Leads"), 40, "people", pages=frozenset({"tap.delete_lead", "tap.leads"})),
)


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


def install_fast_path(app: Flask) -> None:
    """Install the fast path for taps in front of all other WSGI middleware."""
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
