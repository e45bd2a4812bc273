"""Leaving, and coming back: addresses, closing the account, trying to log in, everything as it was."""

import pytest
from playwright.sync_api import BrowserContext, Page, expect

from tests.journeys.conftest import Served, keep

pytestmark = pytest.mark.browser
PASSWORD = "correct horse battery"


def sign_up(page: Page, email: str) -> None:
    """Make an account through the form."""
    page.goto("/sign-up")
    page.get_by_label("First name").fill("Vera")
    page.get_by_label("Last name").fill("Lang")
    page.get_by_label("Email").fill(email)
    page.get_by_label("Password", exact=True).fill(PASSWORD)
    page.get_by_label("I accept the terms").check()
    page.get_by_role("main").get_by_role("button", name="Sign up").click()
    page.wait_for_url("**/dashboard")


def log_in(page: Page, email: str, password: str) -> None:
    """Try to log in through the form."""
    page.goto("/log-in")
    page.get_by_label("Email").fill(email)
    page.get_by_label("Password", exact=True).fill(password)
    page.get_by_role("main").get_by_role("button", name="Log in").click()


def add_address(page: Page, street: str) -> None:
    """Add an address through the form."""
    page.get_by_role("link", name="Add address").click()
    page.get_by_label("Street address").fill(street)
    page.get_by_label("Town or city").fill("London")
    page.get_by_label("Postcode").fill("n1 9gu")
    page.get_by_role("button", name="Save").click()
    expect(page.get_by_text("Address saved.")).to_be_visible()


def never_scrolls_sideways(page: Page) -> None:
    assert page.evaluate("document.documentElement.scrollWidth <= document.documentElement.clientWidth")


def test_somebody_leaves_and_comes_back(phone: BrowserContext, served: Served) -> None:
    page = phone.new_page()
    sign_up(page, "vera@example.com")
    page.goto("/account")
    never_scrolls_sideways(page)
    keep(page, "closing-1-account")

    page.get_by_role("link", name="Manage addresses").click()
    keep(page, "closing-2-no-address")
    add_address(page, "1 High Street")
    page.get_by_role("link", name="Add address").click()
    page.get_by_role("button", name="Save").click()
    expect(page.get_by_text("Enter the town or city.").first).to_be_visible()
    page.get_by_label("Street address").fill("2 Low Street")
    page.get_by_label("Town or city").fill("London")
    page.get_by_label("Postcode").fill("12345")
    page.get_by_role("button", name="Save").click()
    expect(page.get_by_text("That postcode isn't valid for the United Kingdom.").first).to_be_visible()
    keep(page, "closing-3-address-wrong")
    page.goto("/account/addresses")
    add_address(page, "2 Low Street")
    page.get_by_role("button", name="Set as default").click()
    expect(page.locator("section").first).to_contain_text("2 Low Street")
    never_scrolls_sideways(page)
    keep(page, "closing-4-addresses")

    page.goto("/account")
    page.get_by_label("Email me a weekly summary").check()
    page.locator("form", has=page.get_by_label("Email me a weekly summary")).get_by_role("button").click()
    expect(page.get_by_label("Email me a weekly summary")).to_be_checked()
    with page.expect_download() as download:
        page.get_by_role("button", name="Download my data").click()
    assert "2 Low Street" in download.value.path().read_text()

    page.get_by_role("link", name="Close my account").click()
    never_scrolls_sideways(page)
    keep(page, "closing-5-close")
    page.get_by_label("Your password").fill(PASSWORD)
    page.get_by_label("Yes, close my account").check()
    page.get_by_role("button", name="Close my account").click()
    expect(page.get_by_role("heading", level=1)).to_have_text("Your account is closed")
    keep(page, "closing-6-closed")

    log_in(page, "vera@example.com", "not the password")
    expect(page.get_by_text("Incorrect email or password").first).to_be_visible()
    log_in(page, "vera@example.com", PASSWORD)
    expect(page.get_by_role("heading", level=1)).to_have_text("Restore your account?")
    keep(page, "closing-7-reopen")
    page.get_by_role("button", name="Restore account").click()
    expect(page.get_by_text("Welcome back.")).to_be_visible()
    page.goto("/account/addresses")
    expect(page.locator("section").first).to_contain_text("2 Low Street")


def test_the_pages_on_a_large_screen_in_the_dark(desktop: BrowserContext, served: Served) -> None:
    page = desktop.new_page()
    page.emulate_media(color_scheme="dark")
    sign_up(page, "wim@example.com")
    page.goto("/account/addresses")
    add_address(page, "1 High Street")
    keep(page, "closing-8-addresses-desktop")
    page.goto("/account/close")
    keep(page, "closing-9-close-desktop")
