"""Gift packs: boxes with bows, bags and an open box."""

import math

from .scene import Ramp, Scene, circle, darker, flat, lighter, round_body, smooth, star

WALL = "#f5e1e4"


def box(color: str, ribbon: str, motif: str = "") -> bytes:
    """Draw a box with a lid and a bow."""
    scene = Scene(WALL, horizon=600)
    scene.shadow([(230, 690), (760, 690), (800, 730), (240, 730)], strength=0.36)
    scene.shadow([(232, 700), (676, 700), (680, 722), (232, 722)], blur=8, strength=0.45)
    scene.box((232, 410, 668, 714), Ramp(lighter(color, 0.1), color, darker(color, 0.12)), 6)
    if motif:
        MOTIFS[motif](scene, color)
    scene.box((414, 410, 486, 714), Ramp(darker(ribbon, 0.1), lighter(ribbon, 0.2), ribbon, darker(ribbon, 0.2)))
    scene.shadow([(226, 416), (674, 416), (674, 432), (226, 432)], blur=8, strength=0.4)
    scene.box((214, 336, 686, 420), Ramp(lighter(color, 0.3), lighter(color, 0.1), darker(color, 0.04)), 8)
    scene.box((414, 336, 486, 420), Ramp(darker(ribbon, 0.04), lighter(ribbon, 0.3), ribbon, darker(ribbon, 0.14)))
    _bow(scene, 450, 336, ribbon)
    return scene.finish(1.14, (460, 480))


def _bow(scene: Scene, x: float, y: float, color: str, size: float = 1.0) -> None:
    for side in (-1, 1):
        tail = [
            (x, y - 12),
            (x + side * 60 * size, y - 4),
            (x + side * 128 * size, y + 52 * size),
            (x + side * 92 * size, y + 56 * size),
            (x + side * 84 * size, y + 84 * size),
            (x + side * 30 * size, y + 20 * size),
        ]
        scene.polygon(tail, darker(color, 0.1 if side < 0 else 0.18))
    for side in (-1, 1):
        loop = smooth(
            [
                (x, y - 16 * size),
                (x + side * 60 * size, y - 96 * size),
                (x + side * 134 * size, y - 112 * size),
                (x + side * 150 * size, y - 48 * size),
                (x + side * 92 * size, y - 8 * size),
            ],
            closed=True,
        )
        scene.polygon(
            loop,
            Ramp(lighter(color, 0.25), color, darker(color, 0.12)) if side < 0 else Ramp(color, darker(color, 0.2)),
        )
        hollow = smooth(
            [
                (x + side * 26 * size, y - 26 * size),
                (x + side * 76 * size, y - 78 * size),
                (x + side * 122 * size, y - 82 * size),
                (x + side * 122 * size, y - 48 * size),
                (x + side * 80 * size, y - 26 * size),
            ],
            closed=True,
        )
        scene.polygon(hollow, darker(color, 0.36))
    scene.box((x - 26 * size, y - 46 * size, x + 26 * size, y + 10 * size), round_body(color), 16 * size)


def _stars(scene: Scene, color: str) -> None:
    for number in range(26):
        column, row = number % 7, number // 7
        x, y = 262 + column * 64 + (row % 2) * 30, 462 + row * 68
        if x < 650:
            scene.polygon(star(x, y, 15, 5, 0.45, -90 + number * 20), lighter(color, 0.6))


def _spots(scene: Scene, color: str) -> None:
    for row in range(5):
        for column in range(8):
            x, y = 258 + column * 56 + (row % 2) * 28, 448 + row * 56
            if x < 658:
                scene.ellipse(circle(x, y, 9), lighter(color, 0.6))


def _stripes(scene: Scene, color: str) -> None:
    for number in range(9):
        x = 244 + number * 50
        scene.box((x, 410, x + 18, 712), lighter(color, 0.5), 0, 0.75)


def _arches(scene: Scene, color: str) -> None:
    for row in range(4):
        for column in range(7):
            x, y = 232 + column * 62.3, 452 + row * 66
            for radius in (28, 18, 8):
                scene.arc(
                    (x + 31 - radius, y - radius + 20, x + 31 + radius, y + radius + 20),
                    180,
                    360,
                    lighter(color, 0.6),
                    4,
                )


MOTIFS = {"stars": _stars, "spots": _spots, "stripes": _stripes, "arches": _arches}


def hatbox(color: str, ribbon: str) -> bytes:
    """Draw a round box with a bow on its lid."""
    scene = Scene(WALL, horizon=590)
    x, half = 450, 222
    scene.shadow((x - half, 660, x + half * 1.6, 760), blur=26)
    scene.ellipse((x - half, 640, x + half, 744), round_body(darker(color, 0.14)))
    scene.box((x - half, 430, x + half, 692), round_body(color))
    scene.ellipse((x - half, 640, x + half, 744), round_body(color))
    for number in range(11):
        angle = math.cos(math.pi * (number + 0.5) / 11)
        sag = math.sqrt(1 - angle**2) * 52
        scene.line([(x - angle * half, 440 + sag), (x - angle * half, 690 + sag)], lighter(color, 0.5), 5, 0.6)
    scene.box((x - 34, 470, x + 34, 742), Ramp(darker(ribbon, 0.1), lighter(ribbon, 0.2), darker(ribbon, 0.16)))
    lid = half + 14
    scene.shadow((x - lid, 404, x + lid, 512), blur=10, strength=0.3)
    scene.ellipse((x - lid, 388, x + lid, 500), round_body(lighter(color, 0.06)))
    scene.box((x - lid, 366, x + lid, 444), round_body(lighter(color, 0.06)))
    scene.polygon(
        [(x - 34, 420), (x + 34, 420), (x + 34, 500), (x - 34, 500)],
        Ramp(darker(ribbon, 0.1), lighter(ribbon, 0.2), darker(ribbon, 0.16)),
    )
    scene.ellipse((x - lid, 308, x + lid, 424), Ramp(lighter(color, 0.5), lighter(color, 0.2)))
    scene.polygon([(x - 34, 309), (x + 34, 309), (x + 34, 423), (x - 34, 423)], lighter(ribbon, 0.12))
    _bow(scene, x, 376, ribbon, 0.95)
    return scene.finish(1.14, (460, 480))


def bag(color: str, tissue: str, tag: str, motif: str = "dot") -> bytes:
    """Draw a paper bag with tissue paper."""
    scene = Scene(WALL)
    scene.shadow([(280, 690), (720, 690), (780, 726), (290, 726)], strength=0.36)
    for number, (x, height) in enumerate(((316, 250), (372, 216), (436, 236), (500, 206), (560, 246))):
        shade = lighter(tissue, 0.35 if number % 2 else 0.1)
        scene.polygon([(x - 52, 330), (x - 22, height + 24), (x, height), (x + 30, height + 34), (x + 56, 330)], shade)
    for x, handle_color in ((440, darker(tag, 0.3)), (440, tag)):
        drop = 0 if handle_color == tag else -16
        scene.line(
            smooth([(x - 76, 350), (x - 70, 190 + drop), (x, 150 + drop), (x + 70, 190 + drop), (x + 76, 350)]),
            handle_color,
            8,
        )
    scene.polygon([(600, 312), (652, 344), (652, 690), (600, 714)], darker(color, 0.26))
    scene.polygon([(600, 312), (652, 344), (626, 520), (600, 714)], darker(color, 0.18))
    scene.box((276, 312, 602, 714), flat(color), 4)
    if motif == "moon":
        scene.ellipse((352, 430, 496, 574), lighter(color, 0.75))
        scene.ellipse((392, 418, 520, 546), flat(color))
        scene.polygon(star(486, 472, 34), lighter(color, 0.75))
    elif motif == "heart":
        half = smooth(
            [(438, 596), (366, 520), (356, 462), (396, 434), (438, 470), (480, 434), (520, 462), (510, 520)],
            closed=True,
        )
        scene.polygon(half, lighter(color, 0.7))
    else:
        for radius, part in ((92, 0.35), (64, 0.55), (36, 0.75)):
            scene.ellipse(circle(438, 510, radius), lighter(color, part))
    scene.box((276, 312, 602, 330), darker(color, 0.1), 2)
    for x in (364, 516):
        scene.ellipse(circle(x, 344, 8), darker(color, 0.4))
    return scene.finish(1.14, (460, 480))


def open_box(color: str, filling: list[str]) -> bytes:
    """Draw an open box with a bottle, a journal and a cup in shredded paper, in three colors."""
    scene = Scene(WALL, horizon=570)
    scene.shadow([(170, 690), (770, 690), (820, 734), (180, 734)], strength=0.38)
    scene.polygon([(150, 470), (220, 396), (690, 396), (750, 470)], darker(color, 0.4))
    first, second, third = filling
    scene.box((262, 180, 372, 540), round_body(first), 34)
    scene.box((284, 120, 350, 192), round_body(darker(first, 0.45)), 12)
    scene.box((286, 250, 300, 440), "#ffffff", 7, 0.35)
    scene.polygon(
        [(404, 236), (590, 204), (632, 500), (446, 540)], Ramp(lighter(second, 0.1), second, darker(second, 0.1))
    )
    scene.polygon([(404, 236), (426, 232), (468, 530), (446, 540)], darker(second, 0.24))
    scene.polygon([(556, 210), (572, 207), (614, 500), (598, 504)], lighter(second, 0.6))
    scene.line(smooth([(660, 404), (712, 404), (706, 462), (656, 470)]), darker(third, 0.1), 18)
    scene.box((560, 376, 672, 540), round_body(third), 20)
    scene.ellipse((560, 360, 672, 394), lighter(third, 0.3))
    scene.ellipse((570, 365, 662, 390), darker(third, 0.4))
    for number in range(64):
        x = 176 + number * 8.7
        y = 462 + (number * 37 % 34)
        curl = smooth([(x - 20, y + 22), (x - 6, y - 16), (x + 12, y + 8), (x + 26, y - 8)], 6)
        scene.line(curl, ("#f3e3bd", "#e7cf98", "#faf0d6")[number % 3], 5)
    scene.polygon(
        [(150, 470), (750, 470), (730, 716), (170, 716)], Ramp(lighter(color, 0.16), color, darker(color, 0.1))
    )
    scene.line([(152, 472), (748, 472)], lighter(color, 0.45), 6)
    scene.box((366, 556, 534, 640), lighter(color, 0.75), 8)
    scene.line([(396, 586), (504, 586)], darker(color, 0.2), 5)
    scene.line([(416, 612), (484, 612)], darker(color, 0.2), 4)
    return scene.finish(1.14, (460, 480))


def stacked_boxes(color: str, twine: str) -> bytes:
    """Draw three stacked boxes, tied with twine and a sprig."""
    scene = Scene(WALL, horizon=610)
    scene.shadow([(230, 694), (740, 694), (790, 730), (240, 730)], strength=0.36)
    for left, top, right, bottom, part in (
        (220, 540, 680, 714, 0.0),
        (276, 400, 624, 540, 0.14),
        (334, 290, 566, 400, 0.28),
    ):
        shade = lighter(color, part)
        scene.shadow(
            [(left, bottom - 6), (right + 20, bottom - 6), (right + 20, bottom + 10), (left, bottom + 10)],
            blur=8,
            strength=0.3,
        )
        scene.box((left, top, right, bottom), Ramp(lighter(shade, 0.16), shade, darker(shade, 0.1)), 6)
        scene.box(
            (left - 6, top, right + 6, top + 34),
            Ramp(lighter(shade, 0.34), lighter(shade, 0.1), darker(shade, 0.04)),
            5,
        )
    for across in (442, 452):
        scene.line([(across, 290), (across, 714)], twine, 4)
    for side in (-1, 1):
        loop = smooth([(447, 288), (447 + side * 54, 232), (447 + side * 84, 262), (447 + side * 40, 286)], closed=True)
        scene.line([*loop, loop[0]], darker(twine, 0.06), 5)
    stem = smooth([(420, 300), (470, 260), (540, 216)])
    scene.line(stem, "#4e7a5a", 4)
    for number in range(5):
        base = x, y = stem[2 + number * 4]
        for side in (-1, 1):
            scene.leaf(base, (x + 14 + side * 20, y + side * 34 - 24), 18, "#6b9b74" if side > 0 else "#83b18a")
    scene.leaf(stem[-2], (578, 192), 18, "#83b18a")
    return scene.finish(1.14, (460, 480))
