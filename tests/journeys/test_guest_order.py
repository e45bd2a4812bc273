"""A guest buys: from the front page to a paid order and its mails, with and without JavaScript."""

import pytest
from playwright.sync_api import BrowserContext, Page, expect

from tests.journeys.accounts import emailed_link, submit
from tests.journeys.conftest import Served, take_screenshot

pytestmark = [pytest.mark.browser, pytest.mark.sql]


def buy_engraved_bottle_and_gift_pack(page: Page) -> None:
    """Fill the cart with an engraved bottle, and a gift pack for somebody else."""
    page.goto("/")
    page.get_by_role("main").get_by_role("link", name="View all products").click()
    page.get_by_role("link", name="Lagoon bottle").first.click()
    page.get_by_label("Colour").select_option("Sand")
    page.get_by_label("Inscription").fill("To the lighthouse")
    page.get_by_role("button", name="Add to cart").first.press("Enter")
    page.wait_for_url("**/cart")
    page.goto("/products/welcome-box")
    page.get_by_label("Recipient's name").fill("Nia")
    page.get_by_role("button", name="Add to cart").first.press("Enter")
    page.wait_for_url("**/cart")
    expect(page.get_by_text("To the lighthouse").first).to_be_visible()
    page.get_by_role("textbox", name="Promotion code").fill("welcome 10")
    page.get_by_role("button", name="Apply", exact=True).press("Enter")
    expect(page.get_by_text("WELCOME10").first).to_be_visible()


def check_out(page: Page, email: str) -> None:
    """Enter the contact and delivery details."""
    page.get_by_role("link", name="Check out").first.click()
    page.wait_for_url("**/checkout")
    page.get_by_label("Email").first.fill(email)
    page.get_by_label("First name").fill("Gus")
    page.get_by_label("Last name").fill("O'Lind")
    page.get_by_label("Street address").fill("1 High Street")
    page.get_by_label("Town or city").fill("London")
    page.get_by_label("Postcode").fill("N1 9GU")
    page.get_by_label("Country").select_option("GB")
    submit(page, "Continue to payment")
    page.wait_for_url("**/checkout/review")


def pay(page: Page) -> None:
    """Place the order and pay it in the sandbox."""
    page.get_by_text("Test payment").first.click()
    page.get_by_label("I accept the terms").check()
    submit(page, "Order and pay")
    page.wait_for_url("**/billing/sandbox/**")
    submit(page, "Pay £")
    page.wait_for_url("**/orders/TC-*")


@pytest.mark.parametrize("kind", ["phone", "desktop", "plain_phone"])
def test_a_guest_orders_and_receives_mails(request: pytest.FixtureRequest, served: Served, kind: str) -> None:
    context: BrowserContext = request.getfixturevalue(kind)
    page, email = context.new_page(), f"gus-{kind.replace('_', '-')}@example.com"
    buy_engraved_bottle_and_gift_pack(page)
    take_screenshot(page, f"guest-1-cart-{kind}")
    check_out(page, email)
    take_screenshot(page, f"guest-2-review-{kind}")
    # 26.50, 2.50 for the inscription and 59.00, less a tenth; the delivery is free from 50.00
    expect(page.get_by_text("£79.20").first).to_be_visible()
    pay(page)
    number = page.url.rpartition("/")[2]
    expect(page.get_by_text("£79.20").first).to_be_visible()
    expect(page.get_by_text("To the lighthouse").first).to_be_visible()
    take_screenshot(page, f"guest-3-order-{kind}")

    link = emailed_link(served, email, "/orders/link/")
    context.clear_cookies()
    page.goto(f"/orders/{number}")
    expect(page.get_by_role("heading", level=1)).not_to_contain_text(number)
    page.goto(link)
    expect(page.get_by_text("To the lighthouse").first).to_be_visible()
    assert emailed_link(served, "olu@example.com", f"/admin/orders/{number}")
