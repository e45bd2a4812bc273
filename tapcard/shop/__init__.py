"""Pages of the shop: information, catalogue, cart, checkout and orders."""

from flask import Flask
from flask_babel import lazy_gettext as _

from ..registry import Menu, MenuEntry, declare_menu_entries
from . import (
    activation,
    add_to_cart,
    cart,
    catalogue,
    checkout,
    codes,
    contact,
    newsletter,
    order_cards,
    orders,
    pages,
    reviews,
    site,
    views,
    wishlist,
)
from .blueprint import bp

# these modules register their views when imported
__all__ = [
    "activation",
    "add_to_cart",
    "bp",
    "cart",
    "catalogue",
    "checkout",
    "codes",
    "contact",
    "init_app",
    "newsletter",
    "order_cards",
    "orders",
    "pages",
    "reviews",
    "site",
    "views",
    "wishlist",
]

SHOP_PAGES = frozenset({"shop.category", "shop.collection", "shop.product", "shop.products", "shop.review"})

declare_menu_entries(
    MenuEntry(Menu.VISITOR, "shop.products", _("Shop"), 10, "bag", pages=SHOP_PAGES),
    MenuEntry(Menu.VISITOR, "shop.designs", _("Designs"), 20, "palette"),
    MenuEntry(Menu.VISITOR, "shop.front", _("How it works"), 30, "question-circle", anchor="how"),
    MenuEntry(Menu.HOLDER, "shop.products", _("Shop"), 50, "bag", pages=SHOP_PAGES),
    MenuEntry(Menu.HOLDER, "shop.designs", _("Designs"), 60, "palette"),
    MenuEntry(
        Menu.ACCOUNT,
        "shop.orders",
        _("Orders"),
        10,
        "box-seam",
        pages=frozenset({"shop.cancel_order", "shop.codes", "shop.order", "shop.orders"}),
    ),
    MenuEntry(Menu.ACCOUNT, "shop.wishlist", _("Wishlist"), 20, "heart"),
    MenuEntry(Menu.FOOTER, "shop.contact", _("Contact"), 10),
    MenuEntry(Menu.FOOTER, "shop.find_order", _("Find my order"), 20),
    MenuEntry(Menu.FOOTER, "shop.terms", _("Terms"), 100),
    MenuEntry(Menu.FOOTER, "shop.privacy", _("Privacy"), 110),
)


def init_app(app: Flask) -> None:
    """Register the pages of the shop, if this installation has one."""
    if "shop" in app.config["TAPCARD"].modules:
        app.register_blueprint(bp)
