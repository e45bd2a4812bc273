"""Brand colours: the shop's own, made legible wherever they carry text."""

import re
from dataclasses import dataclass

DEFAULT_BRAND, DEFAULT_INK = "#0091ca", "#13294b"
WHITE, BLACK, LIGHT_PAGE, DARK_SURFACE = "#ffffff", "#000000", "#eef5fa", "#1c2a47"
LEGIBLE, COMFORTABLE = 4.7, 8.0
HEX = re.compile(r"#[0-9a-fA-F]{6}")


@dataclass(frozen=True)
class Palette:
    """The brand as chosen, strong enough under white text and on light pages, soft enough on dark ones; and the ink."""

    brand: str
    strong: str
    soft: str
    ink: str


def palette(brand: str, ink: str) -> Palette | None:
    """Work a shop's two colours out; None when they are the stylesheet's own, or no colours at all."""
    if not HEX.fullmatch(brand) or not HEX.fullmatch(ink):
        return None
    brand, ink = brand.lower(), ink.lower()
    if (brand, ink) == (DEFAULT_BRAND, DEFAULT_INK):
        return None
    return Palette(
        brand=brand,
        strong=_towards(BLACK, brand, against=LIGHT_PAGE, ratio=LEGIBLE),
        soft=_towards(WHITE, brand, against=DARK_SURFACE, ratio=LEGIBLE),
        ink=_towards(BLACK, ink, against=WHITE, ratio=COMFORTABLE),
    )


def contrast(one: str, other: str) -> float:
    """The contrast of two colours as WCAG counts it, from 1 to 21."""
    light, dark = sorted((_luminance(one), _luminance(other)), reverse=True)
    return (light + 0.05) / (dark + 0.05)


def _towards(end: str, colour: str, *, against: str, ratio: float) -> str:
    for step in range(51):
        mixed = _mix(colour, end, step / 50)
        if contrast(mixed, against) >= ratio:
            return mixed
    return end


def _mix(one: str, other: str, part: float) -> str:
    pairs = zip(_channels(one), _channels(other), strict=True)
    return "#" + "".join(f"{round(a + (b - a) * part):02x}" for a, b in pairs)


def _channels(colour: str) -> tuple[int, int, int]:
    return int(colour[1:3], 16), int(colour[3:5], 16), int(colour[5:7], 16)


def _luminance(colour: str) -> float:
    red, green, blue = (
        (c / 12.92 if c <= 0.04045 else ((c + 0.055) / 1.055) ** 2.4)
        for c in (channel / 255 for channel in _channels(colour))
    )
    return 0.2126 * red + 0.7152 * green + 0.0722 * blue
