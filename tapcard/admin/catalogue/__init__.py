"""Back office pages of the catalogue."""

from flask_babel import lazy_gettext as _

from ...registry import Menu, MenuEntry, declare_menu_entries
from . import categories, product_media, products, reviews

__all__ = ["categories", "product_media", "products", "reviews"]  # they register their pages when imported

declare_menu_entries(
    MenuEntry(Menu.BACK_OFFICE, "backoffice.products", _("Products"), 40, "box-seam"),
    MenuEntry(Menu.BACK_OFFICE, "backoffice.categories", _("Categories and collections"), 50, "bookshelf"),
    MenuEntry(Menu.BACK_OFFICE, "backoffice.reviews", _("Reviews"), 100, "star"),
)
