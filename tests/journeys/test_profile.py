"""A profile in every theme, and edited without JavaScript; `test_contact.py` creates one with JavaScript."""

import io

import pytest
from PIL import Image, ImageDraw
from playwright.sync_api import BrowserContext, Page, expect

from tests.journeys.accessibility import find_violations, load_axe_on_every_page
from tests.journeys.accounts import log_in, sign_up, submit
from tests.journeys.conftest import Served, take_screenshot

pytestmark = pytest.mark.browser
THEMES = ("lake", "ember", "forest", "night", "rose")


def rotated_photo() -> bytes:
    """Return a wide photo with a face on the left, stored rotated and with its orientation in EXIF."""
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


def link_titles(page: Page) -> list[str]:
    """Return the titles of the links in their order."""
    return [text.strip() for text in page.locator(".tc-sortable .title").all_inner_texts()]


def test_every_theme_is_accessible_in_light_and_dark(
    desktop: BrowserContext, phone: BrowserContext, served: Served
) -> None:
    page, visitor = desktop.new_page(), phone.new_page()
    load_axe_on_every_page(visitor)
    sign_up(page, "Theo", "theo@example.com")
    page.goto("/profiles/new")
    page.get_by_label("Headline").fill("Gardener")
    page.get_by_label("Company").fill("Lund & Sons")
    page.get_by_label("About you").fill("Roses, mostly.")
    page.locator("#website").fill("example.com")
    submit(page, "Create profile")
    expect(page.get_by_text("Profile created")).to_be_visible()
    for theme in THEMES:
        page.locator(f"label.theme-{theme}").click()
        submit(page, "Save")
        expect(page.get_by_text("Changes saved.")).to_be_visible()
        visitor.goto("/p/theo-lund")
        expect(visitor.locator(f".tc-profile.theme-{theme}")).to_be_visible()
        assert find_violations(visitor) == [], theme
        for scheme in ("light", "dark"):
            visitor.emulate_media(color_scheme=scheme)
            take_screenshot(visitor, f"profile-theme-{theme}-{scheme}")


def test_a_profile_is_edited_without_javascript(plain_phone: BrowserContext) -> None:
    page = plain_phone.new_page()
    log_in(page, "ada@example.com")
    page.goto("/profiles")
    page.get_by_role("link", name="Edit Ada Obi").click()
    take_screenshot(page, "profile-4-edit-plain")
    page.get_by_label("About you").fill("Shade first.")
    with plain_phone.expect_page() as opened:
        page.get_by_role("button", name="Preview").click()
    expect(opened.value.get_by_text("Nothing has been saved yet")).to_be_visible()
    expect(opened.value.get_by_text("Shade first.")).to_be_visible()
    take_screenshot(opened.value, "profile-5-preview")
    opened.value.close()
    page.get_by_text("Hide some details").click()
    page.get_by_role("checkbox", name="Email").check()
    page.get_by_role("textbox", name="Profile address").fill("ada-obi")
    submit(page, "Save")
    expect(page.get_by_text("Changes saved.")).to_be_visible()
    page.get_by_role("link", name="Edit links").click()
    submit(page, "Move Book a studio visit up")
    expect(page.get_by_role("button", name="Move Book a studio visit up")).to_be_disabled()  # it is the first
    assert link_titles(page)[0] == "Book a studio visit"
    take_screenshot(page, "profile-6-links-plain")
    page.goto("/p/ada")
    assert page.url.endswith("/p/ada-obi")
    expect(page.get_by_text("Shade first.")).to_be_visible()
    expect(page.get_by_text("ada@example.com")).to_have_count(0)
    page.goto("/profiles")
    page.get_by_role("link", name="Edit Ada Obi").click()
    page.get_by_role("textbox", name="Profile address").fill("ada")
    page.get_by_role("checkbox", name="Email").uncheck()
    submit(page, "Save")
    expect(page.get_by_text("Changes saved.")).to_be_visible()
