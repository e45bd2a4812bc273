"""Cards are ordered with artwork of one's own and handed out; a card that waits for money is activated by paying."""

import io

import pytest
from PIL import Image
from playwright.sync_api import Browser, BrowserContext, FilePayload, Page, expect

from tests.journeys.conftest import Served, keep
from tests.journeys.test_first_card import PASSWORD
from tests.journeys.test_profile import sign_up
from tests.journeys.walking import register

pytestmark = pytest.mark.browser


def artwork() -> FilePayload:
    """A picture as somebody draws it for their cards."""
    out = io.BytesIO()
    Image.effect_mandelbrot((1284, 810), (-2, -1, 1, 1), 40).convert("RGB").save(out, "PNG")
    return {"name": "artwork.png", "mimeType": "image/png", "buffer": out.getvalue()}


def pay(page: Page) -> str:
    """Look at everything once more and pay in the sandbox; gives the number of the order."""
    page.wait_for_url("**/checkout/review")
    page.get_by_text("Test payment").first.click()
    page.get_by_label("I accept the terms").check()
    page.get_by_role("button", name="Order and pay").press("Enter")
    page.wait_for_url("**/billing/sandbox/**")
    page.get_by_role("button", name="Pay £").press("Enter")
    page.wait_for_url("**/orders/TC-*")
    return page.url.rpartition("/")[2]


DEVICES = ["desktop", "phone"]


@pytest.mark.parametrize("device", DEVICES)
def test_five_cards_with_own_artwork_are_paid_claimed_and_handed_out(
    request: pytest.FixtureRequest, iphone: BrowserContext, device: str
) -> None:
    buyer: BrowserContext = request.getfixturevalue(device)
    page = buyer.new_page()
    page.goto("/cards/order")
    page.get_by_role("radio", name="Your own artwork").check()
    page.get_by_label("Front").set_input_files(artwork())
    page.get_by_role("textbox", name="Quantity").fill("5")
    page.get_by_role("button", name="Add to cart").press("Enter")
    page.wait_for_url("**/cart")
    sign_up(page, "Nia", f"nia.{device}@example.com")  # what a guest put into the cart goes along, artwork included
    page.goto("/cart")
    expect(page.get_by_role("textbox", name="Quantity").first).to_have_value("5")
    keep(page, f"cards-{device}-1-cart")
    page.get_by_role("link", name="Check out").first.click()
    page.get_by_label("Street address").fill("1 High Street")
    page.get_by_label("Town or city").fill("London")
    page.get_by_label("Postcode").fill("N1 9GU")
    page.get_by_role("button", name="Continue to payment").press("Enter")
    number = pay(page)
    expect(page.get_by_text("Artwork: Awaiting approval").first).to_be_visible()
    keep(page, f"cards-{device}-2-order")

    page.goto(f"/orders/{number}/codes")
    codes = page.locator(".tc-codes .code")
    expect(codes).to_have_count(5)
    keep(page, f"cards-{device}-3-codes")
    page.get_by_role("button", name="Claim card").first.press("Enter")
    page.wait_for_url("**/cards/*")
    page.goto(f"/orders/{number}/codes")
    expect(codes).to_have_count(4)
    handed_out = list(
        zip(page.locator(".tc-codes .about:has(.code) h3").all_inner_texts(), codes.all_inner_texts(), strict=True)
    )
    page.goto("/dashboard")
    expect(page.get_by_text("Arriving soon")).to_be_visible()
    keep(page, f"cards-{device}-4-dashboard")

    for place, (token, code) in enumerate(handed_out):
        iphone.clear_cookies()
        friend = iphone.new_page()
        sign_up(friend, f"Friend{place}", f"friend{place}.{device}@example.com")
        friend.goto(f"/activate/{token.strip()}")
        friend.get_by_label("Claim code").fill(code)
        friend.get_by_role("button", name="Claim this card").press("Enter")
        friend.wait_for_url(f"**/cards/{token.strip()}")
        friend.close()
    page.goto(f"/orders/{number}/codes")
    expect(page.get_by_text("Claimed by someone else")).to_have_count(4)


@pytest.mark.parametrize(("device", "token"), [("iphone", "DEMOPAY"), ("desktop", "PAYDESK2")])
def test_a_card_that_waits_for_money_is_tapped_paid_and_active(
    request: pytest.FixtureRequest, chromium: Browser, served: Served, device: str, token: str
) -> None:
    if token != "DEMOPAY":
        register(chromium, served, token, "By paying for activation")
    holder: BrowserContext = request.getfixturevalue(device)
    page = holder.new_page()
    page.goto(f"/t/{token}")
    expect(page.get_by_text("Pay once to make it yours").first).to_be_visible()
    keep(page, f"pay-{device}-1-tapped")
    page.get_by_role("link", name="Activate for").click()
    page.get_by_label("First name").fill("Tola")
    page.get_by_label("Last name").fill("Lund")
    page.get_by_label("Email").fill(f"tola.{device}@example.com")
    page.get_by_label("Password", exact=True).fill(PASSWORD)
    page.get_by_label("I accept the terms").check()
    page.get_by_role("main").get_by_role("button", name="Sign up").press("Enter")
    page.wait_for_url(f"**/activate/{token}")
    page.get_by_role("button", name="Activate for").press("Enter")
    page.wait_for_url("**/checkout")
    expect(page.get_by_label("Street address")).to_have_count(0)  # nothing is sent
    page.get_by_role("button", name="Continue to payment").press("Enter")
    pay(page)
    keep(page, f"pay-{device}-2-order")
    page.get_by_role("link", name="Set up this card").press("Enter")
    page.wait_for_url(f"**/cards/{token}")
    expect(page.get_by_role("heading", level=1)).to_be_visible()
    expect(page.get_by_label("Web address", exact=True).last).to_be_visible()
    keep(page, f"pay-{device}-3-card")
