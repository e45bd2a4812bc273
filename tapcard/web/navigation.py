"""Navigation: what the menus offer to whom; a page that is not switched on is not offered."""

from dataclasses import dataclass

from flask import Flask, current_app, request, url_for
from flask_babel import gettext as _
from flask_login import current_user

from ..models import PageMenu
from ..registry import Menu, entries_of
from ..services.content import pages
from . import filters
from .access import may_open

PROFILE_PAGES = frozenset(
    {
        "tap.profiles",
        "tap.new_profile",
        "tap.edit_profile",
        "tap.delete_profile",
        "tap.profile_links",
        "tap.profile_link",
    }
)
CARD_PAGES = frozenset(
    {"tap.dashboard", "tap.card", "tap.release_card", "tap.transfer_card", "tap.replace_card", "tap.offer"}
)
LEAD_PAGES = frozenset({"tap.leads", "tap.delete_lead"})
ORDER_PAGES = frozenset({"shop.orders", "shop.order", "shop.cancel_order", "shop.codes"})
ACCOUNT_PAGES = frozenset({"auth.account", "auth.change_password", "auth.change_email"}) | {
    *("auth.confirm_password", "auth.show_two_factor", "auth.set_up_two_factor", "auth.new_recovery_codes"),
    *("auth.switch_off_two_factor", "auth.list_sessions", "auth.close"),
    *("auth.addresses", "auth.new_address", "auth.edit_address", "auth.delete_address"),
}

SHOP_PAGES = frozenset({"shop.products", "shop.category", "shop.collection", "shop.product", "shop.review"})


@dataclass(frozen=True)
class Entry:
    """One line of a menu."""

    label: str
    url: str
    is_current: bool = False
    icon: str = ""


def init_app(app: Flask) -> None:
    """Give the menus to the templates."""
    menus = {"main_menu": main_menu, "account_menu": account_menu, "back_office_menu": back_office_menu}
    app.jinja_env.globals.update(has_endpoint=has_endpoint, footer_menu=footer_menu, **menus)
    app.jinja_env.tests["endpoint"] = has_endpoint


def has_endpoint(endpoint: str) -> bool:
    """Whether a page exists in this installation."""
    return endpoint in current_app.view_functions


def main_menu() -> list[Entry]:
    """List the pages in the bar at the top for whoever is looking."""
    if not current_user.is_authenticated:
        return [
            *_entry(_("Shop"), "shop.products", SHOP_PAGES, icon="bag"),
            *_entry(_("Designs"), "shop.designs", icon="palette"),
            *_entry(_("How it works"), "shop.front", anchor="how", icon="question-circle"),
            *_written(PageMenu.TOP),
        ]
    return [
        *_entry(_("My cards"), "tap.dashboard", CARD_PAGES, icon="credit-card-2-front"),
        *_entry(_("Profiles"), "tap.profiles", PROFILE_PAGES, icon="person-vcard"),
        *_entry(_("Statistics"), "tap.statistics", icon="bar-chart"),
        *_entry(_("Leads"), "tap.leads", LEAD_PAGES, icon="people"),
        *_entry(_("Shop"), "shop.products", SHOP_PAGES, icon="bag"),
        *_entry(_("Designs"), "shop.designs", icon="palette"),
        *_written(PageMenu.TOP),
        *(_entry(_("Back office"), "backoffice.index", icon="shop-window") if may_open("backoffice.index") else ()),
    ]


def account_menu() -> list[Entry]:
    """List the pages of a signed-in person's own menu."""
    return [
        *_entry(_("Orders"), "shop.orders", ORDER_PAGES, icon="box-seam"),
        *_entry(_("Wishlist"), "shop.wishlist", icon="heart"),
        *_entry(_("Account"), "auth.account", ACCOUNT_PAGES, icon="person-circle"),
    ]


def footer_menu() -> list[Entry]:
    """List the pages below every page: how to reach the shop, what staff wrote, and what everybody may read up."""
    return [
        *_entry(_("Contact"), "shop.contact"),
        *_entry(_("Find my order"), "shop.find_order"),
        *_written(PageMenu.FOOTER),
        *_entry(_("Terms"), "shop.terms"),
        *_entry(_("Privacy"), "shop.privacy"),
    ]


def page_address(slug: str) -> str:
    """Where a page that staff wrote is found: at its own address, or in place of a page of ours."""
    return url_for(pages.BUILT_IN_PAGES[slug]) if slug in pages.BUILT_IN_PAGES else url_for("shop.page", slug=slug)


def _written(menu: PageMenu) -> list[Entry]:
    if not has_endpoint("shop.page"):
        return []
    found = [page for page in filters.menu_pages() if page.menu is menu]
    if menu is PageMenu.FOOTER:
        found = [page for page in found if page.slug not in pages.BUILT_IN_PAGES]  # those have their place there anyway
    return [Entry(page.title, url := page_address(page.slug), request.path == url, "file-text") for page in found]


def back_office_menu() -> list[Entry]:
    """Return the pages of the back office that the person may open."""
    return [
        shown for entry in entries_of(Menu.BACK_OFFICE) for shown in _part(str(entry.label), entry.endpoint, entry.icon)
    ]


def _part(label: str, endpoint: str, icon: str) -> list[Entry]:
    """A part of the back office; one is in it on its page and on every page whose address goes on from there."""
    if not may_open(endpoint):
        return []
    entries = _entry(label, endpoint, icon=icon)
    is_start = endpoint == "backoffice.index"
    return [
        Entry(each.label, each.url, each.is_current or (not is_start and _is_below(each.url)), each.icon)
        for each in entries
    ]


def _is_below(url: str) -> bool:
    return (request.script_root + request.path).startswith(url.rstrip("/") + "/")


def _entry(
    label: str, endpoint: str, pages: frozenset[str] = frozenset(), anchor: str | None = None, icon: str = ""
) -> list[Entry]:
    if not has_endpoint(endpoint):
        return []
    is_current = anchor is None and request.endpoint in (pages or {endpoint})
    return [Entry(label, url_for(endpoint, _anchor=anchor), is_current, icon)]
