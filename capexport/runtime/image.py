"""A picture file -> the encoder's image input, uint8; every picture is a stranger's."""

import struct
import warnings
import zlib
from dataclasses import dataclass
from pathlib import Path

import numpy as np
from PIL import Image, ImageOps

from capexport.errors import InputError
from capexport.runtime.graph_runner import Array
from capexport.runtime.resample import MOST_SIDE, resize_and_crop
from capexport.spec.image import ImageSpec

FORMATS = ("BMP", "GIF", "JPEG", "PNG", "TIFF", "WEBP")
"""What is decoded. Pillow knows more, one of which starts another program."""
IMAGE_SUFFIXES = {".bmp", ".gif", ".jpeg", ".jpg", ".png", ".tif", ".tiff", ".webp"}
UNREADABLE = (
    Image.DecompressionBombError,
    Image.DecompressionBombWarning,
    AttributeError,
    EOFError,
    LookupError,
    MemoryError,
    NotImplementedError,
    OSError,
    OverflowError,
    RuntimeError,
    SyntaxError,
    TypeError,
    ValueError,
    struct.error,
    zlib.error,
)
"""What Pillow raises on damaged or oversized pictures; it bounds pixels before it decodes."""

_GREY16 = ("I", "I;16", "I;16B", "I;16L", "I;16N")
_MOST_GREY16 = 0xFFFF


@dataclass(frozen=True, eq=False)
class Picture:
    """One image in the form that the encoder takes: uint8 RGB [1, height, width, 3]."""

    pixels: Array


def read_picture(path: Path, spec: ImageSpec) -> Picture:
    """The picture resized and cropped as `spec` says.

    Raises:
        InputError: what `read_pixels` raises.
    """
    return Picture(resize_and_crop(read_pixels(path), spec))


def read_pixels(path: Path) -> Array:
    """The first frame as uint8 RGB [height, width, 3], turned as its EXIF orientation says.

    Transparency is laid over white; of 16 bits the upper 8 are taken; colour profiles are ignored.

    Raises:
        InputError: no such file, not one of FORMATS, damaged, cut short, 32 bits a channel, or more
            pixels than Pillow's limit (89 million).
    """
    try:
        with warnings.catch_warnings():
            # Damaged metadata alone is no reason to refuse a picture; too many pixels are.
            warnings.simplefilter("ignore")
            warnings.simplefilter("error", Image.DecompressionBombWarning)
            with Image.open(path, formats=FORMATS) as image:
                _check_sides(image, path)
                return np.array(_rgb(ImageOps.exif_transpose(image), path))
    except UNREADABLE as error:
        raise InputError(
            f"the picture cannot be read: {_reason(error)}",
            where=str(path),
            hint=f"give a whole picture of the kinds {', '.join(FORMATS)}",
        ) from error


def _check_sides(image: Image.Image, path: Path) -> None:
    if max(image.size) > MOST_SIDE:
        raise InputError(
            f"the picture is {image.width} x {image.height} pixels",
            where=str(path),
            hint=f"no side may be longer than {MOST_SIDE} pixels",
        )


def _rgb(image: Image.Image, path: Path) -> Image.Image:
    if image.mode in _GREY16:
        return _upper_byte(image, path).convert("RGB")
    if image.mode == "F":
        raise InputError(
            "the picture has floating-point pixels",
            where=str(path),
            hint="save it with 8 or 16 bits a channel",
        )
    if image.has_transparency_data:
        white = Image.new("RGBA", image.size, "white")
        return Image.alpha_composite(white, image.convert("RGBA")).convert("RGB")
    return image.convert("RGB")


def _upper_byte(image: Image.Image, path: Path) -> Image.Image:
    """Grey of 16 bits as grey of 8; Pillow's own conversion would cut everything off at 255."""
    values = np.array(image).astype(np.int64)
    if values.min() < 0 or values.max() > _MOST_GREY16:
        raise InputError(
            "the picture has 32 bits a channel", where=str(path), hint="save it with 8 or 16"
        )
    return Image.fromarray((values >> 8).astype(np.uint8))


def _reason(error: BaseException) -> str:
    return (str(error).strip() or type(error).__name__).splitlines()[0][:200]
