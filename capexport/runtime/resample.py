"""Pixels -> a resized window of them, in integers only: any language gives the same bytes.

The filters are those that Pillow calls BILINEAR and BICUBIC, widened to the step when a picture
shrinks. docs/decisions/image-path.md states the rule and how far it is from Pillow.
"""

from dataclasses import dataclass

import numpy as np

from capexport.runtime.graph_runner import Array
from capexport.spec.image import BILINEAR, Filter, ImageSpec

PRECISION_BITS = 22
"""Bits of a weight behind the point: 255 * 2**22 still fits a signed 32-bit sum."""
CUBIC_STEP_BITS, CUBIC_BITS = 14, 22
"""A cubic of 14 bits has 42; 22 of them leave room for the sum of 65,535 taps in 64 bits."""
MOST_SIDE = 65_535
"""pixels. JPEG's limit; keeps the products in `taps` inside 64 bits."""


@dataclass(frozen=True, eq=False)
class Taps:
    """For every output pixel of one axis: which input pixels, with which weights.

    Args:
        source: int64 [outputs, most taps].
        weight: int32 [outputs, most taps], each row sums to 2**PRECISION_BITS; unused taps are 0.
    """

    source: Array
    weight: Array


def resize_and_crop(pixels: Array, spec: ImageSpec) -> Array:
    """The window that `spec` describes.

    Args:
        pixels: uint8 [height, width, 3], no side longer than MOST_SIDE.

    Returns:
        uint8 [1, spec.height, spec.width, 3]
    """
    sides = ((pixels.shape[0], spec.height), (pixels.shape[1], spec.width))
    shorter = min(pixels.shape[:2])
    rows, columns = (
        taps(
            length,
            window if spec.short_side is None else spec.short_side * length // shorter,
            window,
            spec.filter,
        )
        for length, window in sides
    )
    first, last = rows.source.min(), rows.source.max() + 1  # rows that the window needs
    narrowed = _weighted(pixels[first:last].transpose(1, 0, 2), columns)
    window = _weighted(narrowed.transpose(1, 0, 2), Taps(rows.source - first, rows.weight))
    return window[np.newaxis]


def taps(length: int, resized: int, window: int, kernel: Filter = BILINEAR) -> Taps:
    """Weights of the central `window` pixels when `length` pixels become `resized`.

    In units of 1 / (2 * resized) of an input pixel, input j lies at (2j + 1) * resized, output i at
    (2i + 1) * length, and a step of the filter is 2 * max(length, resized). Weights are differences
    of rounded partial sums, so that they add up to one exactly.
    """
    step = 2 * max(length, resized)
    reach = step if kernel == BILINEAR else 2 * step
    outputs = (resized - window) // 2 + np.arange(window, dtype=np.int64)
    centre = (2 * outputs + 1) * length
    # the first input whose distance is less than the reach; it may lie before the picture
    first = (centre - reach - resized) // (2 * resized) + 1
    source = first[:, np.newaxis] + np.arange(reach // resized + 1)
    distance = np.abs((2 * source + 1) * resized - centre[:, np.newaxis])
    inside = (source >= 0) & (source < length)
    height = _triangle(distance, step) if kernel == BILINEAR else _cubic(distance, step)
    partial = np.where(inside, height, 0).cumsum(axis=1)
    total = partial[:, -1:]
    rounded = ((partial << (PRECISION_BITS + 1)) + total) // (2 * total)
    weight = np.diff(rounded, axis=1, prepend=0).astype(np.int32)
    return Taps(source.clip(0, length - 1), weight)


def _triangle(distance: Array, step: int) -> Array:
    height: Array = np.maximum(step - distance, 0)
    return height


def _cubic(distance: Array, step: int) -> Array:
    """Keys' cubic convolution with a = -1/2 (1981), in units of 2**-CUBIC_BITS.

    The distance is rounded to 2**-CUBIC_STEP_BITS of a step, so that its cube fits 64 bits.
    """
    one = 1 << CUBIC_STEP_BITS
    x = ((distance << (CUBIC_STEP_BITS + 1)) + step) // (2 * step)
    near = 3 * x**3 - 5 * x**2 * one + 2 * one**3
    far = -(x**3) + 5 * x**2 * one - 8 * x * one**2 + 4 * one**3
    twice = np.where(x < one, near, np.where(x < 2 * one, far, 0))
    height: Array = twice >> (3 * CUBIC_STEP_BITS + 1 - CUBIC_BITS)
    return height


def _weighted(pixels: Array, axis: Taps) -> Array:
    """Weighted sums along the first axis, rounded half up: uint8 [outputs, others, 3]."""
    shape = (len(axis.source), *pixels.shape[1:])
    total = np.full(shape, 1 << (PRECISION_BITS - 1), np.int32)
    for source, weight in zip(axis.source.T, axis.weight.T, strict=True):
        total += pixels[source] * weight[:, np.newaxis, np.newaxis]
    return (total >> PRECISION_BITS).clip(0, 255).astype(np.uint8)
