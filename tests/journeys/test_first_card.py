"""From a card in the hand to a card that leads somewhere, on a phone."""

import time
from typing import Any

import pytest
from playwright.sync_api import BrowserContext, Page, expect

from tests.journeys.conftest import Served, keep

pytestmark = [pytest.mark.browser, pytest.mark.sql]
PASSWORD = "correct horse battery"
DEMO_PASSWORD = "tapcard-demo"


_COOKIES: dict[str, Any] = {}  # of people of the demo who have logged in, by address


def log_in(page: Page, email: str, password: str = DEMO_PASSWORD) -> None:
    """Log in: through the form the first time, later with the cookies that somebody of the demo got then."""
    if email in _COOKIES:
        page.context.add_cookies(_COOKIES[email])
        page.goto("/dashboard")
        if page.url.endswith("/dashboard"):
            return
        page.context.clear_cookies()  # that session was ended meanwhile
    page.goto("/log-in")
    page.get_by_label("Email").fill(email)
    page.get_by_label("Password", exact=True).fill(password)
    page.get_by_role("main").get_by_role("button", name="Log in").click()
    page.wait_for_url("**/dashboard")
    if password == DEMO_PASSWORD:
        _COOKIES[email] = page.context.cookies()


def test_a_new_card_is_claimed_set_and_changed(phone: BrowserContext, served: Served, elsewhere: str) -> None:
    page = phone.new_page()
    page.goto("/t/DEMONEW")
    expect(page.get_by_role("heading", level=1)).to_have_text("This card is ready to claim")
    keep(page, "1-unclaimed")

    page.get_by_role("link", name="Sign up to claim this card").click()
    page.get_by_label("First name").fill("Gus")
    page.get_by_label("Last name").fill("Lind")
    page.get_by_label("Email").fill("gus@example.com")
    page.get_by_label("Password", exact=True).fill(PASSWORD)
    page.get_by_label("I accept the terms").check()
    keep(page, "2-sign-up")
    page.get_by_role("main").get_by_role("button", name="Sign up").click()

    page.wait_for_url("**/activate/DEMONEW")
    page.get_by_label("Claim code").fill("card 2346")
    page.get_by_role("button", name="Claim this card").click()
    expect(page.get_by_label("Claim code")).to_have_value("card 2346")
    expect(page.get_by_text("That code isn't valid for this card").first).to_be_visible()
    keep(page, "3-wrong-code")
    page.get_by_label("Claim code").fill("card 2345")
    page.get_by_role("button", name="Claim this card").click()

    page.wait_for_url("**/cards/DEMONEW")
    keep(page, "4-claimed")
    page.get_by_label("Web address", exact=True).last.fill(f"{elsewhere}/first")
    page.get_by_role("button", name="Save").press("Enter")
    expect(page.get_by_text("They apply from the next tap")).to_be_visible()
    keep(page, "5-saved")

    page.goto("/t/DEMONEW")
    expect(page.get_by_role("heading")).to_have_text("/first")

    page.goto("/cards/DEMONEW")
    page.get_by_label("Web address", exact=True).last.fill(f"{elsewhere}/second")
    page.get_by_role("button", name="Save").click()
    expect(page.get_by_text("They apply from the next tap")).to_be_visible()
    page.goto("/t/DEMONEW")
    expect(page.get_by_role("heading")).to_have_text("/second")

    page.goto("/dashboard")
    keep(page, "6-dashboard")


def test_the_mail_to_verify_arrives_and_works(phone: BrowserContext, served: Served) -> None:
    page = phone.new_page()
    page.goto("/sign-up")
    page.get_by_label("First name").fill("Una")
    page.get_by_label("Last name").fill("Berg")
    page.get_by_label("Email").fill("una@example.com")
    page.get_by_label("Password", exact=True).fill(PASSWORD)
    page.get_by_label("I accept the terms").check()
    page.get_by_role("main").get_by_role("button", name="Sign up").click()
    page.wait_for_url("**/dashboard")
    keep(page, "7-empty-dashboard")
    mail = page.get_by_role("main").get_by_role("link", name="una@example.com").first
    for _attempt in range(80):
        page.goto("/dev/mail")
        if mail.count():
            break
        time.sleep(0.25)
    mail.click()
    keep(page, "8-mail")
    page.get_by_role("link", name="/verify/").click()
    keep(page, "9-verify")
    page.get_by_role("main").get_by_role("button").first.click()
    expect(page.get_by_role("main").or_(page.get_by_role("status")).first).to_be_visible()
    page.goto("/account")
    expect(page.get_by_text("Confirmed")).to_be_visible()


def test_staff_register_an_unknown_card_by_tapping_it(phone: BrowserContext, served: Served) -> None:
    page = phone.new_page()
    log_in(page, "ben@example.com")
    page.goto("/t/BLANK7")
    expect(page.get_by_label("Token")).to_have_value("BLANK7")
    page.get_by_role("button", name="Register").click()
    expect(page.get_by_text("Claim code for the insert")).to_be_visible()
    keep(page, "10-registered")


def test_no_page_asks_a_third_party(desktop: BrowserContext, served: Served) -> None:
    page = desktop.new_page()
    foreign: list[str] = []
    wrong: list[str] = []
    page.on("request", lambda request: request.url.startswith(served.url) or foreign.append(request.url))
    page.on("console", lambda message: message.type == "error" and wrong.append(message.text))
    log_in(page, "olu@example.com")
    public = ("/", "/designs", "/terms", "/privacy", "/p/ada", "/t/DEMOLOST", "/dev/mail")
    own = ("/dashboard", "/profiles", "/account")
    staff = ("/admin/", "/admin/hosts", "/admin/tables/cards/", "/admin/tables/audit/")
    for path in (*public, *own, *staff):
        page.goto(path)
    assert [url for url in foreign if not url.startswith(("data:", "blob:"))] == []
    assert wrong == []
