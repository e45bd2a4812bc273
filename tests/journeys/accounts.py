"""People in journeys: how they sign up, log in and read their mail, and how staff register cards for them."""

import re
import time
from email import message_from_bytes, policy
from typing import Any

from playwright.sync_api import Browser, Page, expect

from tests.journeys.conftest import Served
from tests.pages import forms_on

PASSWORD = "correct horse battery"
DEMO_PASSWORD = "tapcard-demo"
MAIL_SECONDS = 30  # until the worker has sent a mail on a busy machine

_DEMO_COOKIES: dict[str, Any] = {}  # of logged-in demo users, by email


def submit(page: Page, button: str | re.Pattern[str] = re.compile("")) -> None:
    """Press a submit button, the first unless it is named, and wait for the next page.

    Without waiting, a test that opens another page at once would cancel the request.
    """
    buttons = page.locator("main, dialog").get_by_role("button", name=button)
    with page.expect_navigation():
        buttons.and_(page.locator("[type=submit]")).first.press("Enter")


def fill_in_sign_up(page: Page, first_name: str, email: str, last_name: str = "Lund") -> None:
    """Fill in the sign-up form of the open page and submit it."""
    page.get_by_label("First name").fill(first_name)
    page.get_by_label("Last name").fill(last_name)
    page.get_by_label("Email").fill(email)
    page.get_by_label("Password", exact=True).fill(PASSWORD)
    page.get_by_label("I accept the terms").check()
    submit(page, "Sign up")


def sign_up(page: Page, first_name: str, email: str) -> None:
    """Create an account without showing the form, for journeys about something else, and open the dashboard."""
    fields = next(form.values for form in forms_on(page.request.get("/sign-up").text()) if "password" in form.values)
    fields |= {"first_name": first_name, "last_name": "Lund", "email": email, "password": PASSWORD}
    response = page.request.post("/sign-up", form={**fields, "terms": "y"}, max_redirects=0)
    assert response.status == 302, response.text()
    page.goto("/dashboard")


def submit_log_in(page: Page, email: str, password: str = PASSWORD) -> None:
    """Submit the log-in form, wherever it leads."""
    page.goto("/log-in")
    page.get_by_label("Email").fill(email)
    page.get_by_label("Password", exact=True).fill(password)
    submit(page, "Log in")


def log_in(page: Page, email: str, password: str = DEMO_PASSWORD) -> None:
    """Log in: a demo user through the form once, and later with the cookies set then."""
    if email in _DEMO_COOKIES:
        page.context.add_cookies(_DEMO_COOKIES[email])
        if page.request.get("/dashboard", max_redirects=0).ok:
            return
        page.context.clear_cookies()  # the session was ended meanwhile
    submit_log_in(page, email, password)
    page.wait_for_url("**/dashboard")
    if password == DEMO_PASSWORD:
        _DEMO_COOKIES[email] = page.context.cookies()


def confirm_email(page: Page, served: Served, email: str) -> None:
    """Open the link in the mail that confirms an address, and confirm."""
    page.goto(emailed_link(served, email, "/verify/"))
    submit(page)
    expect(page.get_by_text(f"{email} is confirmed")).to_be_visible()


def register_card(browser: Browser, served: Served, token: str, policy: str) -> None:
    """Register a blank card as staff, with one of the policies for claiming it."""
    context = browser.new_context(base_url=served.url)
    page = context.new_page()
    log_in(page, "ben@example.com")
    page.goto(f"/admin/cards/register?token={token}")
    page.get_by_label("Token").fill(token)
    page.get_by_text(policy).click()
    submit(page, "Register")
    expect(page.get_by_text(token).first).to_be_visible()
    context.close()


def emailed_link(served: Served, email: str, part: str) -> str:
    """Wait for a mail with a link that contains a part; return the path of the link in the latest one."""
    deadline = time.monotonic() + MAIL_SECONDS
    while time.monotonic() < deadline:
        for path in sorted((served.instance / "mail").glob("*.eml"), reverse=True):
            message = message_from_bytes(path.read_bytes(), policy=policy.default)
            body = message.get_body(("plain",))
            text = body.get_content() if body is not None and email in str(message["To"]) else ""
            if match := re.search(rf"https?://[^/\s]+(\S*{part}\S*)", text):
                return match[1]
        time.sleep(0.1)
    raise AssertionError(f"{email} received no mail with a link to {part}")


def open_mail(page: Page, subject: str) -> None:
    """Wait for a mail in the development mailbox and open it."""
    link = page.get_by_role("main").get_by_role("link", name=subject).first
    deadline = time.monotonic() + MAIL_SECONDS
    page.goto("/dev/mail")
    while not link.count() and time.monotonic() < deadline:
        time.sleep(0.2)
        page.reload()
    link.press("Enter")
    page.wait_for_url("**/dev/mail/*")
