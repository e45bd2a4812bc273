"""Two people meet: one taps the other's card, saves the contact and leaves their own."""

from pathlib import Path

import pytest
import vobject
from axe_playwright_python.sync_playwright import Axe
from playwright.sync_api import Browser, BrowserContext, Page, expect

from tests.journeys.conftest import PHONE, Served, keep
from tests.journeys.test_first_card import log_in

pytestmark = [pytest.mark.browser, pytest.mark.xdist_group("served")]
LONG_ENOUGH = 2500  # milliseconds that a person needs for the form


def is_accessible(page: Page) -> None:
    """Ask axe, which knows the rules."""
    found = Axe().run(page)
    assert found.violations_count == 0, found.generate_report()


def save_contact(page: Page, folder: Path) -> None:
    """Press the button, and let another program read what comes."""
    with page.expect_download() as waiting:
        page.get_by_role("link", name="Save contact").click()
    waiting.value.save_as(folder / "ada.vcf")
    assert waiting.value.suggested_filename == "ada.vcf"
    card = vobject.readOne((folder / "ada.vcf").read_bytes().decode())
    assert (card.fn.value, card.title.value) == ("Ada Obi", "Architect")
    assert card.tel.value == "+2348035550142"
    assert card.photo.value.startswith(b"\xff\xd8")


def share_contact(page: Page, name: str, email: str) -> None:
    """Fill the form in as a person does."""
    page.get_by_role("link", name="Share your contact").click()
    page.get_by_label("Your name").fill(name)
    page.get_by_label("Your e-mail").fill(email)
    page.get_by_label("Note").fill("We met at the fair.\nCourtyard house?")
    page.get_by_label("I agree that Ada Obi receives").check()
    page.wait_for_timeout(LONG_ENOUGH)
    page.get_by_role("button", name="Share your contact").click()
    expect(page.get_by_role("heading", level=1)).to_have_text("Thank you")


def test_a_tap_a_contact_saved_and_one_left(
    phone: BrowserContext, desktop: BrowserContext, served: Served, tmp_path: Path
) -> None:
    page = phone.new_page()
    page.goto("/t/DEMOPRO")
    page.wait_for_url("**/p/ada")
    keep(page, "contact-1-profile")
    is_accessible(page)
    save_contact(page, tmp_path)
    page.get_by_role("link", name="Share your contact").click()
    page.get_by_label("Your name").fill("Dora Lu")
    page.get_by_role("button", name="Share your contact").click()
    expect(page.get_by_label("Your name")).to_have_value("Dora Lu")
    keep(page, "contact-2-missing")
    is_accessible(page)
    page.goto("/p/ada")
    share_contact(page, "Dora Lu", "dora@example.com")
    keep(page, "contact-3-thanks")
    page.get_by_role("link", name="Back to Ada Obi").click()
    page.wait_for_url("**/p/ada")

    desk = desktop.new_page()
    log_in(desk, "ada@example.com")
    expect(desk.get_by_role("link", name="Dora Lu")).to_be_visible()
    keep(desk, "contact-4-dashboard")
    desk.goto("/leads")
    expect(desk.get_by_role("heading", name="Dora Lu")).to_be_visible()
    keep(desk, "contact-5-leads")
    desk.get_by_label("Search").fill("fair")
    desk.get_by_role("button", name="Find").click()
    expect(desk.get_by_text("1 contact", exact=False).first).to_be_visible()
    with desk.expect_download() as waiting:
        desk.get_by_role("link", name="CSV").click()
    assert "dora@example.com" in Path(waiting.value.path()).read_text(encoding="utf-8-sig")

    log_in(page, "ada@example.com")
    page.goto("/leads")
    keep(page, "contact-6-leads-phone")
    is_accessible(page)
    assert page.evaluate("document.documentElement.scrollWidth <= innerWidth")
    page.get_by_role("link", name="Delete Dora Lu").click()
    keep(page, "contact-7-delete")
    page.get_by_role("button", name="Delete the contact").click()
    expect(page.get_by_text("The contact is deleted.")).to_be_visible()
    expect(page.get_by_role("heading", name="Dora Lu")).to_have_count(0)


def test_the_same_without_javascript(chromium: Browser, served: Served, tmp_path: Path) -> None:
    context = chromium.new_context(
        viewport=PHONE, has_touch=True, is_mobile=True, base_url=served.url, java_script_enabled=False,
        color_scheme="dark",
    )  # fmt: skip
    page = context.new_page()
    page.goto("/t/DEMOPRO")
    keep(page, "contact-8-profile-dark")
    save_contact(page, tmp_path)
    share_contact(page, "Emil Roth", "emil@example.com")
    page.goto("/p/ada/share")
    keep(page, "contact-9-share-dark")
    log_in(page, "ada@example.com")
    page.goto("/leads")
    expect(page.get_by_role("heading", name="Emil Roth")).to_be_visible()
    keep(page, "contact-10-leads-dark")
    context.close()
