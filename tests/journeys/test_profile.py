"""A profile in every colour, and edited without JavaScript; how one is made, `test_contact.py` tells."""

import io

import pytest
from axe_playwright_python.sync_playwright import Axe
from PIL import Image, ImageDraw
from playwright.sync_api import Browser, BrowserContext, Page, expect

from tests.journeys.conftest import PHONE, Served, keep
from tests.journeys.test_first_card import PASSWORD, log_in

pytestmark = pytest.mark.browser
THEMES = ("lake", "ember", "forest", "night", "rose")


def sideways_photo() -> bytes:
    """A wide picture as a camera stores it when held upright: a face on the left, lying on its side."""
    upright = Image.new("RGB", (1200, 800), "#7fb7a3")
    draw = ImageDraw.Draw(upright)
    draw.ellipse((80, 180, 520, 620), fill="#8d5a3a")
    draw.ellipse((200, 330, 240, 370), fill="#20150e")
    draw.ellipse((360, 330, 400, 370), fill="#20150e")
    draw.arc((220, 380, 380, 520), 20, 160, fill="#20150e", width=12)
    draw.rectangle((760, 0, 1200, 800), fill="#d9b44a")
    exif = Image.Exif()
    exif[0x0112] = 6
    out = io.BytesIO()
    upright.transpose(Image.Transpose.ROTATE_90).save(out, "JPEG", exif=exif)
    return out.getvalue()


def sign_up(page: Page, first: str, email: str) -> None:
    """Make an account."""
    page.goto("/sign-up")
    page.get_by_label("First name").fill(first)
    page.get_by_label("Last name").fill("Lund")
    page.get_by_label("Email").fill(email)
    page.get_by_label("Password", exact=True).fill(PASSWORD)
    page.get_by_label("I accept the terms").check()
    page.get_by_role("main").get_by_role("button", name="Sign up").click()
    page.wait_for_url("**/dashboard")


def titles(page: Page) -> list[str]:
    """The links in their order."""
    return [text.strip() for text in page.locator(".tc-sortable .title").all_inner_texts()]


def complaints(page: Page) -> list[str]:
    """What an accessibility checker says of a page."""
    found = Axe().run(page).response["violations"]
    return [f"{each['id']}: {node['html'][:120]}" for each in found for node in each["nodes"]]


def test_every_colour_is_accessible_on_light_and_dark(
    chromium: Browser, desktop: BrowserContext, served: Served
) -> None:
    page = desktop.new_page()
    sign_up(page, "Theo", "theo@example.com")
    page.goto("/profiles/new")
    page.get_by_label("Headline").fill("Gardener")
    page.get_by_label("Company").fill("Lund & Sons")
    page.get_by_label("About you").fill("Roses, mostly.")
    page.locator("#website").fill("example.com")
    page.get_by_role("button", name="Create profile").click()
    expect(page.get_by_text("Profile created")).to_be_visible()
    for theme in THEMES:
        page.locator(f"label.theme-{theme}").click()
        page.get_by_role("button", name="Save").click()
        expect(page.get_by_text("Changes saved.")).to_be_visible()
        for scheme in ("light", "dark"):
            context = chromium.new_context(viewport=PHONE, is_mobile=True, base_url=served.url, color_scheme=scheme)
            visitor = context.new_page()
            visitor.goto("/p/theo-lund")
            keep(visitor, f"profile-theme-{theme}-{scheme}")
            assert complaints(visitor) == [], f"{theme}, {scheme}"
            context.close()


def test_everything_works_without_javascript(chromium: Browser, served: Served) -> None:
    context = chromium.new_context(viewport=PHONE, java_script_enabled=False, base_url=served.url)
    page = context.new_page()
    log_in(page, "ada@example.com")
    page.goto("/profiles")
    page.get_by_role("link", name="Edit Ada Obi").click()
    keep(page, "profile-4-edit-plain")
    page.get_by_label("About you").fill("Shade first.")
    with context.expect_page() as opened:
        page.get_by_role("button", name="Preview").click()
    expect(opened.value.get_by_text("Nothing has been saved yet")).to_be_visible()
    expect(opened.value.get_by_text("Shade first.")).to_be_visible()
    keep(opened.value, "profile-5-preview")
    opened.value.close()
    page.get_by_text("Hide some details").click()
    page.get_by_role("checkbox", name="Email").check()
    page.get_by_role("textbox", name="Profile address").fill("ada-obi")
    page.get_by_role("button", name="Save").click()
    expect(page.get_by_text("Changes saved.")).to_be_visible()
    page.get_by_role("link", name="Edit links").click()
    page.get_by_role("button", name="Move Book a studio visit up").click()
    expect(page.get_by_role("button", name="Move Book a studio visit up")).to_be_disabled()  # it is the first
    assert titles(page)[0] == "Book a studio visit"
    keep(page, "profile-6-links-plain")
    page.goto("/p/ada")
    assert page.url.endswith("/p/ada-obi")
    expect(page.get_by_text("Shade first.")).to_be_visible()
    expect(page.get_by_text("ada@example.com")).to_have_count(0)
    page.goto("/profiles")
    page.get_by_role("link", name="Edit Ada Obi").click()
    page.get_by_role("textbox", name="Profile address").fill("ada")
    page.get_by_role("checkbox", name="Email").uncheck()
    page.get_by_role("button", name="Save").click()
    expect(page.get_by_text("Changes saved.")).to_be_visible()
    context.close()
