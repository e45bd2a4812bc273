"""Two-factor authentication on a phone, and logging out a browser from another one."""

import re
import time

import pyotp
import pytest
from playwright.sync_api import BrowserContext, expect

from tests.journeys.accounts import PASSWORD, sign_up, submit, submit_log_in
from tests.journeys.conftest import DESKTOP, PHONE, Served, take_screenshot

pytestmark = pytest.mark.browser


def next_code(secret: str) -> str:
    """Return the code of the next time step, which hasn't been used yet."""
    return pyotp.TOTP(secret).at(int(time.time()) + 30)


def test_a_phone_sets_up_two_factor_and_logs_in_with_it(iphone: BrowserContext, served: Served) -> None:
    page = iphone.new_page()
    errors: list[str] = []
    page.on(
        "console", lambda message: message.type == "error" and "422" not in message.text and errors.append(message.text)
    )
    sign_up(page, "Tia", "tia@example.com")
    page.goto("/account")
    take_screenshot(page, "two-factor-1-account")
    page.get_by_role("link", name="Set up two-factor authentication").click()
    expect(page.get_by_role("heading", level=1)).to_have_text("Set up two-factor authentication")
    take_screenshot(page, "two-factor-2-set-up")
    address = page.get_by_role("link", name="Open in the app on this phone").get_attribute("href") or ""
    match = re.search(r"secret=([A-Z2-7]+)", address)
    assert match is not None
    secret = match[1]

    page.get_by_label("Code from your authenticator app").fill("000 000")
    submit(page, "Turn on")
    expect(page.get_by_text("That code isn't valid").first).to_be_visible()
    take_screenshot(page, "two-factor-3-wrong-code")
    page.get_by_label("Code from your authenticator app").fill(pyotp.TOTP(secret).now())
    submit(page, "Turn on")
    expect(page.get_by_role("heading", level=1)).to_have_text("Your recovery codes")
    codes = page.get_by_role("list", name="Recovery codes").get_by_role("listitem").all_inner_texts()
    assert len(set(codes)) == 10
    take_screenshot(page, "two-factor-4-recovery-codes")
    with page.expect_download() as download:
        page.get_by_role("button", name="Download codes").click()
    text = download.value.path().read_text()
    assert all(code in text for code in codes)
    page.get_by_role("link", name="I've saved my codes").click()
    expect(page.get_by_text("10 left")).to_be_visible()
    take_screenshot(page, "two-factor-5-on")

    iphone.clear_cookies()
    submit_log_in(page, "tia@example.com")
    page.wait_for_url("**/log-in/code")
    expect(page.get_by_label("Code")).to_be_focused()
    take_screenshot(page, "two-factor-6-second-page")
    page.goto("/dashboard")
    expect(page).to_have_url(re.compile("/log-in"))
    page.goto("/log-in/code")
    page.get_by_label("Code").fill(next_code(secret))
    submit(page, "Log in")
    page.wait_for_url("**/dashboard")

    page.goto("/account/two-factor/off")
    take_screenshot(page, "two-factor-7-off")
    page.get_by_label("Your password").fill(PASSWORD)
    page.get_by_label("Code from your authenticator app, or a recovery code").fill(codes[0])
    page.get_by_role("button", name="Turn off").click()
    expect(page.get_by_text("Two-factor authentication is off")).to_be_visible()
    assert errors == []


def test_a_device_is_logged_out_from_another(iphone: BrowserContext, desktop: BrowserContext, served: Served) -> None:
    computer, mobile = desktop.new_page(), iphone.new_page()
    sign_up(computer, "Uma", "uma@example.com")
    submit_log_in(mobile, "uma@example.com")
    mobile.wait_for_url("**/dashboard")
    mobile.goto("/account/sessions")
    expect(mobile.get_by_text("This device")).to_have_count(1)
    take_screenshot(mobile, "sessions-phone")
    mobile.set_viewport_size(DESKTOP)
    take_screenshot(mobile, "sessions-desktop")
    mobile.set_viewport_size(PHONE)
    mobile.get_by_role("main").get_by_role("button", name="Log out", exact=True).click()
    expect(mobile.get_by_text("Device logged out")).to_be_visible()
    computer.goto("/dashboard")
    expect(computer).to_have_url(re.compile("/log-in"))
    mobile.goto("/dashboard")
    expect(mobile).to_have_url(re.compile("/dashboard"))
