"""Cards and card holders."""

import itertools
import math

from .scene import Point, Ramp, Scene, darker, flat, lighter, rotated, smooth

WALL = "#dde8f3"


def _tap_symbol(scene: Scene, x: float, y: float, size: float, color: str, tilt: float = 0) -> None:
    for number in range(3):
        radius = size * (0.4 + 0.34 * number)
        scene.arc((x - radius, y - radius, x + radius, y + radius), -42 + tilt, 42 + tilt, color, size * 0.12)
    scene.ellipse((x - size * 0.1, y - size * 0.1, x + size * 0.1, y + size * 0.1), color)


def _card_outline(middle: Point, width: float, tilt: float) -> list[Point]:
    x, y = middle
    half, high, radius = width / 2, width / 1.586 / 2, width * 0.045
    corners: list[Point] = []
    for cx, cy, start in (
        (half - radius, high - radius, 0),
        (-half + radius, high - radius, 90),
        (-half + radius, -high + radius, 180),
        (half - radius, -high + radius, 270),
    ):
        for step in range(7):
            angle = math.radians(start + step * 15)
            corners.append((x + cx + math.cos(angle) * radius, y + cy + math.sin(angle) * radius))
    return rotated(corners, middle, tilt)


def cards(faces: list[tuple[str, str]], *, grain: bool = False) -> bytes:
    """Draw fanned-out cards, the last on top; with a wood grain if wanted."""
    scene = Scene(WALL, horizon=None)
    count = len(faces)
    for number, (first, second) in enumerate(faces):
        tilt = -18 + (number - count + 1) * 15
        middle = (452 + (number - count + 1) * 14, 470 + (count - 1 - number) * -46)
        shape = _card_outline(middle, 540, tilt)
        scene.shadow([(x + 16, y + 26) for x, y in shape], blur=20, strength=0.3)
        scene.polygon([(x + 2, y + 5) for x, y in shape], darker(second, 0.4))
        scene.polygon(shape, Ramp(first, second))
        if grain:
            for line in range(16):
                y = middle[1] - 150 + line * 19.5
                wave = [(middle[0] - 258 + step * 12.9, y + math.sin(step / 6 + line * 1.3) * 4) for step in range(41)]
                scene.line(rotated(wave, middle, tilt), darker(second, 0.3), 1.6, 0.4)
        if number == count - 1:
            ink = darker(second, 0.6) if grain else "#ffffff"
            offsets = ((168, -90), (-214, 66), (-50, 66), (-214, 102), (-110, 102))
            mark, *ends = rotated([(middle[0] + x, middle[1] + y) for x, y in offsets], middle, tilt)
            _tap_symbol(scene, *mark, 50, ink, tilt)
            scene.line(ends[:2], ink, 15)
            scene.line(ends[2:], ink, 9)
    return scene.finish()


def sleeve(color: str, card: tuple[str, str]) -> bytes:
    """Draw a felt sleeve with a card in it."""
    scene = Scene(WALL, horizon=None)
    scene.shadow([(216, 330), (720, 330), (740, 740), (226, 740)], blur=30, strength=0.32)
    scene.box((256, 196, 644, 500), Ramp(*card), 22)
    _tap_symbol(scene, 572, 262, 40, "#ffffff")
    scene.line([(296, 258), (420, 258)], "#ffffff", 12)
    scene.box((206, 330, 694, 706), flat(color), 26)
    scene.polygon(smooth([(370, 326), (400, 366), (450, 382), (500, 366), (530, 326)]), Ramp(*card))
    for number in range(240):
        x = 216 + number * 137 % 468
        y = 396 + number * 89 % 296
        scene.line(
            [(x, y), (x + 5 - number % 9, y + 4)], lighter(color, 0.3) if number % 2 else darker(color, 0.2), 1.4, 0.5
        )
    stitch = [(226, 350), (226, 686), (674, 686), (674, 350)]
    for (x0, y0), (x1, y1) in itertools.pairwise(stitch):
        length = math.hypot(x1 - x0, y1 - y0)
        for step in range(int(length / 24)):
            a, b = step * 24 / length, (step * 24 + 13) / length
            scene.line(
                [(x0 + (x1 - x0) * a, y0 + (y1 - y0) * a), (x0 + (x1 - x0) * b, y0 + (y1 - y0) * b)],
                lighter(color, 0.65),
                3.5,
            )
    return scene.finish()


def stand(wood: str, card: tuple[str, str]) -> bytes:
    """Draw a card in a wooden stand."""
    scene = Scene(WALL, horizon=600)
    scene.shadow([(210, 690), (760, 690), (810, 734), (220, 734)], strength=0.38)
    scene.shadow([(560, 300), (700, 340), (700, 640), (560, 640)], strength=0.16)
    scene.box((236, 262, 664, 640), Ramp(*card), 26)
    scene.box((236, 262, 664, 276), "#ffffff", 10, 0.2)
    _tap_symbol(scene, 430, 416, 92, "#ffffff")
    scene.line([(330, 546), (570, 546)], "#ffffff", 14)
    scene.polygon([(196, 596), (226, 570), (674, 570), (704, 596)], lighter(wood, 0.3))
    scene.line([(232, 584), (668, 584)], darker(wood, 0.5), 6)
    scene.box((236, 540, 664, 583), Ramp(*card))
    scene.box((196, 596, 704, 716), Ramp(lighter(wood, 0.12), wood, darker(wood, 0.12)), 8)
    for number in range(6):
        points = [(200 + step * 12.5, 610 + number * 18 + math.sin(step / 5 + number) * 4) for step in range(41)]
        scene.line(points, darker(wood, 0.22), 2, 0.6)
    return scene.finish()


def wallet(color: str, card: tuple[str, str]) -> bytes:
    """Draw a leather wallet with three cards in it."""
    scene = Scene(WALL, horizon=None)
    scene.shadow([(206, 300), (730, 300), (750, 736), (216, 736)], blur=30, strength=0.32)
    for number, (first, second) in enumerate((("#f3efe6", "#d8d0c0"), ("#e5795c", "#c65a45"), card)):
        top = 190 + number * 44
        scene.box((262, top, 638, top + 240), Ramp(first, second), 20)
    _tap_symbol(scene, 580, 316, 26, "#ffffff")
    scene.box((196, 340, 704, 716), Ramp(lighter(color, 0.1), color, darker(color, 0.12)), 34)
    scene.line(smooth([(198, 392), (330, 404), (450, 440), (570, 404), (702, 392)]), darker(color, 0.4), 4)
    scene.line(smooth([(198, 398), (330, 410), (450, 446), (570, 410), (702, 398)]), lighter(color, 0.35), 3)
    for x in range(226, 680, 22):
        scene.line([(x, 694), (x + 11, 694)], lighter(color, 0.55), 3.5)
    for y in range(420, 690, 22):
        for x in (220, 680):
            scene.line([(x, y), (x, y + 11)], lighter(color, 0.55), 3.5)
    scene.ellipse((432, 560, 468, 596), darker(color, 0.3))
    scene.ellipse((435, 561, 465, 591), Ramp("#f2e0ac", "#b8944a", down=True))
    return scene.finish()
