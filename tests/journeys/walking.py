"""How journeys see every page: those that links lead to, the same after a bad form, and what axe-core says of them."""

import re
import time
from collections.abc import Iterator
from email import message_from_bytes, policy
from urllib.parse import urljoin, urlsplit

from axe_playwright_python.sync_playwright import Axe
from playwright.sync_api import Browser, Page, Response, expect

from tests.journeys.conftest import Served
from tests.journeys.test_first_card import log_in

# pages that nothing links to, of cards that no journey changes
UNLINKED = {
    "nobody": ("/", "/t/DEMOFREE", "/t/DEMOSET", "/t/DEMOLOST", "/t/DEMOOLD", "/t/NOSUCH22", "/p/ada", "/p/ada/shared",
               "/t/DEMOLOST/found", "/account/closed", "/no/such/page"),
    "ada@example.com": ("/dashboard", "/account", "/account/confirm-password", "/activate/DEMOFREE",
                        "/activate/DEMOPAY", "/cards/DEMOURL", "/cards/DEMOLOST", "/cards/DEMOSET"),
    "olu@example.com": ("/admin/", "/t/NOSUCH22", "/dashboard"),
}  # fmt: skip
# what somebody before has looked at: the shop's pages for everybody, and for the owner all but the back office
ELSEWHERE = {
    "nobody": re.compile(r"(?!)"),
    "ada@example.com": re.compile(r"/(shop|products|pages|newsletter|contact|find-order|terms|privacy)\b"),
    "olu@example.com": re.compile(r"/(?!admin\b)"),
}
LEAST = {"nobody": 18, "ada@example.com": 30, "olu@example.com": 14}
# one page of each kind is enough: of a card, an order, a product, a shelf
VARIES = re.compile(
    r"(?<=/)(?:[0-9A-Z]{6,}|TC-[0-9A-Z-]+|\d+)(?=/|$)|(?<=^/products/)[^/]+|(?<=^/shop/c)[^/]+/[^/]+|(?<=/review/)[^/]+"
)
AXE = Axe().axe_script
VIOLATIONS = """async ([part, options]) =>
  (await axe.run(document.querySelector(part), {resultTypes: ['violations'], ...options})).violations"""
IN_THE_DARK = {"runOnly": ["color-contrast"]}  # what else is wrong, light shows too
# forms that a person may get wrong: with a field to type into, or a box that must be ticked
TYPED = ",".join(f"input[type={kind}]" for kind in ("text", "email", "tel", "url", "password"))
FORMS = f"""[...document.querySelectorAll("main form[method=post]")].filter(
  (form) => form.querySelector("{TYPED}, textarea, [type=checkbox][required]"))"""
SPOIL = f"""(number) => {{
  const form = {FORMS}[number];
  for (const field of form.elements) {{
    if (field.closest(".tc-honeypot")) continue;
    if (["text", "email", "tel", "url", "password", "textarea"].includes(field.type)) field.value = "\\ue000";
    if (field.type === "checkbox") field.checked = false;
  }}
  HTMLFormElement.prototype.submit.call(form);
}}"""


def pages(page: Page, served: Served, starts: tuple[str, ...], who: str = "nobody") -> Iterator[str]:
    """Go to each kind of page that can be reached by links and is not judged elsewhere; gives its path."""
    waiting, known = list(starts), {VARIES.sub("*", path) for path in starts}
    while waiting:
        path = waiting.pop(0)
        page.goto(path)
        links = page.eval_on_selector_all("main a[href]:not([download])", "all => all.map((each) => each.href)")
        here = page.url
        yield path
        for href in links:
            found = urlsplit(urljoin(here, href))
            kind = VARIES.sub("*", found.path)
            leads_on = found.path.startswith(("/t/", "/q/", "/dev/")) or "/open/" in found.path
            is_page = "." not in found.path.rpartition("/")[2] and not leads_on
            is_new = kind not in known and not ELSEWHERE[who].match(found.path)
            if f"{found.scheme}://{found.netloc}" == served.url and is_page and is_new:
                known.add(kind)
                waiting.append(found.path)


def register(browser: Browser, served: Served, token: str, policy: str) -> None:
    """Let staff register a blank card."""
    context = browser.new_context(base_url=served.url)
    page = context.new_page()
    log_in(page, "ben@example.com")
    page.goto(f"/admin/cards/register?token={token}")
    page.get_by_label("Token").fill(token)
    page.get_by_text(policy).click()
    page.get_by_role("button", name="Register").click()
    expect(page.get_by_text(token).first).to_be_visible()
    context.close()


def forms_to_spoil(page: Page) -> int:
    """How many forms of the page a person may get wrong."""
    return int(page.evaluate(f"{FORMS}.length"))


def spoil(page: Page, number: int) -> Response:
    """Send a form with what no field takes; gives the answer."""
    with page.expect_navigation() as answer:
        page.evaluate(SPOIL, number)
    return answer.value


def complaints(page: Page, part: str = "html") -> list[str]:
    """What axe-core says of the page or a part of it, in light and dark."""
    found = []
    page.emulate_media(color_scheme="light", reduced_motion="reduce")
    page.evaluate(AXE)
    found += [("light", each) for each in page.evaluate(VIOLATIONS, [part, {}])]
    page.emulate_media(color_scheme="dark", reduced_motion="reduce")
    found += [("dark", each) for each in page.evaluate(VIOLATIONS, [part, IN_THE_DARK])]
    path = urlsplit(page.url).path
    return [
        f"{path} ({scheme}): {each['id']} {node['target']} {node['failureSummary']}"
        for scheme, each in found
        for node in each["nodes"]
    ]


def link_mailed(served: Served, address: str, part: str, *, patience: float = 20) -> str:
    """The path with a part in it that was last mailed to an address, as soon as there is one."""
    until = time.monotonic() + patience
    while time.monotonic() < until:
        for path in sorted((served.instance / "mail").glob("*.eml"), reverse=True):
            mail = message_from_bytes(path.read_bytes(), policy=policy.default)
            body = mail.get_body(("plain",))
            text = body.get_content() if body is not None and address in str(mail["To"]) else ""
            if found := re.search(rf"https?://[^/\s]+(\S*{part}\S*)", text):
                return found[1]
        time.sleep(0.1)
    raise AssertionError(f"no mail to {address} with a link to {part}")
