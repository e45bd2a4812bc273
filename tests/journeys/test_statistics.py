"""The charts of the statistics page on phone and desktop, in light and dark."""

import pytest
from playwright.sync_api import Browser, BrowserContext, Page, expect

from tests.journeys.accounts import log_in, submit
from tests.journeys.conftest import DESKTOP, PHONE, TIMEOUT_MS, Served, assert_fits_width, take_screenshot

pytestmark = pytest.mark.browser
CHARTS = ("days", "cards", "hours", "devices", "countries", "channels", "outcomes")
SCREENS = {"phone": {"viewport": PHONE, "has_touch": True, "is_mobile": True}, "desktop": {"viewport": DESKTOP}}


def open_statistics(context: BrowserContext, query: str = "") -> tuple[Page, list[str]]:
    """Return the page with its charts drawn, and the errors and warnings of its console."""
    context.set_default_timeout(TIMEOUT_MS)
    page = context.new_page()
    messages: list[str] = []
    page.on("console", lambda message: messages.append(message.text) if message.type in ("error", "warning") else None)
    page.on("pageerror", lambda error: messages.append(str(error)))
    log_in(page, "ada@example.com")  # who has two months of taps
    page.goto(f"/statistics{query}")
    page.wait_for_selector("html[data-charts=done]", state="attached")
    return page, messages


@pytest.mark.parametrize("colours", ["light", "dark"])
@pytest.mark.parametrize("screen", SCREENS)
def test_every_chart_is_drawn_by_plotly(chromium: Browser, served: Served, screen: str, colours: str) -> None:
    context = chromium.new_context(base_url=served.url, color_scheme=colours, **SCREENS[screen])
    page, messages = open_statistics(context)
    for name in CHARTS:
        expect(page.locator(f"#graph-{name} .main-svg").first).to_be_visible()
        assert page.locator(f"#graph-{name} .xtitle").count() == 1
        assert page.locator(f"#graph-{name} .ytitle").count() == 1
    assert page.locator(".tc-chart .plot").count() == 1, "the chart by day"
    assert not any(plot.is_visible() for plot in page.locator(".tc-chart .plot").all())
    assert_fits_width(page)
    take_screenshot(page, f"statistics-{screen}-{colours}")
    page.locator("#graph-cards").locator("xpath=..").get_by_text("Show data table").click()
    expect(page.get_by_role("cell", name="Everyday").first).to_be_visible()
    assert messages == []
    context.close()


def test_charts_follow_the_dark_mode_switch(chromium: Browser, served: Served) -> None:
    context = chromium.new_context(base_url=served.url, color_scheme="light", **SCREENS["desktop"])
    page, messages = open_statistics(context, "?period=7")
    bar = page.locator("#graph-days .point path").first
    before = bar.evaluate("bar => getComputedStyle(bar).fill")
    page.get_by_role("button", name="Dark mode").click()
    page.wait_for_function(
        "before => getComputedStyle(document.querySelector('#graph-days .point path')).fill !== before", arg=before
    )
    assert messages == []
    context.close()


def test_a_failed_fetch_leaves_the_simple_chart(chromium: Browser, served: Served) -> None:
    context = chromium.new_context(base_url=served.url, **SCREENS["phone"])
    context.route("**/api/v1/statistics/days*", lambda route: route.abort())
    page, _messages = open_statistics(context)
    expect(page.get_by_text("We couldn't load the interactive chart")).to_have_count(1)
    expect(page.locator(".tc-chart .bars")).to_be_visible()
    expect(page.locator("#graph-cards .main-svg").first).to_be_visible()
    take_screenshot(page, "statistics-failed")
    context.close()


def test_without_javascript_there_are_charts_and_tables(chromium: Browser, served: Served) -> None:
    context = chromium.new_context(base_url=served.url, java_script_enabled=False, **SCREENS["phone"])
    page = context.new_page()
    log_in(page, "ada@example.com")  # who has two months of taps
    page.goto("/statistics?period=90")
    expect(page.locator(".tc-chart .bars").first).to_be_visible()
    assert all(table.is_visible() for table in page.locator("details[data-fallback] table").all())
    page.get_by_text("Show data table").first.click()
    expect(page.locator(".tc-more[open] table").first).to_be_visible()
    take_screenshot(page, "statistics-plain")
    page.locator("select[name=period]").select_option("free")
    page.locator("input[name=since]").fill("2026-01-02")
    page.locator("input[name=until]").fill("2026-01-01")
    submit(page, "Apply")
    expect(page.get_by_text("The start date can't be after the end date.").first).to_be_visible()
    take_screenshot(page, "statistics-refused")
    context.close()
