"""Brand colours of the shop, adjusted to a legible contrast (WCAG)."""

import re
from dataclasses import dataclass

DEFAULT_BRAND, DEFAULT_INK = "#0091ca", "#13294b"
WHITE, BLACK, LIGHT_PAGE, DARK_SURFACE = "#ffffff", "#000000", "#eef5fa", "#1c2a47"
MIN_CONTRAST, HIGH_CONTRAST = 4.7, 8.0
HEX = re.compile(r"#[0-9a-fA-F]{6}")


@dataclass(frozen=True)
class Palette:
    """The brand colour as chosen, a darker one for light pages, a lighter one for dark pages, and the text colour."""

    brand: str
    strong: str
    soft: str
    ink: str


def palette(brand: str, ink: str) -> Palette | None:
    """Return the palette of a shop's two colours, or None for the defaults of the stylesheet or invalid colours."""
    if not HEX.fullmatch(brand) or not HEX.fullmatch(ink):
        return None
    brand, ink = brand.lower(), ink.lower()
    if (brand, ink) == (DEFAULT_BRAND, DEFAULT_INK):
        return None
    return Palette(
        brand=brand,
        strong=_adjust_contrast(BLACK, brand, against=LIGHT_PAGE, ratio=MIN_CONTRAST),
        soft=_adjust_contrast(WHITE, brand, against=DARK_SURFACE, ratio=MIN_CONTRAST),
        ink=_adjust_contrast(BLACK, ink, against=WHITE, ratio=HIGH_CONTRAST),
    )


def contrast(first: str, second: str) -> float:
    """Return the WCAG contrast ratio of two colours, from 1 to 21."""
    light, dark = sorted((_luminance(first), _luminance(second)), reverse=True)
    return (light + 0.05) / (dark + 0.05)


def _adjust_contrast(end: str, colour: str, *, against: str, ratio: float) -> str:
    for step in range(51):
        mixed = _mix(colour, end, step / 50)
        if contrast(mixed, against) >= ratio:
            return mixed
    return end


def _mix(first: str, second: str, part: float) -> str:
    pairs = zip(_channels(first), _channels(second), strict=True)
    return "#" + "".join(f"{round(a + (b - a) * part):02x}" for a, b in pairs)


def _channels(colour: str) -> tuple[int, int, int]:
    return int(colour[1:3], 16), int(colour[3:5], 16), int(colour[5:7], 16)


def _luminance(colour: str) -> float:
    red, green, blue = (
        (c / 12.92 if c <= 0.04045 else ((c + 0.055) / 1.055) ** 2.4)
        for c in (channel / 255 for channel in _channels(colour))
    )
    return 0.2126 * red + 0.7152 * green + 0.0722 * blue
