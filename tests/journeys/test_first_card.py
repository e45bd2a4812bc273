"""A new card is claimed and set up on a phone."""

import re

import pytest
from playwright.sync_api import BrowserContext, expect

from tests.journeys.accounts import fill_in_sign_up, log_in, open_mail, submit
from tests.journeys.conftest import Served, take_screenshot

pytestmark = [pytest.mark.browser, pytest.mark.sql]


def test_a_new_card_is_claimed_set_up_and_changed(phone: BrowserContext, served: Served, target_site: str) -> None:
    page = phone.new_page()
    page.goto("/t/DEMONEW")
    expect(page.get_by_role("heading", level=1)).to_have_text("This card is ready to claim")
    take_screenshot(page, "1-unclaimed")

    page.get_by_role("link", name="Sign up to claim this card").click()
    take_screenshot(page, "2-sign-up")
    fill_in_sign_up(page, "Gus", "gus@example.com")

    expect(page).to_have_url(re.compile("/activate/DEMONEW$"))
    page.get_by_label("Claim code").fill("card 2346")
    submit(page, "Claim this card")
    expect(page.get_by_label("Claim code")).to_have_value("card 2346")
    expect(page.get_by_text("That code isn't valid for this card").first).to_be_visible()
    take_screenshot(page, "3-wrong-code")
    page.get_by_label("Claim code").fill("card 2345")
    submit(page, "Claim this card")

    expect(page).to_have_url(re.compile("/cards/DEMONEW$"))
    take_screenshot(page, "4-claimed")
    page.get_by_label("Web address", exact=True).last.fill(f"{target_site}/first")
    submit(page, "Save")
    expect(page.get_by_text("They apply from the next tap")).to_be_visible()
    take_screenshot(page, "5-saved")

    page.goto("/t/DEMONEW")
    expect(page.get_by_role("heading")).to_have_text("/first")

    page.goto("/cards/DEMONEW")
    page.get_by_label("Web address", exact=True).last.fill(f"{target_site}/second")
    submit(page, "Save")
    expect(page.get_by_text("They apply from the next tap")).to_be_visible()
    page.goto("/t/DEMONEW")
    expect(page.get_by_role("heading")).to_have_text("/second")

    page.goto("/dashboard")
    take_screenshot(page, "6-dashboard")


def test_an_email_is_confirmed_from_the_mail(phone: BrowserContext, served: Served) -> None:
    page = phone.new_page()
    page.goto("/sign-up")
    fill_in_sign_up(page, "Una", "una@example.com")
    expect(page).to_have_url(re.compile("/dashboard$"))
    take_screenshot(page, "7-empty-dashboard")
    open_mail(page, "una@example.com")
    take_screenshot(page, "8-mail")
    with page.expect_navigation():
        page.get_by_role("link", name="/verify/").press("Enter")
    take_screenshot(page, "9-verify")
    submit(page)
    expect(page.get_by_text("una@example.com is confirmed")).to_be_visible()
    page.goto("/account")
    expect(page.get_by_text("Confirmed")).to_be_visible()


def test_staff_register_a_blank_card_by_tapping_it(phone: BrowserContext, served: Served) -> None:
    page = phone.new_page()
    log_in(page, "ben@example.com")
    page.goto("/t/BLANK7")
    expect(page.get_by_label("Token")).to_have_value("BLANK7")
    submit(page, "Register")
    expect(page.get_by_text("Claim code for the insert")).to_be_visible()
    take_screenshot(page, "10-registered")


def test_no_page_loads_from_third_parties(desktop: BrowserContext, served: Served) -> None:
    page = desktop.new_page()
    third_party: list[str] = []
    errors: list[str] = []
    page.on("request", lambda request: request.url.startswith(served.url) or third_party.append(request.url))
    page.on("console", lambda message: message.type == "error" and errors.append(message.text))
    log_in(page, "olu@example.com")
    public = ("/", "/designs", "/terms", "/privacy", "/p/ada", "/t/DEMOLOST", "/dev/mail")
    account = ("/dashboard", "/profiles", "/account")
    staff = ("/admin/", "/admin/hosts", "/admin/tables/cards/", "/admin/tables/audit/")
    for path in (*public, *account, *staff):
        page.goto(path)
    assert [url for url in third_party if not url.startswith(("data:", "blob:"))] == []
    assert errors == []
