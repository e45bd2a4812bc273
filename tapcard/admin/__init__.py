"""Back office blueprint with the tables served by Flask-Admin; each subject has a package of pages of its own."""

from flask import Flask
from flask_babel import lazy_gettext as _

from ..registry import Menu, MenuEntry, declare_menu_entries
from . import tables, views
from .blueprint import bp

__all__ = ["bp", "init_app", "tables", "views"]  # they register their pages when imported

declare_menu_entries(
    MenuEntry(Menu.BACK_OFFICE, "backoffice.index", _("Home"), 10, "house"),
    MenuEntry(Menu.BACK_OFFICE, "outbox.index_view", _("Emails"), 150, "envelope"),
    MenuEntry(Menu.BACK_OFFICE, "audit.index_view", _("Audit log"), 170, "journal-text"),
)


def init_app(app: Flask) -> None:
    """Register the pages of the back office, unless the module is disabled."""
    if "admin" in app.config["TAPCARD"].modules:
        app.register_blueprint(bp)
        tables.init_app(app)
