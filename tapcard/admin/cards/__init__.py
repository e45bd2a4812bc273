"""Back office pages of cards and designs."""

from flask_babel import lazy_gettext as _

from ...registry import Menu, MenuEntry, declare_menu_entries
from . import designs

__all__ = ["designs"]  # they register their pages when imported

declare_menu_entries(
    MenuEntry(Menu.BACK_OFFICE, "backoffice.designs", _("Designs"), 60, "palette"),
    MenuEntry(Menu.BACK_OFFICE, "cards.index_view", _("Cards"), 140, "credit-card-2-front"),
    MenuEntry(Menu.BACK_OFFICE, "backoffice.hosts", _("Blocked domains"), 160, "shield-check"),
)
