"""QR codes as SVG and PNG: black on white with a quiet zone, error correction level M, or H with a logo."""

import io
import math
from dataclasses import dataclass

import segno
from PIL import Image, ImageDraw

QUIET_ZONE = 4
SUPERSAMPLING = 4  # the logo is drawn larger and scaled down, for smooth edges

# the logo of `static/img/favicon.svg`, in a square of 32
MARK = (
    '<rect width="32" height="32" rx="7.5" fill="{ink}"/>'
    '<g transform="rotate(-14 13 17)"><rect x="5" y="9.5" width="15" height="13" rx="2.6" fill="{brand}"/>'
    '<rect x="7.6" y="17.6" width="6" height="1.9" rx=".95" fill="#fff" fill-opacity=".9"/></g>'
    '<g fill="none" stroke="#fff" stroke-width="2.2" stroke-linecap="round">'
    '<path d="M20.4 11.4a5.6 5.6 0 0 1 1.2 6.6"/><path d="M23.6 8.6a10 10 0 0 1 2 11.6"/></g>'
)
WAVES = (((20.4, 11.4), (21.6, 18.0), 5.6), ((23.6, 8.6), (25.6, 20.2), 10.0))


@dataclass(frozen=True)
class Logo:
    """The two colours (`#rrggbb`) of the shop's logo in the middle of a code; the ink has to be dark."""

    brand: str
    ink: str


def svg(
    url: str, *, title: str = "QR code", scale: int = 4, logo: Logo | None = None, use_fixed_mask: bool = False
) -> str:
    """Return a code as an SVG element, for a page or a file; `title` may be any text.

    With `use_fixed_mask`, the best of the eight mask patterns is not searched, which takes a quarter of the time.
    """
    code = _make(url, logo, mask=0 if use_fixed_mask else None)
    out = io.BytesIO()
    code.save(
        out,
        kind="svg",
        border=QUIET_ZONE,
        dark="#000",
        light="#fff",
        title=title,
        xmldecl=False,
        omitsize=True,
        svgclass=None,
        lineclass=None,
        nl=False,
    )
    width, height = code.symbol_size(scale=scale, border=QUIET_ZONE)
    markup = out.getvalue().decode()
    if logo is not None:
        start, side = _logo_square(len(code.matrix))
        mark = MARK.format(brand=logo.brand, ink=logo.ink)
        markup = markup.removesuffix("</svg>") + (
            f'<rect x="{start}" y="{start}" width="{side}" height="{side}" fill="#fff"/>'
            f'<g transform="translate({start + 0.5} {start + 0.5}) scale({(side - 1) / 32:.5f})">{mark}</g></svg>'
        )
    return markup.replace("<svg ", f'<svg role="img" width="{width}" height="{height}" ', 1)


def png(url: str, scale: int = 10, logo: Logo | None = None) -> bytes:
    """Return a code as a PNG with `scale` pixels per module."""
    out = io.BytesIO()
    code = _make(url, logo)
    code.save(out, kind="png", border=QUIET_ZONE, dark="#000", light="#fff", scale=scale)
    if logo is None:
        return out.getvalue()
    start, side = _logo_square(len(code.matrix))
    picture = Image.open(out).convert("RGB")
    square = (start * scale, start * scale, (start + side) * scale, (start + side) * scale)
    picture.paste("#fff", square)
    mark = _draw_mark(logo, (side - 1) * scale)
    picture.paste(mark, (square[0] + scale // 2, square[1] + scale // 2), mark)
    out = io.BytesIO()
    picture.quantize(64).save(out, "PNG", optimize=True)
    return out.getvalue()


def _make(url: str, logo: Logo | None, mask: int | None = None) -> segno.QRCode:
    return segno.make_qr(url, error="m" if logo is None else "h", mask=mask)


def _logo_square(modules: int) -> tuple[int, int]:
    """Return the start, including the quiet zone, and the side of the square for a logo, in modules.

    It covers at most a sixteenth of the code; level H corrects the loss of 30 per cent.
    """
    side = modules // 4
    side -= 1 - side % 2  # odd like the code's side, so that it is centred
    return QUIET_ZONE + (modules - side) // 2, side


def _draw_mark(logo: Logo, side: int) -> Image.Image:
    """Return the logo as an image."""
    large = side * SUPERSAMPLING
    unit = large / 32
    ground = Image.new("RGBA", (large, large))
    ImageDraw.Draw(ground).rounded_rectangle((0, 0, large - 1, large - 1), 7.5 * unit, fill=logo.ink)
    card = Image.new("RGBA", (large, large))
    draw = ImageDraw.Draw(card)
    draw.rounded_rectangle((5 * unit, 9.5 * unit, 20 * unit, 22.5 * unit), 2.6 * unit, fill=logo.brand)
    draw.rounded_rectangle((7.6 * unit, 17.6 * unit, 13.6 * unit, 19.5 * unit), 0.95 * unit, fill="#fff")
    turned = card.rotate(14, Image.Resampling.BICUBIC, center=(13 * unit, 17 * unit))
    ground.alpha_composite(turned)
    draw = ImageDraw.Draw(ground)
    for begin, end, radius in WAVES:
        _draw_wave(draw, begin, end, radius, unit)
    return ground.resize((side, side), Image.Resampling.LANCZOS)


def _draw_wave(
    draw: ImageDraw.ImageDraw, begin: tuple[float, float], end: tuple[float, float], radius: float, unit: float
) -> None:
    """Draw an arc with round ends from one point down to another, curved to the right."""
    (x1, y1), (x2, y2), half = begin, end, 1.1
    length = math.hypot(x2 - x1, y2 - y1)
    back = math.sqrt(radius**2 - (length / 2) ** 2) / length
    x, y = (x1 + x2) / 2 - (y2 - y1) * back, (y1 + y2) / 2 + (x2 - x1) * back
    first, last = (math.degrees(math.atan2(b - y, a - x)) for a, b in (begin, end))
    reach = radius + half
    box = ((x - reach) * unit, (y - reach) * unit, (x + reach) * unit, (y + reach) * unit)
    draw.arc(box, first, last, fill="#fff", width=round(2 * half * unit))
    for a, b in (begin, end):
        draw.ellipse(((a - half) * unit, (b - half) * unit, (a + half) * unit, (b + half) * unit), fill="#fff")
