"""Two people meet: one has a card that opens their profile, the other taps it and shares their contact details."""

import re
from pathlib import Path

import pytest
import vobject
from playwright.sync_api import Browser, BrowserContext, Page, expect

from tapcard.web.bot_protection import MIN_FILL_TIME
from tests.journeys.accessibility import find_violations
from tests.journeys.accounts import PASSWORD, confirm_email, emailed_link, log_in, register_card, sign_up, submit
from tests.journeys.conftest import Served, assert_fits_width, take_screenshot
from tests.journeys.test_profile import link_titles, rotated_photo

pytestmark = pytest.mark.browser
FILL_MS = MIN_FILL_TIME.total_seconds() * 1000 + 100


def make_profile(page: Page) -> None:
    """Create a profile with a cropped photo; the form is refused once, and keeps the photo."""
    page.goto("/profiles/new")
    live = page.locator("[data-live-page]")
    page.get_by_label("Name", exact=True).fill("Ines Lund")
    page.get_by_label("Headline").fill("Baker of sour breads")
    expect(live.get_by_text("Baker of sour breads")).to_be_visible()
    photo = {"name": "me.jpg", "mimeType": "image/jpeg", "buffer": rotated_photo()}
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
    take_screenshot(page, "story-1-new-profile")
    assert find_violations(page) == []
    submit(page, "Create profile")
    expect(page.get_by_text("Your new image is uploaded")).to_be_visible()
    page.locator("#email").fill("ines@example.com")
    submit(page, "Create profile")
    expect(page.get_by_text("Profile created")).to_be_visible()


def add_links(page: Page) -> None:
    """Add three links: one is moved by a button, one by dragging, and one is hidden."""
    page.get_by_role("link", name="Add links").click()
    for title, url in (
        ("Order a loaf", "example.com/order"),
        ("Courses", "example.com/courses"),
        ("Map", "example.com"),
    ):
        page.get_by_label("Title").fill(title)
        page.get_by_label("Address").fill(url)
        submit(page, "Add link")
        expect(page.locator(".tc-sortable .title", has_text=title)).to_be_visible()
    submit(page, "Move Courses up")
    expect(page.get_by_role("button", name="Move Courses up")).to_be_disabled()
    assert link_titles(page) == ["Courses", "Order a loaf", "Map"]
    page.locator(".grip").nth(2).hover()
    page.mouse.down()
    page.locator(".grip").first.hover(position={"x": 20, "y": 4}, force=True)
    with page.expect_response("**/links/order"):
        page.mouse.up()
    page.reload()
    assert link_titles(page) == ["Map", "Courses", "Order a loaf"]
    submit(page, "Hide Map")
    expect(page.get_by_role("button", name="Show Map")).to_be_visible()
    take_screenshot(page, "story-2-links")
    assert find_violations(page) == []


def point_card(page: Page, token: str) -> None:
    """Claim a card that needs no code, and let it open the profile."""
    page.goto(f"/t/{token}")
    submit(page, "Claim this card")
    page.wait_for_url(f"**/cards/{token}")
    page.get_by_text("My profile", exact=True).click()
    page.get_by_label("Profile", exact=True).select_option(label="Ines Lund")
    submit(page, "Save")
    expect(page.get_by_text("They apply from the next tap")).to_be_visible()


def save_contact(page: Page, folder: Path, name: str, title: str, phone: str) -> None:
    """Download the vCard and check it with another program."""
    with page.expect_download() as download:
        page.get_by_role("link", name="Save contact").click()
    assert download.value.suggested_filename == f"{page.url.rpartition('/')[2]}.vcf"
    download.value.save_as(folder / "contact.vcf")
    card = vobject.readOne((folder / "contact.vcf").read_bytes().decode())
    assert (card.fn.value, card.title.value) == (name, title)
    assert card.tel.value == phone
    assert card.photo.value.startswith(b"\xff\xd8")


def share_contact(page: Page, holder: str, name: str, email: str) -> None:
    """Fill in the form as slowly as a person."""
    page.get_by_role("link", name="Share your contact").click()
    page.get_by_label("Your name").fill(name)
    page.get_by_label("Your email").fill(email)
    page.get_by_label("Note").fill("We met at the fair.\nCourtyard house?")
    page.get_by_label(f"I agree to share these details with {holder}").check()
    page.wait_for_timeout(FILL_MS)
    submit(page, "Share your contact")
    expect(page.get_by_role("heading", level=1)).to_have_text("Thank you")


def test_a_card_opens_a_profile_and_a_visitor_shares_their_contact(
    chromium: Browser, desktop: BrowserContext, iphone: BrowserContext, served: Served, tmp_path: Path
) -> None:
    register_card(chromium, served, "STORY22", "Without a code")
    desk, errors = desktop.new_page(), []
    desk.on("console", lambda message: message.type == "error" and errors.append(message.text))
    desk.on("pageerror", lambda error: errors.append(str(error)))
    sign_up(desk, "Ines", "ines@example.com")
    confirm_email(desk, served, "ines@example.com")
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
    assert_fits_width(page)
    take_screenshot(page, "story-3-profile")
    assert find_violations(page) == []
    save_contact(page, tmp_path, "Ines Lund", "Baker of sour breads", "+442079460000")
    page.get_by_role("link", name="Share your contact").click()
    page.get_by_label("Your name").fill("Dora Lu")
    submit(page, "Share your contact")
    expect(page.get_by_label("Your name")).to_have_value("Dora Lu")
    take_screenshot(page, "story-4-missing")
    assert find_violations(page) == []
    page.goto("/p/ines-lund")
    share_contact(page, "Ines Lund", "Dora Lu", "dora@example.com")
    take_screenshot(page, "story-5-thanks")
    page.get_by_role("link", name="Back to Ines Lund").click()
    page.wait_for_url("**/p/ines-lund")

    # the owner sees the lead and the tap
    desk.goto("/dashboard")
    expect(desk.get_by_role("link", name="Dora Lu")).to_be_visible()
    expect(desk.get_by_text("1 tap in 30 days")).to_be_visible()
    take_screenshot(desk, "story-6-dashboard")
    assert emailed_link(served, "ines@example.com", "/leads") == "/leads"
    desk.goto("/leads")
    expect(desk.get_by_role("heading", name="Dora Lu")).to_be_visible()
    take_screenshot(desk, "story-7-leads")
    desk.get_by_label("Search").fill("fair")
    submit(desk, "Search")
    expect(desk.get_by_text("1 lead", exact=False).first).to_be_visible()
    with desk.expect_download() as download:
        desk.get_by_role("link", name="Export CSV").click()
    assert "dora@example.com" in Path(download.value.path()).read_text(encoding="utf-8-sig")
    log_in(page, "ines@example.com", PASSWORD)
    page.goto("/leads")
    take_screenshot(page, "story-8-leads-phone")
    assert find_violations(page) == []
    assert_fits_width(page)
    page.get_by_role("link", name="Delete Dora Lu").click()
    take_screenshot(page, "story-9-delete")
    submit(page, "Delete lead")
    expect(page.get_by_text("Lead deleted.")).to_be_visible()
    expect(page.get_by_role("heading", name="Dora Lu")).to_have_count(0)
    assert [message for message in errors if "422" not in message] == []  # the refused form


def test_a_contact_is_saved_and_shared_without_javascript(
    plain_phone: BrowserContext, served: Served, tmp_path: Path
) -> None:
    page = plain_phone.new_page()
    page.emulate_media(color_scheme="dark")
    page.goto("/t/DEMOPRO")
    take_screenshot(page, "contact-8-profile-dark")
    save_contact(page, tmp_path, "Ada Obi", "Architect", "+2348035550142")
    share_contact(page, "Ada Obi", "Emil Roth", "emil@example.com")
    page.goto("/p/ada/share")
    take_screenshot(page, "contact-9-share-dark")
    log_in(page, "ada@example.com")
    page.goto("/leads")
    expect(page.get_by_role("heading", name="Emil Roth")).to_be_visible()
    take_screenshot(page, "contact-10-leads-dark")
