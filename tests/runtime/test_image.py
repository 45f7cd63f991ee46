"""Pictures of every kind, sound and hostile, into pixels."""

import struct
import zlib
from io import BytesIO
from pathlib import Path

import numpy as np
import pytest
from PIL import Image

from capexport.errors import InputError
from capexport.runtime.image import read_picture, read_pixels
from capexport.runtime.resample import MOST_SIDE
from capexport.spec.image import ImageSpec

RED, GREY, WHITE = [255, 0, 0], [100, 100, 100], [255, 255, 255]
ORIENTATION = 0x0112
UNTURNED = np.arange(2 * 3 * 3, dtype=np.uint8).reshape(2, 3, 3) * 9
TURNED = {
    1: UNTURNED,
    2: UNTURNED[:, ::-1],
    3: UNTURNED[::-1, ::-1],
    4: UNTURNED[::-1],
    5: UNTURNED.transpose(1, 0, 2),
    6: np.rot90(UNTURNED, -1),
    7: UNTURNED[::-1, ::-1].transpose(1, 0, 2),
    8: np.rot90(UNTURNED),
}
"""What each EXIF orientation (CIPA DC-008, table 6) makes of the stored pixels."""


def saved(path: Path, image: Image.Image, **options: object) -> Path:
    image.save(path, **options)
    return path


def first_pixel(path: Path) -> list[int]:
    pixels = read_pixels(path)
    assert pixels.dtype == np.uint8
    assert pixels.ndim == 3
    assert pixels.flags.writeable
    return pixels[0, 0].tolist()


@pytest.mark.parametrize("suffix", ["bmp", "gif", "jpg", "png", "tif", "webp"])
def test_kinds_of_files(suffix: str, tmp_path: Path) -> None:
    path = saved(tmp_path / f"one.{suffix}", Image.new("RGB", (16, 8), (255, 0, 0)))
    pixels = read_pixels(path)
    assert pixels.shape == (8, 16, 3)
    assert np.abs(pixels.astype(int) - RED).max() <= 2  # JPEG and WebP round


@pytest.mark.parametrize(
    ("mode", "colour", "suffix", "expected"),
    [
        ("L", 100, "png", GREY),
        ("1", 1, "png", WHITE),
        ("LA", (100, 255), "png", GREY),
        ("LA", (100, 0), "png", WHITE),
        ("RGBA", (255, 0, 0, 255), "png", RED),
        ("RGBA", (255, 0, 0, 0), "png", WHITE),
        ("RGBA", (255, 0, 0, 51), "png", [255, 204, 204]),
        ("P", 0, "gif", [0, 0, 0]),
        ("CMYK", (0, 255, 255, 0), "tif", RED),
        ("CMYK", (0, 0, 0, 155), "jpg", GREY),
        ("YCbCr", (255, 128, 128), "jpg", WHITE),
        ("I;16", 100 * 256 + 255, "png", GREY),
        ("I;16", 65535, "tif", WHITE),
        ("I", 100 * 256, "tif", GREY),
    ],
)
def test_kinds_of_pixels(
    mode: str, colour: object, suffix: str, expected: list[int], tmp_path: Path
) -> None:
    path = saved(tmp_path / f"one.{suffix}", Image.new(mode, (8, 8), colour))
    assert first_pixel(path) == expected


def test_a_palette_may_be_transparent(tmp_path: Path) -> None:
    image = Image.new("P", (4, 4), 1)
    image.putpalette([0, 0, 0, 255, 0, 0])
    assert first_pixel(saved(tmp_path / "solid.png", image)) == RED
    assert first_pixel(saved(tmp_path / "clear.png", image, transparency=1)) == WHITE


def test_the_first_frame_of_an_animation(tmp_path: Path) -> None:
    frames = [Image.new("RGB", (4, 4), colour) for colour in ("red", "blue")]
    path = saved(tmp_path / "two.gif", frames[0], save_all=True, append_images=frames[1:])
    assert first_pixel(path) == RED


def test_the_first_of_a_phones_two_pictures_in_one_jpeg(tmp_path: Path) -> None:
    pictures = [Image.new("RGB", (8, 8), colour) for colour in ("white", "black")]
    path = tmp_path / "portrait.jpg"
    pictures[0].save(path, format="MPO", save_all=True, append_images=pictures[1:])
    assert first_pixel(path) == WHITE


@pytest.mark.parametrize("orientation", TURNED)
def test_orientation(orientation: int, tmp_path: Path) -> None:
    exif = Image.Exif()
    exif[ORIENTATION] = orientation
    path = saved(tmp_path / "turned.png", Image.fromarray(UNTURNED), exif=exif)
    np.testing.assert_array_equal(read_pixels(path), TURNED[orientation])


def test_damaged_metadata_is_no_reason_to_refuse(tmp_path: Path) -> None:
    exif = b"Exif\0\0MM\0*\0\0\0\x08\xff\xff garbage"
    path = saved(tmp_path / "odd.jpg", Image.new("RGB", (8, 8), "white"), exif=exif)
    assert first_pixel(path) == WHITE


def test_a_picture_becomes_the_input(tmp_path: Path) -> None:
    path = saved(tmp_path / "one.png", Image.new("RGB", (1, 1), "red"))
    pixels = read_picture(path, ImageSpec(3, 5, 6)).pixels
    assert pixels.shape == (1, 3, 5, 3)
    assert (pixels == RED).all()


# ---- what is refused


def refused(path: Path, message: str) -> None:
    with pytest.raises(InputError, match=message) as caught:
        read_pixels(path)
    assert caught.value.where == str(path)


def test_a_missing_file(tmp_path: Path) -> None:
    refused(tmp_path / "no.jpg", "No such file")


@pytest.mark.parametrize(
    "content", [b"", b"GIF89a", b"\xff\xd8\xff\xe0", b"%!PS-Adobe-3.0 EPSF", b"x" * 99]
)
def test_what_is_no_picture(content: bytes, tmp_path: Path) -> None:
    path = tmp_path / "no.jpg"
    path.write_bytes(content)
    refused(path, "the picture cannot be read")


def test_a_format_that_is_a_program_is_not_decoded(tmp_path: Path) -> None:
    path = saved(tmp_path / "one.eps", Image.new("RGB", (4, 4)))
    refused(path, "the picture cannot be read")


@pytest.mark.parametrize("suffix", ["bmp", "gif", "jpg", "png", "tif", "webp"])
def test_every_cut_is_refused_or_harmless(suffix: str, tmp_path: Path) -> None:
    """A file that ends early either raises InputError or has lost nothing but what follows."""
    noise = np.random.default_rng(0).integers(0, 256, (24, 24, 3), np.uint8)
    buffer = BytesIO()
    Image.fromarray(noise).save(buffer, {"jpg": "jpeg", "tif": "tiff"}.get(suffix, suffix))
    whole = buffer.getvalue()
    path = tmp_path / f"cut.{suffix}"
    path.write_bytes(whole)
    expected = read_pixels(path)
    cuts = 0
    for length in range(0, len(whole), 7):
        path.write_bytes(whole[:length])
        try:
            pixels = read_pixels(path)
        except InputError:
            cuts += 1
        else:
            np.testing.assert_array_equal(pixels, expected)
    assert cuts > 10


@pytest.mark.parametrize("suffix", ["bmp", "gif", "jpg", "png", "tif", "webp"])
def test_flipped_bytes_raise_nothing_else(suffix: str, tmp_path: Path) -> None:
    noise = np.random.default_rng(0).integers(0, 256, (16, 16, 3), np.uint8)
    path = saved(tmp_path / f"flipped.{suffix}", Image.fromarray(noise))
    whole, random = path.read_bytes(), np.random.default_rng(1)
    for _ in range(200):
        damaged = bytearray(whole)
        damaged[random.integers(len(whole))] ^= 1 << random.integers(8)
        path.write_bytes(damaged)
        try:
            pixels = read_pixels(path)
        except InputError:
            continue
        assert pixels.dtype == np.uint8


def png(width: int, height: int, depth: int = 8, colour: int = 0) -> bytes:
    """A PNG that declares a size and holds next to nothing."""
    chunks = (
        (b"IHDR", struct.pack(">IIBBBBB", width, height, depth, colour, 0, 0, 0)),
        (b"IDAT", zlib.compress(bytes(100))),
        (b"IEND", b""),
    )
    return b"\x89PNG\r\n\x1a\n" + b"".join(
        struct.pack(">I", len(data)) + kind + data + struct.pack(">I", zlib.crc32(kind + data))
        for kind, data in chunks
    )


@pytest.mark.parametrize("size", [(10_000, 10_000), (60_000, 60_000), (2**31 - 1, 2**31 - 1)])
def test_too_many_pixels_are_refused_before_they_are_decoded(
    size: tuple[int, int], tmp_path: Path
) -> None:
    path = tmp_path / "bomb.png"
    path.write_bytes(png(*size))
    refused(path, "decompression bomb|cannot be read")


def test_a_line_that_is_too_long(tmp_path: Path) -> None:
    path = tmp_path / "long.png"
    path.write_bytes(png(MOST_SIDE + 1, 1))
    refused(path, f"the picture is {MOST_SIDE + 1} x 1 pixels")


@pytest.mark.parametrize(("mode", "value"), [("F", 0.5), ("I", -1), ("I", 65536)])
def test_more_than_16_bits_a_channel(mode: str, value: float, tmp_path: Path) -> None:
    path = saved(tmp_path / "deep.tif", Image.new(mode, (2, 2), value))
    refused(path, "floating-point|32 bits")
