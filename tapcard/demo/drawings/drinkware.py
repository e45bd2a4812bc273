"""Bottles and cups."""

import math

from .scene import Point, Ramp, Scene, circle, darker, lighter, metal, mirrored, round_body, smooth

BOTTLE_WALL, CUP_WALL = "#dfe9e4", "#f6e4da"
MIDDLE, FOOT = 440, 716
SHAPES: dict[str, list[tuple[float, float]]] = {  # pairs of half width and y, from the shoulder down
    "slim": [(52, 300), (56, 318), (84, 356), (98, 396), (100, 470), (100, 660), (98, 694), (86, 714)],
    "wide": [(76, 318), (84, 330), (116, 362), (124, 400), (124, 480), (124, 660), (122, 696), (108, 714)],
    "straight": [(92, 288), (98, 292), (101, 310), (101, 400), (101, 560), (101, 690), (98, 706), (88, 714)],
    "round": [(56, 322), (64, 344), (112, 396), (132, 450), (136, 530), (134, 630), (124, 694), (104, 714)],
}


def bottle(
    color: str,
    shape: str = "slim",
    lid: str = "screw",
    *,
    lid_color: str = "",
    second: str = "",
    motif: str = "",
) -> bytes:
    """Draw a coated steel bottle."""
    scene = Scene(BOTTLE_WALL)
    profile = SHAPES[shape]
    half = max(width for width, _ in profile)
    _stand(scene, half)
    body = smooth(profile)
    LIDS[lid](scene, profile[0], lid_color or darker(color, 0.5))
    scene.polygon(mirrored(body, MIDDLE), round_body(color))
    if second:
        lower = [(width, y) for width, y in body if y > 560]
        scene.polygon(mirrored([(half, 560), *lower], MIDDLE), round_body(second))
        scene.box((MIDDLE - half, 557, MIDDLE + half, 563), metal())
    if motif:
        MOTIFS[motif](scene, color, half)
    scene.box((MIDDLE - profile[-1][0] - 6, 700, MIDDLE + profile[-1][0] + 6, 715), metal(), 7)
    _shine(scene, half, profile[0][1] + 84, 670)
    return scene.finish(1.3, (452, 466))


def _stand(scene: Scene, half: float, foot: float = FOOT, middle: float = MIDDLE) -> None:
    scene.shadow((middle - half, foot - 30, middle + half * 2.1, foot + 26), blur=26)
    scene.shadow((middle - half, foot - 16, middle + half + 16, foot + 14), blur=9, strength=0.45)


def _shine(scene: Scene, half: float, top: float, bottom: float, alpha: float = 0.34) -> None:
    scene.box((MIDDLE - half * 0.62, top, MIDDLE - half * 0.46, bottom), "#ffffff", 8, alpha)
    scene.box((MIDDLE - half * 0.38, top + 14, MIDDLE - half * 0.34, bottom - 60), "#ffffff", 2, alpha * 0.7)


def _screw(scene: Scene, neck: tuple[float, float], color: str) -> None:
    half, y = neck
    scene.box((MIDDLE - half + 6, y - 16, MIDDLE + half - 6, y + 22), metal())
    scene.box((MIDDLE - half - 4, y - 92, MIDDLE + half + 4, y - 14), round_body(color), 12)
    for number in range(1, 9):
        x = MIDDLE - half - 4 + number * (2 * half + 8) / 9
        scene.line([(x, y - 74), (x, y - 20)], darker(color, 0.3), 2, 0.6)
    scene.box((MIDDLE - half + 6, y - 90, MIDDLE + half - 12, y - 84), lighter(color, 0.5), 3, 0.5)


def _loop(scene: Scene, neck: tuple[float, float], color: str) -> None:
    half, y = neck
    scene.arc((MIDDLE - half * 0.7, y - 150, MIDDLE + half * 0.7, y - 30), 170, 370, darker(color, 0.1), 20)
    scene.arc((MIDDLE - half * 0.7 + 3, y - 147, MIDDLE + half * 0.7 - 3, y - 33), 190, 280, lighter(color, 0.4), 5)
    scene.box((MIDDLE - half + 6, y - 14, MIDDLE + half - 6, y + 22), metal())
    scene.box((MIDDLE - half - 4, y - 74, MIDDLE + half + 4, y - 12), round_body(color), 12)


def _bamboo(scene: Scene, neck: tuple[float, float], _color: str) -> None:
    half, y = neck
    wood = "#d9b27c"
    scene.box((MIDDLE - half + 4, y - 12, MIDDLE + half - 4, y + 22), metal())
    scene.box((MIDDLE - half - 6, y - 80, MIDDLE + half + 6, y - 10), round_body(wood), 8)
    for number in range(7):
        x = MIDDLE - half + 6 + number * (2 * half - 12) / 6
        scene.line([(x, y - 74), (x + 3, y - 16)], darker(wood, 0.25), 1.5, 0.55)
    scene.ellipse((MIDDLE - half - 6, y - 90, MIDDLE + half + 6, y - 70), lighter(wood, 0.3))


def _cup(scene: Scene, neck: tuple[float, float], color: str) -> None:
    half, y = neck
    top = [(half - 16, y - 116), (half - 8, y - 108), (half + 2, y - 30), (half + 4, y - 8)]
    scene.polygon(mirrored(top, MIDDLE), round_body(color))
    scene.box((MIDDLE - half - 3, y - 10, MIDDLE + half + 3, y + 8), metal(), 3)
    scene.box((MIDDLE - half + 10, y - 114, MIDDLE + half - 24, y - 107), lighter(color, 0.6), 3, 0.6)


def _sport(scene: Scene, neck: tuple[float, float], color: str) -> None:
    half, y = neck
    scene.box((MIDDLE - 16, y - 132, MIDDLE + 16, y - 88), Ramp("#ffffff", "#e8ecf0", "#aab2bd"), 9)
    scene.polygon(
        mirrored(smooth([(24, y - 100), (30, y - 84), (half, y - 56), (half + 4, y - 12)]), MIDDLE), round_body(color)
    )
    scene.box((MIDDLE - half, y - 14, MIDDLE + half, y + 14), round_body(darker(color, 0.2)))


LIDS = {"screw": _screw, "loop": _loop, "bamboo": _bamboo, "cup": _cup, "sport": _sport}


def _name(scene: Scene, color: str, half: float) -> None:
    ink = lighter(color, 0.8)
    scene.text(MIDDLE + 4, 530, "Ada", ink, half * 0.6)
    scene.line([(MIDDLE - half * 0.34, 580), (MIDDLE + half * 0.4, 580)], ink, 3)


def _contours(scene: Scene, color: str, half: float) -> None:
    for number in range(7):
        points = []
        for step in range(49):
            x = -half + 4 + step * (2 * half - 8) / 48
            bend = math.sqrt(max(0.0, 1 - (x / half) ** 2)) * 14
            points.append((MIDDLE + x, 440 + number * 32 + bend + math.sin(step / 7 + number * 0.6) * 12))
        scene.line(points, lighter(color, 0.62), 3, 0.7)


def _sprig(scene: Scene, color: str, half: float) -> None:
    stem = smooth([(MIDDLE, 640), (MIDDLE + 12, 560), (MIDDLE + 2, 470)])
    scene.line(stem, lighter(color, 0.75), 4)
    for number in range(5):
        x, y = stem[4 + number * 4]
        reach = half * (0.66 - number * 0.07)
        for side in (-1, 1):
            scene.leaf((x, y), (x + side * reach * 0.84, y - reach * 0.66), reach * 0.38, lighter(color, 0.72))
    scene.leaf(stem[-2], (MIDDLE + 2, 424), 22, lighter(color, 0.72))


def _hoops(scene: Scene, color: str, half: float) -> None:
    for y, height in ((430, 26), (468, 12), (492, 6)):
        scene.box((MIDDLE - half, y, MIDDLE + half, y + height), round_body(lighter(color, 0.62)))


MOTIFS = {"name": _name, "contours": _contours, "sprig": _sprig, "hoops": _hoops}


def glass_bottle(tint: str, sleeve: str) -> bytes:
    """Draw a glass bottle in a silicone sleeve, with a bamboo lid."""
    scene = Scene(BOTTLE_WALL)
    profile, half = SHAPES["slim"], 100
    _stand(scene, half)
    _bamboo(scene, profile[0], "")
    body = smooth(profile)
    scene.polygon(mirrored(body, MIDDLE), "#ffffff", 0.4)
    water = [(width - 7, y) for width, y in body if y > 400]
    scene.polygon(mirrored(water, MIDDLE), Ramp(darker(tint, 0.1), lighter(tint, 0.5), tint, darker(tint, 0.08)), 0.75)
    scene.ellipse((MIDDLE - 93, 390, MIDDLE + 93, 412), lighter(tint, 0.6), 0.9)
    lower = [(half, 500), *((width + 1, y) for width, y in body if y > 500)]
    scene.polygon(mirrored(lower, MIDDLE), round_body(sleeve))
    for number in range(5):
        scene.box((MIDDLE - 22 + number * 11 - 3, 560, MIDDLE - 22 + number * 11 + 3, 640), darker(sleeve, 0.2), 3, 0.6)
    _shine(scene, half, 380, 690, 0.5)
    scene.line([(MIDDLE + 78, 400), (MIDDLE + 78, 490)], "#ffffff", 4, 0.7)
    return scene.finish(1.3, (452, 466))


# --- cups -------------------------------------------------------------------------------------------------------------


def mug(
    color: str,
    glaze: str = "",
    *,
    inside: str = "#f7efe4",
    drink: str = "",
    motif: str = "",
    rim: str = "",
) -> bytes:
    """Draw a mug with a handle, seen from slightly above."""
    scene = Scene(CUP_WALL, horizon=600)
    x, top, bottom, half = 410, 330, 690, 172
    _stand(scene, half - 10, bottom + 10, x)
    handle = smooth(
        [(x + half - 14, 410), (x + half + 92, 396), (x + half + 112, 500), (x + half + 60, 594), (x + half - 22, 612)]
    )
    scene.line(handle, darker(color, 0.16), 40)
    scene.line([(a - 5, b - 6) for a, b in handle], lighter(color, 0.12), 20)
    body = smooth([(half, top), (half + 2, 480), (half - 6, 600), (half - 30, 672), (half - 62, bottom)])
    scene.polygon(mirrored(body, x), round_body(color))
    scene.ellipse((x - half + 62, bottom - 18, x + half - 62, bottom + 16), darker(color, 0.26))
    scene.polygon(mirrored([(width, y) for width, y in body if y > 640], x), round_body(color))
    if glaze:
        edge = [
            (
                x - half - 2 + step * (2 * half + 4) / 60,
                500 + math.sin(step / 4.2) * 10 + math.sin(step * math.pi / 60) * 34,
            )
            for step in range(61)
        ]
        scene.polygon(
            [(x - half, top), *[(max(x - half - 1, min(x + half + 1, a)), b) for a, b in edge], (x + half, top)],
            round_body(glaze),
        )
    if motif:
        CUP_MOTIFS[motif](scene, color, x, half)
    scene.box((x - half * 0.66, 410, x - half * 0.56, 590), "#ffffff", 8, 0.36)
    _opening(scene, (x, top), half, rim or glaze or color, inside, drink)
    return scene.finish(1.2, (450, 520))


def _opening(scene: Scene, center: Point, half: float, rim: str, inside: str, drink: str) -> None:
    """Draw the opening of a cup, with the drink in it."""
    x, y = center
    scene.ellipse(circle(x, y, half, 0.26), Ramp(lighter(rim, 0.35), rim, darker(rim, 0.12)))
    scene.ellipse(circle(x, y + 2, half - 11, 0.245), Ramp(darker(inside, 0.26), inside, lighter(inside, 0.4)))
    if drink:
        scene.ellipse(circle(x, y + 13, half - 25, 0.19), Ramp(darker(drink, 0.2), drink, lighter(drink, 0.12)))
        scene.arc(circle(x, y + 13, half - 36, 0.17), 200, 262, lighter(drink, 0.5), 4, 0.7)


def _initial(scene: Scene, color: str, x: float, _half: float) -> None:
    ink = lighter(color, 0.8)
    scene.arc((x - 62, 448, x + 62, 572), 0, 360, ink, 5)
    scene.text(x, 508, "A", ink, 84)


def _specks(scene: Scene, color: str, x: float, half: float) -> None:
    for number in range(90):
        across = math.sin(number * 12.9898) * half * 0.9
        down = 390 + (number * 97 % 270)
        size = 1.5 + number % 3
        scene.ellipse(circle(x + across, down, size), darker(color, 0.5), 0.5)


def _mountains(scene: Scene, color: str, x: float, half: float) -> None:
    ink = lighter(color, 0.72)
    for shift, height, shade in ((-50, 90, 0.4), (44, 118, 0.66), (-2, 66, 0.9)):
        foot = 590
        scene.polygon(
            [(x + shift - height, foot), (x + shift, foot - height), (x + shift + height, foot)], lighter(color, shade)
        )
    scene.ellipse((x - 84, 436, x - 44, 476), ink)
    del half


def _rings(scene: Scene, color: str, x: float, half: float) -> None:
    for y, width in ((440, 16), (470, 8), (490, 4)):
        points = [
            (x - half + 1 + step * (2 * half - 2) / 40, y + math.sin(step * math.pi / 40) * 34) for step in range(41)
        ]
        scene.line(points, lighter(color, 0.7), width, 0.95)


CUP_MOTIFS = {"initial": _initial, "specks": _specks, "mountains": _mountains, "rings": _rings}


def tumbler(color: str, lid: str, motif: str = "") -> bytes:
    """Draw a travel cup with a lid."""
    scene = Scene(CUP_WALL)
    _stand(scene, 96)
    profile = [(132, 268), (128, 330), (116, 520), (106, 690), (94, 714)]
    scene.polygon(mirrored(smooth(profile), MIDDLE), round_body(color))
    scene.box((MIDDLE - 134, 250, MIDDLE + 134, 292), round_body(lid), 14)
    scene.polygon(mirrored([(106, 220), (114, 226), (124, 252)], MIDDLE), round_body(lid))
    scene.ellipse((MIDDLE - 106, 208, MIDDLE + 106, 234), lighter(lid, 0.2))
    scene.box((MIDDLE + 28, 215, MIDDLE + 68, 224), darker(lid, 0.5), 5)
    scene.box((MIDDLE - 126, 436, MIDDLE + 126, 560), round_body(darker(lid, 0.05)), 12)
    if motif == "name":
        scene.text(MIDDLE, 496, "Ada", lighter(lid, 0.8), 62)
    else:
        for number in range(9):
            x = MIDDLE - 92 + number * 23
            scene.line([(x, 452), (x, 544)], darker(lid, 0.3), 3, 0.5)
    scene.box((MIDDLE - 78, 310, MIDDLE - 62, 420), "#ffffff", 8, 0.36)
    return scene.finish(1.3, (452, 474))


def pair(color: str, saucer: str, drink: str) -> bytes:
    """Draw two espresso cups on saucers."""
    scene = Scene(CUP_WALL, horizon=560)
    for x, y, size in ((600, 590, 0.86), (322, 660, 1.0)):
        wide = 190 * size
        scene.shadow((x - wide, y - 24, x + wide * 1.25, y + 66), blur=20, strength=0.4)
        scene.ellipse(circle(x, y + 14, wide, 0.27), darker(saucer, 0.18))
        scene.ellipse(circle(x, y + 6, wide, 0.27), Ramp(lighter(saucer, 0.4), saucer, darker(saucer, 0.1)))
        scene.ellipse(circle(x, y + 6, wide * 0.6, 0.24), darker(saucer, 0.12))
        half, top = 112 * size, y - 170 * size
        scene.arc(
            (x + half - 36 * size, top + 30 * size, x + half + 66 * size, top + 122 * size),
            250,
            470,
            darker(color, 0.12),
            20 * size,
        )
        scene.polygon(
            mirrored(
                smooth([(half, top), (half * 0.97, top + 80 * size), (half * 0.72, y - 22 * size), (half * 0.44, y)]), x
            ),
            round_body(color),
        )
        scene.ellipse(circle(x, y, half * 0.44, 0.22), darker(color, 0.3))
        scene.box((x - half * 0.62, top + 52 * size, x - half * 0.52, y - 58 * size), "#ffffff", 6, 0.4)
        _opening(scene, (x, top), half, color, lighter(color, 0.6), drink)
    return scene.finish(1.2, (450, 520))


def bowl(color: str, glaze: str, drink: str) -> bytes:
    """Draw a bowl."""
    scene = Scene(CUP_WALL, horizon=590)
    x, top, bottom, half = 440, 400, 690, 228
    _stand(scene, 150, bottom + 8, x)
    scene.box((x - 92, bottom - 30, x + 92, bottom + 8), round_body(darker(color, 0.2)), 10)
    body = smooth([(half, top), (half - 4, 470), (half - 42, 590), (half - 110, 668), (96, bottom - 12)])
    scene.polygon(mirrored(body, x), round_body(color))
    upper = [(width, y) for width, y in body if y < 520]
    scene.polygon(mirrored(upper, x), round_body(glaze))
    for number in range(24):
        angle = math.sin(number * 78.2) * (half - 30)
        scene.ellipse(circle(x + angle, 540 + number * 41 % 100, 2.5), darker(color, 0.4), 0.5)
    scene.box((x - half * 0.68, 470, x - half * 0.6, 560), "#ffffff", 7, 0.36)
    _opening(scene, (x, top), half, glaze, lighter(glaze, 0.55), drink)
    return scene.finish(1.2, (450, 520))
