"""Processing of uploaded images: checked by their header, decoded, cropped, and encoded again without metadata."""

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

MAX_BYTES = 8 * 1024 * 1024
MAX_PIXELS = 25_000_000
MAX_WEBP_PIXELS = 12_000_000  # Pillow reads every WebP as an animation, which takes three more canvases
PHOTO_SIDE = 512
BANNER_SIZE = (1500, 500)
PRODUCT_SIDE = 1600  # maximum; not cropped
CARD_SIZE = (1712, 1080)  # ISO ID-1
MIN_CROP_SIZE = 0.05
QUALITY = 82
ARTWORK_SIZE = (2140, 1350)  # 85.6 × 54 mm at 635 dpi
MIN_ARTWORK_SIDE = 600  # of the shorter side; a smaller image prints blurred
ARTWORK_QUALITY = 92
UNCROPPED_SIDE = 2000
CONTACT_SIDE = 256
FORMATS = ("JPEG", "PNG", "WEBP")

Image.MAX_IMAGE_PIXELS = MAX_PIXELS

# exceptions that the decoders raise for damaged files
_DECODER_ERRORS = (
    OSError, SyntaxError, ValueError, TypeError, KeyError, IndexError, AttributeError, EOFError, ArithmeticError,
    MemoryError, struct.error, zlib.error,
)  # fmt: skip

Box = tuple[float, float, float, float]  # left, top, right, bottom

# by EXIF orientation: the rotation that sets an image upright, and the position of a part in the stored image
_TRANSPOSITIONS = {
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
_SIDEWAYS = (5, 6, 7, 8)

# an image of 25 megapixels needs up to 250 MB, so each process handles one at a time
_memory_lock = threading.Lock()


class InvalidImage(DomainError):
    """The file is not an image that can be used."""

    status = 422
    field = "photo"


@dataclass(frozen=True)
class Crop:
    """A square part of an upright image.

    `x` and `y` are its left and upper edge as fractions of the width and height, `size` is its side as a fraction of
    the shorter side.
    """

    x: float
    y: float
    size: float

    def box(self, width: int, height: int) -> Box:
        """Return the square in pixels for an image of this size; raise `InvalidImage` if it is outside."""
        if not all(math.isfinite(value) for value in (self.x, self.y, self.size)):
            raise _outside_image()
        side = self.size * min(width, height)
        left, top = self.x * width, self.y * height
        slack = 0.01 * min(width, height)  # for rounding in browsers
        if not MIN_CROP_SIZE <= self.size <= 1.01 or min(left, top) < -slack:
            raise _outside_image()
        if left + side > width + slack or top + side > height + slack:
            raise _outside_image()
        side = max(1.0, min(side, width, height))
        left, top = max(0.0, min(left, width - side)), max(0.0, min(top, height - side))
        return left, top, left + side, top + side


def make_photo(data: bytes, crop: Crop | None = None) -> bytes:
    """Return a square WebP of the cropped part, or else the middle, of an uploaded image."""
    return _make(data, (PHOTO_SIDE, PHOTO_SIDE), crop)


def make_banner(data: bytes) -> bytes:
    """Return a 3:1 WebP of the middle of an uploaded image."""
    return _make(data, BANNER_SIZE, None)


def make_artwork(data: bytes) -> bytes:
    """Return a WebP for printing on a card, of the middle of an uploaded image in the card's proportions.

    Raises `InvalidImage` also if the image is too small to print well.
    """
    return _make(data, ARTWORK_SIZE, None, min_side=MIN_ARTWORK_SIDE, quality=ARTWORK_QUALITY)


def make_uncropped(data: bytes) -> bytes:
    """Return a WebP of a whole uploaded image."""
    return _make(data, UNCROPPED_SIDE, None, quality=ARTWORK_QUALITY)


def make_product_picture(data: bytes) -> bytes:
    """Return a WebP of a whole uploaded image with at most 1600 pixels per side."""
    return _make(data, PRODUCT_SIDE, None)


def make_card_picture(data: bytes) -> bytes:
    """Return a WebP of the middle of an uploaded image in the card's proportions."""
    return _make(data, CARD_SIZE, None)


def _make(
    data: bytes, max_size: tuple[int, int] | int, crop: Crop | None, *, min_side: int = 1, quality: int = QUALITY
) -> bytes:
    if len(data) > MAX_BYTES:
        raise file_too_large()
    with _memory_lock, warnings.catch_warnings():
        warnings.simplefilter("ignore")  # about unusual metadata
        warnings.simplefilter("error", Image.DecompressionBombWarning)
        return _encode(_crop_and_scale(data, max_size, crop, min_side), quality)


def make_contact_photo(data: bytes) -> bytes:
    """Return a small JPEG of a stored photo, for address books; raise `InvalidImage` if it cannot be read."""
    try:
        with Image.open(io.BytesIO(data), formats=FORMATS) as picture:
            _check_header(picture)
            picture.load()
            small = _flatten(ImageOps.fit(picture.convert("RGBA"), (CONTACT_SIDE, CONTACT_SIDE)))
    except (Image.DecompressionBombError, *_DECODER_ERRORS) as error:
        raise InvalidImage(_("This image is damaged. Save it again or choose another one.")) from error
    out = io.BytesIO()
    small.save(out, "JPEG", quality=QUALITY, optimize=True)
    return out.getvalue()


def file_too_large() -> InvalidImage:
    """Return the error for a file with too many bytes."""
    return InvalidImage(_("This image is larger than %(most)s MB. Choose a smaller one."), most=MAX_BYTES // 1024**2)


def _outside_image() -> InvalidImage:
    return InvalidImage(_("The area you selected is outside the image. Select it again."))


def _crop_and_scale(data: bytes, max_size: tuple[int, int] | int, crop: Crop | None, min_side: int) -> Image.Image:
    try:
        with Image.open(io.BytesIO(data), formats=FORMATS) as picture:
            _check_header(picture)
            if min(picture.size) < min_side:
                raise _too_small(min(picture.size), min_side)
            size = _fit_upright(picture, max_size) if isinstance(max_size, int) else max_size
            # decode a JPEG at a reduced scale (down to an eighth) if that is enough in either orientation
            scale = max(size) / (crop.size if crop and MIN_CROP_SIZE <= crop.size <= 1 else 1)
            picture.draft("RGB", (math.ceil(scale), math.ceil(scale)))
            if data[12:16] == b"VP8X" and data[20] & 0b10:  # a WebP animation of a single frame
                raise _animated()
            picture.load()
            return _flatten(_crop_upright(picture, size, crop, _orientation_of(picture)))
    except (Image.DecompressionBombError, Image.DecompressionBombWarning) as error:
        raise _too_large(MAX_WEBP_PIXELS if data[8:12] == b"WEBP" else MAX_PIXELS) from error
    except UnidentifiedImageError as error:
        raise InvalidImage(_("We can't read this file. Choose a JPEG, PNG or WebP image.")) from error
    except _DECODER_ERRORS as error:
        raise InvalidImage(_("This image is damaged. Save it again or choose another one.")) from error


def _check_header(picture: Image.Image) -> None:
    """Raise `InvalidImage` for too many pixels or an animation, without decoding."""
    max_pixels = MAX_WEBP_PIXELS if picture.format == "WEBP" else MAX_PIXELS
    if picture.width * picture.height > max_pixels:
        raise _too_large(max_pixels)
    if picture.format != "MPO" and getattr(picture, "is_animated", False):  # MPO is a JPEG with a second view
        raise _animated()


def _fit_upright(picture: Image.Image, max_side: int) -> tuple[int, int]:
    """Return the upright size of an image, scaled down to a maximum side."""
    shrink = min(1.0, max_side / max(picture.size))
    width, height = (max(1, round(side * shrink)) for side in picture.size)
    return (height, width) if _orientation_of(picture) in _SIDEWAYS else (width, height)


def _too_small(side: int, min_side: int) -> InvalidImage:
    return InvalidImage(
        _("This image is too small to print well. Its shorter side is %(side)s pixels and must be at least %(least)s."),
        side=side,
        least=min_side,
    )


def _animated() -> InvalidImage:
    return InvalidImage(_("Animated images aren't supported. Choose a still image."))


def _too_large(max_pixels: int) -> InvalidImage:
    return InvalidImage(
        _("This image has more than %(most)s megapixels. Choose a smaller one."), most=max_pixels // 10**6
    )


def _crop_upright(picture: Image.Image, max_size: tuple[int, int], crop: Crop | None, orientation: int) -> Image.Image:
    """Return the upright part of an image in the proportions of `max_size` and no larger; only the part is rotated."""
    is_sideways = orientation in _SIDEWAYS
    width, height = (picture.height, picture.width) if is_sideways else picture.size
    left, top, right, bottom = (
        crop.box(width, height) if crop else _center_box(width, height, max_size[0] / max_size[1])
    )
    shrink = min(1.0, max_size[0] / (right - left))
    size = max(1, round((right - left) * shrink)), max(1, round((bottom - top) * shrink))
    box = _BOXES[orientation](left / width, top / height, right / width, bottom / height)
    if picture.mode.startswith("I"):  # 16 bits per pixel
        picture = picture.convert("I").point(lambda value: value / 256).convert("L")
    elif picture.mode not in ("L", "LA", "RGB", "RGBX", "RGBA"):
        picture = picture.convert("RGBA" if picture.has_transparency_data else "RGB")
    part = picture.resize(
        size[::-1] if is_sideways else size,
        Image.Resampling.LANCZOS,
        box=tuple(  # type: ignore[arg-type]
            min(max(value, 0), 1) * side for value, side in zip(box, picture.size * 2, strict=True)
        ),
        reducing_gap=2.0,
    )
    return part.transpose(_TRANSPOSITIONS[orientation]) if orientation in _TRANSPOSITIONS else part


def _center_box(width: int, height: int, proportion: float) -> Box:
    box_width, box_height = min(float(width), height * proportion), min(float(height), width / proportion)
    left, top = (width - box_width) / 2, (height - box_height) / 2
    return left, top, left + box_width, top + box_height


def _orientation_of(picture: Image.Image) -> int:
    """Return the EXIF orientation, 1 to 8; 1 (upright) if it is missing or invalid."""
    try:
        orientation = picture.getexif().get(ExifTags.Base.Orientation, 1)
    except _DECODER_ERRORS:
        return 1  # unreadable EXIF data
    return orientation if orientation in _BOXES else 1


def _flatten(picture: Image.Image) -> Image.Image:
    """Return the pixels on a white background in a new image, without metadata."""
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
