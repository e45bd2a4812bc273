"""A card is marked as lost, reactivated, transferred and replaced: two people, each with a phone."""

import re

import pytest
from playwright.sync_api import Browser, BrowserContext, Page, expect

from tests.journeys.accounts import confirm_email, fill_in_sign_up, open_mail, register_card, sign_up, submit
from tests.journeys.conftest import DESKTOP, Served, assert_fits_width, take_screenshot

pytestmark = pytest.mark.browser


@pytest.fixture(scope="module")
def cards(chromium: Browser, served: Served) -> tuple[str, ...]:
    """Tokens of cards that can be claimed without a code."""
    tokens = ("MOVES22", "MOVES33", "MOVES44")
    for token in tokens:
        register_card(chromium, served, token, "Without a code")
    return tokens


def claim(page: Page, token: str, url: str, alias: str) -> None:
    """Claim a card that needs no code, and set its web address."""
    page.goto(f"/activate/{token}")
    submit(page, "Claim this card")
    expect(page).to_have_url(re.compile(f"/cards/{token}$"))
    page.locator("input[name=reroute_url]").fill(url)
    page.locator("input[name=alias]").fill(alias)
    with page.expect_navigation():
        page.locator("input[name=alias]").press("Enter")
    expect(page.get_by_text("They apply from the next tap")).to_be_visible()


def test_a_card_is_lost_found_transferred_and_replaced(
    phone: BrowserContext, plain_phone: BrowserContext, served: Served, cards: tuple[str, ...], target_site: str
) -> None:
    mine, spare, third = cards
    mia = phone.new_page()
    sign_up(mia, "Mia", "mia@example.com")
    confirm_email(mia, served, "mia@example.com")
    claim(mia, mine, f"{target_site}/mia", "Everyday")

    # lost
    take_screenshot(mia, "moves-1-card")
    assert_fits_width(mia)
    submit(mia, "Mark as lost")
    expect(mia.get_by_text("Anyone who finds it can tap it to send you a message")).to_be_visible()
    take_screenshot(mia, "moves-2-lost")
    finder = plain_phone.new_page()
    finder.goto(f"/t/{mine}")
    assert plain_phone.cookies() == []
    take_screenshot(finder, "moves-3-switched-off")
    finder.get_by_role("link", name="I found this card").click()
    take_screenshot(finder, "moves-4-found")
    finder.get_by_label("Your message").fill("It is at the bar of the Crown.\nAsk for Gus.")
    finder.get_by_label("Your email or phone number").fill("not an address")
    submit(finder, "Send message")
    take_screenshot(finder, "moves-5-refused")
    finder.get_by_label("Your email or phone number").fill("finder@example.net")
    submit(finder, "Send message")
    expect(finder.get_by_role("heading", level=1)).to_have_text("Thank you")
    take_screenshot(finder, "moves-6-thanks")
    assert "Mia" not in finder.content()
    open_mail(mia, "Someone found your card")
    expect(mia.get_by_text("It is at the bar of the Crown.").first).to_be_visible()
    expect(mia.get_by_text("finder@example.net").first).to_be_visible()
    take_screenshot(mia, "moves-7-mail")
    mia.goto(f"/cards/{mine}")
    submit(mia, "Reactivate card")
    expect(mia.get_by_text("You reactivated this card.")).to_be_visible()

    # transferred
    mia.get_by_role("link", name="Transfer card").click()
    take_screenshot(mia, "moves-10-transfer")
    assert_fits_width(mia)
    mia.get_by_label("Recipient's email").fill("Noa@example.com")
    submit(mia, "Send transfer request")
    expect(mia.get_by_text("Transfer to noa@example.com")).to_be_visible()
    take_screenshot(mia, "moves-11-offered")
    assert_fits_width(mia)
    noa = plain_phone.new_page()
    open_mail(noa, "Someone wants to transfer a card to you")
    take_screenshot(noa, "moves-12-mail")
    noa.get_by_role("link", name="/offers/").click()
    noa.get_by_role("main").get_by_role("link", name="Sign up").click()
    fill_in_sign_up(noa, "Noa", "noa@example.com")
    expect(noa.get_by_role("heading", level=1)).to_have_text("Confirm your email first")
    take_screenshot(noa, "moves-13-unverified")
    confirm_email(noa, served, "noa@example.com")
    noa.goto("/dashboard")
    take_screenshot(noa, "moves-14-dashboard")
    noa.get_by_role("link", name="View transfer").click()
    take_screenshot(noa, "moves-15-offer")
    submit(noa, "Accept card")
    expect(noa.get_by_text("The card is yours.")).to_be_visible()
    expect(noa.get_by_text("You accepted this card from its previous owner.")).to_be_visible()
    take_screenshot(noa, "moves-16-accepted")
    noa.locator("input[name=reroute_url]").fill(f"{target_site}/noa")
    submit(noa, "Save")
    expect(noa.get_by_text("They apply from the next tap")).to_be_visible()
    noa.goto(f"/t/{mine}")
    expect(noa.get_by_role("heading")).to_have_text("/noa")
    assert mia.goto(f"/cards/{mine}").status == 404  # type: ignore[union-attr]
    open_mail(mia, f"The transfer of your card {mine} was accepted")
    take_screenshot(mia, "moves-17-told")

    # replaced
    claim(mia, spare, f"{target_site}/spare", "Spare")
    mia.get_by_role("link", name="Replace card").click()
    mia.get_by_label("New card's token").fill(third.lower())
    take_screenshot(mia, "moves-20-replace")
    assert_fits_width(mia)
    submit(mia, "Replace card")
    mia.wait_for_url(f"**/cards/{third}")
    expect(mia.get_by_role("heading", level=1)).to_have_text("Spare")
    expect(mia.get_by_text(f"Replaced card {spare}.")).to_be_visible()
    take_screenshot(mia, "moves-21-replaced")
    assert noa.goto(f"/t/{spare}").status == 410  # type: ignore[union-attr]
    noa.goto(f"/t/{third}")
    expect(noa.get_by_role("heading")).to_have_text("/spare")
    mia.set_viewport_size(DESKTOP)
    mia.emulate_media(color_scheme="dark")
    mia.goto(f"/cards/{third}")
    take_screenshot(mia, "moves-22-desktop")
    mia.goto(f"/cards/{third}/replace")
    take_screenshot(mia, "moves-23-desktop-replace")
