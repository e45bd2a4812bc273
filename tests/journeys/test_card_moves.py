"""A card that is lost and found, handed over, and replaced: two people, each with a phone."""

import time
from collections.abc import Iterator
from typing import Any

import pytest
from playwright.sync_api import Browser, BrowserContext, Page, expect

from tests.journeys.conftest import DESKTOP, PHONE, Served, keep
from tests.journeys.test_first_card import PASSWORD
from tests.journeys.walking import register

pytestmark = pytest.mark.browser


@pytest.fixture
def other_phone(chromium: Browser, served: Served) -> Iterator[BrowserContext]:
    """Somebody else's phone, signed out, without JavaScript."""
    context = chromium.new_context(
        viewport=PHONE, has_touch=True, is_mobile=True, base_url=served.url, java_script_enabled=False
    )
    context.set_default_timeout(15_000)
    yield context
    context.close()


def open_mail(page: Page, subject: str) -> None:
    """Wait for a mail in the development mailbox and open it."""
    mail = page.get_by_role("main").get_by_role("link", name=subject).first
    for _attempt in range(80):
        page.goto("/dev/mail")
        if mail.count():
            break
        time.sleep(0.25)
    mail.click()


def sign_up(page: Page, first_name: str, email: str) -> None:
    """Fill in the form to sign up, wherever it goes on to."""
    page.get_by_label("First name").fill(first_name)
    page.get_by_label("Last name").fill("Weil")
    page.get_by_label("Email").fill(email)
    page.get_by_label("Password", exact=True).fill(PASSWORD)
    page.get_by_label("I accept the terms").check()
    page.get_by_role("main").get_by_role("button", name="Sign up").click()


def prove_address(page: Page, email: str) -> None:
    """Follow the link in the mail that verifies an address."""
    open_mail(page, f"Confirm your email {email}")
    page.get_by_role("link", name="/verify/").click()
    page.get_by_role("main").get_by_role("button").first.click()


@pytest.fixture(scope="module")
def cards(chromium: Browser, served: Served) -> tuple[str, ...]:
    """Cards that staff handed out in person: one press claims them."""
    tokens = ("MOVES22", "MOVES33", "MOVES44")
    for token in tokens:
        register(chromium, served, token, "Without a code")
    return tokens


def claim(page: Page, token: str, url: str = "", alias: str = "") -> None:
    """Claim a card by one press, and point it somewhere."""
    page.goto(f"/activate/{token}")
    page.get_by_role("button", name="Claim this card").click()
    page.wait_for_url(f"**/cards/{token}")
    if url:
        page.locator("input[name=reroute_url]").fill(url)
        page.locator("input[name=alias]").fill(alias)
        page.locator("input[name=alias]").press("Enter")
        expect(page.get_by_text("They apply from the next tap")).to_be_visible()


def fits(page: Page) -> None:
    """Nothing scrolls sideways."""
    width: Any = page.evaluate("document.documentElement.scrollWidth")
    assert width <= PHONE["width"]


def test_a_card_is_lost_found_handed_over_and_replaced(
    phone: BrowserContext, other_phone: BrowserContext, served: Served, cards: tuple[str, ...], elsewhere: str
) -> None:
    mine, spare, third = cards
    mia = phone.new_page()
    mia.goto("/sign-up")
    sign_up(mia, "Mia", "mia@example.com")
    mia.wait_for_url("**/dashboard")
    prove_address(mia, "mia@example.com")
    claim(mia, mine, f"{elsewhere}/mia", "Everyday")

    # lost
    keep(mia, "moves-1-card")
    fits(mia)
    mia.get_by_role("button", name="Mark as lost").click()
    expect(mia.get_by_text("Anyone who finds it can tap it to send you a message")).to_be_visible()
    keep(mia, "moves-2-lost")
    finder = other_phone.new_page()
    finder.goto(f"/t/{mine}")
    assert other_phone.cookies() == []
    keep(finder, "moves-3-switched-off")
    finder.get_by_role("link", name="I found this card").click()
    keep(finder, "moves-4-found")
    finder.get_by_label("Your message").fill("It is at the bar of the Crown.\nAsk for Gus.")
    finder.get_by_label("Your email or phone number").fill("not an address")
    finder.get_by_role("button", name="Send message").click()
    keep(finder, "moves-5-refused")
    finder.get_by_label("Your email or phone number").fill("finder@example.net")
    finder.get_by_role("button", name="Send message").click()
    expect(finder.get_by_role("heading", level=1)).to_have_text("Thank you")
    keep(finder, "moves-6-thanks")
    assert "Mia" not in finder.content()
    open_mail(mia, "Someone found your card")
    expect(mia.get_by_text("It is at the bar of the Crown.").first).to_be_visible()
    expect(mia.get_by_text("finder@example.net").first).to_be_visible()
    keep(mia, "moves-7-mail")
    mia.goto(f"/cards/{mine}")
    mia.get_by_role("button", name="Reactivate card").click()
    expect(mia.get_by_text("You reactivated this card.")).to_be_visible()

    # handed over
    mia.get_by_role("link", name="Transfer card").click()
    keep(mia, "moves-10-transfer")
    fits(mia)
    mia.get_by_label("Recipient's email").fill("Noa@example.com")
    mia.get_by_role("button", name="Send transfer request").click()
    expect(mia.get_by_text("Transfer to noa@example.com")).to_be_visible()
    keep(mia, "moves-11-offered")
    fits(mia)
    noa = other_phone.new_page()
    open_mail(noa, "Someone wants to transfer a card to you")
    keep(noa, "moves-12-mail")
    noa.get_by_role("link", name="/offers/").click()
    noa.get_by_role("main").get_by_role("link", name="Sign up").click()
    sign_up(noa, "Noa", "noa@example.com")
    expect(noa.get_by_role("heading", level=1)).to_have_text("Confirm your email first")
    keep(noa, "moves-13-unverified")
    prove_address(noa, "noa@example.com")
    noa.goto("/dashboard")
    keep(noa, "moves-14-dashboard")
    noa.get_by_role("link", name="View transfer").click()
    keep(noa, "moves-15-offer")
    noa.get_by_role("button", name="Accept card").click()
    expect(noa.get_by_text("The card is yours.")).to_be_visible()
    expect(noa.get_by_text("You accepted this card from its previous owner.")).to_be_visible()
    keep(noa, "moves-16-accepted")
    noa.locator("input[name=reroute_url]").fill(f"{elsewhere}/noa")
    noa.get_by_role("button", name="Save").click()
    expect(noa.get_by_text("They apply from the next tap")).to_be_visible()  # else the next page might cancel it
    noa.goto(f"/t/{mine}")
    expect(noa.get_by_role("heading")).to_have_text("/noa")
    assert mia.goto(f"/cards/{mine}").status == 404  # type: ignore[union-attr]
    open_mail(mia, f"Your card {mine} was accepted")
    keep(mia, "moves-17-told")

    # replaced
    claim(mia, spare, f"{elsewhere}/spare", "Spare")
    mia.get_by_role("link", name="Replace card").click()
    mia.get_by_label("New card's token").fill(third.lower())
    keep(mia, "moves-20-replace")
    fits(mia)
    mia.get_by_role("button", name="Replace card").click()
    mia.wait_for_url(f"**/cards/{third}")
    expect(mia.get_by_role("heading", level=1)).to_have_text("Spare")
    expect(mia.get_by_text(f"Replaced card {spare}.")).to_be_visible()
    keep(mia, "moves-21-replaced")
    assert noa.goto(f"/t/{spare}").status == 410  # type: ignore[union-attr]
    noa.goto(f"/t/{third}")
    expect(noa.get_by_role("heading")).to_have_text("/spare")
    mia.set_viewport_size(DESKTOP)
    mia.emulate_media(color_scheme="dark")
    mia.goto(f"/cards/{third}")
    keep(mia, "moves-22-desktop")
    mia.goto(f"/cards/{third}/replace")
    keep(mia, "moves-23-desktop-replace")
