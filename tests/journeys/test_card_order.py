"""Cards with custom artwork are ordered and claimed, and a card with an activation fee is paid and activated."""

import io
import re

import pytest
from PIL import Image
from playwright.sync_api import Browser, BrowserContext, FilePayload, Page, expect

from tests.journeys.accounts import fill_in_sign_up, register_card, sign_up, submit
from tests.journeys.conftest import Served, take_screenshot

pytestmark = pytest.mark.browser


def artwork() -> FilePayload:
    """Return a picture for printing on cards."""
    out = io.BytesIO()
    Image.effect_mandelbrot((1284, 810), (-2, -1, 1, 1), 40).convert("RGB").save(out, "PNG")
    return {"name": "artwork.png", "mimeType": "image/png", "buffer": out.getvalue()}


def pay(page: Page) -> str:
    """Place the order on the review page and pay in the sandbox; return the order's number."""
    expect(page).to_have_url(re.compile("/checkout/review$"))
    page.get_by_text("Test payment").first.click()
    page.get_by_label("I accept the terms").check()
    submit(page, "Order and pay")
    expect(page).to_have_url(re.compile("/billing/sandbox/"))
    submit(page, "Pay £")
    page.wait_for_url("**/orders/TC-*")
    return page.url.rpartition("/")[2]


DEVICES = ["desktop", "phone"]


@pytest.mark.parametrize("device", DEVICES)
def test_five_cards_with_custom_artwork_are_ordered_and_claimed(
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
    sign_up(page, "Nia", f"nia.{device}@example.com")  # and keeps the cart of the guest, with its artwork
    page.goto("/cart")
    expect(page.get_by_role("textbox", name="Quantity").first).to_have_value("5")
    take_screenshot(page, f"cards-{device}-1-cart")
    page.get_by_role("link", name="Check out").first.click()
    page.get_by_label("Street address").fill("1 High Street")
    page.get_by_label("Town or city").fill("London")
    page.get_by_label("Postcode").fill("N1 9GU")
    submit(page, "Continue to payment")
    number = pay(page)
    expect(page.get_by_text("Artwork: Awaiting approval").first).to_be_visible()
    take_screenshot(page, f"cards-{device}-2-order")

    page.goto(f"/orders/{number}/codes")
    codes = page.locator(".tc-codes .code")
    expect(codes).to_have_count(5)
    take_screenshot(page, f"cards-{device}-3-codes")
    submit(page, "Claim card")
    page.wait_for_url("**/cards/*")
    page.goto(f"/orders/{number}/codes")
    expect(codes).to_have_count(4)
    unclaimed = list(
        zip(page.locator(".tc-codes .about:has(.code) h3").all_inner_texts(), codes.all_inner_texts(), strict=True)
    )
    page.goto("/dashboard")
    expect(page.get_by_text("Arriving soon")).to_be_visible()
    take_screenshot(page, f"cards-{device}-4-dashboard")

    for number_of_friend, (token, code) in enumerate(unclaimed):
        iphone.clear_cookies()
        friend = iphone.new_page()
        sign_up(friend, f"Friend{number_of_friend}", f"friend{number_of_friend}.{device}@example.com")
        friend.goto(f"/activate/{token.strip()}")
        friend.get_by_label("Claim code").fill(code)
        submit(friend, "Claim this card")
        expect(friend).to_have_url(re.compile(f"/cards/{token.strip()}$"))
        friend.close()
    page.goto(f"/orders/{number}/codes")
    expect(page.get_by_text("Claimed by someone else")).to_have_count(4)


@pytest.mark.parametrize(("device", "token"), [("iphone", "DEMOPAY"), ("desktop", "PAYDESK2")])
def test_a_card_with_an_activation_fee_is_tapped_paid_and_active(
    request: pytest.FixtureRequest, chromium: Browser, served: Served, device: str, token: str
) -> None:
    if token != "DEMOPAY":
        register_card(chromium, served, token, "By paying for activation")
    holder: BrowserContext = request.getfixturevalue(device)
    page = holder.new_page()
    page.goto(f"/t/{token}")
    expect(page.get_by_text("Pay once to make it yours").first).to_be_visible()
    take_screenshot(page, f"pay-{device}-1-tapped")
    page.get_by_role("link", name="Activate for").click()
    page.get_by_label("First name").wait_for()
    fill_in_sign_up(page, "Tola", f"tola.{device}@example.com")
    expect(page).to_have_url(re.compile(f"/activate/{token}$"))
    submit(page, "Activate for")
    expect(page).to_have_url(re.compile("/checkout$"))
    expect(page.get_by_label("Street address")).to_have_count(0)  # nothing is sent
    submit(page, "Continue to payment")
    pay(page)
    take_screenshot(page, f"pay-{device}-2-order")
    page.get_by_role("link", name="Set up this card").press("Enter")
    page.wait_for_url(f"**/cards/{token}")
    expect(page.get_by_role("heading", level=1)).to_be_visible()
    expect(page.get_by_label("Web address", exact=True).last).to_be_visible()
    take_screenshot(page, f"pay-{device}-3-card")
