"""Histogram of a value -> the range that its int8 numbers cover. Every range holds 0."""

from collections.abc import Callable

import numpy as np

from capexport.compress.histogram import Histogram
from capexport.ir.graph import TensorQuantization

Range = tuple[float, float]

LEVELS = 255
LOWEST = -128
PERCENTILE = 99.99
"""Per cent of the numbers within the range, at either end."""
_NARROWEST, _TRIED = 0.3, 71
"""The least-squares search tries this many ranges, from this share of the full one up."""


def min_max(histogram: Histogram) -> Range:
    """Everything that occurred."""
    return histogram.low, histogram.high


def percentile(histogram: Histogram) -> Range:
    """Without the outermost numbers."""
    share = np.cumsum(histogram.counts) / max(histogram.counts.sum(), 1)
    low, high = np.searchsorted(share, (1 - PERCENTILE / 100, PERCENTILE / 100))
    centers = histogram.centers
    return (
        min(max(float(centers[low]), histogram.low), 0.0),
        max(min(float(centers[min(high, len(centers) - 1)]), histogram.high), 0.0),
    )


def least_squares(histogram: Histogram) -> Range:
    """The share of the full range with the least squared error of rounding and clipping."""
    occupied = histogram.counts > 0
    values, counts = histogram.centers[occupied], histogram.counts[occupied]

    def error(share: float) -> float:
        meaning = quantization((share * histogram.low, share * histogram.high))
        steps = np.rint(values / meaning.scale) + meaning.zero_point
        clipped = np.clip(steps, LOWEST, LOWEST + LEVELS) - meaning.zero_point
        return float((counts * (clipped * meaning.scale - values) ** 2).sum())

    best = min(np.linspace(1, _NARROWEST, _TRIED), key=error)
    return float(best * histogram.low), float(best * histogram.high)


RANGES: dict[str, Callable[[Histogram], Range]] = {
    "min-max": min_max,
    "percentile": percentile,
    "least-squares": least_squares,
}
DEFAULT = "least-squares"


def quantization(chosen: Range) -> TensorQuantization:
    """Scale and zero point of int8 over a range; 0 is one of the steps.

    A range of nothing but 0 has scale 1.
    """
    low, high = min(chosen[0], 0.0), max(chosen[1], 0.0)
    scale = np.float32((high - low) / LEVELS)
    if scale < np.finfo(np.float32).tiny:
        return TensorQuantization(1.0, LOWEST)
    zero = int(np.clip(np.rint(LOWEST - low / scale), LOWEST, LOWEST + LEVELS))
    return TensorQuantization(float(scale), zero)


def coarser(meaning: TensorQuantization, scale: float) -> TensorQuantization:
    """The same range from the lowest step up, at a larger scale."""
    low = (LOWEST - meaning.zero_point) * meaning.scale
    zero = int(np.clip(np.rint(LOWEST - low / scale), LOWEST, LOWEST + LEVELS))
    return TensorQuantization(scale, zero)
