"""Every page, also those behind mails and after invalid forms: axe-core finds nothing, and the keyboard reaches all."""

import re
from urllib.parse import urlsplit

import pyotp
import pytest
from playwright.sync_api import Browser, BrowserContext, Page, expect

from tapcard.keys import Keys
from tapcard.services.taps import weekly_digest
from tests.journeys.accessibility import find_keyboard_problems, find_violations, load_axe_on_every_page
from tests.journeys.accounts import PASSWORD, emailed_link, log_in, register_card, sign_up, submit, submit_log_in
from tests.journeys.conftest import DESKTOP, PHONE, Served
from tests.journeys.crawling import MIN_PAGES, START_PATHS, count_forms, crawl, submit_invalid

pytestmark = pytest.mark.browser
MIN_INVALID_FORMS = {"": 7, "ada@example.com": 19, "olu@example.com": 22}


@pytest.fixture(scope="module")
def unclaimed_card(chromium: Browser, served: Served) -> str:
    """The token of a card that asks for its claim code."""
    register_card(chromium, served, "WAITING2", "With a claim code")
    return "WAITING2"


@pytest.mark.parametrize("user", START_PATHS)
def test_every_page_is_accessible(desktop: BrowserContext, served: Served, unclaimed_card: str, user: str) -> None:
    """The keyboard is tried on a large screen, and axe-core on a narrow one.

    The bar and the foot are the same on all pages of a user: the keyboard walks through them once, and then only
    through what differs.
    """
    page = desktop.new_page()
    load_axe_on_every_page(page)
    if user:
        log_in(page, user)
    problems, visited, invalid_forms = [], [], 0
    walked_menus: set[str] = set()
    for path in crawl(page, served, (*START_PATHS[user], f"/activate/{unclaimed_card}"), user):
        part = "main" if visited and page.locator("main[tabindex]").count() else "body"
        visited.append(path)
        problems += find_keyboard_problems(page, part, walked_menus)
        page.set_viewport_size(PHONE)
        problems += find_violations(page)
        for number in range(count_forms(page)):
            if number:
                page.goto(path)
            problems += find_problems_of_invalid_form(page, number)
            invalid_forms += 1
        page.set_viewport_size(DESKTOP)
    assert not problems, "\n".join(problems)
    assert len(visited) >= MIN_PAGES[user], visited
    assert invalid_forms >= MIN_INVALID_FORMS[user], invalid_forms


def find_problems_of_invalid_form(page: Page, number: int) -> list[str]:
    """Submit a form with invalid values; return what is wrong with the page that refuses them."""
    path = urlsplit(page.url).path
    response = submit_invalid(page, number)
    if response.status != 422:
        return [f"{path}: form {number} was answered with {response.status}"]
    if not page.locator("main [aria-invalid=true]").count():
        return [f"{path}: form {number} was refused, and no field says why"]
    return find_violations(page, part="main")


def test_a_violation_on_one_page_is_found_in_each_scheme_and_a_good_color_checked_once(desktop: BrowserContext) -> None:
    page = desktop.new_page()
    style = "<style>@media (prefers-color-scheme: dark) { .dark { color: #eee } }</style>"
    document = f"<!doctype html><html lang=en><title>A</title>{style}<main><h1>A</h1>%s</main></html>"
    page.set_content(document % "<p>Readable</p>")
    assert find_violations(page) == []
    page.set_content(
        document % '<p>Readable</p><p style="color: #ddd">Pale</p><p style="color: #ddd">Pale</p><button></button>'
    )
    found = "\n".join(find_violations(page))
    assert found.count("(light): color-contrast") == 1
    assert found.count("(light): button-name") == 1
    page.set_content(document % '<p class="dark">White on white in the dark</p>')
    assert [each.partition(" [")[0] for each in find_violations(page)] == ["blank (dark): color-contrast"]


def test_what_the_keyboard_misses_is_found(desktop: BrowserContext) -> None:
    page = desktop.new_page()
    page.set_content("<!doctype html><main tabindex=-1><a href='/'>A</a><iframe tabindex=0 hidden></iframe></main>")
    assert find_keyboard_problems(page, "main", set()) == []
    page.set_content("<!doctype html><style>a { outline: none }</style><main tabindex=-1><a href='/'>A</a></main>")
    assert "nothing shows the focus on <a" in find_keyboard_problems(page, "main", set())[0]
    trap = "<script>document.querySelector('a').onkeydown = (event) => event.preventDefault()</script>"
    page.set_content(f"<!doctype html><main tabindex=-1><a href='/'>A</a><a href='/'>B</a>{trap}</main>")
    assert "the keyboard reaches 1 of 2" in find_keyboard_problems(page, "main", set())[0]


def test_pages_behind_mails_and_in_the_middle_of_logging_in_are_accessible(
    phone: BrowserContext, desktop: BrowserContext, served: Served
) -> None:
    page, problems = phone.new_page(), []
    load_axe_on_every_page(page)

    def check(path: str = "", *, heading: str | re.Pattern[str], invalid: bool = False) -> None:
        if path:
            page.goto(path)
        expect(page.get_by_role("heading", level=1)).to_have_text(heading)
        problems.extend(find_violations(page))
        if invalid:
            problems.extend(find_problems_of_invalid_form(page, 0))

    sign_up(page, "Pia", "pia@example.com")
    check(heading="Hello Pia")

    # an offer, while the address is not confirmed, and after
    ada = desktop.new_page()
    log_in(ada, "ada@example.com")
    ada.goto("/cards/DEMOURL/transfer")
    ada.get_by_label("Recipient's email").fill("pia@example.com")
    submit(ada, "Send transfer request")
    offer = emailed_link(served, "pia@example.com", "/offers/")
    check(offer, heading="Confirm your email first")
    verify = emailed_link(served, "pia@example.com", "/verify/")
    check(verify, heading="Confirm your email")
    submit(page)
    check(offer, heading="A card for you")
    ada.goto("/cards/DEMOURL")
    submit(ada, "Cancel transfer")
    check(verify, heading=re.compile("This link"))

    # a forgotten password, and another address
    page.goto("/account/email")
    page.get_by_label("New email").fill("pia.new@example.com")
    page.get_by_label("Your password").fill(PASSWORD)
    submit(page)
    page.goto("/forgot-password")
    page.get_by_label("Email").fill("pia@example.com")
    submit(page)
    check(heading="Check your email")
    check(emailed_link(served, "pia@example.com", "/set-password/"), heading="Choose a new password", invalid=True)
    check(emailed_link(served, "pia.new@example.com", "/email/confirm/"), heading="Confirm your new email")
    submit(page)
    check(emailed_link(served, "pia@example.com", "/email/undo/"), heading="Undo email change")

    # the mail about figures; the one about a lead links to the list of leads
    ada.goto("/account")
    ada.get_by_label("Email me a weekly summary").check()
    with ada.expect_navigation():
        ada.locator("form", has=ada.get_by_label("Email me a weekly summary")).get_by_role("button").click()
    stop = weekly_digest.unsubscribe_token(1, Keys((served.instance / "secret_key").read_text().strip()))
    check(f"/mails/weekly/{stop}", heading="Unsubscribe from the weekly summary?")
    submit(page)
    check(heading="You've unsubscribed")

    # two-factor log in, and an account that is closed
    page.goto("/account/two-factor/set-up")
    secret = page.locator(".tc-secret code").inner_text().replace(" ", "")
    check(heading="Set up two-factor authentication", invalid=True)
    page.get_by_label("Code from your authenticator app").fill(pyotp.TOTP(secret).now())
    submit(page, "Turn on")
    check(heading="Your recovery codes")
    codes = page.get_by_role("list", name="Recovery codes").get_by_role("listitem").all_inner_texts()
    check("/account/two-factor", heading="Two-factor authentication")
    check("/account/two-factor/codes", heading="New recovery codes", invalid=True)
    check("/account/two-factor/off", heading="Turn off two-factor authentication", invalid=True)
    page.goto("/account/close")
    page.get_by_label("Your password").fill(PASSWORD)
    page.get_by_label("Yes, close my account").check()
    submit(page, "Close my account")
    check(heading="Your account is closed")
    submit_log_in(page, "pia.new@example.com")
    check(heading="Enter your code", invalid=True)
    page.get_by_label("Code").fill(codes[0])
    submit(page, "Log in")
    check(heading="Restore your account?")
    assert not problems, "\n".join(problems)
