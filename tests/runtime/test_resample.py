"""The integer resize: against its rule written out, against Pillow, and as golden numbers."""

import numpy as np
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st
from PIL import Image

from capexport.runtime.resample import MOST_SIDE, PRECISION_BITS, resize_and_crop, taps
from capexport.spec.image import BICUBIC, BILINEAR, Filter, ImageSpec

MOST_FROM_PILLOW = {BILINEAR: 1, BICUBIC: 2}
"""Grey levels. Pillow's weights are rounded floats, ours are integers: sums that lie on a rounding
boundary may fall on its other side. Along the second axis the cubic's weights, whose magnitudes
sum to 1.25, enlarge what differed along the first, before it is rounded again."""
ONE = 1 << PRECISION_BITS
PILLOW = {BILINEAR: Image.Resampling.BILINEAR, BICUBIC: Image.Resampling.BICUBIC}


def resized_sides(height: int, width: int, spec: ImageSpec) -> tuple[int, int]:
    if spec.short_side is None:
        return spec.height, spec.width
    shorter = min(height, width)
    return spec.short_side * height // shorter, spec.short_side * width // shorter


def by_the_rule(pixels: np.ndarray, spec: ImageSpec) -> np.ndarray:
    """docs/decisions/image-path.md, one number after the other."""
    height, width = pixels.shape[:2]
    new_height, new_width = resized_sides(height, width, spec)
    top, left = (new_height - spec.height) // 2, (new_width - spec.width) // 2
    narrow = {
        (y, x, c): weighted([int(v) for v in pixels[y, :, c]], new_width, left + x, spec.filter)
        for y in range(height)
        for x in range(spec.width)
        for c in range(3)
    }
    window = np.zeros(spec.shape, np.uint8)
    for _, y, x, c in np.ndindex(*spec.shape):
        column = [narrow[row, x, c] for row in range(height)]
        window[0, y, x, c] = weighted(column, new_height, top + y, spec.filter)
    return window


def weighted(line: list[int], resized: int, output: int, kernel: str) -> int:
    """One output of one line: the filter's weights, their partial sums rounded, then the sum."""
    length = len(line)
    step = 2 * max(length, resized)
    height_at = triangle if kernel == BILINEAR else cubic
    heights = [
        height_at(abs((2 * j + 1) * resized - (2 * output + 1) * length), step)
        for j in range(length)
    ]
    whole, partial, before, total = sum(heights), 0, 0, 0
    for value, height in zip(line, heights, strict=True):
        partial += height
        rounded = (2 * partial * ONE + whole) // (2 * whole)
        total += value * (rounded - before)
        before = rounded
    return min(max((total + ONE // 2) // ONE, 0), 255)


def triangle(distance: int, step: int) -> int:
    return max(step - distance, 0)


def cubic(distance: int, step: int) -> int:
    """Both halves of Keys' filter times two, at 14 bits of a step, cut to 22 bits."""
    x = (2**15 * distance + step) // (2 * step)
    if x < 2**14:
        return (3 * x**3 - 5 * x**2 * 2**14 + 2 * 2**42) >> 21
    if x < 2**15:
        return (-(x**3) + 5 * x**2 * 2**14 - 8 * x * 2**28 + 4 * 2**42) >> 21
    return 0


def by_pillow(pixels: np.ndarray, spec: ImageSpec) -> np.ndarray:
    new = resized_sides(*pixels.shape[:2], spec)[::-1]
    resized = Image.fromarray(pixels).resize(new, PILLOW[spec.filter])
    left, top = (new[0] - spec.width) // 2, (new[1] - spec.height) // 2
    return np.asarray(resized)[None, top : top + spec.height, left : left + spec.width]


def random_pixels(height: int, width: int, seed: int, *, extreme: bool) -> np.ndarray:
    random = np.random.default_rng(seed)
    if extreme:
        return random.choice(np.array([0, 255], np.uint8), (height, width, 3))
    return random.integers(0, 256, (height, width, 3), np.uint8)


sides = st.integers(1, 24)
windows = st.integers(1, 9)
margins = st.none() | st.integers(0, 4)
kernels = st.sampled_from([BILINEAR, BICUBIC])


@settings(max_examples=60, deadline=None)
@given(sides, sides, windows, windows, margins, kernels, st.integers(0, 99), st.booleans())
def test_equals_the_rule_written_out(
    height: int,
    width: int,
    rows: int,
    columns: int,
    margin: int | None,
    kernel: Filter,
    seed: int,
    extreme: bool,
) -> None:
    pixels = random_pixels(height, width, seed, extreme=extreme)
    short_side = None if margin is None else max(rows, columns) + margin
    spec = ImageSpec(rows, columns, short_side, kernel)
    np.testing.assert_array_equal(resize_and_crop(pixels, spec), by_the_rule(pixels, spec))


@settings(max_examples=60, deadline=None)
@given(
    *(st.integers(1, most) for most in (400, 400, 60)),
    st.sampled_from([None, 3]),
    kernels,
    st.integers(0, 99),
    st.booleans(),
)
def test_is_one_grey_level_from_pillow_at_most(
    height: int,
    width: int,
    side: int,
    margin: int | None,
    kernel: Filter,
    seed: int,
    extreme: bool,
) -> None:
    pixels = random_pixels(height, width, seed, extreme=extreme)
    if kernel == BICUBIC:
        # The cubic overshoots. Pillow may take the axes in the other order, and what is cut to
        # 0..255 between them is then something else: stay where nothing is cut.
        pixels = pixels // 2 + 64
    short_side = None if margin is None else side + margin
    spec = ImageSpec(side, (side + 1) // 2, short_side, kernel)
    apart = resize_and_crop(pixels, spec).astype(int) - by_pillow(pixels, spec)
    assert np.abs(apart).max() <= MOST_FROM_PILLOW[kernel]


@pytest.mark.parametrize("value", [0, 1, 77, 254, 255])
@pytest.mark.parametrize("shape", [(1, 1), (1, 4001), (4001, 1), (37, 41), (300, 224)])
@pytest.mark.parametrize("kernel", [BILINEAR, BICUBIC])
def test_one_colour_stays_that_colour(value: int, shape: tuple[int, int], kernel: Filter) -> None:
    pixels = np.full((*shape, 3), value, np.uint8)
    assert (resize_and_crop(pixels, ImageSpec(24, 24, 27, kernel)) == value).all()
    assert (resize_and_crop(pixels, ImageSpec(24, 24, None, kernel)) == value).all()


def test_the_size_of_the_window_leaves_the_picture_alone() -> None:
    pixels = random_pixels(24, 24, 0, extreme=False)
    np.testing.assert_array_equal(resize_and_crop(pixels, ImageSpec(24, 24, 24))[0], pixels)


@pytest.mark.parametrize("length", [1, 2, 255, 4001, MOST_SIDE])
@pytest.mark.parametrize("resized", [1, 2, 255, 4001, 256 * MOST_SIDE])
def test_weights_add_up_to_one(length: int, resized: int) -> None:
    for kernel, lowest in ((BILINEAR, 0), (BICUBIC, -ONE)):
        axis = taps(length, resized, min(resized, 9), kernel)
        np.testing.assert_array_equal(axis.weight.sum(1, dtype=np.int64), ONE)
        assert axis.weight.min() >= lowest
        assert 255 * np.abs(axis.weight.astype(np.int64)).sum(1).max() < 2**31  # fits the sum
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
