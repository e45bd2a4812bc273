"""Back office pages of orders."""

from flask_babel import lazy_gettext as _

from ...registry import Menu, MenuEntry, declare_menu_entries
from . import orders, production

__all__ = ["orders", "production"]  # they register their pages when imported

declare_menu_entries(
    MenuEntry(Menu.BACK_OFFICE, "backoffice.orders", _("Orders"), 20, "receipt"),
)
