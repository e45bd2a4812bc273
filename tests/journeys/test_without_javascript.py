"""A browser without JavaScript: every page is whole, and a holder does there what holders do."""

import re
from collections.abc import Iterator

import pyotp
import pytest
from playwright.sync_api import Browser, BrowserContext, expect

from tests.journeys.conftest import PATIENCE, PHONE, Served, keep
from tests.journeys.test_first_card import log_in
from tests.journeys.test_profile import sideways_photo, sign_up
from tests.journeys.test_two_factor import give_password, next_code
from tests.journeys.walking import LEAST, UNLINKED, link_mailed, pages, register

pytestmark = pytest.mark.browser
MISSING = """(wide) => {
  const all = (selector) => [...document.querySelectorAll(selector)];
  const start = (each) => each.outerHTML.slice(0, 120);
  const isShown = (each) => each.checkVisibility({visibilityProperty: true});
  const isThere = (each) => isShown(each) || (each.closest("details:not([open])") && isShown(each.closest("details")));
  const wrong = [];
  if (all("h1").filter(isShown).length !== 1) wrong.push(`${all("h1").length} headings`);
  if (document.querySelector("main").innerText.trim().length < 30) wrong.push("nothing on it");
  for (const each of all("button, [role=button], input[type=button], canvas, [draggable=true], [contenteditable]"))
    if (isThere(each) && !(each.form && each.type === "submit")) wrong.push(`only a script could do: ${start(each)}`);
  // what is chosen in the gallery, the stylesheet alone shows
  for (const each of all("input:not([type=hidden]), select, textarea"))
    if (isThere(each) && !each.form && !each.closest(".tc-gallery")) wrong.push(`a field of no form: ${start(each)}`);
  for (const each of all("a")) {
    const href = each.getAttribute("href") || "";
    const isGood = href.startsWith("#") ? document.getElementById(href.slice(1)) : href && !/^javascript:/i.test(href);
    if (isThere(each) && !isGood) wrong.push(`a link to nowhere: ${start(each)}`);
  }
  for (const form of document.forms) {
    const isSent = [...form.elements].some((each) => each.type === "submit" && isThere(each));
    if (isThere(form) && !form.closest("[inert]") && !isSent) wrong.push(`nothing sends ${start(form)}`);
  }
  const width = document.documentElement.scrollWidth;
  if (width > wide) wrong.push(`${width} pixels wide`);
  return wrong;
}"""


@pytest.fixture
def plain_phone(chromium: Browser, served: Served) -> Iterator[BrowserContext]:
    """A phone without JavaScript, signed out."""
    context = chromium.new_context(
        viewport=PHONE, has_touch=True, is_mobile=True, java_script_enabled=False, base_url=served.url
    )
    context.set_default_timeout(PATIENCE)
    yield context
    context.close()


@pytest.fixture(scope="module")
def unpaid_card(chromium: Browser, served: Served) -> str:
    """The token of a card that waits to be paid for."""
    register(chromium, served, "PLAIN44", "By paying for activation")
    return "PLAIN44"


@pytest.mark.parametrize("who", UNLINKED)
def test_every_page_is_whole(plain_phone: BrowserContext, served: Served, unpaid_card: str, who: str) -> None:
    page = plain_phone.new_page()
    if who != "nobody":
        log_in(page, who)
    wrong, visited = [], []
    for path in pages(page, served, (*UNLINKED[who], f"/activate/{unpaid_card}"), who):
        visited.append(path)
        wrong += [f"{path}: {each}" for each in page.evaluate(MISSING, PHONE["width"])]
    assert not wrong, "\n".join(wrong)
    assert len(visited) >= LEAST[who], visited


def test_names_without_a_blank_break_no_page(plain_phone: BrowserContext, served: Served) -> None:
    page = plain_phone.new_page()
    sign_up(page, "W" * 50, "wanda@example.com")
    page.goto("/profiles/new")
    page.get_by_label("Name", exact=True).fill("M" * 60)
    page.get_by_label("Headline").fill("M" * 80)
    page.get_by_role("textbox", name="Profile address").fill("long-names")
    page.get_by_role("button", name="Create profile").click()
    expect(page.get_by_text("Profile created")).to_be_visible()
    page.get_by_role("link", name="Add links").click()
    page.get_by_label("Title").fill("M" * 60)
    page.get_by_label("Address").fill("example.com/" + "m" * 300)
    page.get_by_role("button", name="Add link").click()
    expect(page.locator(".tc-sortable .title")).to_have_count(1)
    wrong = []
    for path in pages(page, served, ("/dashboard", "/account", "/p/long-names", "/p/long-names/share")):
        wrong += [f"{path}: {each}" for each in page.evaluate(MISSING, PHONE["width"])]
    assert not wrong, "\n".join(wrong)


def test_a_card_is_pointed_elsewhere(
    plain_phone: BrowserContext, chromium: Browser, served: Served, elsewhere: str
) -> None:
    register(chromium, served, "PLAIN33", "Without a code")
    page = plain_phone.new_page()
    log_in(page, "ada@example.com")
    page.goto("/activate/PLAIN33")
    page.get_by_role("button", name="Claim this card").click()
    page.locator("input[name=target][value=url]").check()
    page.locator("input[name=reroute_url]").fill(f"{elsewhere}/plain")
    page.get_by_role("button", name="Save").click()
    expect(
        page.get_by_text("Changes saved. They apply")
    ).to_be_visible()  # or leaving the page would cancel the request
    page.goto("/t/PLAIN33")
    expect(page.get_by_role("heading")).to_have_text("/plain")


def test_a_holder_does_everything(plain_phone: BrowserContext, chromium: Browser, served: Served) -> None:
    register(chromium, served, "PLAIN22", "Without a code")
    page = plain_phone.new_page()
    sign_up(page, "Rut", "rut@example.com")
    page.goto(link_mailed(served, "rut@example.com", "/verify/"))
    page.get_by_role("main").get_by_role("button").click()
    expect(page.get_by_text("rut@example.com is confirmed")).to_be_visible()

    # a card, and a profile with a photo that it opens
    page.goto("/t/PLAIN22")
    page.get_by_role("button", name="Claim this card").click()
    page.wait_for_url("**/cards/PLAIN22")
    page.get_by_role("radio", name="My profile").check()
    page.get_by_label("Card name").fill("Plain")
    page.get_by_role("button", name="Save").press("Enter")  # a busy browser may lose the mouse right after a redirect
    expect(page.get_by_text("Now create the profile this card opens")).to_be_visible()
    page.get_by_label("Headline").fill("Potter")
    page.locator("#photo").set_input_files({"name": "me.jpg", "mimeType": "image/jpeg", "buffer": sideways_photo()})
    page.get_by_role("button", name="Create profile").click()
    expect(page.get_by_text("Profile created")).to_be_visible()
    page.goto("/t/PLAIN22")
    page.wait_for_url("**/p/rut-lund")
    expect(page.get_by_role("heading", level=1)).to_have_text("Rut Lund")
    photo = page.locator(".tc-profile .photo img")
    assert photo.evaluate("(each) => [each.naturalWidth === each.naturalHeight, each.naturalWidth > 100]") == [
        True,
        True,
    ]
    keep(page, "plain-1-profile")

    # lost and found again
    page.goto("/cards/PLAIN22")
    page.get_by_role("button", name="Mark as lost").click()
    expect(page.get_by_text("Card marked as lost.")).to_be_visible()
    page.goto("/t/PLAIN22")
    expect(page.get_by_role("heading", level=1)).to_have_text("This card has been deactivated")
    page.goto("/cards/PLAIN22")
    page.get_by_role("button", name="Reactivate card").click()
    expect(page.get_by_text("Card reactivated.")).to_be_visible()

    # offered to somebody, and not after all
    page.get_by_role("link", name="Transfer card").click()
    page.get_by_label("Recipient's email").fill("nobody else")
    page.get_by_role("button", name="Send transfer request").click()
    expect(page.get_by_label("Recipient's email")).to_have_value("nobody else")
    page.get_by_label("Recipient's email").fill("noor@example.com")
    page.get_by_role("button", name="Send transfer request").click()
    expect(page.get_by_text("Transfer to noor@example.com")).to_be_visible()
    page.get_by_role("button", name="Cancel transfer").click()
    expect(page.get_by_text("Transfer to noor@example.com")).to_have_count(0)

    # two-factor log in
    page.goto("/account/two-factor/set-up")
    secret = page.locator(".tc-secret code").inner_text().replace(" ", "")
    page.get_by_label("Code from your authenticator app").fill(pyotp.TOTP(secret).now())
    page.get_by_role("button", name="Turn on").click()
    expect(page.get_by_role("heading", level=1)).to_have_text("Your recovery codes")
    keep(page, "plain-2-codes")
    plain_phone.clear_cookies()
    give_password(page, "rut@example.com")
    page.wait_for_url("**/log-in/code")
    page.get_by_label("Code").fill(next_code(secret))
    page.get_by_role("main").get_by_role("button", name="Log in").click()
    page.wait_for_url(re.compile("/dashboard$"))
    expect(page.get_by_text("Plain")).to_be_visible()
