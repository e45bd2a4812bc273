"""Brand colours: legible contrast for any choice."""

import re
from collections.abc import Callable
from typing import Any

import pytest
from flask.testing import FlaskClient
from hypothesis import given
from hypothesis import strategies as st

from tapcard.web.brand import DARK_SURFACE, DEFAULT_BRAND, DEFAULT_INK, WHITE, contrast, palette

COLOURS = st.integers(0, 0xFFFFFF).map(lambda number: f"#{number:06x}")


def test_contrast_follows_the_wcag_definition() -> None:
    assert contrast("#000000", "#ffffff") == pytest.approx(21)
    assert contrast("#777777", "#ffffff") == pytest.approx(4.48, abs=0.01)


@given(brand=COLOURS, ink=COLOURS)
def test_every_pair_of_colors_becomes_legible(brand: str, ink: str) -> None:
    colours = palette(brand, ink)
    if colours is None:
        assert (brand, ink) == (DEFAULT_BRAND, DEFAULT_INK)
        return
    assert colours.brand == brand
    assert contrast(colours.strong, WHITE) >= 4.5
    assert contrast(colours.soft, DARK_SURFACE) >= 4.5
    assert contrast(colours.ink, WHITE) >= 7


@pytest.mark.parametrize("wrong", ["", "red", "#fff", "#12345g", "#0091ca;}body{display:none", "#0091ca\n"])
def test_an_invalid_color_is_never_written_to_the_page(
    client: FlaskClient, set_setting: Callable[[str, Any], None], wrong: str
) -> None:
    set_setting("brand_color", wrong)
    page = client.get("/terms").get_data(as_text=True)
    assert "<style" not in page


def test_the_style_with_the_shops_colors_has_the_nonce(
    client: FlaskClient, set_setting: Callable[[str, Any], None]
) -> None:
    assert "<style" not in client.get("/terms").get_data(as_text=True)
    set_setting("brand_color", "#C2385A")
    response = client.get("/terms")
    match = re.search(r'<style nonce="([^"]+)">:root\{--tc-brand:#c2385a;', response.get_data(as_text=True))
    assert match
    assert f"'nonce-{match[1]}'" in response.headers["Content-Security-Policy"]
