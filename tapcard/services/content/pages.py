"""Pages that staff write in Markdown, rendered as sanitized HTML."""

from collections.abc import Sequence
from dataclasses import asdict, dataclass
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
from ...slugs import is_slug, slugify
from ..core import audit
from ..core.optimistic_lock import EditConflict

LOCK = "shop_pages"
BUILT_IN = {"terms": "shop.terms", "privacy": "shop.privacy"}  # endpoints by slug; a page of that slug replaces one
RESERVED_SLUGS = ("contact", "newsletter")  # pages with a form, which a page cannot replace
MAX_SLUG_LENGTH, MAX_TITLE_LENGTH, MAX_DESCRIPTION_LENGTH, MAX_BODY_LENGTH = 120, 120, 500, 50_000
MAX_POSITION = 10_000
MAX_HEADING_LEVEL = 6
TEXT_TAGS = {"p", "h2", "h3", "h4", "h5", "h6", "ul", "ol", "li", "a", "img", "strong", "em", "s", "code", "pre"}
TAGS = TEXT_TAGS | {"blockquote", "hr", "br", "table", "thead", "tbody", "tr", "th", "td"}
ATTRIBUTES = {"a": {"href", "title", "rel"}, "img": {"src", "alt", "title"}, "ol": {"start"}}
SCHEMES = {"http", "https", "mailto", "tel"}
EXTERNAL_REL = "noopener noreferrer"


class PageNotFound(NotFound):
    """There is no such page, or it is not published."""


class InvalidPage(DomainError):
    """The submitted page is not valid; `field` names the invalid part."""

    status = 422


@dataclass(frozen=True)
class PageContent:
    """The values that staff submit for a page; a blank slug is made from the title."""

    title: str
    slug: str
    body: str
    description: str
    menu: PageMenu
    position: int
    is_published: bool


# --- look-ups ---------------------------------------------------------------------------------------------------------


def find_published(slug: str) -> ShopPage | None:
    """Return the published page of a slug."""
    return db.session.scalar(sa.select(ShopPage).where(ShopPage.slug == slug, ShopPage.is_published))


def get_published(slug: str) -> ShopPage:
    """Return the published page of a slug; raise `PageNotFound`."""
    page = find_published(slug) if is_slug(slug, MAX_SLUG_LENGTH) else None
    if page is None:
        raise PageNotFound(_("We couldn't find that page."))
    return page


def list_pages() -> Sequence[ShopPage]:
    """Return all pages, in the order of the menus."""
    menu_order = sa.case({PageMenu.TOP: 0, PageMenu.FOOTER: 1}, value=ShopPage.menu, else_=2)
    return db.session.scalars(sa.select(ShopPage).order_by(menu_order, ShopPage.position, ShopPage.title)).all()


def get(page_id: int) -> ShopPage:
    """Return a page, published or not; raise `PageNotFound`."""
    page = db.session.get(ShopPage, page_id) if is_id(page_id) else None
    if page is None:
        raise PageNotFound(_("We couldn't find that page."))
    return page


# --- changes ----------------------------------------------------------------------------------------------------------


def create(content: PageContent, actor: User | None, now: datetime) -> ShopPage:
    """Create a page; raise `InvalidPage`."""
    acquire_lock(LOCK)
    page = ShopPage(**_cleaned(content, None), created_at=now, updated_at=now)
    db.session.add(page)
    db.session.flush()  # the audit entry needs its id
    audit.record("page.made", subject=page, actor=actor, slug=page.slug)
    return page


def change(page: ShopPage, content: PageContent, version: int, actor: User | None, now: datetime) -> None:
    """Save a page that was opened at a version; raise `InvalidPage`, or `EditConflict` for the second editor."""
    if page.version != version:
        raise _edit_conflict()
    acquire_lock(LOCK)
    values = _cleaned(content, page.id)
    changed = sorted(name for name, value in values.items() if getattr(page, name) != value)
    for name, value in values.items():
        setattr(page, name, value)
    page.updated_at = now
    try:
        db.session.flush()  # compares the version of the row
    except StaleDataError:
        raise _edit_conflict() from None
    audit.record("page.changed", subject=page, actor=actor, slug=page.slug, changed=changed)


def _edit_conflict() -> EditConflict:
    return EditConflict(
        _("Someone else has saved this page since you opened it. Check it in another tab before you overwrite it.")
    )


def _cleaned(content: PageContent, own_id: int | None) -> dict[str, Any]:
    return asdict(content) | {
        "slug": _clean_slug(content.slug, content.title, own_id),
        "body": content.body.replace("\r\n", "\n").replace("\r", "\n").strip(),
    }


def _clean_slug(typed: str, title: str, own_id: int | None) -> str:
    slug = typed or slugify(title, MAX_SLUG_LENGTH)
    if not is_slug(slug, MAX_SLUG_LENGTH):
        raise InvalidPage(_("Use lowercase letters, numbers and single hyphens, such as opening-hours."), field="slug")
    if slug in RESERVED_SLUGS:
        raise InvalidPage(_("The shop already has a page with this address. Choose another one."), field="slug")
    same = sa.select(ShopPage.id).where(ShopPage.slug == slug)
    if own_id is not None:
        same = same.where(ShopPage.id != own_id)
    with db.session.no_autoflush:
        if db.session.scalar(same) is not None:
            raise InvalidPage(_("Another page already uses this address. Choose another one."), field="slug")
    return slug


# --- Markdown ---------------------------------------------------------------------------------------------------------


@lru_cache(maxsize=64)
def render(body: str) -> Markup:
    """Render Markdown as sanitized HTML; its headings start at h2, below the page's own."""
    return Markup(  # noqa: S704  sanitized by nh3
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
    """Remove images from other hosts; browsers treat a backslash as a slash."""
    if (tag, attribute) == ("img", "src"):
        is_local = value.startswith("/") and not value.startswith("//") and "\\" not in value
        return value if is_local else None
    return value


def _shift_headings(state: StateCore) -> None:
    """Shift the headings so that the highest one is h2 and no level is skipped."""
    headings = [token for token in state.tokens if token.type in ("heading_open", "heading_close")]
    used_tags = sorted({token.tag for token in headings})
    level = 1
    for token in headings:
        if token.type == "heading_open":
            level = min(used_tags.index(token.tag) + 2, level + 1, MAX_HEADING_LEVEL)
        token.tag = f"h{level}"


def _mark_external_links(state: StateCore) -> None:
    for token in state.tokens:
        for child in token.children or ():
            if child.type == "link_open" and _is_external(str(child.attrGet("href") or "")):
                child.attrSet("rel", EXTERNAL_REL)


def _is_external(address: str) -> bool:
    try:
        parts = urlsplit(address.replace("\\", "/"))
    except ValueError:
        return True
    return bool(parts.netloc) or parts.scheme in ("http", "https")


def _parser() -> MarkdownIt:
    parser = MarkdownIt("commonmark", {"html": False}).enable(["table", "strikethrough"])
    parser.core.ruler.push("shift_headings", _shift_headings)
    parser.core.ruler.push("mark_external_links", _mark_external_links)
    return parser


_markdown = _parser()
