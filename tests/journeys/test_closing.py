"""An account is filled, closed and restored."""

import pytest
from playwright.sync_api import BrowserContext, Page, expect

from tests.journeys.accounts import PASSWORD, sign_up, submit, submit_log_in
from tests.journeys.conftest import Served, assert_fits_width, take_screenshot

pytestmark = pytest.mark.browser


def add_address(page: Page, street: str) -> None:
    """Add an address through the form."""
    page.get_by_role("link", name="Add address").click()
    page.get_by_label("Street address").fill(street)
    page.get_by_label("Town or city").fill("London")
    page.get_by_label("Postcode").fill("n1 9gu")
    submit(page, "Save")
    expect(page.get_by_text("Address saved.")).to_be_visible()


def test_an_account_is_closed_and_restored(phone: BrowserContext, served: Served) -> None:
    page = phone.new_page()
    sign_up(page, "Vera", "vera@example.com")
    page.goto("/account")
    assert_fits_width(page)
    take_screenshot(page, "closing-1-account")

    page.get_by_role("link", name="Manage addresses").click()
    take_screenshot(page, "closing-2-no-address")
    add_address(page, "1 High Street")
    page.get_by_role("link", name="Add address").click()
    submit(page, "Save")
    expect(page.get_by_text("Enter the town or city.").first).to_be_visible()
    page.get_by_label("Street address").fill("2 Low Street")
    page.get_by_label("Town or city").fill("London")
    page.get_by_label("Postcode").fill("12345")
    submit(page, "Save")
    expect(page.get_by_text("That postcode isn't valid for the United Kingdom.").first).to_be_visible()
    take_screenshot(page, "closing-3-address-wrong")
    page.goto("/account/addresses")
    add_address(page, "2 Low Street")
    submit(page, "Set as default")
    expect(page.locator("section").first).to_contain_text("2 Low Street")
    assert_fits_width(page)
    take_screenshot(page, "closing-4-addresses")

    page.goto("/account")
    page.get_by_label("Email me a weekly summary").check()
    with page.expect_navigation():
        page.locator("form", has=page.get_by_label("Email me a weekly summary")).get_by_role("button").press("Enter")
    expect(page.get_by_label("Email me a weekly summary")).to_be_checked()
    with page.expect_download() as download:
        page.get_by_role("button", name="Download my data").click()
    assert "2 Low Street" in download.value.path().read_text()

    page.get_by_role("link", name="Close my account").click()
    assert_fits_width(page)
    take_screenshot(page, "closing-5-close")
    page.get_by_label("Your password").fill(PASSWORD)
    page.get_by_label("Yes, close my account").check()
    submit(page, "Close my account")
    expect(page.get_by_role("heading", level=1)).to_have_text("Your account is closed")
    take_screenshot(page, "closing-6-closed")

    submit_log_in(page, "vera@example.com", "not the password")
    expect(page.get_by_text("Incorrect email or password").first).to_be_visible()
    submit_log_in(page, "vera@example.com")
    expect(page.get_by_role("heading", level=1)).to_have_text("Restore your account?")
    take_screenshot(page, "closing-7-reopen")
    submit(page, "Restore account")
    expect(page.get_by_text("Welcome back.")).to_be_visible()
    page.goto("/account/addresses")
    expect(page.locator("section").first).to_contain_text("2 Low Street")


def test_addresses_on_a_large_screen_in_dark_mode(desktop: BrowserContext, served: Served) -> None:
    page = desktop.new_page()
    page.emulate_media(color_scheme="dark")
    sign_up(page, "Wim", "wim@example.com")
    page.goto("/account/addresses")
    add_address(page, "1 High Street")
    take_screenshot(page, "closing-8-addresses-desktop")
    page.goto("/account/close")
    take_screenshot(page, "closing-9-close-desktop")
