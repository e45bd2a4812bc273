"""Every page that links lead to: axe-core finds nothing in light and dark, and the keyboard reaches everything."""

import re
from collections.abc import Iterator
from urllib.parse import urljoin, urlsplit

import pytest
from axe_playwright_python.sync_playwright import Axe
from playwright.sync_api import BrowserContext, Page

from tests.journeys.conftest import Served
from tests.journeys.test_first_card import log_in

pytestmark = [pytest.mark.browser, pytest.mark.xdist_group("served")]
# pages that nothing links to
UNLINKED = {
    "nobody": ("/", "/t/DEMONEW", "/t/DEMOSET", "/t/DEMOLOST", "/t/DEMOOLD", "/t/NOSUCH22", "/p/ada", "/no/such/page"),
    "ada@example.com": ("/dashboard", "/account"),
    "olu@example.com": ("/admin/", "/t/NOSUCH22", "/dashboard"),
}
LEAST = {"nobody": 12, "ada@example.com": 10, "olu@example.com": 10}
VARIES = re.compile(r"(?<=/)(?:[0-9A-Z]{6,}|\d+)(?=/|$)")
REACHABLE = "a[href], button, input:not([type=hidden]), select, textarea, summary, iframe, [tabindex]"
COLLECT = f"""() => {{
  const seen = new Set();
  return [...document.querySelectorAll({REACHABLE!r})].filter((each) => {{
    if (each.disabled || each.tabIndex < 0 || each.closest("[inert]")) return false;
    if (!each.checkVisibility({{visibilityProperty: true}})) return false;
    if (each.type !== "radio") return true;  // of a group, the keyboard reaches one, and arrows the others
    const group = `${{each.form && each.form.action}} ${{each.name}}`;
    return !seen.has(group) && seen.add(group);
  }}).length;
}}"""
FOCUSED = """() => {
  const here = document.activeElement;
  if (!here || here === document.body) return null;
  window.reached ||= [];
  if (!window.reached.includes(here)) window.reached.push(here);
  const isMarked = here.tagName === "IFRAME" || [here, here.closest("label")].some(
    (each) => each && (getComputedStyle(each).outlineStyle !== "none" || getComputedStyle(each).boxShadow !== "none"));
  return {number: window.reached.indexOf(here), isMarked, html: here.outerHTML.slice(0, 120)};
}"""


def pages(page: Page, served: Served, starts: tuple[str, ...]) -> Iterator[str]:
    """Go to each kind of page that can be reached by links; gives its path."""
    waiting, known = list(starts), {VARIES.sub("*", path) for path in starts}
    while waiting:
        path = waiting.pop(0)
        page.goto(path)
        yield path
        for href in page.eval_on_selector_all("main a[href]:not([download])", "all => all.map((each) => each.href)"):
            found = urlsplit(urljoin(page.url, href))
            kind = VARIES.sub("*", found.path)
            leads_on = found.path.startswith(("/t/", "/q/", "/dev/")) or "/open/" in found.path
            is_page = "." not in found.path.rpartition("/")[2] and not leads_on
            if f"{found.scheme}://{found.netloc}" == served.url and is_page and kind not in known:
                known.add(kind)
                waiting.append(found.path)


@pytest.mark.parametrize("who", UNLINKED)
def test_no_page_keeps_anybody_out(phone: BrowserContext, served: Served, who: str) -> None:
    page = phone.new_page()
    if who != "nobody":
        log_in(page, who)
    axe, wrong, visited = Axe(), [], []
    for path in pages(page, served, UNLINKED[who]):
        visited.append(path)
        for scheme in ("light", "dark"):
            page.emulate_media(color_scheme=scheme, reduced_motion="reduce")  # type: ignore[arg-type]
            wrong += [
                f"{path} ({scheme}): {violation['id']} {node['target']} {node['failureSummary']}"
                for violation in axe.run(page).response["violations"]
                for node in violation["nodes"]
            ]
    assert not wrong, "\n".join(wrong)
    assert len(visited) >= LEAST[who], visited


@pytest.mark.parametrize("who", UNLINKED)
def test_the_keyboard_reaches_everything_and_shows_where_it_is(
    desktop: BrowserContext, served: Served, who: str
) -> None:
    page = desktop.new_page()
    if who != "nobody":
        log_in(page, who)
    wrong = []
    for path in pages(page, served, UNLINKED[who]):
        page.evaluate("document.activeElement.blur()")
        wanted, reached = page.evaluate(COLLECT), set()
        for _press in range(wanted + 10):
            page.keyboard.press("Tab")
            focused = page.evaluate(FOCUSED)
            if focused is None:
                break
            reached.add(focused["number"])
            if not focused["isMarked"]:
                wrong.append(f"{path}: nothing shows the focus on {focused['html']}")
        if len(reached) < wanted:
            wrong.append(f"{path}: {len(reached)} of {wanted} reached")
    assert not wrong, "\n".join(wrong)
