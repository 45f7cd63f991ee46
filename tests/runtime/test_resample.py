"""The integer resize: against its rule written out, against Pillow, and as golden numbers."""

import numpy as np
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st
from PIL import Image

from capexport.runtime.resample import MOST_SIDE, PRECISION_BITS, resize_and_crop, taps
from capexport.spec.image import ImageSpec

MOST_FROM_PILLOW = 1
"""Grey levels. Pillow's weights are rounded floats, ours are exact to 2**-22: sums that lie on a
rounding boundary may fall on its other side."""
ONE = 1 << PRECISION_BITS


def by_the_rule(pixels: np.ndarray, spec: ImageSpec) -> np.ndarray:
    """docs/decisions/image-path.md, one number after the other."""
    height, width = pixels.shape[:2]
    shorter = min(height, width)
    new_height = spec.short_side * height // shorter
    new_width = spec.short_side * width // shorter
    top, left = (new_height - spec.height) // 2, (new_width - spec.width) // 2
    narrow = {
        (y, x, c): weighted([int(v) for v in pixels[y, :, c]], new_width, left + x)
        for y in range(height)
        for x in range(spec.width)
        for c in range(3)
    }
    window = np.zeros(spec.shape, np.uint8)
    for _, y, x, c in np.ndindex(*spec.shape):
        column = [narrow[row, x, c] for row in range(height)]
        window[0, y, x, c] = weighted(column, new_height, top + y)
    return window


def weighted(line: list[int], resized: int, output: int) -> int:
    """One output of one line: the triangle's weights, their partial sums rounded, then the sum."""
    length = len(line)
    reach = 2 * max(length, resized)
    triangle = [
        max(reach - abs((2 * j + 1) * resized - (2 * output + 1) * length), 0)
        for j in range(length)
    ]
    whole, partial, before, total = sum(triangle), 0, 0, 0
    for value, height in zip(line, triangle, strict=True):
        partial += height
        rounded = (2 * partial * ONE + whole) // (2 * whole)
        total += value * (rounded - before)
        before = rounded
    return (total + ONE // 2) // ONE


def by_pillow(pixels: np.ndarray, spec: ImageSpec) -> np.ndarray:
    height, width = pixels.shape[:2]
    shorter = min(height, width)
    new = (spec.short_side * width // shorter, spec.short_side * height // shorter)
    resized = Image.fromarray(pixels).resize(new, Image.Resampling.BILINEAR)
    left, top = (new[0] - spec.width) // 2, (new[1] - spec.height) // 2
    return np.asarray(resized)[None, top : top + spec.height, left : left + spec.width]


def random_pixels(height: int, width: int, seed: int, *, extreme: bool) -> np.ndarray:
    random = np.random.default_rng(seed)
    if extreme:
        return random.choice(np.array([0, 255], np.uint8), (height, width, 3))
    return random.integers(0, 256, (height, width, 3), np.uint8)


sides = st.integers(1, 24)
windows = st.integers(1, 9)


@settings(max_examples=60, deadline=None)
@given(sides, sides, windows, windows, st.integers(0, 4), st.integers(0, 99), st.booleans())
def test_equals_the_rule_written_out(
    height: int, width: int, rows: int, columns: int, margin: int, seed: int, extreme: bool
) -> None:
    pixels = random_pixels(height, width, seed, extreme=extreme)
    spec = ImageSpec(rows, columns, max(rows, columns) + margin)
    np.testing.assert_array_equal(resize_and_crop(pixels, spec), by_the_rule(pixels, spec))


@settings(max_examples=60, deadline=None)
@given(
    st.integers(1, 400), st.integers(1, 400), st.integers(1, 60), st.integers(0, 99), st.booleans()
)
def test_is_one_grey_level_from_pillow_at_most(
    height: int, width: int, side: int, seed: int, extreme: bool
) -> None:
    pixels = random_pixels(height, width, seed, extreme=extreme)
    spec = ImageSpec(side, (side + 1) // 2, side + 3)
    apart = resize_and_crop(pixels, spec).astype(int) - by_pillow(pixels, spec)
    assert np.abs(apart).max() <= MOST_FROM_PILLOW


@pytest.mark.parametrize("value", [0, 1, 77, 254, 255])
@pytest.mark.parametrize("shape", [(1, 1), (1, 4001), (4001, 1), (37, 41), (300, 224)])
def test_one_colour_stays_that_colour(value: int, shape: tuple[int, int]) -> None:
    pixels = np.full((*shape, 3), value, np.uint8)
    assert (resize_and_crop(pixels, ImageSpec(24, 24, 27)) == value).all()


def test_the_size_of_the_window_leaves_the_picture_alone() -> None:
    pixels = random_pixels(24, 24, 0, extreme=False)
    np.testing.assert_array_equal(resize_and_crop(pixels, ImageSpec(24, 24, 24))[0], pixels)


@pytest.mark.parametrize("length", [1, 2, 255, 4001, MOST_SIDE])
@pytest.mark.parametrize("resized", [1, 2, 255, 4001, 256 * MOST_SIDE])
def test_weights_add_up_to_one(length: int, resized: int) -> None:
    axis = taps(length, resized, min(resized, 9))
    np.testing.assert_array_equal(axis.weight.sum(1, dtype=np.int64), ONE)
    assert axis.weight.min() >= 0
    assert 0 <= axis.source.min() <= axis.source.max() < length


def test_golden_numbers() -> None:
    """For implementations in other languages: 5 x 7 pixels into 3 x 3, shorter side 4."""
    pixels = (np.arange(5 * 7 * 3) ** 2 % 251).astype(np.uint8).reshape(5, 7, 3)
    got = resize_and_crop(pixels, ImageSpec(3, 3, 4))
    assert got[0].tolist() == [
        [[58, 44, 67], [101, 119, 110], [151, 106, 146]],
        [[106, 95, 166], [127, 160, 81], [118, 100, 190]],
        [[116, 153, 127], [137, 99, 135], [129, 79, 152]],
    ]
