"""QR codes are drawn without asking anybody, and drawn right."""

import io
import xml.etree.ElementTree as ET

import pytest
import segno
from PIL import Image

from tapcard import qr

URL = "https://cards.example.net/q/DEMOURL"
SVG = "{http://www.w3.org/2000/svg}"


def test_the_picture_shows_the_code_within_its_quiet_zone():
    picture = Image.open(io.BytesIO(qr.png(URL, scale=3))).convert("L")
    code = segno.make_qr(URL, error="m")
    side = len(code.matrix) + 2 * 4
    assert picture.size == (3 * side, 3 * side)
    seen = [[picture.getpixel((3 * x + 1, 3 * y + 1)) == 0 for x in range(side)] for y in range(side)]
    assert [row[4:-4] for row in seen[4:-4]] == [[bool(module) for module in row] for row in code.matrix]
    edge = [*seen[:4], *seen[-4:], *(row[:4] + row[-4:] for row in seen)]
    assert not any(module for row in edge for module in row)


LEVELS = {(0, 1): "L", (0, 0): "M", (1, 1): "Q", (1, 0): "H"}  # ISO/IEC 18004, format information


@pytest.mark.parametrize("length", [4, 10, 20, 200])
def test_a_scratched_card_can_still_be_read(length):
    picture = Image.open(io.BytesIO(qr.png("https://cards.example.net/q/" + "A" * length, scale=1))).convert("L")
    first, second = (int(picture.getpixel((4 + x, 4 + 8)) == 0) for x in (0, 1))
    assert LEVELS[first ^ 1, second] in "MQH"


def test_the_drawing_is_black_on_white_and_has_a_name():
    root = ET.fromstring(qr.svg(URL, title="QR code of Ada", scale=5))
    side = len(segno.make_qr(URL, error="m").matrix) + 8
    assert root.tag == SVG + "svg"
    assert root.attrib["role"] == "img"
    assert root.attrib["viewBox"] == f"0 0 {side} {side}"
    assert root.attrib["width"] == root.attrib["height"] == str(5 * side)
    assert root.findtext(SVG + "title") == "QR code of Ada"
    assert {(path.get("fill"), path.get("stroke")) for path in root.iter(SVG + "path")} == {
        ("#fff", None),
        (None, "#000"),
    }


def test_the_drawing_may_stand_in_a_page():
    drawn = qr.svg(URL)
    assert drawn.startswith("<svg ")
    assert "<?xml" not in drawn
    assert "style=" not in drawn
    assert "currentColor" not in drawn


def test_a_name_with_markup_in_it_stays_text():
    drawn = qr.svg(URL, title='</title><script>alert("1")</script>&')
    assert "<script" not in drawn
    assert ET.fromstring(drawn).findtext(SVG + "title") == '</title><script>alert("1")</script>&'


def test_the_longest_address_still_makes_a_code():
    assert qr.png("https://example.com/" + "a" * 1980, scale=1).startswith(b"\x89PNG")
