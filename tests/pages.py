"""Parse the forms, errors and text of pages, and follow their links."""

import re
from dataclasses import dataclass, field
from html import unescape
from html.parser import HTMLParser
from typing import Any
from urllib.parse import urljoin, urlsplit

from tests.conftest import FormClient


@dataclass
class PageForm:
    """A form on a page."""

    action: str
    method: str
    values: dict[str, str] = field(default_factory=dict)
    kinds: dict[str, str] = field(default_factory=dict)

    def typed(self) -> list[str]:
        """Return the names of the text fields."""
        return [
            name for name, kind in self.kinds.items() if kind in ("text", "textarea", "email", "tel", "url", "date")
        ]


class _Forms(HTMLParser):
    def __init__(self) -> None:
        super().__init__()
        self.forms: list[PageForm] = []
        self._open: PageForm | None = None
        self._area: str | None = None
        self._select: str | None = None

    def handle_starttag(self, tag: str, pairs: list[tuple[str, str | None]]) -> None:
        attributes: dict[str, Any] = dict(pairs)
        if tag == "form":
            self._open = PageForm(attributes.get("action") or "", (attributes.get("method") or "get").lower())
            self.forms.append(self._open)
        if self._open is None:
            return
        name = attributes.get("name")
        if tag == "input" and name:
            kind = "readonly" if "readonly" in attributes else attributes.get("type") or "text"
            self._open.kinds[name] = kind
            if kind not in ("checkbox", "radio") or "checked" in attributes:
                self._open.values[name] = attributes.get("value") or ("y" if kind == "checkbox" else "")
        elif tag == "textarea" and name:
            self._open.kinds[name], self._open.values[name], self._area = "textarea", "", name
        elif tag == "select" and name:
            self._open.kinds[name], self._select = "select", name
        elif tag == "option" and self._select and ("selected" in attributes or self._select not in self._open.values):
            self._open.values[self._select] = attributes.get("value") or ""

    def handle_endtag(self, tag: str) -> None:
        if tag == "form":
            self._open = None
        elif tag == "textarea" and self._open is not None and self._area:
            text = self._open.values[self._area]
            self._open.values[self._area] = text.removeprefix("\r").removeprefix("\n")  # HTML drops the first line end
            self._area = None
        elif tag == "select":
            self._select = None

    def handle_data(self, data: str) -> None:
        if self._open is not None and self._area:
            self._open.values[self._area] += data


def forms_on(page: str) -> list[PageForm]:
    """Return every form of a page with the values of its fields."""
    parser = _Forms()
    parser.feed(page)
    return parser.forms


def form_to(page: str, action: str) -> PageForm:
    """Return the form of a page that submits to an address."""
    return next(form for form in forms_on(page) if form.action == action)


def error_of(page: str, name: str) -> str:
    """Return the error message next to a field, or an empty string."""
    match = re.search(rf'id="{name}-error"[^>]*>.*?<span>(.*?)</span>', page, re.DOTALL)
    return unescape(match[1]) if match else ""


LINK = re.compile(r'<(?:a|link|script|img|use|source)\b[^>]*?\s(?:href|src)="([^"#]*)(?:#[^"]*)?"')


@dataclass
class FollowedLinks:
    """The results of following every link."""

    statuses: dict[str, int] = field(default_factory=dict)
    elsewhere: set[str] = field(default_factory=set)
    forms: list[tuple[str, PageForm]] = field(default_factory=list)


def follow_links(client: FormClient, *starts: str) -> FollowedLinks:
    """Follow all links of this site, starting from some pages."""
    crawl = FollowedLinks()
    waiting = list(starts)
    while waiting:
        path = waiting.pop()
        if path in crawl.statuses:
            continue
        with client.get(path) as response:
            crawl.statuses[path] = response.status_code
            text = response.text if response.mimetype == "text/html" else ""
        links = {urljoin(path, unescape(link)) for link in LINK.findall(text)} | {response.location or path}
        away = {link for link in links if urlsplit(link).scheme or link.startswith("//")}
        crawl.elsewhere |= away
        waiting += links - away
        crawl.forms += [(path, form) for form in forms_on(text)]
    return crawl


def words_of(page: str) -> str:
    """Return the text of a page without tags, with single spaces."""
    text = re.sub(r"<(script|style|svg)\b.*?</\1>", " ", page, flags=re.DOTALL)
    return " ".join(unescape(re.sub(r"<[^>]+>", " ", text)).split())
