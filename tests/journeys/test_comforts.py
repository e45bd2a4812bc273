"""What scripts add: confirmation in a dialog, and wishlist buttons without a page load."""

import pytest
from playwright.sync_api import BrowserContext, expect

from tests.journeys.accessibility import find_violations
from tests.journeys.accounts import log_in

pytestmark = pytest.mark.browser


def test_emptying_the_cart_is_confirmed_in_a_dialog(phone: BrowserContext) -> None:
    page = phone.new_page()
    page.goto("/shop")
    page.get_by_role("button", name="Add to cart").first.press("Enter")
    page.wait_for_url("**/cart")
    link, dialog = page.get_by_role("link", name="Empty cart"), page.get_by_role("dialog")
    for cancel in (lambda: page.keyboard.press("Escape"), lambda: dialog.get_by_role("link", name="Cancel").click()):
        link.press("Enter")
        expect(dialog).to_have_accessible_name("Empty your cart?")
        expect(dialog.get_by_role("link", name="Cancel")).to_be_focused()
        assert find_violations(page) == []
        cancel()
        expect(dialog).to_have_count(0)
        expect(link).to_be_focused()
    link.press("Enter")
    dialog.get_by_role("button", name="Empty cart").press("Enter")
    expect(page.get_by_text("Your cart is empty")).to_be_visible()


def test_a_wishlist_button_changes_without_a_page_load(phone: BrowserContext) -> None:
    page = phone.new_page()
    log_in(page, "ada@example.com")
    page.goto("/shop")
    page.evaluate("window.isSamePage = true")
    page.get_by_role("button", name="Add Winter baubles to your wishlist").press("Enter")
    remove = page.get_by_role("button", name="Remove Winter baubles from your wishlist")
    expect(remove).to_be_focused()
    remove.press("Enter")
    expect(page.get_by_role("button", name="Add Winter baubles to your wishlist")).to_be_focused()
    assert page.evaluate("window.isSamePage")
