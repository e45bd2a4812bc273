"""Without JavaScript, every page is complete and cards and profiles can be managed."""

import re

import pyotp
import pytest
from playwright.sync_api import Browser, BrowserContext, expect

from tests.journeys.accounts import confirm_email, log_in, register_card, sign_up, submit, submit_log_in
from tests.journeys.conftest import PHONE, Served, take_screenshot
from tests.journeys.crawling import MIN_PAGES, START_PATHS, crawl
from tests.journeys.test_profile import rotated_photo
from tests.journeys.test_two_factor import next_code

pytestmark = pytest.mark.browser
FIND_PROBLEMS = """(wide) => {
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


@pytest.fixture(scope="module")
def unpaid_card(chromium: Browser, served: Served) -> str:
    """The token of a card with an activation fee."""
    register_card(chromium, served, "PLAIN44", "By paying for activation")
    return "PLAIN44"


@pytest.mark.parametrize("user", START_PATHS)
def test_every_page_is_complete(plain_phone: BrowserContext, served: Served, unpaid_card: str, user: str) -> None:
    page = plain_phone.new_page()
    if user:
        log_in(page, user)
    problems, visited = [], []
    for path in crawl(page, served, (*START_PATHS[user], f"/activate/{unpaid_card}"), user):
        visited.append(path)
        problems += [f"{path}: {each}" for each in page.evaluate(FIND_PROBLEMS, PHONE["width"])]
    assert not problems, "\n".join(problems)
    assert len(visited) >= MIN_PAGES[user], visited


def test_long_names_without_spaces_fit_every_page(plain_phone: BrowserContext, served: Served) -> None:
    page = plain_phone.new_page()
    sign_up(page, "W" * 50, "wanda@example.com")
    page.goto("/profiles/new")
    page.get_by_label("Name", exact=True).fill("M" * 60)
    page.get_by_label("Headline").fill("M" * 80)
    page.get_by_role("textbox", name="Profile address").fill("long-names")
    submit(page, "Create profile")
    expect(page.get_by_text("Profile created")).to_be_visible()
    page.get_by_role("link", name="Add links").click()
    page.get_by_label("Title").fill("M" * 60)
    page.get_by_label("Address").fill("example.com/" + "m" * 300)
    submit(page, "Add link")
    expect(page.locator(".tc-sortable .title")).to_have_count(1)
    problems = []
    for path in crawl(page, served, ("/dashboard", "/account", "/p/long-names", "/p/long-names/share")):
        problems += [f"{path}: {each}" for each in page.evaluate(FIND_PROBLEMS, PHONE["width"])]
    assert not problems, "\n".join(problems)


def test_a_card_gets_another_web_address(
    plain_phone: BrowserContext, chromium: Browser, served: Served, target_site: str
) -> None:
    register_card(chromium, served, "PLAIN33", "Without a code")
    page = plain_phone.new_page()
    log_in(page, "ada@example.com")
    page.goto("/activate/PLAIN33")
    submit(page, "Claim this card")
    page.locator("input[name=target][value=url]").check()
    page.locator("input[name=reroute_url]").fill(f"{target_site}/plain")
    submit(page, "Save")
    expect(page.get_by_text("Changes saved. They apply")).to_be_visible()
    page.goto("/t/PLAIN33")
    expect(page.get_by_role("heading")).to_have_text("/plain")


def test_cards_profile_and_two_factor_are_managed(
    plain_phone: BrowserContext, chromium: Browser, served: Served
) -> None:
    register_card(chromium, served, "PLAIN22", "Without a code")
    page = plain_phone.new_page()
    sign_up(page, "Rut", "rut@example.com")
    confirm_email(page, served, "rut@example.com")

    # a card, and a profile with a photo that it opens
    page.goto("/t/PLAIN22")
    submit(page, "Claim this card")
    page.wait_for_url("**/cards/PLAIN22")
    page.get_by_role("radio", name="My profile").check()
    page.get_by_label("Card name").fill("Plain")
    submit(page, "Save")
    expect(page.get_by_text("Now create the profile this card opens")).to_be_visible()
    page.get_by_label("Headline").fill("Potter")
    page.locator("#photo").set_input_files({"name": "me.jpg", "mimeType": "image/jpeg", "buffer": rotated_photo()})
    submit(page, "Create profile")
    expect(page.get_by_text("Profile created")).to_be_visible()
    page.goto("/t/PLAIN22")
    page.wait_for_url("**/p/rut-lund")
    expect(page.get_by_role("heading", level=1)).to_have_text("Rut Lund")
    photo = page.locator(".tc-profile .photo img")
    assert photo.evaluate("(each) => [each.naturalWidth === each.naturalHeight, each.naturalWidth > 100]") == [
        True,
        True,
    ]
    take_screenshot(page, "plain-1-profile")

    # the card is lost and reactivated
    page.goto("/cards/PLAIN22")
    submit(page, "Mark as lost")
    expect(page.get_by_text("Card marked as lost.")).to_be_visible()
    page.goto("/t/PLAIN22")
    expect(page.get_by_role("heading", level=1)).to_have_text("This card has been deactivated")
    page.goto("/cards/PLAIN22")
    submit(page, "Reactivate card")
    expect(page.get_by_text("Card reactivated.")).to_be_visible()

    # a transfer is requested and canceled
    page.get_by_role("link", name="Transfer card").click()
    page.get_by_label("Recipient's email").fill("nobody else")
    submit(page, "Send transfer request")
    expect(page.get_by_label("Recipient's email")).to_have_value("nobody else")
    page.get_by_label("Recipient's email").fill("noor@example.com")
    submit(page, "Send transfer request")
    expect(page.get_by_text("Transfer to noor@example.com")).to_be_visible()
    submit(page, "Cancel transfer")
    expect(page.get_by_text("Transfer to noor@example.com")).to_have_count(0)

    # two-factor log in
    page.goto("/account/two-factor/set-up")
    secret = page.locator(".tc-secret code").inner_text().replace(" ", "")
    page.get_by_label("Code from your authenticator app").fill(pyotp.TOTP(secret).now())
    submit(page, "Turn on")
    expect(page.get_by_role("heading", level=1)).to_have_text("Your recovery codes")
    take_screenshot(page, "plain-2-codes")
    plain_phone.clear_cookies()
    submit_log_in(page, "rut@example.com")
    page.wait_for_url("**/log-in/code")
    page.get_by_label("Code").fill(next_code(secret))
    submit(page, "Log in")
    page.wait_for_url(re.compile("/dashboard$"))
    expect(page.get_by_text("Plain")).to_be_visible()
