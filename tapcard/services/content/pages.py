"""Content pages that staff write in Markdown, rendered to sanitized HTML."""

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

from ...db import acquire_lock, db
from ...errors import DomainError, NotFound
from ...errors import mark as _
from ...ids import is_id
from ...models import PageMenu, ShopPage, User
from ..core import audit

BUILT_IN_PAGES = {
    "terms": "shop.terms",
    "privacy": "shop.privacy",
}  # slug: endpoint of the page it replaces
RESERVED_SLUGS = ("contact", "newsletter")  # pages with forms, which cannot be replaced
SLUG_PATTERN = re.compile(r"[a-z0-9]+(?:-[a-z0-9]+)*")
MAX_SLUG_LENGTH, MAX_TITLE_LENGTH, MAX_DESCRIPTION_LENGTH, MAX_BODY_LENGTH = 120, 120, 500, 50_000
MAX_POSITION = 10_000
MAX_HEADING_LEVEL = 6
TEXT_TAGS = {"p", "h2", "h3", "h4", "h5", "h6", "ul", "ol", "li", "a", "img", "strong", "em", "s", "code", "pre"}
TAGS = TEXT_TAGS | {"blockquote", "hr", "br", "table", "thead", "tbody", "tr", "th", "td"}
ATTRIBUTES = {"a": {"href", "title", "rel"}, "img": {"src", "alt", "title"}, "ol": {"start"}}
SCHEMES = {"http", "https", "mailto", "tel"}
EXTERNAL_LINK_REL = "noopener noreferrer"


class PageNotFound(NotFound):
    """There is no such page, or it is not published."""


class InvalidPage(DomainError):
    """The input is not a valid page; `field` names the part."""

    status = 422


class EditConflict(DomainError):
    """Somebody else saved the page since it was opened."""

    status = 409


# --- reading ----------------------------------------------------------------------------------------------------------


def find_published(slug: str) -> ShopPage | None:
    """Return the published page with a slug, or None."""
    return db.session.scalar(sa.select(ShopPage).where(ShopPage.slug == slug, ShopPage.is_published))


def get_published(slug: str) -> ShopPage:
    """Return the published page with a slug; raise `PageNotFound`."""
    page = find_published(slug) if SLUG_PATTERN.fullmatch(slug) else None
    if page is None:
        raise PageNotFound(_("There's no page at this address."))
    return page


def all_pages() -> Sequence[ShopPage]:
    """Return every page, published or not, in menu order."""
    in_order = sa.case({PageMenu.TOP: 0, PageMenu.FOOTER: 1}, value=ShopPage.menu, else_=2)
    return db.session.scalars(sa.select(ShopPage).order_by(in_order, ShopPage.position, ShopPage.title)).all()


def get(page_id: int) -> ShopPage:
    """Return a page by its id, published or not; raise `PageNotFound`."""
    page = db.session.get(ShopPage, page_id) if is_id(page_id) else None
    if page is None:
        raise PageNotFound(_("Page not found."))
    return page


# --- writing ----------------------------------------------------------------------------------------------------------


def create(
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
    """Create a page; raise `InvalidPage`."""
    acquire_lock("shop_pages")
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
    db.session.flush()  # the audit entry needs its id
    audit.record("page.made", subject=page, actor=by, slug=page.slug)
    return page


def update(
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
    """Update a page that was opened at a version; raise `InvalidPage`, or `EditConflict` if it was saved meanwhile."""
    if page.version != version:
        raise _edit_conflict()
    acquire_lock("shop_pages")
    values: dict[str, Any] = {"title": title, "body": _clean_body(body), "description": description, "menu": menu}
    values |= {"slug": _clean_slug(slug, title, page.id), "position": position, "is_published": is_published}
    changed = sorted(name for name, value in values.items() if getattr(page, name) != value)
    for name, value in values.items():
        setattr(page, name, value)
    page.updated_at = now
    try:
        db.session.flush()  # the row's version is compared here
    except StaleDataError:
        raise _edit_conflict() from None
    audit.record("page.changed", subject=page, actor=by, slug=page.slug, changed=changed)


def _edit_conflict() -> EditConflict:
    return EditConflict(
        _("Someone else has saved this page since you opened it. Check it in another tab before you overwrite it.")
    )


def _clean_slug(text: str, title: str, own_id: int | None) -> str:
    slug = text or _slug_from(title)
    if not SLUG_PATTERN.fullmatch(slug) or len(slug) > MAX_SLUG_LENGTH:
        raise InvalidPage(_("Use lowercase letters, digits and single hyphens, such as opening-hours."), field="slug")
    if slug in RESERVED_SLUGS:
        raise InvalidPage(_("The shop already has a page with this address. Choose another one."), field="slug")
    others = sa.select(ShopPage.id).where(ShopPage.slug == slug)
    if own_id is not None:
        others = others.where(ShopPage.id != own_id)
    with db.session.no_autoflush:
        if db.session.scalar(others) is not None:
            raise InvalidPage(_("Another page already uses this address. Choose another one."), field="slug")
    return slug


def _slug_from(title: str) -> str:
    return "-".join(re.findall(r"[a-z0-9]+", title.lower()))[:MAX_SLUG_LENGTH].strip("-")


def _clean_body(text: str) -> str:
    return text.replace("\r\n", "\n").replace("\r", "\n").strip()


# --- Markdown ---------------------------------------------------------------------------------------------------------


@lru_cache(maxsize=64)
def render(body: str) -> Markup:
    """Return sanitized HTML for Markdown; headings start below the page's own h1."""
    return Markup(  # noqa: S704  nh3 has been through it
        nh3.clean(
            _markdown.render(body),
            tags=TAGS,
            attributes=ATTRIBUTES,
            attribute_filter=_filter_attribute,
            url_schemes=SCHEMES,
            link_rel=None,  # set by `_mark_external_links`
        )
    )


def _filter_attribute(tag: str, attribute: str, value: str) -> str | None:
    """Keep only pictures of our own host; browsers treat a backslash like a slash."""
    if (tag, attribute) == ("img", "src"):
        is_ours = value.startswith("/") and not value.startswith("//") and "\\" not in value
        return value if is_ours else None
    return value


def _shift_headings(state: StateCore) -> None:
    """Shift headings so that the highest is h2, without skipping levels."""
    headings = [token for token in state.tokens if token.type in ("heading_open", "heading_close")]
    tags = sorted({token.tag for token in headings})
    level = 1
    for token in headings:
        if token.type == "heading_open":
            level = min(tags.index(token.tag) + 2, level + 1, MAX_HEADING_LEVEL)
        token.tag = f"h{level}"


def _mark_external_links(state: StateCore) -> None:
    for token in state.tokens:
        for child in token.children or ():
            if child.type == "link_open" and _is_external(str(child.attrGet("href") or "")):
                child.attrSet("rel", EXTERNAL_LINK_REL)


def _is_external(address: str) -> bool:
    try:
        parts = urlsplit(address.replace("\\", "/"))
    except ValueError:
        return True
    return bool(parts.netloc) or parts.scheme in ("http", "https")


def _parser() -> MarkdownIt:
    parser = MarkdownIt("commonmark", {"html": False}).enable(["table", "strikethrough"])
    parser.core.ruler.push("shift_headings", _shift_headings)
    parser.core.ruler.push("mark_links_away", _mark_external_links)
    return parser


_markdown = _parser()
