"""Journals standing upright, sketchbooks and a stack of notebooks."""

import math

from .scene import Ramp, Scene, darker, flat, lighter, mix, smooth

WALL, PAPER = "#efe6d8", "#fbf6ea"
LEFT, TOP, RIGHT, BOTTOM = 270, 150, 626, 668


def journal(
    color: str,
    motif: str = "plain",
    *,
    band: str | None = None,
    ribbon: str | None = None,
    spiral: bool = False,
    title: str = "",
) -> bytes:
    """Draw a journal from the front, with its page edges on the right."""
    scene = Scene(WALL)
    scene.shadow([(LEFT + 20, BOTTOM - 40), (RIGHT + 150, BOTTOM - 8), (RIGHT + 90, BOTTOM + 22), (LEFT, BOTTOM + 14)])
    scene.shadow([(RIGHT, TOP + 60), (RIGHT + 70, TOP + 110), (RIGHT + 70, BOTTOM - 30), (RIGHT, BOTTOM)], strength=0.2)
    if ribbon:
        scene.polygon(
            [(430, BOTTOM - 4), (452, BOTTOM - 4), (456, BOTTOM + 62), (443, BOTTOM + 46), (430, BOTTOM + 60)], ribbon
        )
    scene.box((LEFT + 8, TOP + 8, RIGHT + 26, BOTTOM + 4), darker(color, 0.32), 14)
    scene.box((LEFT + 16, TOP + 14, RIGHT + 20, BOTTOM - 4), Ramp(darker(PAPER, 0.12), PAPER), 8)
    for number in range(4):
        x = RIGHT + 3 + number * 4.5
        scene.line([(x, TOP + 18), (x, BOTTOM - 8)], darker(PAPER, 0.2), 1)
    scene.box((LEFT, TOP, RIGHT, BOTTOM), flat(color), 16)
    MOTIFS[motif](scene, color)
    if spiral:
        _spiral(scene)
    else:
        scene.box((LEFT, TOP, LEFT + 40, BOTTOM), darker(color, 0.14), 14)
        scene.line([(LEFT + 42, TOP + 3), (LEFT + 42, BOTTOM - 3)], darker(color, 0.35), 2)
        scene.line([(LEFT + 45, TOP + 3), (LEFT + 45, BOTTOM - 3)], lighter(color, 0.3), 1.5)
    if title:
        _label(scene, title)
    if band:
        scene.box((RIGHT - 62, TOP - 3, RIGHT - 42, BOTTOM + 3), Ramp(darker(band, 0.2), band, darker(band, 0.3)), 3)
    scene.line([(LEFT + 14, TOP + 2), (RIGHT - 14, TOP + 2)], lighter(color, 0.5), 2, 0.7)
    return scene.finish(1.16, (462, 430))


def _label(scene: Scene, color: str) -> None:
    scene.box((372, 250, 532, 336), PAPER, 8)
    scene.box((379, 257, 525, 329), darker(PAPER, 0.1), 5)
    scene.box((381, 259, 523, 327), PAPER, 4)
    scene.line([(400, 284), (504, 284)], color, 5)
    scene.line([(418, 304), (486, 304)], color, 4)


def _spiral(scene: Scene) -> None:
    for number in range(15):
        y = TOP + 24 + number * 33.5
        scene.ellipse((LEFT + 16, y - 7, LEFT + 32, y + 7), "#3b3f49")
        scene.arc((LEFT - 22, y - 15, LEFT + 28, y + 9), 100, 380, "#8d949f", 6)
        scene.arc((LEFT - 21, y - 14, LEFT + 27, y + 8), 160, 300, "#eef1f5", 2.5)


def _plain(scene: Scene, color: str) -> None:
    scene.box((LEFT + 66, TOP + 26, RIGHT - 80, BOTTOM - 26), lighter(color, 0.12), 8, 0.35)


def _hills(scene: Scene, color: str) -> None:
    scene.ellipse((466, 246, 546, 326), lighter(color, 0.72))
    for number in range(4):
        base = 408 + number * 54
        points = [
            (LEFT + 42 + x, base + math.sin(x / 70 + number * 1.9) * (34 - number * 5))
            for x in range(0, RIGHT - LEFT - 41, 6)
        ]
        scene.polygon(
            [(LEFT + 42, BOTTOM - 14), *points, (RIGHT - 1, BOTTOM - 14)],
            mix(lighter(color, 0.38), darker(color, 0.42), number / 3),
        )
    scene.box((LEFT + 42, BOTTOM - 16, RIGHT - 12, BOTTOM), darker(color, 0.42), 14)


def _waves(scene: Scene, color: str) -> None:
    for number in range(13):
        y = TOP + 44 + number * 36
        points = [
            (LEFT + 46 + x, y + math.sin(x / 26 + number % 2 * math.pi) * 8) for x in range(0, RIGHT - LEFT - 48, 5)
        ]
        scene.line(points, lighter(color, 0.5), 3.5, 0.65)


def _leaves(scene: Scene, color: str) -> None:
    stem = smooth([(430, 630), (450, 500), (444, 380), (462, 214)])
    scene.line(stem, lighter(color, 0.62), 5)
    for number in range(7):
        x, y = stem[5 + number * 4]
        reach = 108 - number * 9
        for side in (-1, 1):
            tip = (x + side * reach * 0.86, y - reach * 0.62)
            scene.leaf((x, y), tip, reach * 0.36, lighter(color, 0.5 if side > 0 else 0.64))
    scene.leaf(stem[-3], (466, 176), 24, lighter(color, 0.6))


def _stripes(scene: Scene, color: str) -> None:
    scene.box((LEFT + 42, 452, RIGHT, 500), lighter(color, 0.62))
    scene.box((LEFT + 42, 514, RIGHT, 530), lighter(color, 0.4))


def _grid(scene: Scene, color: str) -> None:
    for x in range(LEFT + 66, RIGHT - 10, 26):
        scene.line([(x, TOP + 4), (x, BOTTOM - 4)], lighter(color, 0.45), 1.5, 0.6)
    for y in range(TOP + 24, BOTTOM - 6, 26):
        scene.line([(LEFT + 44, y), (RIGHT - 3, y)], lighter(color, 0.45), 1.5, 0.6)


def _dots(scene: Scene, color: str) -> None:
    for column in range(9):
        for row in range(15):
            radius = 3 + 6 * row / 14
            x, y = LEFT + 70 + column * 32 + (row % 2) * 16, TOP + 32 + row * 33
            if x < RIGHT - 12:
                scene.ellipse((x - radius, y - radius, x + radius, y + radius), lighter(color, 0.62), 0.85)


MOTIFS = {
    "plain": _plain, "hills": _hills, "waves": _waves, "leaves": _leaves, "stripes": _stripes, "grid": _grid,
    "dots": _dots,
}  # fmt: skip


def strapped(color: str, strap: str) -> bytes:
    """Draw a leather journal with a strap around it."""
    scene = Scene(WALL)
    scene.shadow([(LEFT, BOTTOM - 40), (RIGHT + 140, BOTTOM - 8), (RIGHT + 80, BOTTOM + 24), (LEFT, BOTTOM + 14)])
    for number in range(7):
        y = BOTTOM - 6 - number
        scene.line([(LEFT + 14, y), (RIGHT + 16, y)], darker(PAPER, 0.05 + 0.03 * number), 2)
    scene.box((LEFT + 10, TOP + 10, RIGHT + 18, BOTTOM - 2), Ramp(darker(PAPER, 0.2), darker(PAPER, 0.04)), 20)
    leather = Ramp(darker(color, 0.25), color, lighter(color, 0.16), color, darker(color, 0.1))
    scene.box((LEFT - 6, TOP, RIGHT + 6, BOTTOM), leather, 30)
    scene.box((LEFT - 6, TOP, LEFT + 10, BOTTOM), darker(color, 0.3), 8, 0.5)
    for x in (LEFT + 26, RIGHT - 18):
        for y in range(TOP + 26, BOTTOM - 26, 22):
            scene.line([(x, y), (x, y + 11)], lighter(color, 0.55), 3)
    scene.shadow([(LEFT, 418), (RIGHT, 426), (RIGHT, 446), (LEFT, 438)], blur=10, strength=0.4)
    scene.polygon(
        [(LEFT - 8, 402), (RIGHT + 8, 398), (RIGHT + 8, 424), (LEFT - 8, 428)],
        Ramp(darker(strap, 0.2), strap, darker(strap, 0.1)),
    )
    scene.polygon(
        [(LEFT - 8, 436), (RIGHT + 8, 440), (RIGHT + 8, 462), (LEFT - 8, 458)],
        Ramp(darker(strap, 0.2), strap, darker(strap, 0.1)),
    )
    tail = smooth([(470, 430), (492, 500), (476, 560), (500, 610)])
    scene.line(tail, strap, 9)
    scene.ellipse((446, 406, 496, 456), darker(strap, 0.25))
    scene.ellipse((450, 408, 492, 450), Ramp("#e8d5a0", "#b8944a", down=True))
    return scene.finish(1.16, (462, 430))


def stack(colors: list[str], tie: str) -> bytes:
    """Draw a stack of thin notebooks, tied with a string."""
    scene = Scene(WALL, horizon=560)
    height = 62
    foot = 700
    scene.shadow([(190, foot - 10), (740, foot - 10), (770, foot + 26), (200, foot + 22)], strength=0.42)
    for number, color in enumerate(colors):
        left, bottom = 205 + (number % 2) * 18 - number * 3, foot - number * height
        right = left + 470
        scene.box((left, bottom - height + 4, right, bottom), darker(color, 0.12), 8)
        scene.box(
            (left + 10, bottom - height + 13, right + 2, bottom - 10), Ramp(darker(PAPER, 0.18), PAPER, down=True)
        )
        for line in range(5):
            y = bottom - height + 19 + line * 7
            scene.line([(left + 12, y), (right, y)], darker(PAPER, 0.16), 1)
        scene.box(
            (left, bottom - height + 4, left + 22, bottom), Ramp(lighter(color, 0.2), darker(color, 0.2), down=True), 8
        )
    color = colors[-1]
    left, bottom = 205 + ((len(colors) - 1) % 2) * 18 - (len(colors) - 1) * 3, foot - (len(colors) - 1) * height
    y = bottom - height + 4
    lid = [(left, y + 4), (left + 104, y - 148), (left + 520, y - 148), (left + 470, y + 4)]
    scene.polygon(lid, Ramp(darker(color, 0.05), color, lighter(color, 0.12)))
    scene.line([(left + 2, y + 4), (left + 470, y + 4)], lighter(color, 0.4), 3, 0.8)
    scene.polygon([(left + 218, y - 104), (left + 356, y - 104), (left + 346, y - 56), (left + 204, y - 56)], PAPER)
    scene.line([(left + 236, y - 80), (left + 328, y - 80)], darker(color, 0.3), 4)
    front, back = left + 118, left + 196
    scene.polygon([(front, y + 4), (front + 12, y + 4), (back + 12, y - 148), (back, y - 148)], tie)
    scene.box((front, y + 4, front + 12, foot), Ramp(darker(tie, 0.1), tie, darker(tie, 0.25)))
    for side in (-1, 1):
        loop = smooth(
            [
                (front + 40, y - 54),
                (front + 40 + side * 52, y - 98),
                (front + 40 + side * 72, y - 58),
                (front + 40 + side * 34, y - 42),
            ],
            closed=True,
        )
        scene.line([*loop, loop[0]], darker(tie, 0.08), 7)
    scene.ellipse((front + 28, y - 66, front + 54, y - 40), darker(tie, 0.2))
    return scene.finish(1.16, (470, 560))
