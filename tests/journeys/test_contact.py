"""Two people meet: one has made a profile that their card opens, the other taps it and leaves their own contact."""

import re
from pathlib import Path

import pytest
import vobject
from axe_playwright_python.sync_playwright import Axe
from playwright.sync_api import Browser, BrowserContext, Page, expect

from tests.journeys.conftest import PHONE, Served, keep
from tests.journeys.test_first_card import PASSWORD, log_in
from tests.journeys.test_profile import sideways_photo, sign_up, titles
from tests.journeys.walking import link_mailed, register

pytestmark = pytest.mark.browser
LONG_ENOUGH = 2500  # milliseconds that a person needs for the form


def is_accessible(page: Page) -> None:
    """Ask axe, which knows the rules."""
    found = Axe().run(page)
    assert found.violations_count == 0, found.generate_report()


def make_profile(page: Page) -> None:
    """A new profile with a photo whose left part shows; the form is refused once, and keeps what was chosen."""
    page.goto("/profiles/new")
    live = page.locator("[data-live-page]")
    page.get_by_label("Name", exact=True).fill("Ines Lund")
    page.get_by_label("Headline").fill("Baker of sour breads")
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
    page.get_by_label("Zoom").fill("20")
    canvas.press("ArrowUp")
    page.locator("label.theme-forest").click()
    expect(live.locator(".theme-forest")).to_be_visible()
    expect(live.locator(".photo img")).to_have_attribute("src", re.compile("^data:image/jpeg"))
    page.locator("#email").fill("nonsense")
    page.locator("#phone").fill("+44 20 7946 0000")
    keep(page, "story-1-new-profile")
    is_accessible(page)
    page.get_by_role("button", name="Create profile").click()
    expect(page.get_by_text("Your new image is uploaded")).to_be_visible()
    page.locator("#email").fill("ines@example.com")
    page.get_by_role("button", name="Create profile").click()
    expect(page.get_by_text("Profile created")).to_be_visible()


def add_links(page: Page) -> None:
    """Three links: one moved by a button, one by dragging, one switched off."""
    page.get_by_role("link", name="Add links").click()
    for title, url in (
        ("Order a loaf", "example.com/order"),
        ("Courses", "example.com/courses"),
        ("Map", "example.com"),
    ):
        page.get_by_label("Title").fill(title)
        page.get_by_label("Address").fill(url)
        page.get_by_role("button", name="Add link").click()
        expect(page.locator(".tc-sortable .title", has_text=title)).to_be_visible()
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
    page.get_by_role("button", name="Hide Map").click()
    expect(page.get_by_role("button", name="Show Map")).to_be_visible()
    keep(page, "story-2-links")
    is_accessible(page)


def point_card(page: Page, token: str) -> None:
    """Claim a card that was handed out, and let it open the profile."""
    page.goto(f"/t/{token}")
    page.get_by_role("button", name="Claim this card").click()
    page.wait_for_url(f"**/cards/{token}")
    page.get_by_text("My profile", exact=True).click()
    page.get_by_label("Profile", exact=True).select_option(label="Ines Lund")
    page.get_by_role("button", name="Save").press("Enter")
    expect(page.get_by_text("They apply from the next tap")).to_be_visible()


def save_contact(page: Page, folder: Path, name: str, does: str, phone: str) -> None:
    """Press the button, and let another program read what comes."""
    with page.expect_download() as waiting:
        page.get_by_role("link", name="Save contact").click()
    assert waiting.value.suggested_filename == f"{page.url.rpartition('/')[2]}.vcf"
    waiting.value.save_as(folder / "contact.vcf")
    card = vobject.readOne((folder / "contact.vcf").read_bytes().decode())
    assert (card.fn.value, card.title.value) == (name, does)
    assert card.tel.value == phone
    assert card.photo.value.startswith(b"\xff\xd8")


def share_contact(page: Page, holder: str, name: str, email: str) -> None:
    """Fill the form in as a person does."""
    page.get_by_role("link", name="Share your contact").click()
    page.get_by_label("Your name").fill(name)
    page.get_by_label("Your email").fill(email)
    page.get_by_label("Note").fill("We met at the fair.\nCourtyard house?")
    page.get_by_label(f"I agree to share these details with {holder}").check()
    page.wait_for_timeout(LONG_ENOUGH)
    page.get_by_role("button", name="Share your contact").click()
    expect(page.get_by_role("heading", level=1)).to_have_text("Thank you")


def test_a_profile_is_made_a_card_opens_it_and_somebody_who_taps_leaves_their_contact(
    chromium: Browser, desktop: BrowserContext, iphone: BrowserContext, served: Served, tmp_path: Path
) -> None:
    register(chromium, served, "STORY22", "Without a code")
    desk, wrong = desktop.new_page(), []
    desk.on("console", lambda message: message.type == "error" and wrong.append(message.text))
    desk.on("pageerror", lambda error: wrong.append(str(error)))
    sign_up(desk, "Ines", "ines@example.com")
    desk.goto(link_mailed(served, "ines@example.com", "/verify/"))
    desk.get_by_role("main").get_by_role("button").click()
    expect(desk.get_by_text("ines@example.com is confirmed")).to_be_visible()
    make_profile(desk)
    add_links(desk)
    point_card(desk, "STORY22")

    # somebody taps
    page = iphone.new_page()
    page.goto("/t/STORY22")
    page.wait_for_url("**/p/ines-lund")
    expect(page.get_by_role("heading", level=1)).to_have_text("Ines Lund")
    expect(page.locator(".tc-contact-links .body")).to_have_text(["Courses", "Order a loaf"])
    expect(page.locator(".tc-profile.theme-forest")).to_be_visible()
    assert page.evaluate("document.documentElement.scrollWidth") <= PHONE["width"]
    keep(page, "story-3-profile")
    is_accessible(page)
    save_contact(page, tmp_path, "Ines Lund", "Baker of sour breads", "+442079460000")
    page.get_by_role("link", name="Share your contact").click()
    page.get_by_label("Your name").fill("Dora Lu")
    page.get_by_role("button", name="Share your contact").click()
    expect(page.get_by_label("Your name")).to_have_value("Dora Lu")
    keep(page, "story-4-missing")
    is_accessible(page)
    page.goto("/p/ines-lund")
    share_contact(page, "Ines Lund", "Dora Lu", "dora@example.com")
    keep(page, "story-5-thanks")
    page.get_by_role("link", name="Back to Ines Lund").click()
    page.wait_for_url("**/p/ines-lund")

    # the holder sees who it was, and how often the card was tapped
    desk.goto("/dashboard")
    expect(desk.get_by_role("link", name="Dora Lu")).to_be_visible()
    expect(desk.get_by_text("1 tap in 30 days")).to_be_visible()
    keep(desk, "story-6-dashboard")
    assert link_mailed(served, "ines@example.com", "/leads") == "/leads"
    desk.goto("/leads")
    expect(desk.get_by_role("heading", name="Dora Lu")).to_be_visible()
    keep(desk, "story-7-leads")
    desk.get_by_label("Search").fill("fair")
    desk.get_by_role("button", name="Search").click()
    expect(desk.get_by_text("1 lead", exact=False).first).to_be_visible()
    with desk.expect_download() as waiting:
        desk.get_by_role("link", name="Export CSV").click()
    assert "dora@example.com" in Path(waiting.value.path()).read_text(encoding="utf-8-sig")
    log_in(page, "ines@example.com", PASSWORD)
    page.goto("/leads")
    keep(page, "story-8-leads-phone")
    is_accessible(page)
    assert page.evaluate("document.documentElement.scrollWidth <= innerWidth")
    page.get_by_role("link", name="Delete Dora Lu").click()
    keep(page, "story-9-delete")
    page.get_by_role("button", name="Delete lead").click()
    expect(page.get_by_text("Lead deleted.")).to_be_visible()
    expect(page.get_by_role("heading", name="Dora Lu")).to_have_count(0)
    assert wrong == [m for m in wrong if "422" in m], "the refused form alone"


def test_a_tap_a_contact_saved_and_one_left_without_javascript(
    chromium: Browser, served: Served, tmp_path: Path
) -> None:
    context = chromium.new_context(
        viewport=PHONE, has_touch=True, is_mobile=True, base_url=served.url, java_script_enabled=False,
        color_scheme="dark",
    )  # fmt: skip
    page = context.new_page()
    page.goto("/t/DEMOPRO")
    keep(page, "contact-8-profile-dark")
    save_contact(page, tmp_path, "Ada Obi", "Architect", "+2348035550142")
    share_contact(page, "Ada Obi", "Emil Roth", "emil@example.com")
    page.goto("/p/ada/share")
    keep(page, "contact-9-share-dark")
    log_in(page, "ada@example.com")
    page.goto("/leads")
    expect(page.get_by_role("heading", name="Emil Roth")).to_be_visible()
    keep(page, "contact-10-leads-dark")
    context.close()
