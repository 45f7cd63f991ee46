"""The gap code gives back what it was given, in the number of bytes it promises."""

import time

import numpy as np
import pytest
from hypothesis import given
from hypothesis import strategies as st
from hypothesis.extra import numpy as hnp

from capexport.errors import UnsupportedError
from capexport.ir.gap_code import LONGEST_STEP, MAXIMUM_SIZE, decode, encode
from capexport.ir.graph import Array

SECONDS_FOR_50_MILLION = 10.0  # 0.2 s on an idle machine; a Python loop takes minutes


def sparse_array(positions: list[int], size: int) -> Array:
    flat = np.zeros(size, np.int8)
    flat[positions] = 1 + np.arange(len(positions)) % 127
    return flat


@st.composite
def sparse_arrays(draw: st.DrawFn) -> Array:
    size = draw(st.integers(1, 3000))
    return sparse_array(draw(st.lists(st.integers(0, size - 1), max_size=20)), size)


dense_arrays = st.sampled_from([np.int8, np.float32]).flatmap(
    lambda dtype: hnp.arrays(dtype, st.integers(0, 300))
)


@given(sparse_arrays() | dense_arrays)
def test_round_trip(flat: Array) -> None:
    gaps, values = encode(flat)
    restored = decode(gaps, values, flat.size)
    assert gaps.dtype == np.uint8
    assert restored.dtype == flat.dtype
    np.testing.assert_array_equal(restored, flat)


@given(sparse_arrays())
def test_length_is_the_nonzeros_and_the_full_steps_between_them(flat: Array) -> None:
    gaps, values = encode(flat)
    steps, last = 0, 0
    for position in np.flatnonzero(flat):
        steps += 1 + max(int(position) - last - 1, 0) // LONGEST_STEP
        last = int(position)
    assert len(gaps) == len(values) == steps


@given(sparse_arrays())
def test_no_position_is_written_twice(flat: Array) -> None:
    positions = np.cumsum(encode(flat)[0], dtype=np.int64)
    assert (np.diff(positions) > 0).all()


@pytest.mark.parametrize(
    ("positions", "size", "gaps"),
    [
        ([], 1, []),
        ([], 1000, []),
        ([0], 1, [0]),
        ([0], 700, [0]),
        ([255], 256, [255]),
        ([256], 257, [255, 1]),
        ([510], 511, [255, 255]),
        ([511], 512, [255, 255, 1]),
        ([0, 255], 256, [0, 255]),
        ([0, 256], 257, [0, 255, 1]),
        ([0, 1, 2], 3, [0, 1, 1]),
    ],
)
def test_gaps_by_hand(positions: list[int], size: int, gaps: list[int]) -> None:
    flat = sparse_array(positions, size)
    encoded, values = encode(flat)
    assert encoded.tolist() == gaps
    np.testing.assert_array_equal(decode(encoded, values, size), flat)


def test_an_index_beyond_int32_is_refused() -> None:
    virtual = np.broadcast_to(np.int8(0), (MAXIMUM_SIZE + 1,))
    with pytest.raises(UnsupportedError, match="too many for sparse storage"):
        encode(virtual)


def test_a_matrix_of_50_million_elements_takes_seconds() -> None:
    flat = np.zeros(50_000_000, np.int8)
    flat[::20] = 1
    start = time.process_time()
    gaps, _ = encode(flat)
    assert time.process_time() - start < SECONDS_FOR_50_MILLION
    assert len(gaps) == 2_500_000
