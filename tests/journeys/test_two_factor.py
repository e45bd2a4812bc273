"""Two-factor authentication on a phone, and logging out a browser from another one."""

import re
import time

import pyotp
import pytest
from playwright.sync_api import BrowserContext, Page, expect

from tests.journeys.conftest import DESKTOP, PHONE, Served, keep

pytestmark = pytest.mark.browser
PASSWORD = "correct horse battery"


def sign_up(page: Page, email: str) -> None:
    page.goto("/sign-up")
    page.get_by_label("First name").fill("Tia")
    page.get_by_label("Last name").fill("Ek")
    page.get_by_label("Email").fill(email)
    page.get_by_label("Password", exact=True).fill(PASSWORD)
    page.get_by_label("I accept the terms").check()
    page.get_by_role("main").get_by_role("button", name="Sign up").click()
    page.wait_for_url("**/dashboard")


def give_password(page: Page, email: str) -> None:
    page.goto("/log-in")
    page.get_by_label("Email").fill(email)
    page.get_by_label("Password", exact=True).fill(PASSWORD)
    page.get_by_role("main").get_by_role("button", name="Log in").click()


def next_code(secret: str) -> str:
    """A code that was not used yet: of the step after the present one."""
    return pyotp.TOTP(secret).at(int(time.time()) + 30)


def test_a_phone_sets_up_two_factor_and_logs_in_with_it(iphone: BrowserContext, served: Served) -> None:
    page = iphone.new_page()
    wrong: list[str] = []
    page.on(
        "console", lambda message: message.type == "error" and "422" not in message.text and wrong.append(message.text)
    )
    sign_up(page, "tia@example.com")
    page.goto("/account")
    keep(page, "two-factor-1-account")
    page.get_by_role("link", name="Set up two-factor authentication").click()
    expect(page.get_by_role("heading", level=1)).to_have_text("Set up two-factor authentication")
    keep(page, "two-factor-2-set-up")
    address = page.get_by_role("link", name="Open in the app on this phone").get_attribute("href") or ""
    found = re.search(r"secret=([A-Z2-7]+)", address)
    assert found is not None
    secret = found[1]

    page.get_by_label("Code from your authenticator app").fill("000 000")
    page.get_by_role("button", name="Turn on").click()
    expect(page.get_by_text("That code isn't valid").first).to_be_visible()
    keep(page, "two-factor-3-wrong-code")
    page.get_by_label("Code from your authenticator app").fill(pyotp.TOTP(secret).now())
    page.get_by_role("button", name="Turn on").click()
    expect(page.get_by_role("heading", level=1)).to_have_text("Your recovery codes")
    codes = page.get_by_role("list", name="Recovery codes").get_by_role("listitem").all_inner_texts()
    assert len(set(codes)) == 10
    keep(page, "two-factor-4-recovery-codes")
    with page.expect_download() as download:
        page.get_by_role("button", name="Download codes").click()
    text = download.value.path().read_text()
    assert all(code in text for code in codes)
    page.get_by_role("link", name="I've saved my codes").click()
    expect(page.get_by_text("10 left")).to_be_visible()
    keep(page, "two-factor-5-on")

    iphone.clear_cookies()
    give_password(page, "tia@example.com")
    page.wait_for_url("**/log-in/code")
    expect(page.get_by_label("Code")).to_be_focused()
    keep(page, "two-factor-6-second-page")
    page.goto("/dashboard")
    expect(page).to_have_url(re.compile("/log-in"))
    page.goto("/log-in/code")
    page.get_by_label("Code").fill(next_code(secret))
    page.get_by_role("main").get_by_role("button", name="Log in").click()
    page.wait_for_url("**/dashboard")

    page.goto("/account/two-factor/off")
    keep(page, "two-factor-7-off")
    page.get_by_label("Your password").fill(PASSWORD)
    page.get_by_label("Code from your authenticator app, or a recovery code").fill(codes[0])
    page.get_by_role("button", name="Turn off").click()
    expect(page.get_by_text("Two-factor authentication is off")).to_be_visible()
    assert wrong == []


def test_one_browser_is_logged_out_from_another(
    iphone: BrowserContext, desktop: BrowserContext, served: Served
) -> None:
    there, here = desktop.new_page(), iphone.new_page()
    sign_up(there, "uma@example.com")
    give_password(here, "uma@example.com")
    here.wait_for_url("**/dashboard")
    here.goto("/account/sessions")
    expect(here.get_by_text("This device")).to_have_count(1)
    keep(here, "sessions-phone")
    here.set_viewport_size(DESKTOP)
    keep(here, "sessions-desktop")
    here.set_viewport_size(PHONE)
    here.get_by_role("main").get_by_role("button", name="Log out", exact=True).click()
    expect(here.get_by_text("Device logged out")).to_be_visible()
    there.goto("/dashboard")
    expect(there).to_have_url(re.compile("/log-in"))
    here.goto("/dashboard")
    expect(here).to_have_url(re.compile("/dashboard"))
