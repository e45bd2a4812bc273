"""What scripts of ours add: questions in a dialog, hearts that change in place."""

import pytest
from playwright.sync_api import BrowserContext, expect

from tests.journeys.test_first_card import log_in
from tests.journeys.walking import complaints

pytestmark = pytest.mark.browser


def test_emptying_the_cart_is_asked_in_a_dialog(phone: BrowserContext) -> None:
    page = phone.new_page()
    page.goto("/shop")
    page.get_by_role("button", name="Add to cart").first.press("Enter")
    page.wait_for_url("**/cart")
    link, dialog = page.get_by_role("link", name="Empty cart"), page.get_by_role("dialog")
    for leave in (lambda: page.keyboard.press("Escape"), lambda: dialog.get_by_role("link", name="Cancel").click()):
        link.press("Enter")
        expect(dialog).to_have_accessible_name("Empty your cart?")
        expect(dialog.get_by_role("link", name="Cancel")).to_be_focused()
        assert complaints(page) == []
        leave()
        expect(dialog).to_have_count(0)
        expect(link).to_be_focused()
    link.press("Enter")
    dialog.get_by_role("button", name="Empty cart").press("Enter")
    expect(page.get_by_text("Your cart is empty")).to_be_visible()


def test_a_heart_changes_in_place(phone: BrowserContext) -> None:
    page = phone.new_page()
    log_in(page, "ada@example.com")
    page.goto("/shop")
    page.evaluate("window.here = true")
    page.get_by_role("button", name="Add Winter baubles to your wishlist").press("Enter")
    taken = page.get_by_role("button", name="Remove Winter baubles from your wishlist")
    expect(taken).to_be_focused()
    taken.press("Enter")
    expect(page.get_by_role("button", name="Add Winter baubles to your wishlist")).to_be_focused()
    assert page.evaluate("window.here"), "the page was not left"
