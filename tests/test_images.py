"""Uploaded images: accepted formats, crop, orientation, metadata and memory."""

import io
import struct
import subprocess
import sys
import threading
import zlib
from pathlib import Path

import pytest
from hypothesis import given, settings
from hypothesis import strategies as st
from PIL import Image, ImageCms

from tapcard import images
from tapcard.images import Crop, InvalidImage, make_banner, make_photo

ROOT = Path(__file__).resolve().parent.parent
RED, GREEN, BLUE, WHITE = (255, 0, 0), (0, 255, 0), (0, 0, 255), (255, 255, 255)


def encoded(picture: Image.Image, kind: str = "PNG", **how: object) -> bytes:
    out = io.BytesIO()
    picture.save(out, kind, **how)
    return out.getvalue()


def quarters(width: int = 400, height: int = 400) -> Image.Image:
    """Return an image with red and green above, blue and white below."""
    picture = Image.new("RGB", (width, height), WHITE)
    picture.paste(RED, (0, 0, width // 2, height // 2))
    picture.paste(GREEN, (width // 2, 0, width, height // 2))
    picture.paste(BLUE, (0, height // 2, width // 2, height))
    return picture


def opened(data: bytes) -> Image.Image:
    picture = Image.open(io.BytesIO(data))
    assert picture.format == "WEBP"
    picture.load()
    return picture


def is_close(pixel: object, color: tuple[int, int, int]) -> bool:
    return all(abs(channel - expected) < 40 for channel, expected in zip(pixel, color, strict=True))


def corners(data: bytes) -> list[str]:
    """Return the colors of the four quarters, row by row."""
    picture = opened(data).convert("RGB")
    side = picture.width
    names = {"red": RED, "green": GREEN, "blue": BLUE, "white": WHITE, "black": (0, 0, 0)}
    pixels = [picture.getpixel((int(side * x), int(side * y))) for y in (0.25, 0.75) for x in (0.25, 0.75)]
    return [next((name for name, color in names.items() if is_close(pixel, color)), repr(pixel)) for pixel in pixels]


def png_of_size(width: int, height: int) -> bytes:
    """Return a small PNG file of one color in any size, made without holding its pixels."""

    def chunk(kind: bytes, content: bytes) -> bytes:
        return struct.pack(">I", len(content)) + kind + content + struct.pack(">I", zlib.crc32(kind + content))

    packer = zlib.compressobj(9)
    row = bytes((width + 7) // 8 + 1)
    packed = b"".join(packer.compress(row) for _number in range(height)) + packer.flush()
    header = struct.pack(">IIBBBBB", width, height, 1, 0, 0, 0, 0)
    return b"\x89PNG\r\n\x1a\n" + chunk(b"IHDR", header) + chunk(b"IDAT", packed) + chunk(b"IEND", b"")


def webp_of_size(width: int, height: int) -> bytes:
    """Return a WebP file of one color."""
    return encoded(Image.new("L", (width, height), 99).convert("RGB"), "WEBP", lossless=True, method=0, quality=0)


@pytest.mark.parametrize(
    "data",
    [
        encoded(quarters(), "PNG"),
        encoded(quarters(), "JPEG"),
        encoded(quarters(), "JPEG", progressive=True),
        encoded(quarters(), "WEBP"),
        encoded(quarters(), "WEBP", lossless=True),
        encoded(quarters().convert("P"), "PNG"),
        encoded(quarters().convert("RGBA"), "PNG"),
        encoded(quarters().convert("CMYK"), "JPEG"),
        encoded(quarters(4000, 4000), "JPEG"),
    ],
    ids=["png", "jpeg", "progressive jpeg", "webp", "lossless webp", "palette", "alpha", "cmyk", "16 megapixels"],
)
def test_common_image_formats_are_accepted(data):
    assert corners(make_photo(data)) == ["red", "green", "blue", "white"]


@pytest.mark.parametrize(
    ("size", "side"), [((4000, 3000), 512), ((512, 900), 512), ((300, 200), 200), ((1, 1), 1), ((20000, 2), 2)]
)
def test_a_photo_becomes_a_square_of_at_most_512_pixels(size, side):
    assert opened(make_photo(encoded(Image.new("RGB", size, RED)))).size == (side, side)


def test_a_photo_is_cropped_to_its_center():
    wide = Image.new("RGB", (1200, 400), RED)
    wide.paste(BLUE, (400, 0, 800, 400))
    assert corners(make_photo(encoded(wide))) == ["blue"] * 4
    tall = Image.new("RGB", (400, 1200), RED)
    tall.paste(BLUE, (0, 400, 400, 800))
    assert corners(make_photo(encoded(tall, "JPEG"))) == ["blue"] * 4


UPRIGHT = {
    1: None,
    2: Image.Transpose.FLIP_LEFT_RIGHT,
    3: Image.Transpose.ROTATE_180,
    4: Image.Transpose.FLIP_TOP_BOTTOM,
    5: Image.Transpose.TRANSPOSE,
    6: Image.Transpose.ROTATE_90,
    7: Image.Transpose.TRANSVERSE,
    8: Image.Transpose.ROTATE_270,
}


@pytest.mark.parametrize("kind", ["JPEG", "PNG", "WEBP"])
@pytest.mark.parametrize("orientation", list(UPRIGHT))
def test_the_orientation_of_a_photo_is_applied(kind, orientation):
    exif = Image.Exif()
    exif[0x0112] = orientation
    turn = UPRIGHT[orientation]
    stored = quarters(900, 600) if turn is None else quarters(900, 600).transpose(turn)
    assert corners(make_photo(encoded(stored, kind, exif=exif))) == ["red", "green", "blue", "white"]


def test_metadata_is_removed():
    exif = Image.Exif()
    exif[0x010E] = "SECRET description"
    exif[0x8825] = {1: "N", 2: (6.0, 31.0, 27.0)}
    profile = ImageCms.ImageCmsProfile(ImageCms.createProfile("sRGB")).tobytes()
    for kind, more in (("JPEG", {"comment": "SECRET"}), ("PNG", {}), ("WEBP", {"xmp": b"SECRET"})):
        data = encoded(quarters(), kind, exif=exif, icc_profile=profile, **more)
        assert b"SECRET" in data
        photo = make_photo(data)
        assert b"SECRET" not in photo
        assert not any(chunk in photo for chunk in (b"EXIF", b"XMP ", b"ICCP"))
        assert not opened(photo).getexif()


def test_transparent_parts_become_white():
    clear = Image.new("RGBA", (100, 100), (255, 0, 0, 0))
    clear.paste((0, 0, 255, 255), (0, 0, 50, 100))
    assert corners(make_photo(encoded(clear))) == ["blue", "white"] * 2
    assert corners(make_photo(encoded(clear, "WEBP", lossless=True))) == ["blue", "white"] * 2
    palette = Image.new("P", (100, 100), 0)
    palette.putpalette([0, 0, 0, 255, 0, 0])
    palette.paste(1, (0, 0, 50, 100))
    assert corners(make_photo(encoded(palette, transparency=0))) == ["red", "white"] * 2
    gray = Image.new("LA", (100, 100), (0, 0))
    assert corners(make_photo(encoded(gray))) == ["white"] * 4


def test_16_bit_gray_becomes_8_bit():
    data = encoded(Image.new("I;16", (100, 100), 0x8000))
    assert is_close(opened(make_photo(data)).convert("RGB").getpixel((50, 50)), (128, 128, 128))


def test_a_black_and_white_image_is_accepted():
    assert corners(make_photo(encoded(Image.new("1", (100, 100), 1)))) == ["white"] * 4


def test_a_photo_with_a_second_view_is_accepted():
    data = encoded(quarters(), "MPO", save_all=True, append_images=[Image.new("RGB", (400, 400))])
    assert Image.open(io.BytesIO(data)).n_frames == 2
    assert corners(make_photo(data)) == ["red", "green", "blue", "white"]


def animated(kind: str) -> bytes:
    return encoded(quarters(), kind, save_all=True, append_images=[Image.new("RGB", (400, 400))], duration=100)


def animated_webp_of_one_frame() -> bytes:
    """Return a WebP file marked as animated, with one frame."""
    picture = encoded(quarters(), "WEBP")[12:]
    size = struct.pack("<I", 399)[:3]
    frame = bytes(6) + size + size + struct.pack("<I", 100)[:3] + b"\0" + picture
    header = struct.pack("<II", 10, 0b10) + size + size
    body = b"VP8X" + header + b"ANIM" + struct.pack("<IIH", 6, 0, 0) + b"ANMF" + struct.pack("<I", len(frame)) + frame
    return b"RIFF" + struct.pack("<I", len(body) + 4) + b"WEBP" + body


SVG = b'<svg xmlns="http://www.w3.org/2000/svg" onload="alert(1)"><script>alert(1)</script></svg>'
JPEG = encoded(quarters(), "JPEG")


@pytest.mark.parametrize(
    ("data", "word"),
    [
        (b"", "can't read"),
        (b"hello", "can't read"),
        (SVG, "can't read"),
        (b'<?xml version="1.0"?>' + SVG, "can't read"),
        (b"<html><script>alert(1)</script>", "can't read"),
        (b"GIF89a=1/*" + SVG, "can't read"),
        (encoded(quarters(), "GIF"), "can't read"),
        (animated("GIF"), "can't read"),
        (encoded(quarters(), "BMP"), "can't read"),
        (encoded(quarters(), "TIFF"), "can't read"),
        (encoded(quarters(), "ICO"), "can't read"),
        (encoded(quarters(), "PDF"), "can't read"),
        (encoded(quarters(), "PPM"), "can't read"),
        (b"PK\x03\x04" + JPEG, "can't read"),
        (animated("PNG"), "Animated"),
        (animated("WEBP"), "Animated"),
        (JPEG[: len(JPEG) // 2], "damaged"),
        (encoded(quarters(), "PNG")[:-60], "damaged"),
        (encoded(quarters(), "WEBP")[:-60], "damaged"),
        (encoded(quarters(), "WEBP", lossless=True)[:-60], "damaged"),
        (animated_webp_of_one_frame(), "Animated"),
        (JPEG + b"\0" * images.MAX_BYTES, "8 MB"),
        (png_of_size(5001, 5000), "25 megapixels"),
        (png_of_size(8000, 5000), "25 megapixels"),
        (png_of_size(20000, 20000), "25 megapixels"),
        (png_of_size(65535, 1000), "25 megapixels"),
        (webp_of_size(4001, 3000), "12 megapixels"),
        (webp_of_size(8000, 8000), "12 megapixels"),
    ],
    ids=[
        "nothing", "text", "svg", "svg with declaration", "html", "gif and svg", "gif", "moving gif", "bmp", "tiff",
        "ico", "pdf", "ppm", "zip and jpeg", "moving png", "moving webp", "half a jpeg", "cut png", "cut webp",
        "cut lossless webp", "a film of one frame", "8 MB and more", "just over 25 megapixels", "40 megapixels",
        "400 megapixels", "a long strip", "webp of just over 12 megapixels", "webp of 64 megapixels",
    ],
)  # fmt: skip
def test_any_other_file_is_refused_with_a_message(data, word):
    with pytest.raises(InvalidImage, match=word) as refusal:
        make_photo(data)
    assert refusal.value.field == "photo"
    assert str(refusal.value).endswith(".")


def test_an_image_with_too_many_pixels_is_refused_by_its_header(monkeypatch):
    bomb = png_of_size(8000, 5000)
    assert len(bomb) < 10_000
    decoded = []
    monkeypatch.setattr(Image.Image, "load", lambda self: decoded.append(self.size))
    with pytest.raises(InvalidImage, match="megapixels"):
        make_photo(bomb)
    assert decoded == []


def test_an_image_of_25_megapixels_is_accepted():
    assert opened(make_photo(png_of_size(5000, 5000))).size == (512, 512)


def test_a_webp_of_12_megapixels_is_accepted():
    assert opened(make_photo(webp_of_size(4000, 3000))).size == (512, 512)


def test_a_jpeg_is_decoded_no_larger_than_needed(monkeypatch):
    data = encoded(quarters(4800, 4800), "JPEG")
    sizes = []
    load = Image.Image.load

    def watched(self: Image.Image) -> object:
        sizes.append(self.size)
        return load(self)

    monkeypatch.setattr(Image.Image, "load", watched)
    make_photo(data)
    assert max(sizes) == (600, 600)


@pytest.mark.parametrize("payload", [SVG, b"PK\x03\x04 a zip", b"<?php echo 1; ?>", b"/*='*/alert(1)//"])
def test_data_appended_to_an_image_is_removed(payload):
    for kind in ("JPEG", "PNG", "WEBP"):
        photo = make_photo(encoded(quarters(), kind) + payload)
        assert payload not in photo
        assert corners(photo) == ["red", "green", "blue", "white"]


def test_images_are_processed_one_at_a_time(monkeypatch):
    at_work, most = [], []
    square = images._crop_and_scale

    def watched(data: bytes, *rest: object) -> Image.Image:
        at_work.append(1)
        most.append(len(at_work))
        try:
            return square(data, *rest)
        finally:
            at_work.pop()

    monkeypatch.setattr(images, "_crop_and_scale", watched)
    data = encoded(quarters(1500, 1500))
    threads = [threading.Thread(target=make_photo, args=(data,)) for _number in range(6)]
    for thread in threads:
        thread.start()
    for thread in threads:
        thread.join()
    assert most == [1] * 6


def small(kind: str, **how: object) -> bytes:
    exif = Image.Exif()
    exif[0x0112] = 6
    return encoded(quarters(32, 24), kind, exif=exif, **how)


@settings(deadline=None)
@given(st.sampled_from([small("JPEG"), small("PNG"), small("WEBP")]), st.data())
def test_a_damaged_file_is_refused_or_becomes_a_valid_image(good, data):
    broken = bytearray(good)
    for _number in range(data.draw(st.integers(1, 8))):
        broken[data.draw(st.integers(0, len(good) - 1))] = data.draw(st.integers(0, 255))
    cut = data.draw(st.integers(0, len(good)))
    try:
        photo = make_photo(bytes(broken[:cut] if data.draw(st.booleans()) else broken))
    except InvalidImage:
        return
    opened(photo)


# --- crops, banners, memory -------------------------------------------------------------------------------------------


@pytest.mark.parametrize("kind", ["JPEG", "PNG", "WEBP"])
@pytest.mark.parametrize("orientation", range(1, 9))
@pytest.mark.parametrize(
    ("crop", "color"),
    [
        (Crop(0, 0, 0.4), "red"),
        (Crop(0.75, 0, 0.4), "green"),
        (Crop(0, 0.6, 0.4), "blue"),
        (Crop(0.75, 0.6, 0.4), "white"),
    ],
    ids=["red", "green", "blue", "white"],
)
def test_a_crop_refers_to_the_upright_image(kind, orientation, crop, color):
    upright = quarters(640, 400)
    turn = UPRIGHT[orientation]
    exif = Image.Exif()
    exif[0x0112] = orientation
    stored = upright if turn is None else upright.transpose(turn)
    data = make_photo(encoded(stored, kind, exif=exif), crop)
    assert corners(data) == [color] * 4
    assert opened(data).size == (160, 160)


def test_a_crop_of_a_large_jpeg_keeps_its_resolution():
    picture = quarters(4000, 4000)
    assert opened(make_photo(encoded(picture, "JPEG"), Crop(0.25, 0.25, 0.5))).size == (512, 512)
    assert corners(make_photo(encoded(picture, "JPEG"), Crop(0.45, 0.45, 0.1))) == ["red", "green", "blue", "white"]
    assert opened(make_photo(encoded(picture, "JPEG"), Crop(0.45, 0.45, 0.1))).size == (400, 400)


@pytest.mark.parametrize(
    "crop",
    [
        Crop(-0.1, 0, 0.5),
        Crop(0, -0.1, 0.5),
        Crop(0.6, 0, 0.5),
        Crop(0, 0.6, 0.5),
        Crop(0, 0, 0),
        Crop(0, 0, -1),
        Crop(0, 0, 0.01),
        Crop(0, 0, 1.5),
        Crop(5, 5, 0.5),
        Crop(float("nan"), 0, 0.5),
        Crop(0, float("inf"), 0.5),
        Crop(0, 0, float("nan")),
        Crop(0, 0, float("inf")),
        Crop(0, 0, 1e308),
        Crop(1e308, 0, 1e-308),
    ],
    ids=str,
)
@pytest.mark.parametrize("kind", ["JPEG", "PNG"])
def test_a_crop_outside_the_image_is_refused(kind, crop):
    with pytest.raises(InvalidImage, match="outside"):
        make_photo(encoded(quarters(), kind), crop)


def test_a_crop_rounded_beyond_the_edge_is_accepted():
    assert opened(make_photo(encoded(quarters()), Crop(0.00001, 0.00001, 1.00001))).size == (400, 400)
    assert opened(make_photo(encoded(Image.new("RGB", (1, 1), RED)), Crop(0, 0, 1))).size == (1, 1)


@pytest.mark.parametrize("orientation", [1, 6])
def test_a_banner_is_the_upright_center(orientation):
    upright = Image.new("RGB", (3000, 3000), RED)
    upright.paste(BLUE, (0, 1000, 3000, 2000))
    turn = UPRIGHT[orientation]
    exif = Image.Exif()
    exif[0x0112] = orientation
    data = make_banner(encoded(upright if turn is None else upright.transpose(turn), "JPEG", exif=exif))
    assert opened(data).size == (1500, 500)
    pixels = [opened(data).convert("RGB").getpixel((x, y)) for x in (30, 1470) for y in (30, 470)]
    assert all(is_close(pixel, BLUE) for pixel in pixels)


@pytest.mark.parametrize(("size", "result"), [((300, 200), (300, 100)), ((900, 100), (300, 100)), ((1, 1), (1, 1))])
def test_a_small_banner_is_not_enlarged(size, result):
    assert opened(make_banner(encoded(Image.new("RGB", size, RED)))).size == result


MEASURE = """
import sys
from tapcard import images
data = sys.stdin.buffer.read()
for make in (images.make_photo, images.make_banner):
    try:
        make(data)
    except images.InvalidImage as refusal:
        print("refused", refusal)
# not getrusage, which includes the memory of the parent process
print(next(line.split()[1] for line in open("/proc/self/status") if line.startswith("VmHWM")))
"""


def megabytes_for(data: bytes) -> tuple[int, str]:
    """Return peak memory of a separate process for an image, in MB, and its output."""
    done = subprocess.run([sys.executable, "-c", MEASURE], input=data, capture_output=True, check=True, cwd=ROOT)
    *output, peak = done.stdout.decode().splitlines()
    return int(peak) // 1024, "\n".join(output)


def polyglot() -> bytes:
    """Return an image that is also an HTML page and a ZIP archive."""
    picture = encoded(Image.new("RGB", (5000, 4000), BLUE), "PNG")
    return picture + b"<html><script>alert(1)</script></html>" + b"PK\x05\x06" + bytes(18)


def rotated_jpeg() -> bytes:
    exif = Image.Exif()
    exif[0x0112] = 6
    return encoded(quarters(5000, 5000), "JPEG", exif=exif)


def animated_webp() -> bytes:
    frames = [Image.new("RGB", (2000, 2000), color) for color in (RED, GREEN, BLUE)]
    return encoded(frames[0], "WEBP", save_all=True, append_images=frames[1:])


def webp(mode: str = "RGB", **how: object) -> bytes:
    """Return a WebP file of 12 megapixels that cannot be compressed well."""
    rough = Image.effect_noise((400, 300), 60).convert(mode).resize((4000, 3000), Image.Resampling.NEAREST)
    if mode == "RGBA":
        rough.putalpha(rough.getchannel("R"))
    return encoded(rough, "WEBP", method=0, **how)


def noisy_webp() -> bytes:
    return encoded(Image.effect_noise((3000, 2600), 90), "WEBP", lossless=True, quality=0, method=0)


HEAVY = [
    ("a bomb of 40 megapixels", lambda: png_of_size(8000, 5000), "25 megapixels"),
    ("a polyglot", polyglot, ""),
    ("a drawing", lambda: b"<svg xmlns='http://www.w3.org/2000/svg' width='9999' height='9999'/>", "can't read"),
    ("a moving one", animated_webp, "Animated"),
    ("a torn one", lambda: encoded(Image.effect_noise((5000, 5000), 20).convert("RGB"), "JPEG")[:200_000], "damaged"),
    ("a sideways one", rotated_jpeg, ""),
    ("25 megapixels with holes", lambda: encoded(Image.new("RGBA", (5000, 5000), (9, 9, 9, 99)), "PNG"), ""),
    ("25 megapixels of 16 bits", lambda: encoded(Image.new("I;16", (5000, 5000), 777), "PNG"), ""),
    ("a webp of 12 megapixels", webp, ""),
    ("a webp of more", lambda: webp_of_size(4001, 3000), "12 megapixels"),
    ("a webp with holes", lambda: webp("RGBA"), ""),
    ("a lossless webp", lambda: webp(lossless=True), ""),
    ("a lossless webp with holes", lambda: webp("RGBA", lossless=True), ""),
    ("a webp of 7 MB", noisy_webp, ""),
]  # fmt: skip


@pytest.mark.parametrize(("make", "says"), [row[1:] for row in HEAVY], ids=[row[0] for row in HEAVY])
def test_no_image_takes_300_megabytes_of_memory(make, says):
    peak, output = megabytes_for(make())
    assert peak < 300
    assert says in output
    assert bool(output) == bool(says)
