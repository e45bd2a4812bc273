"""Scene for a product picture: a wall, a table, light from the upper left and soft shadows.

Shapes are drawn on an enlarged sheet that is scaled down at the end. Shadows and glows are drawn small and scaled up.
"""

import io
import math
from collections.abc import Sequence
from functools import cache

from PIL import Image, ImageDraw, ImageFilter, ImageFont

SIDE = 900  # pixels
SCALE = 2  # shapes are drawn larger and scaled down, for smooth edges
SHADOW_SCALE = 6  # shadows are drawn this many times smaller, because blurring is slow
QUALITY = 80  # of WebP files
TABLE_TOP = 640  # y of the edge between wall and table

Color = tuple[int, int, int]
Point = tuple[float, float]
Box = tuple[float, float, float, float]


def rgb(text: str) -> Color:
    """Return red, green and blue of `#rrggbb`."""
    return int(text[1:3], 16), int(text[3:5], 16), int(text[5:7], 16)


def mix(first: str, second: str, part: float) -> str:
    """Return the mix of two colors; `part` is the share of the second, from 0 to 1."""
    pairs = zip(rgb(first), rgb(second), strict=True)
    return "#" + "".join(f"{round(a + (b - a) * part):02x}" for a, b in pairs)


def darker(color: str, part: float) -> str:
    """Return a color mixed with a dark violet; `part` is from 0 to 1."""
    return mix(color, "#1a1030", part)


def lighter(color: str, part: float) -> str:
    """Return a color mixed with a warm white; `part` is from 0 to 1."""
    return mix(color, "#fffaf0", part)


class Ramp:
    """Linear gradient from left to right, or from top to bottom."""

    def __init__(self, *stops: str, down: bool = False) -> None:
        self.stops, self.down = stops, down

    def image(self, size: tuple[int, int]) -> Image.Image:
        """Return the gradient as a picture of a size."""
        row = Image.new("RGB", (64, 1))
        last = len(self.stops) - 1
        for x in range(64):
            position = x / 63 * last
            left = min(int(position), last - 1)
            row.putpixel((x, 0), rgb(mix(self.stops[left], self.stops[left + 1], position - left)))
        width, height = size
        if self.down:
            line = row.transpose(Image.Transpose.ROTATE_270).resize((1, height), Image.Resampling.BILINEAR)
        else:
            line = row.resize((width, 1), Image.Resampling.BILINEAR)
        return line.resize(size, Image.Resampling.NEAREST)


def round_body(color: str) -> Ramp:
    """Return the gradient of a matte cylinder."""
    return Ramp(
        darker(color, 0.16), color, lighter(color, 0.3), lighter(color, 0.12), color, darker(color, 0.12),
        darker(color, 0.3), darker(color, 0.24),
    )  # fmt: skip


def metal(color: str = "#c9ced6") -> Ramp:
    """Return the gradient of a shiny cylinder."""
    return Ramp(
        darker(color, 0.35), lighter(color, 0.2), lighter(color, 0.85), color, darker(color, 0.25), color,
        lighter(color, 0.55), darker(color, 0.4),
    )  # fmt: skip


def flat(color: str) -> Ramp:
    """Return the gradient of a flat surface, lighter on the left."""
    return Ramp(lighter(color, 0.14), color, darker(color, 0.08))


def smooth(points: Sequence[Point], steps: int = 12, *, closed: bool = False) -> list[Point]:
    """Return a Catmull-Rom spline through points, with `steps` points per segment."""
    count = len(points)

    def at(index: int) -> Point:
        return points[index % count] if closed else points[max(0, min(count - 1, index))]

    curve: list[Point] = []
    for index in range(count if closed else count - 1):
        p, q, r, s = (at(index + offset) for offset in (-1, 0, 1, 2))
        for step in range(steps):
            t = step / steps
            curve.append((_spline(p[0], q[0], r[0], s[0], t), _spline(p[1], q[1], r[1], s[1], t)))
    return curve if closed else [*curve, points[-1]]


def _spline(p: float, q: float, r: float, s: float, t: float) -> float:
    return 0.5 * (2 * q + (r - p) * t + (2 * p - 5 * q + 4 * r - s) * t * t + (3 * q - p - 3 * r + s) * t**3)


def mirrored(profile: Sequence[Point], axis: float) -> list[Point]:
    """Return the symmetrical outline around a vertical axis, from pairs of half width and y."""
    right = [(axis + half, y) for half, y in profile]
    return [*right, *((2 * axis - x, y) for x, y in reversed(right))]


def rotated(points: Sequence[Point], around: Point, degrees: float) -> list[Point]:
    """Return points rotated clockwise around a point by an angle in degrees."""
    sin, cos = math.sin(math.radians(degrees)), math.cos(math.radians(degrees))
    x0, y0 = around
    return [(x0 + (x - x0) * cos - (y - y0) * sin, y0 + (x - x0) * sin + (y - y0) * cos) for x, y in points]


def circle(x: float, y: float, radius: float, squeeze: float = 1) -> Box:
    """Return the bounding box of a circle, or of an ellipse; `squeeze` is its height divided by its width."""
    return x - radius, y - radius * squeeze, x + radius, y + radius * squeeze


def star(x: float, y: float, radius: float, points: int = 5, inner: float = 0.45, turn: float = -90) -> list[Point]:
    """Return the corners of a star; `inner` is the ratio of the radii, `turn` the angle of the first tip in degrees."""
    corners = []
    for number in range(points * 2):
        reach = radius if number % 2 == 0 else radius * inner
        angle = math.radians(turn + number * 180 / points)
        corners.append((x + math.cos(angle) * reach, y + math.sin(angle) * reach))
    return corners


class Scene:
    """Picture that shapes are drawn on, in coordinates of the finished picture."""

    def __init__(self, wall: str, table: str | None = None, *, horizon: float | None = TABLE_TOP) -> None:
        self.sheet = _enlarged(_wall(wall).resize((SIDE, SIDE), Image.Resampling.BICUBIC))
        self.draw = ImageDraw.Draw(self.sheet, "RGBA")
        if horizon is not None:
            top = table or darker(wall, 0.09)
            ground = Ramp(darker(top, 0.05), top, lighter(top, 0.35), down=True)
            self.box((0, horizon, SIDE, SIDE), ground)

    # --- shapes -------------------------------------------------------------------------------------------------------

    def polygon(self, points: Sequence[Point], fill: "str | Ramp", alpha: float = 1) -> None:
        """Draw a polygon."""
        corners = [(x * SCALE, y * SCALE) for x, y in points]
        if isinstance(fill, str):
            self.draw.polygon(corners, fill=_ink(fill, alpha))
            return
        left, top = min(x for x, _ in corners), min(y for _, y in corners)
        area = (left, top, max(x for x, _ in corners), max(y for _, y in corners))
        self._fill_ramp(
            area, fill, alpha, lambda mask: mask.polygon([(x - int(left), y - int(top)) for x, y in corners], 255)
        )

    def ellipse(self, box: Box, fill: "str | Ramp", alpha: float = 1) -> None:
        """Draw an ellipse in its bounding box."""
        area = _scaled(box)
        if isinstance(fill, str):
            self.draw.ellipse(area, fill=_ink(fill, alpha))
            return
        self._fill_ramp(area, fill, alpha, lambda mask: mask.ellipse(_inside(area), 255))

    def box(self, box: Box, fill: "str | Ramp", radius: float = 0, alpha: float = 1) -> None:
        """Draw a rectangle, with round corners if `radius` is given."""
        area = _scaled(box)
        if isinstance(fill, str):
            self.draw.rounded_rectangle(area, radius * SCALE, fill=_ink(fill, alpha))
            return
        self._fill_ramp(area, fill, alpha, lambda mask: mask.rounded_rectangle(_inside(area), radius * SCALE, 255))

    def line(self, points: Sequence[Point], color: str, width: float, alpha: float = 1) -> None:
        """Draw a line with round ends."""
        vertices = [(x * SCALE, y * SCALE) for x, y in points]
        self.draw.line(vertices, fill=_ink(color, alpha), width=max(1, round(width * SCALE)), joint="curve")
        if alpha == 1 and width > 3:
            for x, y in (vertices[0], vertices[-1]):
                half = width * SCALE / 2
                self.draw.ellipse((x - half, y - half, x + half, y + half), fill=_ink(color, 1))

    def text(self, x: float, y: float, text: str, color: str, size: float) -> None:
        """Draw text centered on a point."""
        font = ImageFont.load_default(size * SCALE)
        self.draw.text((x * SCALE, y * SCALE), text, font=font, fill=_ink(color, 1), anchor="mm")

    def leaf(self, base: Point, tip: Point, width: float, color: str) -> None:
        """Draw a leaf from its base to its tip."""
        (x, y), length = base, math.hypot(tip[0] - base[0], tip[1] - base[1])
        halves = [(part * length, math.sin(math.pi * part**0.8) * width / 2) for part in (n / 12 for n in range(13))]
        edge = [(x + far, y + half) for far, half in halves] + [(x + far, y - half) for far, half in reversed(halves)]
        self.polygon(rotated(edge, base, math.degrees(math.atan2(tip[1] - y, tip[0] - x))), color)

    def arc(self, box: Box, start: float, end: float, color: str, width: float, alpha: float = 1) -> None:
        """Draw an arc; angles are in degrees, clockwise from three o'clock."""
        self.draw.arc(_scaled(box), start, end, fill=_ink(color, alpha), width=max(1, round(width * SCALE)))

    def _fill_ramp(self, area: Box, fill: Ramp, alpha: float, paint: object) -> None:
        left, top = int(area[0]), int(area[1])
        size = max(1, math.ceil(area[2]) - left + 1), max(1, math.ceil(area[3]) - top + 1)
        mask = Image.new("L", size)
        paint(ImageDraw.Draw(mask))  # type: ignore[operator]
        if alpha < 1:
            mask = mask.point(lambda value: round(value * alpha))
        self.sheet.paste(fill.image(size), (left, top), mask)

    # --- light --------------------------------------------------------------------------------------------------------

    def shadow(self, *shapes: Sequence[Point] | Box, blur: float = 22, strength: float = 0.34) -> None:
        """Draw the shadow of polygons and of ellipses, given by their boxes; call it before drawing the shapes."""
        self._soft(shapes, "#23203a", blur, strength)

    def glow(
        self, *shapes: Sequence[Point] | Box, color: str = "#fff3cf", blur: float = 40, strength: float = 0.8
    ) -> None:
        """Draw a glow in the shape of polygons and of ellipses, given by their boxes."""
        self._soft(shapes, color, blur, strength)

    def _soft(self, shapes: Sequence[Sequence[Point] | Box], color: str, blur: float, strength: float) -> None:
        side = SIDE // SHADOW_SCALE
        mask = Image.new("L", (side, side))
        draw = ImageDraw.Draw(mask)
        for shape in shapes:
            if isinstance(shape[0], tuple):
                draw.polygon([(x / SHADOW_SCALE, y / SHADOW_SCALE) for x, y in shape], fill=round(255 * strength))  # type: ignore[misc]
            else:
                draw.ellipse([side / SHADOW_SCALE for side in shape], fill=round(255 * strength))  # type: ignore[operator]
        mask = mask.filter(ImageFilter.GaussianBlur(blur / SHADOW_SCALE))
        bounds = mask.getbbox()
        if bounds is None:
            return
        left, top, right, bottom = bounds
        scale = SHADOW_SCALE * SCALE
        large = mask.crop(bounds).resize(
            ((right - left) * SHADOW_SCALE, (bottom - top) * SHADOW_SCALE), Image.Resampling.BICUBIC
        )
        self.sheet.paste(rgb(color), (left * scale, top * scale), _enlarged(large))

    def finish(self, zoom: float = 1, middle: Point = (SIDE / 2, SIDE / 2)) -> bytes:
        """Return the picture as WebP, magnified around a point if `zoom` is above 1."""
        half = SIDE / 2 / zoom
        (x, y), size = (min(SIDE - half, max(half, coordinate)) for coordinate in middle), (SIDE, SIDE)
        box = _scaled((x - half, y - half, x + half, y + half))
        picture = self.sheet.resize(size, Image.Resampling.BOX if zoom == 1 else Image.Resampling.HAMMING, box=box)
        out = io.BytesIO()
        picture.save(out, "WEBP", quality=QUALITY, method=2)
        return out.getvalue()


@cache
def _wall(color: str) -> Image.Image:
    """Return a lit wall, as a picture of 25 pixels square."""
    wall = Image.new("RGB", (25, 25))
    light, dark = lighter(color, 0.6), darker(color, 0.06)
    for x in range(25):
        for y in range(25):
            wall.putpixel((x, y), rgb(mix(light, dark, min(1.0, math.hypot(x - 7, y - 4) / 23))))
    return wall


def _enlarged(picture: Image.Image) -> Image.Image:
    return picture.resize((picture.width * SCALE, picture.height * SCALE), Image.Resampling.NEAREST)


def _ink(color: str, alpha: float) -> tuple[int, int, int, int]:
    return (*rgb(color), round(255 * alpha))


def _scaled(box: Box) -> Box:
    left, top, right, bottom = (side * SCALE for side in box)
    return left, top, right, bottom


def _inside(area: Box) -> Box:
    left, top = int(area[0]), int(area[1])
    return area[0] - left, area[1] - top, area[2] - left, area[3] - top
