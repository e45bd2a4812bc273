"""Opens every kind of page that links lead to, and sends its forms with invalid values."""

import re
from collections.abc import Iterator
from urllib.parse import urljoin, urlsplit

from playwright.sync_api import Page, Response

from tests.journeys.conftest import Served

# Where a crawl starts: these pages aren't linked, and no journey changes their cards. "" is a visitor.
START_PATHS = {
    "": ("/", "/t/DEMOFREE", "/t/DEMOSET", "/t/DEMOLOST", "/t/DEMOOLD", "/t/NOSUCH22", "/p/ada", "/p/ada/shared",
         "/t/DEMOLOST/found", "/account/closed", "/no/such/page"),
    "ada@example.com": ("/dashboard", "/account", "/account/confirm-password", "/activate/DEMOFREE",
                        "/activate/DEMOPAY", "/cards/DEMOURL", "/cards/DEMOLOST", "/cards/DEMOSET"),
    "olu@example.com": ("/admin/", "/t/NOSUCH22", "/dashboard"),
}  # fmt: skip
# What is checked in somebody else's crawl: the shop as a visitor, and all but the back office as a holder.
SKIPPED_PATHS = {
    "": re.compile(r"(?!)"),
    "ada@example.com": re.compile(r"/(shop|products|pages|newsletter|contact|find-order|terms|privacy)\b"),
    "olu@example.com": re.compile(r"/(?!admin\b)"),
}
MIN_PAGES = {"": 20, "ada@example.com": 34, "olu@example.com": 40}
# Parts of paths that tell pages of the same kind apart: tokens, order numbers, ids and names.
VARIABLE_PARTS = re.compile(
    r"(?<=/)(?:[0-9A-Z]{6,}|TC-[0-9A-Z-]+|\d+)(?=/|$)|(?<=^/products/)[^/]+|(?<=^/shop/c)[^/]+/[^/]+|(?<=/review/)[^/]+"
)
# Forms that can be filled in wrongly: with a text field, or a checkbox that must be checked.
TEXT_FIELDS = ",".join(f"input[type={kind}]" for kind in ("text", "email", "tel", "url", "password"))
FORMS = f"""[...document.querySelectorAll("main form[method=post]")].filter(
  (form) => form.querySelector("{TEXT_FIELDS}, textarea, [type=checkbox][required]"))"""
SUBMIT_INVALID = f"""(number) => {{
  const form = {FORMS}[number];
  for (const field of form.elements) {{
    if (field.closest(".tc-honeypot")) continue;
    if (["text", "email", "tel", "url", "password", "textarea"].includes(field.type)) field.value = "\\ue000";
    if (field.type === "checkbox") field.checked = false;
  }}
  HTMLFormElement.prototype.submit.call(form);
}}"""


def crawl(page: Page, served: Served, start_paths: tuple[str, ...], user: str = "") -> Iterator[str]:
    """Open one page of each kind that links lead to; yield its path while it is open.

    Pages that another user's crawl opens are left out.
    """
    queue, known_kinds = list(start_paths), {VARIABLE_PARTS.sub("*", path) for path in start_paths}
    while queue:
        path = queue.pop(0)
        page.goto(path)
        hrefs = page.eval_on_selector_all("main a[href]:not([download])", "all => all.map((each) => each.href)")
        url = page.url
        yield path
        for href in hrefs:
            link = urlsplit(urljoin(url, href))
            kind = VARIABLE_PARTS.sub("*", link.path)
            is_redirect = link.path.startswith(("/t/", "/q/", "/dev/")) or "/open/" in link.path
            is_page = "." not in link.path.rpartition("/")[2] and not is_redirect
            is_new = kind not in known_kinds and not SKIPPED_PATHS[user].match(link.path)
            if f"{link.scheme}://{link.netloc}" == served.url and is_page and is_new:
                known_kinds.add(kind)
                queue.append(link.path)


def count_forms(page: Page) -> int:
    """Return how many forms of a page can be filled in wrongly."""
    return int(page.evaluate(f"{FORMS}.length"))


def submit_invalid(page: Page, number: int) -> Response:
    """Submit a form with values that no field accepts; return the response."""
    with page.expect_navigation() as navigation:
        page.evaluate(SUBMIT_INVALID, number)
    return navigation.value
