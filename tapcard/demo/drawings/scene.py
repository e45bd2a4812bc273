"""A calm little scene to put one thing into: a wall, a table, light from the upper left, soft shadows.

Everything is drawn on one sheet larger than the picture and scaled down at the end; what is soft is made small and
scaled up, because blurring is what takes long.
"""

import io
import math
from collections.abc import Sequence
from functools import cache

from PIL import Image, ImageDraw, ImageFilter, ImageFont

SIDE = 900
FINE = 2  # drawn larger, then scaled down, for smooth edges
SOFT = 6  # shadows are blurred on a sheet so many times smaller than the picture
QUALITY = 80
TABLE = 640  # where the wall meets the table

Color = tuple[int, int, int]
Point = tuple[float, float]
Box = tuple[float, float, float, float]


def rgb(text: str) -> Color:
    """The colour of `#rrggbb`."""
    return int(text[1:3], 16), int(text[3:5], 16), int(text[5:7], 16)


def mix(first: str, second: str, part: float) -> str:
    """A colour on the way from one to another."""
    pairs = zip(rgb(first), rgb(second), strict=True)
    return "#" + "".join(f"{round(a + (b - a) * part):02x}" for a, b in pairs)


def darker(color: str, part: float) -> str:
    """A colour in the shade, which is never quite grey."""
    return mix(color, "#1a1030", part)


def lighter(color: str, part: float) -> str:
    """A colour in the light, which is warm."""
    return mix(color, "#fffaf0", part)


class Ramp:
    """A change of colours from left to right, or from top to bottom."""

    def __init__(self, *stops: str, down: bool = False) -> None:
        self.stops, self.down = stops, down

    def image(self, size: tuple[int, int]) -> Image.Image:
        """The ramp over a box."""
        row = Image.new("RGB", (64, 1))
        last = len(self.stops) - 1
        for x in range(64):
            place = x / 63 * last
            left = min(int(place), last - 1)
            row.putpixel((x, 0), rgb(mix(self.stops[left], self.stops[left + 1], place - left)))
        width, height = size
        if self.down:
            line = row.transpose(Image.Transpose.ROTATE_270).resize((1, height), Image.Resampling.BILINEAR)
        else:
            line = row.resize((width, 1), Image.Resampling.BILINEAR)
        return line.resize(size, Image.Resampling.NEAREST)


def round_body(color: str) -> Ramp:
    """A colour around something round and dull."""
    return Ramp(
        darker(color, 0.16), color, lighter(color, 0.3), lighter(color, 0.12), color, darker(color, 0.12),
        darker(color, 0.3), darker(color, 0.24),
    )  # fmt: skip


def metal(color: str = "#c9ced6") -> Ramp:
    """A colour around something round that shines."""
    return Ramp(
        darker(color, 0.35), lighter(color, 0.2), lighter(color, 0.85), color, darker(color, 0.25), color,
        lighter(color, 0.55), darker(color, 0.4),
    )  # fmt: skip


def flat(color: str) -> Ramp:
    """A colour on a surface that faces us, a little lighter where the light comes from."""
    return Ramp(lighter(color, 0.14), color, darker(color, 0.08))


def smooth(points: Sequence[Point], steps: int = 12, *, closed: bool = False) -> list[Point]:
    """A soft curve through points."""
    count = len(points)

    def at(place: int) -> Point:
        return points[place % count] if closed else points[max(0, min(count - 1, place))]

    found: list[Point] = []
    for place in range(count if closed else count - 1):
        p, q, r, s = (at(place + more) for more in (-1, 0, 1, 2))
        for step in range(steps):
            t = step / steps
            found.append((_spline(p[0], q[0], r[0], s[0], t), _spline(p[1], q[1], r[1], s[1], t)))
    return found if closed else [*found, points[-1]]


def _spline(p: float, q: float, r: float, s: float, t: float) -> float:
    return 0.5 * (2 * q + (r - p) * t + (2 * p - 5 * q + 4 * r - s) * t * t + (3 * q - p - 3 * r + s) * t**3)


def mirrored(profile: Sequence[Point], middle: float) -> list[Point]:
    """The outline of something round, from half widths at heights."""
    right = [(middle + half, y) for half, y in profile]
    return [*right, *((2 * middle - x, y) for x, y in reversed(right))]


def turned(points: Sequence[Point], around: Point, degrees: float) -> list[Point]:
    """Points turned around another one."""
    sin, cos = math.sin(math.radians(degrees)), math.cos(math.radians(degrees))
    x0, y0 = around
    return [(x0 + (x - x0) * cos - (y - y0) * sin, y0 + (x - x0) * sin + (y - y0) * cos) for x, y in points]


def circle(x: float, y: float, radius: float, squeeze: float = 1) -> Box:
    """The box of a circle, or of one seen from the side."""
    return x - radius, y - radius * squeeze, x + radius, y + radius * squeeze


def star(x: float, y: float, radius: float, points: int = 5, inner: float = 0.45, turn: float = -90) -> list[Point]:
    """The corners of a star."""
    found = []
    for number in range(points * 2):
        reach = radius if number % 2 == 0 else radius * inner
        angle = math.radians(turn + number * 180 / points)
        found.append((x + math.cos(angle) * reach, y + math.sin(angle) * reach))
    return found


class Scene:
    """A picture in the making; coordinates are those of the finished picture."""

    def __init__(self, wall: str, table: str | None = None, *, horizon: float | None = TABLE) -> None:
        self.sheet = _enlarged(_wall(wall).resize((SIDE, SIDE), Image.Resampling.BICUBIC))
        self.draw = ImageDraw.Draw(self.sheet, "RGBA")
        if horizon is not None:
            top = table or darker(wall, 0.09)
            ground = Ramp(darker(top, 0.05), top, lighter(top, 0.35), down=True)
            self.box((0, horizon, SIDE, SIDE), ground)

    # --- shapes -------------------------------------------------------------------------------------------------------

    def polygon(self, points: Sequence[Point], fill: "str | Ramp", alpha: float = 1) -> None:
        """A shape with corners; many of them are a curve."""
        where = [(x * FINE, y * FINE) for x, y in points]
        if isinstance(fill, str):
            self.draw.polygon(where, fill=_ink(fill, alpha))
            return
        left, top = min(x for x, _ in where), min(y for _, y in where)
        area = (left, top, max(x for x, _ in where), max(y for _, y in where))
        self._ramped(
            area, fill, alpha, lambda mask: mask.polygon([(x - int(left), y - int(top)) for x, y in where], 255)
        )

    def ellipse(self, box: Box, fill: "str | Ramp", alpha: float = 1) -> None:
        """A circle, or one seen from the side."""
        area = _fine(box)
        if isinstance(fill, str):
            self.draw.ellipse(area, fill=_ink(fill, alpha))
            return
        self._ramped(area, fill, alpha, lambda mask: mask.ellipse(_inside(area), 255))

    def box(self, box: Box, fill: "str | Ramp", radius: float = 0, alpha: float = 1) -> None:
        """A rectangle, perhaps with round corners."""
        area = _fine(box)
        if isinstance(fill, str):
            self.draw.rounded_rectangle(area, radius * FINE, fill=_ink(fill, alpha))
            return
        self._ramped(area, fill, alpha, lambda mask: mask.rounded_rectangle(_inside(area), radius * FINE, 255))

    def line(self, points: Sequence[Point], color: str, width: float, alpha: float = 1) -> None:
        """A line with round ends."""
        where = [(x * FINE, y * FINE) for x, y in points]
        self.draw.line(where, fill=_ink(color, alpha), width=max(1, round(width * FINE)), joint="curve")
        if alpha == 1 and width > 3:
            for x, y in (where[0], where[-1]):
                half = width * FINE / 2
                self.draw.ellipse((x - half, y - half, x + half, y + half), fill=_ink(color, 1))

    def text(self, x: float, y: float, words: str, color: str, size: float) -> None:
        """Words around a middle, as if engraved."""
        font = ImageFont.load_default(size * FINE)
        self.draw.text((x * FINE, y * FINE), words, font=font, fill=_ink(color, 1), anchor="mm")

    def leaf(self, base: Point, tip: Point, width: float, color: str) -> None:
        """A leaf from where it grows to its tip."""
        (x, y), length = base, math.hypot(tip[0] - base[0], tip[1] - base[1])
        halves = [(part * length, math.sin(math.pi * part**0.8) * width / 2) for part in (n / 12 for n in range(13))]
        edge = [(x + far, y + half) for far, half in halves] + [(x + far, y - half) for far, half in reversed(halves)]
        self.polygon(turned(edge, base, math.degrees(math.atan2(tip[1] - y, tip[0] - x))), color)

    def arc(self, box: Box, start: float, end: float, color: str, width: float, alpha: float = 1) -> None:
        """A part of a circle's line; degrees clockwise from three o'clock."""
        self.draw.arc(_fine(box), start, end, fill=_ink(color, alpha), width=max(1, round(width * FINE)))

    def _ramped(self, area: Box, fill: Ramp, alpha: float, paint: object) -> None:
        left, top = int(area[0]), int(area[1])
        size = max(1, math.ceil(area[2]) - left + 1), max(1, math.ceil(area[3]) - top + 1)
        mask = Image.new("L", size)
        paint(ImageDraw.Draw(mask))  # type: ignore[operator]
        if alpha < 1:
            mask = mask.point(lambda value: round(value * alpha))
        self.sheet.paste(fill.image(size), (left, top), mask)

    # --- light --------------------------------------------------------------------------------------------------------

    def shadow(self, *shapes: Sequence[Point] | Box, blur: float = 22, strength: float = 0.34) -> None:
        """What the shapes keep from the light, ellipses by their box; draw it before them."""
        self._soft(shapes, "#23203a", blur, strength)

    def glow(
        self, *shapes: Sequence[Point] | Box, color: str = "#fff3cf", blur: float = 40, strength: float = 0.8
    ) -> None:
        """Light around something that shines."""
        self._soft(shapes, color, blur, strength)

    def _soft(self, shapes: Sequence[Sequence[Point] | Box], color: str, blur: float, strength: float) -> None:
        side = SIDE // SOFT
        mask = Image.new("L", (side, side))
        draw = ImageDraw.Draw(mask)
        for shape in shapes:
            if isinstance(shape[0], tuple):
                draw.polygon([(x / SOFT, y / SOFT) for x, y in shape], fill=round(255 * strength))  # type: ignore[misc]
            else:
                draw.ellipse([each / SOFT for each in shape], fill=round(255 * strength))  # type: ignore[operator]
        mask = mask.filter(ImageFilter.GaussianBlur(blur / SOFT))
        wanted = mask.getbbox()
        if wanted is None:
            return
        left, top, right, bottom = wanted
        scale = SOFT * FINE
        large = mask.crop(wanted).resize(((right - left) * SOFT, (bottom - top) * SOFT), Image.Resampling.BICUBIC)
        self.sheet.paste(rgb(color), (left * scale, top * scale), _enlarged(large))

    def finish(self, zoom: float = 1, middle: Point = (SIDE / 2, SIDE / 2)) -> bytes:
        """The picture as a file, perhaps only what is around a point."""
        half = SIDE / 2 / zoom
        (x, y), size = (min(SIDE - half, max(half, each)) for each in middle), (SIDE, SIDE)
        box = _fine((x - half, y - half, x + half, y + half))
        picture = self.sheet.resize(size, Image.Resampling.BOX if zoom == 1 else Image.Resampling.HAMMING, box=box)
        out = io.BytesIO()
        picture.save(out, "WEBP", quality=QUALITY, method=2)
        return out.getvalue()


@cache
def _wall(color: str) -> Image.Image:
    """A wall in the light, as few pixels."""
    few = Image.new("RGB", (25, 25))
    light, dark = lighter(color, 0.6), darker(color, 0.06)
    for x in range(25):
        for y in range(25):
            few.putpixel((x, y), rgb(mix(light, dark, min(1.0, math.hypot(x - 7, y - 4) / 23))))
    return few


def _enlarged(picture: Image.Image) -> Image.Image:
    return picture.resize((picture.width * FINE, picture.height * FINE), Image.Resampling.NEAREST)


def _ink(color: str, alpha: float) -> tuple[int, int, int, int]:
    return (*rgb(color), round(255 * alpha))


def _fine(box: Box) -> Box:
    left, top, right, bottom = (each * FINE for each in box)
    return left, top, right, bottom


def _inside(area: Box) -> Box:
    left, top = int(area[0]), int(area[1])
    return area[0] - left, area[1] - top, area[2] - left, area[3] - top
