"""Account pages: sign-up, login, verification, passwords and addresses."""

from flask import Flask
from flask_babel import lazy_gettext as _

from ..registry import Menu, MenuEntry, declare_menu_entries
from . import addresses, closure, sessions, two_factor
from .views import bp

__all__ = [
    "addresses",
    "bp",
    "closure",
    "init_app",
    "sessions",
    "two_factor",
]  # they register their pages when imported

declare_menu_entries(
    MenuEntry(
        Menu.ACCOUNT,
        "auth.account",
        _("Account"),
        30,
        "person-circle",
        pages=frozenset(
            {
                "auth.account",
                "auth.addresses",
                "auth.change_email",
                "auth.change_password",
                "auth.close",
                "auth.confirm_password",
                "auth.delete_address",
                "auth.edit_address",
                "auth.list_sessions",
                "auth.new_address",
                "auth.new_recovery_codes",
                "auth.set_up_two_factor",
                "auth.show_two_factor",
                "auth.switch_off_two_factor",
            }
        ),
    ),
)


def init_app(app: Flask) -> None:
    """Register the pages."""
    app.register_blueprint(bp)
