"""Back office pages of promotions, delivery, currencies and store credit."""

from flask_babel import lazy_gettext as _

from ...registry import Menu, MenuEntry, declare_menu_entries
from . import credit, offers

__all__ = ["credit", "offers"]  # they register their pages when imported

declare_menu_entries(
    MenuEntry(Menu.BACK_OFFICE, "backoffice.credit", _("Store credit"), 30, "wallet2"),
    MenuEntry(Menu.BACK_OFFICE, "backoffice.promotions", _("Promotions"), 70, "percent"),
    MenuEntry(Menu.BACK_OFFICE, "backoffice.delivery", _("Delivery"), 80, "truck"),
    MenuEntry(Menu.BACK_OFFICE, "backoffice.rates", _("Currencies"), 90, "currency-exchange"),
)
