"""Every page, also behind mails and after bad forms: axe-core finds nothing, and the keyboard reaches everything."""

import re
from urllib.parse import urlsplit

import pyotp
import pytest
from playwright.sync_api import Browser, BrowserContext, Page, expect

from tapcard.keys import Keys
from tapcard.services.taps import weekly_digest
from tests.journeys.conftest import Served
from tests.journeys.test_first_card import PASSWORD, log_in
from tests.journeys.test_profile import sign_up
from tests.journeys.walking import LEAST, UNLINKED, complaints, forms_to_spoil, link_mailed, pages, register, spoil

pytestmark = pytest.mark.browser
LEAST_REFUSED = {"nobody": 5, "ada@example.com": 18, "olu@example.com": 4}
REACHABLE = "a[href], button, input:not([type=hidden]), select, textarea, summary, iframe, [tabindex]"
# the bar and the foot are the same on all pages somebody sees: they are walked once, and what differs on each page
COLLECT = f"""(part) => {{
  const seen = new Set();
  return [...document.querySelectorAll({REACHABLE!r})].filter((each) => each.closest(part)).filter((each) => {{
    if (each.disabled || each.tabIndex < 0 || each.closest("[inert]")) return false;
    if (!each.checkVisibility({{visibilityProperty: true}})) return false;
    if (each.type !== "radio") return true;  // of a group, the keyboard reaches one, and arrows the others
    const group = `${{each.form && each.form.action}} ${{each.name}}`;
    return !seen.has(group) && seen.add(group);
  }}).length;
}}"""
WATCH = """(part) => {
  document.activeElement.blur();
  if (part !== "body") document.querySelector(part).focus();
  window.reached = new Set();
  window.unmarked = new Set();
  document.addEventListener("focusin", ({target}) => {
    if (!target.closest(part)) return;
    reached.add(target);
    const looks = [target, target.closest("label")].filter(Boolean).map((each) => getComputedStyle(each));
    const isMarked = looks.some(({outlineStyle, boxShadow}) => outlineStyle !== "none" || boxShadow !== "none");
    if (!isMarked) unmarked.add(target.outerHTML.slice(0, 120));
  });
}"""
SEEN = "() => ({reached: reached.size, unmarked: [...unmarked]})"
AT_A_TIME = 10  # presses, before it is asked what they reached


@pytest.fixture(scope="module")
def waiting_card(chromium: Browser, served: Served) -> str:
    """The token of a card that asks for its claim code."""
    register(chromium, served, "WAITING2", "With a claim code")
    return "WAITING2"


@pytest.mark.parametrize("who", UNLINKED)
def test_no_page_keeps_anybody_out(phone: BrowserContext, served: Served, waiting_card: str, who: str) -> None:
    page = phone.new_page()
    if who != "nobody":
        log_in(page, who)
    wrong, visited, refused = [], [], 0
    for path in pages(page, served, (*UNLINKED[who], f"/activate/{waiting_card}"), who):
        visited.append(path)
        wrong += complaints(page)
        for number in range(forms_to_spoil(page)):
            if number:
                page.goto(path)
            wrong += refusal(page, number)
            refused += 1
    assert not wrong, "\n".join(wrong)
    assert len(visited) >= LEAST[who], visited
    assert refused >= LEAST_REFUSED[who], refused


def refusal(page: Page, number: int) -> list[str]:
    """What is wrong with the page that refuses what no field takes."""
    path = urlsplit(page.url).path
    answer = spoil(page, number)
    if answer.status != 422:
        return [f"{path}: form {number} was answered with {answer.status}"]
    if not page.locator("main [aria-invalid=true]").count():
        return [f"{path}: form {number} was refused, and no field says why"]
    return complaints(page, part="main")


def press(page: Page, name: str | re.Pattern[str] = re.compile("")) -> None:
    """Press a button of the page, the first unless it is named, and wait for the next page."""
    with page.expect_navigation():
        page.get_by_role("main").get_by_role("button", name=name).and_(page.locator("[type=submit]")).first.click()


def test_no_page_behind_a_mail_or_in_the_middle_of_a_log_in_keeps_anybody_out(
    phone: BrowserContext, desktop: BrowserContext, served: Served
) -> None:
    page, wrong = phone.new_page(), []

    def look(path: str = "", *, heading: str | re.Pattern[str], spoilt: bool = False) -> None:
        if path:
            page.goto(path)
        expect(page.get_by_role("heading", level=1)).to_have_text(heading)
        wrong.extend(complaints(page))
        if spoilt:
            wrong.extend(refusal(page, 0))

    sign_up(page, "Pia", "pia@example.com")
    look(heading="Hello Pia")

    # an offer, while the address is not confirmed, and after
    ada = desktop.new_page()
    log_in(ada, "ada@example.com")
    ada.goto("/cards/DEMOURL/transfer")
    ada.get_by_label("Recipient's email").fill("pia@example.com")
    press(ada, "Send transfer request")
    offer = link_mailed(served, "pia@example.com", "/offers/")
    look(offer, heading="Confirm your email first")
    verify = link_mailed(served, "pia@example.com", "/verify/")
    look(verify, heading="Confirm your email")
    press(page)
    look(offer, heading="A card for you")
    ada.goto("/cards/DEMOURL")
    press(ada, "Cancel transfer")
    look(verify, heading=re.compile("This link"))

    # a forgotten password, and another address
    page.goto("/account/email")
    page.get_by_label("New email").fill("pia.new@example.com")
    page.get_by_label("Your password").fill(PASSWORD)
    press(page)
    page.goto("/forgot-password")
    page.get_by_label("Email").fill("pia@example.com")
    press(page)
    look(heading="Check your email")
    look(link_mailed(served, "pia@example.com", "/set-password/"), heading="Choose a new password", spoilt=True)
    look(link_mailed(served, "pia.new@example.com", "/email/confirm/"), heading="Confirm your new email")
    press(page)
    look(link_mailed(served, "pia@example.com", "/email/undo/"), heading="Undo email change")

    # the mail about figures; the one about a lead links to the list of leads
    ada.goto("/account")
    ada.get_by_label("Email me a weekly summary").check()
    with ada.expect_navigation():
        ada.locator("form", has=ada.get_by_label("Email me a weekly summary")).get_by_role("button").click()
    stop = weekly_digest.unsubscribe_token(1, Keys((served.instance / "secret_key").read_text().strip()))
    look(f"/mails/weekly/{stop}", heading="Unsubscribe from the weekly summary?")
    press(page)
    look(heading="You've unsubscribed")

    # two-factor log in, and an account that is closed
    page.goto("/account/two-factor/set-up")
    secret = page.locator(".tc-secret code").inner_text().replace(" ", "")
    look(heading="Set up two-factor authentication", spoilt=True)
    page.get_by_label("Code from your authenticator app").fill(pyotp.TOTP(secret).now())
    press(page, "Turn on")
    look(heading="Your recovery codes")
    codes = page.get_by_role("list", name="Recovery codes").get_by_role("listitem").all_inner_texts()
    look("/account/two-factor", heading="Two-factor authentication")
    look("/account/two-factor/codes", heading="New recovery codes", spoilt=True)
    look("/account/two-factor/off", heading="Turn off two-factor authentication", spoilt=True)
    page.goto("/account/close")
    page.get_by_label("Your password").fill(PASSWORD)
    page.get_by_label("Yes, close my account").check()
    press(page, "Close my account")
    look(heading="Your account is closed")
    page.goto("/log-in")
    page.get_by_label("Email").fill("pia.new@example.com")
    page.get_by_label("Password", exact=True).fill(PASSWORD)
    press(page, "Log in")
    look(heading="Enter your code", spoilt=True)
    page.get_by_label("Code").fill(codes[0])
    press(page, "Log in")
    look(heading="Restore your account?")
    assert not wrong, "\n".join(wrong)


@pytest.mark.parametrize("who", UNLINKED)
def test_the_keyboard_reaches_everything_and_shows_where_it_is(
    desktop: BrowserContext, served: Served, who: str
) -> None:
    page = desktop.new_page()
    page.emulate_media(reduced_motion="reduce")  # what shows the focus shows it at once
    if who != "nobody":
        log_in(page, who)
    wrong = []
    for number, path in enumerate(pages(page, served, UNLINKED[who], who)):
        part = "main" if number and page.locator("main[tabindex]").count() else "body"
        page.evaluate(WATCH, part)
        wanted, seen = page.evaluate(COLLECT, part), {"reached": 0, "unmarked": []}
        for _time in range(2 * wanted // AT_A_TIME + 2):  # a date has a stop for each of its parts
            for _press in range(AT_A_TIME):
                page.keyboard.press("Tab")
            seen = page.evaluate(SEEN)
            if seen["reached"] >= wanted:
                break
        wrong += [f"{path}: nothing shows the focus on {each}" for each in seen["unmarked"]]
        if seen["reached"] < wanted:
            wrong.append(f"{path}: {seen['reached']} of {wanted} reached")
    assert not wrong, "\n".join(wrong)
