"""Histograms against all numbers at once; ranges against their definitions; what is refused."""

import numpy as np
import pytest
from hypothesis import given
from hypothesis import strategies as st
from hypothesis.extra import numpy as hnp
from image_nets import Residual, float_graph

from capexport.compress import image_samples
from capexport.compress.histogram import BINS, Histogram
from capexport.compress.ranges import RANGES, coarser, quantization
from capexport.errors import InputError

arrays = st.lists(
    hnp.arrays(np.float32, st.integers(1, 30), elements=st.floats(-(2.0**60), 2.0**60, width=32)),
    min_size=1,
    max_size=5,
)


def counted(parts: list[np.ndarray]) -> Histogram:
    histogram = Histogram()
    for part in parts:
        histogram.add(part)
    return histogram


def assert_bins_hold(histogram: Histogram, numbers: np.ndarray) -> None:
    """Every number is in a bin, and none in a bin further away than rounding explains."""
    assert histogram.counts.sum() == numbers.size
    width = 2 * histogram.limit / BINS
    for i in np.flatnonzero(histogram.counts):
        near = np.abs(numbers.astype(np.float64) - histogram.centers[i]) <= width * 1.01
        assert histogram.counts[i] <= near.sum()


@given(arrays)
def test_every_number_is_counted_in_a_bin_that_holds_it(parts: list[np.ndarray]) -> None:
    histogram, numbers = counted(parts), np.concatenate(parts)
    assert histogram.low == min(0, numbers.min())
    assert histogram.high == max(0, numbers.max())
    assert_bins_hold(histogram, numbers)


@given(arrays, arrays)
def test_a_merge_counts_what_both_have_counted(a: list[np.ndarray], b: list[np.ndarray]) -> None:
    merged = counted(a)
    merged.merge(counted(b))
    together = counted([*a, *b])
    assert (merged.low, merged.high) == (together.low, together.high)
    assert_bins_hold(merged, np.concatenate([*a, *b]))


@given(arrays)
def test_every_range_holds_zero_and_lies_within_what_occurred(parts: list[np.ndarray]) -> None:
    histogram = counted(parts)
    for choose in RANGES.values():
        low, high = choose(histogram)
        assert histogram.low <= low <= 0 <= high <= histogram.high
        meaning = quantization((low, high))
        assert meaning.scale > 0
        assert -128 <= meaning.zero_point <= 127


def test_least_squares_gives_up_a_lonely_outlier_and_min_max_does_not() -> None:
    rng = np.random.default_rng(0)
    histogram = counted([np.abs(rng.normal(size=1_000_000)).astype(np.float32), np.float32([9])])
    assert RANGES["min-max"](histogram) == (0, 9)
    assert 2.5 < RANGES["least-squares"](histogram)[1] < 6
    assert 3 < RANGES["percentile"](histogram)[1] < 5


def test_a_value_of_nothing_but_zeros_has_a_scale() -> None:
    assert quantization(RANGES["min-max"](counted([np.zeros(5, np.float32)]))).scale == 1


@pytest.mark.parametrize("chosen", [(0.0, 6.0), (-3.1, 0.7), (-0.2, 0.0)])
def test_a_coarser_scale_covers_the_same_range(chosen: tuple[float, float]) -> None:
    meaning = quantization(chosen)
    coarse = coarser(meaning, meaning.scale * 1.7)
    assert (-128 - coarse.zero_point) * coarse.scale == pytest.approx(chosen[0], abs=coarse.scale)
    assert (127 - coarse.zero_point) * coarse.scale >= chosen[1] - coarse.scale


def test_a_positive_range_starts_at_the_lowest_step() -> None:
    meaning = quantization((0.0, 6.0))
    assert meaning.zero_point == -128
    assert (127 - meaning.zero_point) * meaning.scale == pytest.approx(6)


@pytest.mark.parametrize(
    "image", [np.zeros((1, 17, 23, 3), np.float32), np.zeros((1, 16, 23, 3), np.uint8)]
)
def test_an_image_that_does_not_fit_is_refused(image: np.ndarray) -> None:
    with pytest.raises(InputError, match="calibration image") as error:
        list(image_samples(float_graph(Residual), [image]))
    assert error.value.where == "image 1"
