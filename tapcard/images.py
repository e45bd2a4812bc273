"""Pictures that people upload: looked at before they are decoded, then drawn anew; nothing else of them is kept."""

import io
import struct
import threading
import warnings
import zlib

from PIL import Image, ImageOps, UnidentifiedImageError

from .errors import DomainError
from .errors import mark as _

MOST_BYTES = 8 * 1024 * 1024
MOST_PIXELS = 25_000_000
PHOTO_SIDE = 512
QUALITY = 82
CONTACT_SIDE = 256
FORMATS = ("JPEG", "PNG", "WEBP")

Image.MAX_IMAGE_PIXELS = MOST_PIXELS

# What the decoders are known to raise when fed rubbish.
_DAMAGED = (
    OSError, SyntaxError, ValueError, TypeError, KeyError, IndexError, AttributeError, EOFError, ArithmeticError,
    MemoryError, struct.error, zlib.error,
)  # fmt: skip

# One picture of 25 megapixels takes up to 350 MB while it is worked on: one at a time in each process.
_one_at_a_time = threading.Lock()


class BadPicture(DomainError):
    """The file is not a picture we can use."""

    status = 422
    field = "photo"


def make_photo(data: bytes) -> bytes:
    """Make a square WebP from an uploaded JPEG, PNG or WebP: the middle of it, upright, without any metadata."""
    if len(data) > MOST_BYTES:
        raise too_heavy()
    with _one_at_a_time, warnings.catch_warnings():
        warnings.simplefilter("ignore")  # a stranger's odd metadata is not for our log
        warnings.simplefilter("error", Image.DecompressionBombWarning)
        return _encode(_square(data))


def make_contact_photo(data: bytes) -> bytes:
    """Make a small JPEG for an address book out of a photo of ours; raises `BadPicture` when it cannot be read."""
    try:
        with Image.open(io.BytesIO(data), formats=FORMATS) as picture:
            _look_at(picture)
            picture.load()
            small = _flattened(ImageOps.fit(picture.convert("RGBA"), (CONTACT_SIDE, CONTACT_SIDE)))
    except (Image.DecompressionBombError, *_DAMAGED) as error:
        raise BadPicture(_("This picture is damaged. Save it again or choose another one.")) from error
    out = io.BytesIO()
    small.save(out, "JPEG", quality=QUALITY, optimize=True)
    return out.getvalue()


def too_heavy() -> BadPicture:
    """The refusal of a file with too many bytes."""
    return BadPicture(_("This picture is larger than %(most)s MB. Choose a smaller one."), most=MOST_BYTES // 1024**2)


def _square(data: bytes) -> Image.Image:
    try:
        with Image.open(io.BytesIO(data), formats=FORMATS) as picture:
            _look_at(picture)
            picture.draft("RGB", (PHOTO_SIDE, PHOTO_SIDE))  # a JPEG is decoded at an eighth, if that is enough
            picture.load()
            return _flattened(_upright(_resized(picture)))
    except (Image.DecompressionBombError, Image.DecompressionBombWarning) as error:
        raise _too_large() from error
    except UnidentifiedImageError as error:
        raise BadPicture(_("This is not a picture we can read. Choose a JPEG, PNG or WebP file.")) from error
    except _DAMAGED as error:
        raise BadPicture(_("This picture is damaged. Save it again or choose another one.")) from error


def _look_at(picture: Image.Image) -> None:
    """Refuse by the header alone."""
    if picture.width * picture.height > MOST_PIXELS:
        raise _too_large()
    if picture.format != "MPO" and getattr(picture, "is_animated", False):  # phones put a second view into a JPEG
        raise BadPicture(_("This picture moves. Choose one that stands still."))


def _too_large() -> BadPicture:
    return BadPicture(
        _("This picture has more than %(most)s megapixels. Choose a smaller one."), most=MOST_PIXELS // 10**6
    )


def _resized(picture: Image.Image) -> Image.Image:
    side = min(picture.size)
    left, top = (picture.width - side) // 2, (picture.height - side) // 2
    box = (left, top, left + side, top + side)
    if picture.mode.startswith("I"):  # 16 bits a pixel
        picture = picture.convert("I").point(lambda value: value / 256).convert("L")
    elif picture.mode not in ("L", "LA", "RGB", "RGBA"):
        picture = picture.convert("RGBA" if picture.has_transparency_data else "RGB")
    target = min(side, PHOTO_SIDE)
    return picture.resize((target, target), Image.Resampling.LANCZOS, box=box, reducing_gap=2.0)


def _upright(picture: Image.Image) -> Image.Image:
    try:
        return ImageOps.exif_transpose(picture)
    except _DAMAGED:
        return picture  # notes of the camera that nobody can read


def _flattened(picture: Image.Image) -> Image.Image:
    """The pixels alone, on white; a new image carries nothing over."""
    canvas = Image.new("RGB", picture.size, "white")
    if picture.has_transparency_data:
        picture = picture.convert("RGBA")
        canvas.paste(picture, mask=picture.getchannel("A"))
    else:
        canvas.paste(picture.convert("RGB"))
    return canvas


def _encode(picture: Image.Image) -> bytes:
    out = io.BytesIO()
    picture.save(out, "WEBP", quality=QUALITY, method=4)
    return out.getvalue()
