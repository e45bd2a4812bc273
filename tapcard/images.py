"""Pictures that people upload: looked at before they are decoded, then drawn anew; nothing else of them is kept."""

import io
import math
import struct
import threading
import warnings
import zlib
from collections.abc import Callable
from dataclasses import dataclass

from PIL import ExifTags, Image, ImageOps, UnidentifiedImageError

from .errors import DomainError
from .errors import mark as _

MOST_BYTES = 8 * 1024 * 1024
MOST_PIXELS = 25_000_000
MOST_WEBP_PIXELS = 12_000_000  # Pillow reads every WebP as an animation, which takes three more canvases
PHOTO_SIDE = 512
BANNER_SIZE = (1500, 500)
PRODUCT_SIDE = 1600  # at most; nothing is cut off
CARD_SIZE = (1712, 1080)  # ISO ID-1
SMALLEST_PART = 0.05
QUALITY = 82
ARTWORK_SIZE = (2140, 1350)  # 85.6 × 54 mm at 635 dots an inch
ARTWORK_LEAST = 600  # of the shorter side; below, a print is blurred
ARTWORK_QUALITY = 92
WHOLE_SIDE = 2000
CONTACT_SIDE = 256
FORMATS = ("JPEG", "PNG", "WEBP")

Image.MAX_IMAGE_PIXELS = MOST_PIXELS

# What the decoders are known to raise when fed rubbish.
_DAMAGED = (
    OSError, SyntaxError, ValueError, TypeError, KeyError, IndexError, AttributeError, EOFError, ArithmeticError,
    MemoryError, struct.error, zlib.error,
)  # fmt: skip

Box = tuple[float, float, float, float]  # left, top, right, bottom

# What sets a picture upright, by EXIF's orientation, and where a part of the upright one lies in the stored one.
_TURNS = {
    2: Image.Transpose.FLIP_LEFT_RIGHT,
    3: Image.Transpose.ROTATE_180,
    4: Image.Transpose.FLIP_TOP_BOTTOM,
    5: Image.Transpose.TRANSPOSE,
    6: Image.Transpose.ROTATE_270,
    7: Image.Transpose.TRANSVERSE,
    8: Image.Transpose.ROTATE_90,
}
_BOXES: dict[int, Callable[[float, float, float, float], Box]] = {
    1: lambda left, top, right, bottom: (left, top, right, bottom),
    2: lambda left, top, right, bottom: (1 - right, top, 1 - left, bottom),
    3: lambda left, top, right, bottom: (1 - right, 1 - bottom, 1 - left, 1 - top),
    4: lambda left, top, right, bottom: (left, 1 - bottom, right, 1 - top),
    5: lambda left, top, right, bottom: (top, left, bottom, right),
    6: lambda left, top, right, bottom: (top, 1 - right, bottom, 1 - left),
    7: lambda left, top, right, bottom: (1 - bottom, 1 - right, 1 - top, 1 - left),
    8: lambda left, top, right, bottom: (1 - bottom, left, 1 - top, right),
}
_SWAPPING = (5, 6, 7, 8)

# One picture of 25 megapixels takes up to 250 MB while it is worked on: one at a time in each process.
_one_at_a_time = threading.Lock()


class BadPicture(DomainError):
    """The file is not a picture we can use."""

    status = 422
    field = "photo"


@dataclass(frozen=True)
class Crop:
    """The square of a picture that somebody chose, as it stands upright.

    `x` and `y` are its left and upper edge as parts of the picture's width and height, `size` its side as a part of
    the picture's shorter side.
    """

    x: float
    y: float
    size: float

    def box(self, width: int, height: int) -> Box:
        """The square in a picture of that size; raises `BadPicture` if it is not one."""
        if not all(math.isfinite(value) for value in (self.x, self.y, self.size)):
            raise _outside()
        side = self.size * min(width, height)
        left, top = self.x * width, self.y * height
        slack = 0.01 * min(width, height)  # browsers round
        if not SMALLEST_PART <= self.size <= 1.01 or min(left, top) < -slack:
            raise _outside()
        if left + side > width + slack or top + side > height + slack:
            raise _outside()
        side = max(1.0, min(side, width, height))
        left, top = max(0.0, min(left, width - side)), max(0.0, min(top, height - side))
        return left, top, left + side, top + side


def make_photo(data: bytes, crop: Crop | None = None) -> bytes:
    """Make a square WebP from an uploaded JPEG, PNG or WebP: the chosen part or the middle, upright, no metadata."""
    return _make(data, (PHOTO_SIDE, PHOTO_SIDE), crop)


def make_banner(data: bytes) -> bytes:
    """Make a wide WebP from an uploaded JPEG, PNG or WebP: the middle of it, upright, without any metadata."""
    return _make(data, BANNER_SIZE, None)


def make_artwork(data: bytes) -> bytes:
    """Make what is printed on a card from an uploaded picture: the middle of it in the card's proportion, upright.

    Raises `BadPicture` also for a picture that is too small to be printed well.
    """
    return _make(data, ARTWORK_SIZE, None, least=ARTWORK_LEAST, quality=ARTWORK_QUALITY)


def make_whole(data: bytes) -> bytes:
    """Make a WebP of all that an uploaded picture shows, upright, without any metadata."""
    return _make(data, WHOLE_SIDE, None, quality=ARTWORK_QUALITY)


def make_product_picture(data: bytes) -> bytes:
    """Make a WebP of at most 1600 pixels a side from an uploaded JPEG, PNG or WebP: all of it, upright, no metadata."""
    return _make(data, PRODUCT_SIDE, None)


def make_card_picture(data: bytes) -> bytes:
    """Make a WebP in the proportion of a card from an uploaded JPEG, PNG or WebP: the middle of it, no metadata."""
    return _make(data, CARD_SIZE, None)


def _make(
    data: bytes, most: tuple[int, int] | int, crop: Crop | None, *, least: int = 1, quality: int = QUALITY
) -> bytes:
    if len(data) > MOST_BYTES:
        raise too_heavy()
    with _one_at_a_time, warnings.catch_warnings():
        warnings.simplefilter("ignore")  # a stranger's odd metadata is not for our log
        warnings.simplefilter("error", Image.DecompressionBombWarning)
        return _encode(_cut(data, most, crop, least), quality)


def make_contact_photo(data: bytes) -> bytes:
    """Make a small JPEG for an address book out of a photo of ours; raises `BadPicture` when it cannot be read."""
    try:
        with Image.open(io.BytesIO(data), formats=FORMATS) as picture:
            _look_at(picture)
            picture.load()
            small = _flattened(ImageOps.fit(picture.convert("RGBA"), (CONTACT_SIDE, CONTACT_SIDE)))
    except (Image.DecompressionBombError, *_DAMAGED) as error:
        raise BadPicture(_("This image is damaged. Save it again or choose another one.")) from error
    out = io.BytesIO()
    small.save(out, "JPEG", quality=QUALITY, optimize=True)
    return out.getvalue()


def too_heavy() -> BadPicture:
    """The refusal of a file with too many bytes."""
    return BadPicture(_("This image is larger than %(most)s MB. Choose a smaller one."), most=MOST_BYTES // 1024**2)


def _outside() -> BadPicture:
    return BadPicture(_("The area you selected is outside the image. Select it again."))


def _cut(data: bytes, most: tuple[int, int] | int, crop: Crop | None, least: int) -> Image.Image:
    try:
        with Image.open(io.BytesIO(data), formats=FORMATS) as picture:
            _look_at(picture)
            if min(picture.size) < least:
                raise _too_small(min(picture.size), least)
            size = _whole(picture, most) if isinstance(most, int) else most
            # a JPEG is decoded at an eighth, if that is enough; lying or standing, half as much again does no harm
            scale = max(size) / (crop.size if crop and SMALLEST_PART <= crop.size <= 1 else 1)
            picture.draft("RGB", (math.ceil(scale), math.ceil(scale)))
            if data[12:16] == b"VP8X" and data[20] & 0b10:  # a WebP animation of a single frame
                raise _moving()
            picture.load()
            return _flattened(_part(picture, size, crop, _turn_of(picture)))
    except (Image.DecompressionBombError, Image.DecompressionBombWarning) as error:
        raise _too_large(MOST_WEBP_PIXELS if data[8:12] == b"WEBP" else MOST_PIXELS) from error
    except UnidentifiedImageError as error:
        raise BadPicture(_("We can't read this file. Choose a JPEG, PNG or WebP image.")) from error
    except _DAMAGED as error:
        raise BadPicture(_("This image is damaged. Save it again or choose another one.")) from error


def _look_at(picture: Image.Image) -> None:
    """Refuse by the header alone."""
    most = MOST_WEBP_PIXELS if picture.format == "WEBP" else MOST_PIXELS
    if picture.width * picture.height > most:
        raise _too_large(most)
    if picture.format != "MPO" and getattr(picture, "is_animated", False):  # phones put a second view into a JPEG
        raise _moving()


def _whole(picture: Image.Image, longest: int) -> tuple[int, int]:
    """The size of a picture as it stands upright, its longer side not above what is kept."""
    shrink = min(1.0, longest / max(picture.size))
    width, height = (max(1, round(side * shrink)) for side in picture.size)
    return (height, width) if _turn_of(picture) in _SWAPPING else (width, height)


def _too_small(side: int, least: int) -> BadPicture:
    return BadPicture(
        _("This image is too small to print well. Its shorter side is %(side)s pixels and must be at least %(least)s."),
        side=side,
        least=least,
    )


def _moving() -> BadPicture:
    return BadPicture(_("Animated images aren't supported. Choose a still image."))


def _too_large(most: int) -> BadPicture:
    return BadPicture(_("This image has more than %(most)s megapixels. Choose a smaller one."), most=most // 10**6)


def _part(picture: Image.Image, most: tuple[int, int], crop: Crop | None, turn: int) -> Image.Image:
    """The part of a picture in the proportion of `most` and no larger, upright; the whole is never turned."""
    lies = turn in _SWAPPING
    width, height = (picture.height, picture.width) if lies else picture.size
    left, top, right, bottom = crop.box(width, height) if crop else _middle(width, height, most[0] / most[1])
    shrink = min(1.0, most[0] / (right - left))
    size = max(1, round((right - left) * shrink)), max(1, round((bottom - top) * shrink))
    box = _BOXES[turn](left / width, top / height, right / width, bottom / height)
    if picture.mode.startswith("I"):  # 16 bits a pixel
        picture = picture.convert("I").point(lambda value: value / 256).convert("L")
    elif picture.mode not in ("L", "LA", "RGB", "RGBX", "RGBA"):
        picture = picture.convert("RGBA" if picture.has_transparency_data else "RGB")
    part = picture.resize(
        size[::-1] if lies else size,
        Image.Resampling.LANCZOS,
        box=tuple(  # type: ignore[arg-type]
            min(max(value, 0), 1) * side for value, side in zip(box, picture.size * 2, strict=True)
        ),
        reducing_gap=2.0,
    )
    return part.transpose(_TURNS[turn]) if turn in _TURNS else part


def _middle(width: int, height: int, proportion: float) -> Box:
    across, down = min(float(width), height * proportion), min(float(height), width / proportion)
    left, top = (width - across) / 2, (height - down) / 2
    return left, top, left + across, top + down


def _turn_of(picture: Image.Image) -> int:
    """How the camera was held, 1 to 8 as EXIF counts; 1 when nobody can tell."""
    try:
        turn = picture.getexif().get(ExifTags.Base.Orientation, 1)
    except _DAMAGED:
        return 1  # notes of the camera that nobody can read
    return turn if turn in _BOXES else 1


def _flattened(picture: Image.Image) -> Image.Image:
    """The pixels alone, on white; a new image carries nothing over."""
    canvas = Image.new("RGB", picture.size, "white")
    if picture.has_transparency_data:
        picture = picture.convert("RGBA")
        canvas.paste(picture, mask=picture.getchannel("A"))
    else:
        canvas.paste(picture.convert("RGB"))
    return canvas


def _encode(picture: Image.Image, quality: int) -> bytes:
    out = io.BytesIO()
    picture.save(out, "WEBP", quality=quality, method=4)
    return out.getvalue()
