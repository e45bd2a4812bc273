"""A profile from nothing to the page that visitors see, on a phone, at a desk, and without JavaScript."""

import io
import re

import pytest
from axe_playwright_python.sync_playwright import Axe
from PIL import Image, ImageDraw
from playwright.sync_api import Browser, BrowserContext, Page, expect

from tests.journeys.conftest import PHONE, Served, keep
from tests.journeys.test_first_card import PASSWORD, log_in

pytestmark = [pytest.mark.browser, pytest.mark.xdist_group("served")]
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
    page.get_by_label("E-mail").fill(email)
    page.get_by_label("Password", exact=True).fill(PASSWORD)
    page.get_by_label("I accept the terms").check()
    page.get_by_role("main").get_by_role("button", name="Sign up").click()
    page.wait_for_url("**/dashboard")


def titles(page: Page) -> list[str]:
    """The links in their order."""
    return [text.strip() for text in page.locator(".tc-arrange .title").all_inner_texts()]


def complaints(page: Page) -> list[str]:
    """What an accessibility checker says of a page."""
    found = Axe().run(page).response["violations"]
    return [f"{each['id']}: {node['html'][:120]}" for each in found for node in each["nodes"]]


def test_a_profile_with_photo_and_links_is_made_and_seen_on_a_phone(
    desktop: BrowserContext, phone: BrowserContext, served: Served
) -> None:
    page, wrong = desktop.new_page(), []
    page.on("console", lambda message: message.type == "error" and wrong.append(message.text))
    page.on("pageerror", lambda error: wrong.append(str(error)))
    sign_up(page, "Ines", "ines@example.com")
    page.goto("/profiles/new")
    live = page.locator("[data-live-page]")
    page.get_by_label("Name", exact=True).fill("Ines Lund")
    page.get_by_label("What you do").fill("Baker of sour breads")
    expect(live.get_by_text("Baker of sour breads")).to_be_visible()
    photo = {"name": "me.jpg", "mimeType": "image/jpeg", "buffer": sideways_photo()}
    page.locator("#photo").set_input_files(photo)
    canvas = page.locator("[data-crop] canvas")
    expect(canvas).to_be_visible()
    canvas.scroll_into_view_if_needed()
    box = canvas.bounding_box()
    assert box
    page.mouse.move(box["x"] + 60, box["y"] + 120)
    page.mouse.down()
    page.mouse.move(box["x"] + 230, box["y"] + 120, steps=6)
    page.mouse.up()
    assert float(page.locator("#crop_x").input_value()) == 0, "dragged to the left edge"
    page.get_by_label("Closer").fill("20")
    canvas.press("ArrowUp")
    page.locator("label.theme-forest").click()
    expect(live.locator(".theme-forest")).to_be_visible()
    expect(live.locator(".photo img")).to_have_attribute("src", re.compile("^data:image/jpeg"))
    page.locator("#email").fill("nonsense")
    page.locator("#phone").fill("+44 20 7946 0000")
    keep(page, "profile-1-new")
    assert complaints(page) == []
    page.get_by_role("button", name="Save").click()

    expect(page.get_by_text("Your new picture is kept")).to_be_visible()
    page.locator("#email").fill("ines@example.com")
    page.get_by_role("button", name="Save").click()
    expect(page.get_by_text("Your profile is ready")).to_be_visible()

    page.get_by_role("link", name="Add links").click()
    for title, url in (
        ("Order a loaf", "example.com/order"),
        ("Courses", "example.com/courses"),
        ("Map", "example.com"),
    ):
        page.get_by_label("What it is").fill(title)
        page.get_by_label("Where it leads").fill(url)
        page.get_by_role("button", name="Add").click()
        expect(page.locator(".tc-arrange .title", has_text=title)).to_be_visible()
    page.get_by_role("button", name="Move Courses up").click()
    expect(page.get_by_role("button", name="Move Courses up")).to_be_disabled()
    assert titles(page) == ["Courses", "Order a loaf", "Map"]
    page.locator(".grip").nth(2).hover()
    page.mouse.down()
    page.locator(".grip").first.hover(position={"x": 20, "y": 4}, force=True)
    with page.expect_response("**/links/order"):
        page.mouse.up()
    page.reload()
    assert titles(page) == ["Map", "Courses", "Order a loaf"]
    page.get_by_role("button", name="Switch Map off").click()
    expect(page.get_by_role("button", name="Switch Map on")).to_be_visible()
    keep(page, "profile-2-links")
    assert complaints(page) == []

    visitor = phone.new_page()
    visitor.goto("/p/ines-lund")
    expect(visitor.get_by_role("heading", level=1)).to_have_text("Ines Lund")
    expect(visitor.locator(".tc-reach .what")).to_have_text(["Courses", "Order a loaf"])
    expect(visitor.locator(".tc-profile.theme-forest")).to_be_visible()
    assert visitor.evaluate("document.documentElement.scrollWidth") <= PHONE["width"]
    keep(visitor, "profile-3-page")
    assert complaints(visitor) == []
    assert wrong == [m for m in wrong if "422" in m], "the refused form alone"


def test_every_colour_is_accessible_on_light_and_dark(
    chromium: Browser, desktop: BrowserContext, served: Served
) -> None:
    page = desktop.new_page()
    sign_up(page, "Theo", "theo@example.com")
    page.goto("/profiles/new")
    page.get_by_label("What you do").fill("Gardener")
    page.get_by_label("Company").fill("Lund & Sons")
    page.get_by_label("About you").fill("Roses, mostly.")
    page.locator("#website").fill("example.com")
    page.get_by_role("button", name="Save").click()
    expect(page.get_by_text("Your profile is ready")).to_be_visible()
    for theme in THEMES:
        page.locator(f"label.theme-{theme}").click()
        page.get_by_role("button", name="Save").click()
        expect(page.get_by_text("Saved.")).to_be_visible()
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
    expect(opened.value.get_by_text("nothing of it is saved yet")).to_be_visible()
    expect(opened.value.get_by_text("Shade first.")).to_be_visible()
    keep(opened.value, "profile-5-preview")
    opened.value.close()
    page.get_by_text("Keep some of it to yourself").click()
    page.get_by_role("checkbox", name="E-mail").check()
    page.get_by_label("Address of the page").fill("ada-obi")
    page.get_by_role("button", name="Save").click()
    expect(page.get_by_text("Saved.")).to_be_visible()
    page.get_by_role("link", name="Edit the links").click()
    page.get_by_role("button", name="Move Book a visit to the studio up").click()
    assert titles(page)[0] == "Book a visit to the studio"
    keep(page, "profile-6-links-plain")
    page.goto("/p/ada")
    assert page.url.endswith("/p/ada-obi")
    expect(page.get_by_text("Shade first.")).to_be_visible()
    expect(page.get_by_text("ada@example.com")).to_have_count(0)
    page.goto("/profiles")
    page.get_by_role("link", name="Edit Ada Obi").click()
    page.get_by_label("Address of the page").fill("ada")
    page.get_by_role("checkbox", name="E-mail").uncheck()
    page.get_by_role("button", name="Save").click()
    expect(page.get_by_text("Saved.")).to_be_visible()
    context.close()
