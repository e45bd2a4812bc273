"""Back office pages of content."""

from flask_babel import lazy_gettext as _

from ...registry import Menu, MenuEntry, declare_menu_entries
from . import content

__all__ = ["content"]  # they register their pages when imported

declare_menu_entries(
    MenuEntry(Menu.BACK_OFFICE, "backoffice.pages", _("Pages"), 110, "file-text"),
    MenuEntry(Menu.BACK_OFFICE, "backoffice.enquiries", _("Messages"), 120, "chat-left-text"),
    MenuEntry(Menu.BACK_OFFICE, "backoffice.subscribers", _("Subscribers"), 130, "envelope-paper"),
)
