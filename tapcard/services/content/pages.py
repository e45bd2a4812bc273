"""Pages that staff write: Markdown in the table, harmless HTML on the page."""

import re
from collections.abc import Sequence
from datetime import datetime
from functools import lru_cache
from typing import Any
from urllib.parse import urlsplit

import nh3
import sqlalchemy as sa
from markdown_it import MarkdownIt
from markdown_it.rules_core import StateCore
from markupsafe import Markup
from sqlalchemy.orm.exc import StaleDataError

from ...db import db, hold
from ...errors import DomainError, NotFound
from ...errors import mark as _
from ...ids import is_id
from ...models import PageMenu, ShopPage, User
from ..core import audit

OURS = {"terms": "shop.terms", "privacy": "shop.privacy"}  # by slug: a page of staff stands in their place
RESERVED = ("contact", "newsletter")  # these have forms, which no text replaces
SLUG = re.compile(r"[a-z0-9]+(?:-[a-z0-9]+)*")
SLUG_LENGTH, TITLE_LENGTH, DESCRIPTION_LENGTH, BODY_LENGTH = 120, 120, 500, 50_000
LAST_POSITION = 10_000
DEEPEST_HEADING = 6
TEXT_TAGS = {"p", "h2", "h3", "h4", "h5", "h6", "ul", "ol", "li", "a", "img", "strong", "em", "s", "code", "pre"}
TAGS = TEXT_TAGS | {"blockquote", "hr", "br", "table", "thead", "tbody", "tr", "th", "td"}
ATTRIBUTES = {"a": {"href", "title", "rel"}, "img": {"src", "alt", "title"}, "ol": {"start"}}
SCHEMES = {"http", "https", "mailto", "tel"}
AWAY = "noopener noreferrer"


class PageNotFound(NotFound):
    """There is no such page, or it is not published."""


class BadPage(DomainError):
    """What was typed makes no page; `field` says which part."""

    status = 422


class EditedMeanwhile(DomainError):
    """Somebody else saved the page since it was opened."""

    status = 409


# --- reading ----------------------------------------------------------------------------------------------------------


def find(slug: str) -> ShopPage | None:
    """The published page of a slug."""
    return db.session.scalar(sa.select(ShopPage).where(ShopPage.slug == slug, ShopPage.is_published))


def published(slug: str) -> ShopPage:
    """The same, or raise `PageNotFound`."""
    page = find(slug) if SLUG.fullmatch(slug) else None
    if page is None:
        raise PageNotFound(_("There's no page at this address."))
    return page


def all_pages() -> Sequence[ShopPage]:
    """Every page for staff, in the order of the menus."""
    in_order = sa.case({PageMenu.TOP: 0, PageMenu.FOOTER: 1}, value=ShopPage.menu, else_=2)
    return db.session.scalars(sa.select(ShopPage).order_by(in_order, ShopPage.position, ShopPage.title)).all()


def by_id(page_id: int) -> ShopPage:
    """A page for staff, published or not; raise `PageNotFound`."""
    page = db.session.get(ShopPage, page_id) if is_id(page_id) else None
    if page is None:
        raise PageNotFound(_("Page not found."))
    return page


# --- writing ----------------------------------------------------------------------------------------------------------


def make(
    *,
    title: str,
    slug: str,
    body: str,
    description: str,
    menu: PageMenu,
    position: int,
    is_published: bool,
    by: User | None,
    now: datetime,
) -> ShopPage:
    """Write a new page; raise `BadPage`."""
    hold("shop_pages")
    page = ShopPage(
        slug=_clean_slug(slug, title, None),
        title=title,
        body=_clean_body(body),
        description=description,
        menu=menu,
        position=position,
        is_published=is_published,
        created_at=now,
        updated_at=now,
    )
    db.session.add(page)
    db.session.flush()  # the audit names it
    audit.record("page.made", subject=page, actor=by, slug=page.slug)
    return page


def change(
    page: ShopPage,
    *,
    version: int,
    title: str,
    slug: str,
    body: str,
    description: str,
    menu: PageMenu,
    position: int,
    is_published: bool,
    by: User | None,
    now: datetime,
) -> None:
    """Save a page that was opened at a version; raise `BadPage`, or `EditedMeanwhile` for the second editor."""
    if page.version != version:
        raise _edited_meanwhile()
    hold("shop_pages")
    values: dict[str, Any] = {"title": title, "body": _clean_body(body), "description": description, "menu": menu}
    values |= {"slug": _clean_slug(slug, title, page.id), "position": position, "is_published": is_published}
    changed = sorted(name for name, value in values.items() if getattr(page, name) != value)
    for name, value in values.items():
        setattr(page, name, value)
    page.updated_at = now
    try:
        db.session.flush()  # the row's version is compared here
    except StaleDataError:
        raise _edited_meanwhile() from None
    audit.record("page.changed", subject=page, actor=by, slug=page.slug, changed=changed)


def _edited_meanwhile() -> EditedMeanwhile:
    return EditedMeanwhile(
        _("Someone else has saved this page since you opened it. Check it in another tab before you overwrite it.")
    )


def _clean_slug(typed: str, title: str, own_id: int | None) -> str:
    slug = typed or _slug_of(title)
    if not SLUG.fullmatch(slug) or len(slug) > SLUG_LENGTH:
        raise BadPage(_("Use lowercase letters, digits and single hyphens, such as opening-hours."), field="slug")
    if slug in RESERVED:
        raise BadPage(_("The shop already has a page with this address. Choose another one."), field="slug")
    taken = sa.select(ShopPage.id).where(ShopPage.slug == slug)
    if own_id is not None:
        taken = taken.where(ShopPage.id != own_id)
    with db.session.no_autoflush:
        if db.session.scalar(taken) is not None:
            raise BadPage(_("Another page already uses this address. Choose another one."), field="slug")
    return slug


def _slug_of(title: str) -> str:
    return "-".join(re.findall(r"[a-z0-9]+", title.lower()))[:SLUG_LENGTH].strip("-")


def _clean_body(text: str) -> str:
    return text.replace("\r\n", "\n").replace("\r", "\n").strip()


# --- Markdown ---------------------------------------------------------------------------------------------------------


@lru_cache(maxsize=64)
def render(body: str) -> Markup:
    """Turn Markdown into HTML that can do no harm, whoever wrote it; headings start below the page's own."""
    return Markup(  # noqa: S704  nh3 has been through it
        nh3.clean(
            _markdown.render(body),
            tags=TAGS,
            attributes=ATTRIBUTES,
            attribute_filter=_filter,
            url_schemes=SCHEMES,
            link_rel=None,  # set above, for links that lead away
        )
    )


def _filter(tag: str, attribute: str, value: str) -> str | None:
    """Keep pictures of our own host alone; browsers take a backslash for a slash."""
    if (tag, attribute) == ("img", "src"):
        is_ours = value.startswith("/") and not value.startswith("//") and "\\" not in value
        return value if is_ours else None
    return value


def _shift_headings(state: StateCore) -> None:
    """Let the highest heading that is used be h2, and skip no step on the way down."""
    headings = [token for token in state.tokens if token.type in ("heading_open", "heading_close")]
    used = sorted({token.tag for token in headings})
    level = 1
    for token in headings:
        if token.type == "heading_open":
            level = min(used.index(token.tag) + 2, level + 1, DEEPEST_HEADING)
        token.tag = f"h{level}"


def _mark_links_away(state: StateCore) -> None:
    for token in state.tokens:
        for child in token.children or ():
            if child.type == "link_open" and _leads_away(str(child.attrGet("href") or "")):
                child.attrSet("rel", AWAY)


def _leads_away(address: str) -> bool:
    try:
        parts = urlsplit(address.replace("\\", "/"))
    except ValueError:
        return True
    return bool(parts.netloc) or parts.scheme in ("http", "https")


def _parser() -> MarkdownIt:
    parser = MarkdownIt("commonmark", {"html": False}).enable(["table", "strikethrough"])
    parser.core.ruler.push("shift_headings", _shift_headings)
    parser.core.ruler.push("mark_links_away", _mark_links_away)
    return parser


_markdown = _parser()
