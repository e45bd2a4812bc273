"""Content pages: rendering Markdown, slugs and concurrent edits."""

import re
from typing import Any

import pytest
import sqlalchemy as sa
from flask import Flask

from tapcard import seeds
from tapcard.clock import utcnow
from tapcard.db import db
from tapcard.models import AuditEntry, PageMenu, ShopPage, User
from tapcard.services.content import pages
from tapcard.services.content.pages import InvalidPage, PageContent, PageNotFound, render
from tapcard.services.core.optimistic_lock import EditConflict
from tests.concurrency import run_concurrently

DANGEROUS = (
    "<script>alert(1)</script>",
    "<img src=x onerror=alert(1)>",
    "<svg/onload=alert(1)>",
    "<style>body{display:none}</style>",
    '<p style="position:fixed">x</p>',
    "<iframe src='https://evil.example'></iframe>",
    "<!-- <script>alert(1)</script> -->",
    "<a href='javascript:alert(1)'>x</a>",
    "[x](javascript:alert(1))",
    "[x](JaVaScRiPt:alert(1))",
    "[x](&#106;avascript:alert(1))",
    "[x](java&#x09;script:alert(1))",
    "[x](vbscript:msgbox)",
    "[x](data:text/html,<script>alert(1)</script>)",
    "[x](data:text/html;base64,PHNjcmlwdD4=)",
    "<javascript:alert(1)>",
    "![x](javascript:alert(1))",
    "![x](data:image/svg+xml;base64,PHN2Zz4=)",
    "![x](data:image/gif;base64,R0lGODlhAQABAAAAACw=)",
    "![x](https://evil.example/pixel.gif)",
    "![x](//evil.example/pixel.gif)",
    "![x](/\\\\evil.example/pixel.gif)",
    '[x](https://example.com "\\" onmouseover=alert(1) x=\\"")',
    '[x]: javascript:alert(1) "t"\n\n[x]',
    "```<script>\nalert(1)\n```",
    "<form action=https://evil.example><input name=password></form>",
)


@pytest.mark.parametrize("text", DANGEROUS)
def test_dangerous_markup_is_removed(text: str) -> None:
    html = str(render(text))
    for piece in html.split("<")[1:]:
        tag = piece.partition(">")[0]
        assert tag.strip("/").split()[0] in pages.TAGS, html
        outside = tag.split('"')[::2]  # attribute values are between quotes
        assert not any(" on" in attribute or "style" in attribute for attribute in outside), html
        for scheme in ("javascript", "vbscript", "data:"):
            assert f'="{scheme}' not in tag.lower(), html
        source = tag.partition('src="')[2]
        assert not source or re.match(r"/[^/\\]", source), html  # from our own host


def test_markdown_is_rendered() -> None:
    html = render(
        "# One\n\n**bold** and _soft_, ~~gone~~\n\n- list\n\n| a | b |\n|---|---|\n| 1 | 2 |\n\n> said\n\n`x`"
    )
    for part in (
        "<h2>One</h2>",
        "<strong>bold</strong>",
        "<em>soft</em>",
        "<s>gone</s>",
        "<li>list</li>",
        "<td>1</td>",
    ):
        assert part in html
    assert 'src="/uploads/a.webp"' in render("![A card](/uploads/a.webp)")


def test_only_external_links_get_a_rel_attribute() -> None:
    for away in ("https://example.com/", "http://example.com", "//example.com/x"):
        assert f'href="{away}" rel="noopener noreferrer"' in render(f"[x]({away})")
    for own in ("/contact", "#top", "mailto:help@example.com", "tel:+447700900123"):
        assert f'<a href="{own}">' in render(f"[x]({own})")


@pytest.mark.parametrize(
    ("text", "levels"),
    [
        ("# a\n\n## b\n\n### c", "234"),
        ("### a\n\n##### b", "23"),
        ("###### a", "2"),
        ("# a\n\n#### b\n\n# c\n\n## d", "2323"),
        ("## a\n\n# b", "22"),
    ],
)
def test_headings_start_below_the_page_title_without_gaps(text: str, levels: str) -> None:
    html = str(render(text))
    assert "".join(part[0] for part in html.split("<h")[1:]) == levels


def content(**changes: Any) -> PageContent:
    values: dict[str, Any] = {"title": "Opening hours", "slug": "", "body": "# Monday", "description": ""}
    return PageContent(**{**values, "menu": PageMenu.FOOTER, "position": 1, "is_published": True, **changes})


def test_the_slug_is_derived_from_the_title_unless_given(app: Flask, ben: User) -> None:
    assert pages.create(content(), ben, utcnow()).slug == "opening-hours"
    assert pages.create(content(slug="hours"), None, utcnow()).slug == "hours"
    assert pages.create(content(title="Café & what's on"), None, utcnow()).slug == "cafe-whats-on"
    assert db.session.scalars(sa.select(AuditEntry.tag).where(AuditEntry.actor_id == ben.id)).all() == ["page.made"]


@pytest.mark.parametrize(
    "slug", ["Hours", "two words", "-a", "a--b", "a/b", "..", "é", "contact", "newsletter", "about"]
)
def test_an_invalid_reserved_or_used_slug_is_refused(app: Flask, slug: str) -> None:
    seeds.create_page("about")
    with pytest.raises(InvalidPage) as refused:
        pages.create(content(slug=slug), None, utcnow())
    assert refused.value.field == "slug"
    with pytest.raises(InvalidPage):
        pages.create(content(title="名前!"), None, utcnow())  # no letters for a slug


def test_only_published_pages_are_found(app: Flask) -> None:
    seeds.create_page("about")
    seeds.create_page("draft", is_published=False)
    assert pages.get_published("about").slug == "about"
    for slug in ("draft", "none", "About", "\0", ""):
        with pytest.raises(PageNotFound):
            pages.get_published(slug)


def test_an_outdated_edit_is_refused(app: Flask, ben: User) -> None:
    page = seeds.create_page("about")
    opened = page.version
    pages.change(page, content(slug="about", body="First"), opened, ben, utcnow())
    db.session.commit()
    with pytest.raises(EditConflict):
        pages.change(page, content(slug="about", body="Second"), opened, None, utcnow())
    db.session.rollback()
    assert page.body == "First"
    entry = db.session.scalars(sa.select(AuditEntry).where(AuditEntry.tag == "page.changed")).one()
    assert (entry.actor_id, entry.details["changed"]) == (ben.id, ["body", "position", "title"])


def test_concurrent_edits_save_once(app: Flask) -> None:
    page_id = seeds.create_page("about").id
    db.session.commit()

    def save(place: int) -> None:
        pages.change(pages.get(page_id), content(slug="about", body=f"Text {place}"), 1, None, utcnow())

    results = run_concurrently(app, 4, save)
    assert results.count(EditConflict) == 3
    assert db.session.get_one(ShopPage, page_id, populate_existing=True).version == 2


def test_the_default_pages_are_seeded_once(app: Flask) -> None:
    seeds.create_page("faq", "Ours")
    for _time in range(2):
        seeds.seed_pages()
    assert sorted(db.session.scalars(sa.select(ShopPage.title))) == ["About us", "Ours", "Returns"]
