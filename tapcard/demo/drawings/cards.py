"""Card designs of gradients and patterns, and a portrait."""

import io
import math
from collections.abc import Callable

from PIL import Image, ImageDraw, ImageFilter

WIDTH, HEIGHT = 856, 540  # pixels: ISO ID-1, ten per millimetre
SCALE = 2  # shapes are drawn larger and scaled down, for smooth edges
BLUR_SCALE = 8  # blurred pictures are drawn this many times smaller
GRADIENT_SCALE = 2  # gradients are drawn this many times smaller, because rotating is slow

Color = tuple[int, int, int]


def _hex(text: str) -> Color:
    return int(text[1:3], 16), int(text[3:5], 16), int(text[5:7], 16)


def _gradient(stops: list[str], angle: float = 35) -> Image.Image:
    """Draw a linear gradient over the card, rotated by an angle in degrees."""
    width, height = WIDTH // GRADIENT_SCALE, HEIGHT // GRADIENT_SCALE
    diagonal = int(math.hypot(width, height)) + 4
    ramp = Image.new("RGB", (256, 1))
    colors = [_hex(stop) for stop in stops]
    for x in range(256):
        position = x / 255 * (len(colors) - 1)
        first = min(int(position), len(colors) - 2)
        mix = position - first
        ramp.putpixel(
            (x, 0), tuple(round(a + (b - a) * mix) for a, b in zip(colors[first], colors[first + 1], strict=True))
        )
    rotated = ramp.resize((diagonal, diagonal), Image.Resampling.BICUBIC).rotate(-angle, Image.Resampling.BICUBIC)
    left, top = (diagonal - width) / 2, (diagonal - height) / 2
    size, box = (WIDTH * SCALE, HEIGHT * SCALE), (left, top, left + width, top + height)
    return rotated.resize(size, Image.Resampling.BICUBIC, box=box)


def _finish(picture: Image.Image, overlay: Image.Image | None = None) -> bytes:
    if overlay is not None:
        picture = Image.alpha_composite(picture.convert("RGBA"), overlay).convert("RGB")
    small = picture.resize((WIDTH, HEIGHT), Image.Resampling.LANCZOS)
    return _webp(small)


def _webp(picture: Image.Image) -> bytes:
    out = io.BytesIO()
    picture.save(out, "WEBP", quality=86, method=2)
    return out.getvalue()


def _layer() -> tuple[Image.Image, ImageDraw.ImageDraw]:
    """Return a transparent layer over the card, with its drawing context."""
    layer = Image.new("RGBA", (WIDTH * SCALE, HEIGHT * SCALE), (255, 255, 255, 0))
    return layer, ImageDraw.Draw(layer)


def rings(stops: list[str], color: str = "#ffffff", at: tuple[float, float] = (0.8, 0.16)) -> bytes:
    """Draw circles around a point, given as a fraction of the card."""
    layer, draw = _layer()
    x, y = at[0] * WIDTH * SCALE, at[1] * HEIGHT * SCALE
    for radius in range(60 * SCALE, 900 * SCALE, 48 * SCALE):
        draw.ellipse((x - radius, y - radius, x + radius, y + radius), outline=(*_hex(color), 44), width=2 * SCALE)
    return _finish(_gradient(stops), layer)


def ridges(stops: list[str], shade: str, sun: str) -> bytes:
    """Draw hills under a low sun."""
    layer, draw = _layer()
    width, height = WIDTH * SCALE, HEIGHT * SCALE
    draw.ellipse(
        (width * 0.68, height * 0.16, width * 0.68 + 116 * SCALE, height * 0.16 + 116 * SCALE), fill=(*_hex(sun), 215)
    )
    for number in range(3):
        base = height * (0.5 + number * 0.16)
        points = [
            (x, base + math.sin(x / width * (5 + number * 2) + number * 1.7) * height * (0.13 - number * 0.03))
            for x in range(0, width + 1, 8)
        ]
        draw.polygon([(0, height), *points, (width, height)], fill=(*_hex(shade), 80 + number * 40))
    return _finish(_gradient(stops, -50), layer)


def contours(ground: str, line: str) -> bytes:
    """Draw the contour lines of a map."""
    layer, draw = _layer()
    width = WIDTH * SCALE
    for number in range(-4, 18):
        points = [
            (
                x,
                (
                    number * 44
                    + 30 * math.sin(x / width * 6 + number * 0.35)
                    + 22 * math.sin(x / width * 13 - number * 0.2)
                )
                * SCALE,
            )
            for x in range(0, width + 1, 6)
        ]
        draw.line(points, fill=(*_hex(line), 60), width=3 * SCALE, joint="curve")
    return _finish(_gradient([ground, ground]), layer)


def tiles(ground: str, ink: str) -> bytes:
    """Draw squares of five sizes on a grid."""
    layer, draw = _layer()
    for column in range(13):
        for row in range(8):
            size = (8, 24, 40, 16, 32)[(column * 3 + row * (column % 2)) % 5] * SCALE
            x, y = (44 + column * 62) * SCALE, (44 + row * 62) * SCALE
            draw.rounded_rectangle((x, y, x + size, y + size), radius=6 * SCALE, fill=(*_hex(ink), 225))
    return _finish(_gradient([ground, ground]), layer)


def glow(ground: str, colors: list[str]) -> bytes:
    """Draw blurred, overlapping lights."""
    width, height = WIDTH * SCALE // BLUR_SCALE, HEIGHT * SCALE // BLUR_SCALE
    small = Image.new("RGB", (width, height), ground)
    draw = ImageDraw.Draw(small, "RGBA")
    for number, color in enumerate(colors):
        x, y = width * (0.15 + 0.72 * number / max(1, len(colors) - 1)), height * (0.75 if number % 2 else 0.22)
        radius = height * 0.46
        draw.ellipse((x - radius, y - radius, x + radius, y + radius), fill=(*_hex(color), 190))
    blurred = small.filter(ImageFilter.GaussianBlur(90 * SCALE / BLUR_SCALE))
    return _finish(blurred.resize((WIDTH * SCALE, HEIGHT * SCALE), Image.Resampling.BICUBIC))


def rays(stops: list[str], color: str) -> bytes:
    """Draw rays from the lower edge."""
    layer, draw = _layer()
    x, y, reach = WIDTH * SCALE * 0.5, HEIGHT * SCALE * 1.05, 1400 * SCALE
    for number in range(0, 36, 2):
        first, second = math.pi + number * math.pi / 36, math.pi + (number + 1) * math.pi / 36
        ends = [(x + math.cos(angle) * reach, y + math.sin(angle) * reach) for angle in (first, second)]
        draw.polygon([(x, y), *ends], fill=(*_hex(color), 40))
    return _finish(_gradient(stops, 90), layer)


def dots(stops: list[str], color: str) -> bytes:
    """Draw dots that grow towards the right."""
    layer, draw = _layer()
    for column in range(30):
        for row in range(19):
            radius = (1.5 + 8.5 * (column / 29) ** 1.6) * SCALE
            x, y = (14 + column * 29 + (row % 2) * 14) * SCALE, (14 + row * 29) * SCALE
            draw.ellipse((x - radius, y - radius, x + radius, y + radius), fill=(*_hex(color), 78))
    return _finish(_gradient(stops), layer)


DESIGNS: dict[str, Callable[[], bytes]] = {
    "Lake at dusk": lambda: rings(["#0b2a6b", "#0091ca", "#63e2d2"]),
    "Contour": lambda: contours("#0f3d33", "#e9f5ec"),
    "Ember ridge": lambda: ridges(["#3a0d3f", "#c2385a", "#ffb36b"], "#1d0a2b", "#ffe1b3"),
    "Paper grid": lambda: tiles("#f4f1ea", "#13294b"),
    "Aurora": lambda: glow("#0a1330", ["#24d1a0", "#3b7bff", "#b14bff", "#24d1a0"]),
    "First light": lambda: rays(["#ff9a62", "#ffd08a", "#7fb6e6"], "#ffffff"),
    "Confetti": lambda: dots(["#7a1f5c", "#d3477f"], "#ffe3ef"),
    "Night map": lambda: contours("#10182f", "#7fb2ff"),
    "Clay": lambda: ridges(["#8a4b2d", "#d98a55", "#f4d3a8"], "#4a2415", "#fff1d8"),
    "Graphite": lambda: dots(["#1c2026", "#454c57"], "#ffffff"),
    "Citrus": lambda: glow("#f0b400", ["#ffe27a", "#ff7a3c", "#ffd23c"]),
    "Orbit": lambda: rings(["#241046", "#5a2bb8", "#c58bff"], at=(0.12, 0.9)),
}


def portrait() -> bytes:
    """Draw a face, as WebP of 512 pixels square."""
    side = 512 * SCALE
    picture = Image.new("RGB", (side, side), _hex("#ffd9b8"))
    draw = ImageDraw.Draw(picture)
    unit = side / 116
    draw.ellipse((30 * unit, 18 * unit, 86 * unit, 80 * unit), fill=_hex("#2b1810"))
    draw.ellipse((14 * unit, 76 * unit, 102 * unit, 170 * unit), fill=_hex("#0091ca"))
    draw.rounded_rectangle((50 * unit, 62 * unit, 66 * unit, 86 * unit), radius=8 * unit, fill=_hex("#5d3522"))
    draw.ellipse((37 * unit, 26 * unit, 79 * unit, 74 * unit), fill=_hex("#6b3f2a"))
    draw.chord((36 * unit, 20 * unit, 80 * unit, 62 * unit), 180, 360, fill=_hex("#2b1810"))
    for x in (50, 66):
        draw.ellipse(((x - 2) * unit, 50 * unit, (x + 2) * unit, 54 * unit), fill=_hex("#1d0f09"))
    draw.arc((50 * unit, 52 * unit, 66 * unit, 66 * unit), 25, 155, fill=_hex("#2b1810"), width=int(1.6 * unit))
    return _webp(picture.resize((512, 512), Image.Resampling.LANCZOS))
