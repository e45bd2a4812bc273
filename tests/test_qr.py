"""QR codes as PNG and SVG, with and without a logo."""

import io
import xml.etree.ElementTree as ET
from pathlib import Path

import pytest
import segno
import zxingcpp
from PIL import Image, ImageFilter

from tapcard import qr
from tapcard.qr import Logo

URL = "https://cards.example.net/q/DEMOURL"
SVG = "{http://www.w3.org/2000/svg}"
LOGO = Logo("#0091ca", "#13294b")
FAVICON = Path(qr.__file__).parent / "static" / "img" / "favicon.svg"


def test_the_png_shows_the_code_with_its_quiet_zone():
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
def test_the_error_correction_is_at_least_medium(length):
    picture = Image.open(io.BytesIO(qr.png("https://cards.example.net/q/" + "A" * length, scale=1))).convert("L")
    first, second = (int(picture.getpixel((4 + x, 4 + 8)) == 0) for x in (0, 1))
    assert LEVELS[first ^ 1, second] in "MQH"


def test_the_svg_is_black_on_white_and_has_a_title():
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


def test_the_svg_can_be_embedded_in_a_page():
    drawn = qr.svg(URL)
    assert drawn.startswith("<svg ")
    assert "<?xml" not in drawn
    assert "style=" not in drawn
    assert "currentColor" not in drawn


def test_markup_in_the_title_is_escaped():
    drawn = qr.svg(URL, title='</title><script>alert("1")</script>&')
    assert "<script" not in drawn
    assert ET.fromstring(drawn).findtext(SVG + "title") == '</title><script>alert("1")</script>&'


def test_the_longest_address_fits_a_code():
    assert qr.png("https://example.com/" + "a" * 1980, scale=1).startswith(b"\x89PNG")


# --- with a logo ------------------------------------------------------------------------------------------------------


def incompressible_address(length: int) -> str:
    """Return an address of a certain length that does not compress."""
    return ("https://cards.example.net/q/" + "aB3-" * length)[:length]


def read_codes(picture: Image.Image) -> list[str]:
    """Return the texts that another library reads in an image."""
    return [code.text for code in zxingcpp.read_barcodes(picture.convert("L"))]


def photographed(picture: Image.Image) -> Image.Image:
    """Return an image as if photographed from far away, rotated and blurred."""
    small = picture.resize((picture.width // 4, picture.height // 4), Image.Resampling.LANCZOS)
    return small.rotate(11, fillcolor="#fff", expand=True).filter(ImageFilter.GaussianBlur(0.7))


@pytest.mark.parametrize("length", [17, 24, 25, 34, 35, 45, 60, 90, 130, 190, 260, 320, 600, 1270])
def test_a_code_with_a_logo_is_readable(length):
    picture = Image.open(io.BytesIO(qr.png(incompressible_address(length), logo=LOGO))).convert("RGB")
    assert read_codes(picture) == [incompressible_address(length)]
    assert read_codes(photographed(picture)) == [incompressible_address(length)]
    assert read_codes(photographed(picture.rotate(90))) == [incompressible_address(length)]


@pytest.mark.parametrize("length", [17, 35, 60, 130, 320, 1270])
def test_a_logo_covers_at_most_a_sixteenth_of_the_code(length):
    bare = segno.make_qr(incompressible_address(length), error="h")
    assert bare.error == "H"
    side = len(bare.matrix)
    root = ET.fromstring(qr.svg(incompressible_address(length), logo=LOGO))
    clearing = root.findall(SVG + "rect")
    assert len(clearing) == 1
    start, width = int(clearing[0].attrib["x"]), int(clearing[0].attrib["width"])
    assert (clearing[0].attrib["y"], clearing[0].attrib["height"]) == (str(start), str(width))
    assert width**2 <= side**2 / 16
    assert 2 * start + width == side + 2 * qr.QUIET_ZONE  # centered
    assert start > qr.QUIET_ZONE + 8  # the three finder patterns stay free


def test_a_logo_changes_only_its_own_area():
    code = segno.make_qr(URL, error="h")
    picture = Image.open(io.BytesIO(qr.png(URL, scale=3, logo=LOGO))).convert("L")
    side = len(code.matrix)
    inside = range((side - side // 4) // 2, side - (side - side // 4) // 2)
    for y, row in enumerate(code.matrix):
        for x, module in enumerate(row):
            if x not in inside or y not in inside:
                assert (picture.getpixel((3 * (x + 4) + 1, 3 * (y + 4) + 1)) < 128) == bool(module)


def test_the_logo_is_the_mark_of_the_favicon():
    drawn = qr.MARK.format(brand="#0091ca", ink="#13294b")
    assert drawn in FAVICON.read_text()


def test_the_logo_has_the_colors_of_the_shop_in_both_formats():
    logo = Logo("#b32f55", "#0f3d33")
    drawn = qr.svg(URL, title="<Ada>", logo=logo)
    assert {"#b32f55", "#0f3d33"} <= {rect.get("fill") for rect in ET.fromstring(drawn).iter(SVG + "rect")}
    assert ET.fromstring(drawn).findtext(SVG + "title") == "<Ada>"
    assert "style=" not in drawn
    picture = Image.open(io.BytesIO(qr.png(URL, logo=logo))).convert("RGB")
    seen = [color for _number, color in picture.getcolors(256)]
    for expected in ((0xB3, 0x2F, 0x55), (0x0F, 0x3D, 0x33)):
        assert any(all(abs(a - b) < 4 for a, b in zip(color, expected, strict=True)) for color in seen)
