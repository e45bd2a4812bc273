"""Decorations: baubles, stars, garlands, candles, lanterns and a wreath."""

import math
import random

from .scene import Point, Ramp, Scene, circle, darker, lighter, metal, mirrored, rotated, round_body, smooth, star

WALL = "#e6e2f2"
GOLD = "#d9b45b"


def baubles(colors: list[str], motif: str = "band") -> bytes:
    """Draw one or three baubles on strings."""
    scene = Scene(WALL, horizon=None)
    circles = ((450, 520, 196),) if len(colors) == 1 else ((262, 470, 112), (470, 596, 142), (656, 402, 104))
    for (x, y, radius), color in zip(circles, colors, strict=True):
        scene.shadow(circle(x + 34, y + 44, radius), blur=30, strength=0.26)
        scene.line([(x, 0), (x, y - radius - 18)], darker(GOLD, 0.1), 4)
        scene.box((x - radius * 0.17, y - radius - 24, x + radius * 0.17, y - radius + 10), metal(GOLD), 5)
        _ball(scene, x, y, radius, color)
        _decorate(scene, x, y, radius, color, motif)
        scene.ellipse(circle(x - radius * 0.4, y - radius * 0.46, radius * 0.15, 0.8), "#ffffff", 0.75)
        scene.ellipse(circle(x - radius * 0.16, y - radius * 0.62, radius * 0.06), "#ffffff", 0.6)
    return scene.finish()


def _ball(scene: Scene, x: float, y: float, radius: float, color: str) -> None:
    for step in range(24):
        part = step / 23
        size = radius * (1 - part * 0.86)
        away = radius * part * 0.34
        shade = darker(color, 0.34 * (1 - part) ** 1.5) if part < 0.5 else lighter(color, 0.55 * (part - 0.5))
        scene.ellipse(circle(x - away, y - away, size), shade)


def _decorate(scene: Scene, x: float, y: float, radius: float, color: str, motif: str) -> None:
    ink = lighter(color, 0.72)
    if motif == "band":
        for shift, width in ((-0.16, 7), (0.0, 3), (0.12, 7)):
            half = radius * math.sqrt(1 - shift**2)
            points = [
                (
                    x - half * math.cos(step * math.pi / 30),
                    y + shift * radius + math.sin(step * math.pi / 30) * radius * 0.16,
                )
                for step in range(31)
            ]
            scene.line(points, ink, width * radius / 140)
    elif motif == "snow":
        for number in range(6):
            end = rotated([(x, y - radius * 0.62)], (x, y), number * 60)[0]
            scene.line([(x, y), end], ink, radius * 0.035)
            for side in (-28, 28):
                start = rotated([(x, y - radius * 0.36)], (x, y), number * 60)[0]
                twig = rotated([(x, y - radius * 0.54)], (x, y), number * 60)
                scene.line([start, rotated(twig, start, side)[0]], ink, radius * 0.03)


def stars(color: str, second: str) -> bytes:
    """Draw folded paper stars on strings."""
    scene = Scene(WALL, horizon=None)
    for x, y, radius, points, shade in (
        (300, 396, 148, 5, color),
        (596, 560, 186, 8, second),
        (610, 210, 84, 5, color),
        (276, 690, 96, 8, second),
    ):
        scene.shadow(star(x + 28, y + 36, radius, points), blur=20, strength=0.26)
        scene.line([(x, 0), (x, y - radius)], darker(shade, 0.3), 2.5)
        corners = star(x, y, radius, points, 0.46)
        for number in range(0, len(corners), 2):
            before, tip, after = corners[number - 1], corners[number], corners[(number + 1) % len(corners)]
            turn = math.cos(math.radians(number * 180 / points - 90 + 135))
            scene.polygon([(x, y), before, tip], lighter(shade, 0.34 - 0.2 * turn))
            scene.polygon([(x, y), tip, after], darker(shade, 0.12 + 0.1 * turn))
    return scene.finish()


def _string(y: float, sag: float, count: int) -> list[Point]:
    return [(-20 + step * 940 / count, y + sag * math.sin(math.pi * step / count)) for step in range(count + 1)]


def bunting(colors: list[str]) -> bytes:
    """Draw two rows of flags on strings."""
    scene = Scene(WALL, horizon=None)
    for row, (y, sag) in enumerate(((210, 120), (470, 150))):
        count = 8
        points = _string(y, sag, count)
        for number in range(count):
            (x0, y0), (x1, y1) = points[number], points[number + 1]
            left, right = (x0 + (x1 - x0) * 0.08, y0 + (y1 - y0) * 0.08), (x0 + (x1 - x0) * 0.92, y0 + (y1 - y0) * 0.92)
            tip = ((x0 + x1) / 2 - (y1 - y0) * 0.6, (y0 + y1) / 2 + 150)
            color = colors[(number + row * 2) % len(colors)]
            scene.shadow([(a + 14, b + 20) for a, b in (left, right, tip)], blur=14, strength=0.22)
            scene.polygon([left, right, tip], Ramp(lighter(color, 0.2), color, darker(color, 0.1)))
            middle = ((left[0] + right[0]) / 2, (left[1] + right[1]) / 2)
            if number % 2 == row:
                scene.ellipse(circle(middle[0], middle[1] + 44, 16), lighter(color, 0.7))
        scene.line(smooth(points), "#8d7a5f", 5)
    return scene.finish()


def lights(bulbs: list[str]) -> bytes:
    """Draw string lights on a dark wall."""
    wall = "#39406b"
    scene = Scene(wall, horizon=None)
    for row, (y, sag) in enumerate(((120, 150), (340, 170), (560, 170))):
        count = 7
        points = _string(y, sag, count)
        scene.line(smooth(points), darker(wall, 0.55), 5)
        for number in range(1, count):
            x, top = points[number]
            color = bulbs[(number + row) % len(bulbs)]
            scene.glow(circle(x, top + 52, 52), color=color, blur=44, strength=0.62)
            scene.box((x - 11, top - 2, x + 11, top + 26), darker(wall, 0.6), 4)
            scene.polygon(
                mirrored(smooth([(12, top + 24), (27, top + 52), (25, top + 78), (10, top + 94)]), x),
                Ramp(lighter(color, 0.3), lighter(color, 0.8), color),
            )
            scene.ellipse(circle(x - 7, top + 54, 6, 1.6), "#ffffff", 0.8)
    return scene.finish()


def candles(color: str, plate: str = GOLD) -> bytes:
    """Draw three candles of different heights on a plate."""
    scene = Scene(WALL, horizon=600)
    scene.shadow((190, 650, 790, 760), blur=26)
    for x, top in ((300, 424), (446, 290), (590, 372)):
        scene.glow(circle(x, top - 66, 90), strength=0.75)
    scene.ellipse((180, 646, 720, 756), metal(darker(plate, 0.1)))
    scene.ellipse((180, 634, 720, 744), Ramp(lighter(plate, 0.5), plate, lighter(plate, 0.2), darker(plate, 0.1)))
    for x, top, half in ((446, 290, 56), (300, 424, 62), (590, 372, 58)):
        foot = 686 if x != 446 else 664
        scene.shadow((x - half, foot - 8, x + half + 40, foot + 22), blur=8, strength=0.3)
        scene.ellipse((x - half, foot - 16, x + half, foot + 16), round_body(darker(color, 0.08)))
        scene.box((x - half, top, x + half, foot), round_body(color))
        scene.ellipse((x - half, foot - 16, x + half, foot + 16), round_body(color))
        scene.ellipse((x - half, top - 16, x + half, top + 16), lighter(color, 0.5))
        scene.ellipse((x - half * 0.7, top - 8, x + half * 0.7, top + 10), lighter(color, 0.75))
        scene.line([(x, top), (x + 2, top - 24)], "#4a3a32", 4)
        _flame(scene, x + 2, top - 18)
    return scene.finish()


def _flame(scene: Scene, x: float, y: float, size: float = 1.0) -> None:
    for part, color in ((1.0, "#ffb347"), (0.68, "#ffd978"), (0.4, "#fff6d8")):
        scale = part * size
        scene.polygon(
            mirrored(
                smooth(
                    [
                        (0, y - 84 * scale),
                        (10 * scale, y - 56 * scale),
                        (20 * scale, y - 24 * scale),
                        (12 * scale, y - 2),
                        (0, y),
                    ]
                ),
                x,
            ),
            color,
        )


def lantern(color: str, glass: str) -> bytes:
    """Draw a lantern with a lit candle and a crescent on top."""
    wall = "#dcd9ee"
    scene = Scene(wall)
    x = 450
    scene.shadow((300, 680, 760, 750), blur=26)
    scene.shadow((320, 694, 596, 728), blur=8, strength=0.45)
    scene.glow((300, 330, 600, 700), color="#ffdf9c", strength=0.7, blur=60)
    scene.ellipse((404, 96, 496, 188), metal(color))
    scene.ellipse((422, 88, 508, 174), lighter(wall, 0.32))
    scene.box((442, 184, 458, 226), metal(color))
    scene.polygon(mirrored(smooth([(14, 214), (34, 240), (92, 284), (132, 324)]), x), round_body(color))
    scene.box((306, 318, 594, 350), metal(color), 8)
    scene.polygon(
        [(324, 350), (576, 350), (560, 660), (340, 660)], Ramp(lighter(glass, 0.1), lighter(glass, 0.7), glass)
    )
    scene.glow(circle(x, 500, 90), color="#fff1c4", strength=0.9, blur=50)
    scene.box((414, 560, 486, 660), round_body("#f7ecd8"), 6)
    scene.line([(450, 560), (450, 544)], "#4a3a32", 4)
    _flame(scene, 450, 550, 0.95)
    for a, b in ((324, 340), (450, 450), (576, 560)):
        if a != 450:
            scene.line([(a, 350), (b, 660)], darker(color, 0.14), 14)
            scene.line([(a - 3, 350), (b - 3, 660)], lighter(color, 0.5), 3)
    for left, right in ((330, 444), (456, 570)):
        middle = (left + right) / 2
        arch = [
            (left + 4, 430),
            *smooth([(left + 10, 408), (middle - 24, 376), (middle, 356), (middle + 24, 376), (right - 10, 408)]),
            (right - 4, 430),
        ]
        scene.line(arch, darker(color, 0.1), 6)
    scene.box((318, 650, 582, 684), metal(color), 8)
    scene.box((300, 680, 600, 716), metal(darker(color, 0.1)), 10)
    return scene.finish()


def wreath(leaf: str, berry: str, ribbon: str) -> bytes:
    """Draw a wreath of leaves with berries and a bow."""
    scene = Scene(WALL, horizon=None)
    rng = random.Random(7)
    ring = [
        (450 + math.cos(math.radians(angle)) * 232, 430 + math.sin(math.radians(angle)) * 232)
        for angle in range(0, 360, 6)
    ]
    scene.shadow(*(circle(x + 24, y + 32, 46) for x, y in ring[::3]), blur=22, strength=0.22)
    for layer in range(2):
        for number, (x, y) in enumerate(ring):
            around = number * 6 + 90
            for side in (-1, 1):
                reach = 62 + rng.random() * 30
                angle = math.radians(around + side * (28 + rng.random() * 34))
                tip = (x + math.cos(angle) * reach, y + math.sin(angle) * reach)
                bend = math.radians(around + side * 74)
                edge = (x + math.cos(bend) * 20, y + math.sin(bend) * 20)
                other = ((x + tip[0]) / 2 - math.cos(bend) * 12, (y + tip[1]) / 2 - math.sin(bend) * 12)
                shade = (
                    darker(leaf, 0.36 - 0.2 * layer) if side < 0 else lighter(leaf, 0.18 * layer + rng.random() * 0.12)
                )
                scene.polygon([(x, y), edge, ((edge[0] + tip[0]) / 2, (edge[1] + tip[1]) / 2), tip, other], shade)
    for number in range(0, 60, 4):
        x, y = ring[number]
        for shift in (-14, 12):
            center_x, center_y = x + shift + rng.random() * 20 - 10, y + shift * 0.6
            scene.ellipse(circle(center_x, center_y, 13), darker(berry, 0.1))
            scene.ellipse(circle(center_x - 3, center_y - 3, 8), lighter(berry, 0.2))
    x, y = 450, 652
    for side in (-1, 1):
        scene.polygon(
            [
                (x, y),
                (x + side * 40, y + 10),
                (x + side * 96, y + 170),
                (x + side * 62, y + 150),
                (x + side * 44, y + 182),
            ],
            darker(ribbon, 0.12),
        )
        loop = smooth(
            [
                (x, y - 8),
                (x + side * 60, y - 76),
                (x + side * 128, y - 70),
                (x + side * 128, y + 10),
                (x + side * 66, y + 24),
            ],
            closed=True,
        )
        scene.polygon(loop, Ramp(lighter(ribbon, 0.2), ribbon, darker(ribbon, 0.16)))
    scene.box((x - 24, y - 30, x + 24, y + 28), round_body(ribbon), 14)
    return scene.finish()


def trees(colors: list[str]) -> bytes:
    """Draw three paper trees on a table."""
    scene = Scene(WALL)
    for (x, top, half, foot), color in zip(
        ((620, 330, 116, 690), (300, 390, 110, 704), (452, 200, 150, 716)), colors, strict=True
    ):
        scene.shadow((x - half, foot - 20, x + half * 2, foot + 26), blur=18, strength=0.4)
        scene.box((x - 14, foot - 70, x + 14, foot), round_body("#a9784c"), 3)
        height = foot - 50 - top
        for fold in range(6):
            left, right = x - half + fold * half / 3, x - half + (fold + 1) * half / 3
            dip = foot - 50 + math.cos((fold + 0.5 - 3) / 3) * 26
            shade = lighter(color, 0.3) if fold % 2 == 0 else darker(color, 0.14)
            scene.polygon([(x, top), (left, dip - height * 0.02), (right, dip)], shade)
        scene.polygon(star(x, top - 8, 26), GOLD)
    return scene.finish()
