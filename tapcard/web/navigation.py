"""Menus of the site: entries for pages that this installation has and the visitor may open."""

from dataclasses import dataclass

from flask import Flask, current_app, request, url_for
from flask_babel import gettext as _
from flask_login import current_user

from ..models import PageMenu
from ..registry import Menu, MenuEntry, entries_of
from ..services.content import pages
from . import filters
from .access import may_open

LEGAL = 100  # footer entries from this position on come after the pages written by staff


@dataclass(frozen=True)
class Entry:
    """An entry of a menu."""

    label: str
    url: str
    is_current: bool = False
    icon: str = ""


def init_app(app: Flask) -> None:
    """Register the menus for templates."""
    menus = {"main_menu": main_menu, "account_menu": account_menu, "back_office_menu": back_office_menu}
    app.jinja_env.globals.update(has_endpoint=has_endpoint, footer_menu=footer_menu, **menus)
    app.jinja_env.tests["endpoint"] = has_endpoint


def has_endpoint(endpoint: str) -> bool:
    """Return whether a page exists in this installation."""
    return endpoint in current_app.view_functions


def main_menu() -> list[Entry]:
    """Return the entries of the main menu for the current visitor."""
    if not current_user.is_authenticated:
        return [*_entries(Menu.VISITOR), *_staff_pages(PageMenu.TOP)]
    return [
        *_entries(Menu.HOLDER),
        *_staff_pages(PageMenu.TOP),
        *(_entry(_("Back office"), "backoffice.index", icon="shop-window") if may_open("backoffice.index") else ()),
    ]


def account_menu() -> list[Entry]:
    """Return the entries of the account menu."""
    return _entries(Menu.ACCOUNT)


def footer_menu() -> list[Entry]:
    """Return the entries of the footer; pages written by staff come before the legal ones."""
    shop: list[Entry] = []
    legal: list[Entry] = []
    for entry in entries_of(Menu.FOOTER):
        (legal if entry.position >= LEGAL else shop).extend(_menu_entry(entry))
    return [*shop, *_staff_pages(PageMenu.FOOTER), *legal]


def page_url(slug: str) -> str:
    """Return the URL of a page: its own, or that of the built-in page it replaces."""
    return url_for(pages.BUILT_IN[slug]) if slug in pages.BUILT_IN else url_for("shop.page", slug=slug)


def _staff_pages(menu: PageMenu) -> list[Entry]:
    if not has_endpoint("shop.page"):
        return []
    menu_pages = [page for page in filters.menu_pages() if page.menu is menu]
    if menu is PageMenu.FOOTER:
        menu_pages = [page for page in menu_pages if page.slug not in pages.BUILT_IN]  # the footer lists those already
    return [Entry(page.title, url := page_url(page.slug), request.path == url, "file-text") for page in menu_pages]


def back_office_menu() -> list[Entry]:
    """Return the entries of the back office menu that the user may open."""
    return [
        item
        for entry in entries_of(Menu.BACK_OFFICE)
        for item in _section_entry(str(entry.label), entry.endpoint, entry.icon)
    ]


def _section_entry(label: str, endpoint: str, icon: str) -> list[Entry]:
    """Return the entry of a section of the back office, which is current on all pages below its URL."""
    if not may_open(endpoint):
        return []
    entries = _entry(label, endpoint, icon=icon)
    is_start = endpoint == "backoffice.index"
    return [
        Entry(entry.label, entry.url, entry.is_current or (not is_start and _is_below(entry.url)), entry.icon)
        for entry in entries
    ]


def _is_below(url: str) -> bool:
    return (request.script_root + request.path).startswith(url.rstrip("/") + "/")


def _entries(menu: Menu) -> list[Entry]:
    return [item for entry in entries_of(menu) for item in _menu_entry(entry)]


def _menu_entry(entry: MenuEntry) -> list[Entry]:
    return _entry(str(entry.label), entry.endpoint, entry.pages, entry.anchor, entry.icon)


def _entry(
    label: str, endpoint: str, pages: frozenset[str] = frozenset(), anchor: str | None = None, icon: str = ""
) -> list[Entry]:
    if not has_endpoint(endpoint):
        return []
    is_current = anchor is None and request.endpoint in (pages or {endpoint})
    return [Entry(label, url_for(endpoint, _anchor=anchor), is_current, icon)]
