"""A mostly zero array as steps from one kept element to the next: one byte per step, and its value.

The position of element i is the sum of the first i + 1 gaps. A distance above 255 takes several
steps, each full one landing on an explicit zero.
"""

import numpy as np
from numpy.typing import NDArray

from capexport.errors import UnsupportedError
from capexport.ir.graph import Array

LONGEST_STEP = 255
MAXIMUM_SIZE = 2**31
"""Readers add the gaps up in int32."""


def encode(array: Array) -> tuple[NDArray[np.uint8], Array]:
    """Gaps and values of an array of any shape in row-major order, both one per step.

    The first gap counts from position 0. An array without a non-zero gives two empty arrays.
    -0.0 counts as zero.

    Raises:
        UnsupportedError: the array has more than 2^31 elements.
    """
    if array.size > MAXIMUM_SIZE:
        raise UnsupportedError(
            f"{array.size} elements are too many for sparse storage, the most is {MAXIMUM_SIZE}",
            where="gap code",
            hint="store this weight dense",
        )
    flat = array.ravel()
    positions = np.flatnonzero(flat)
    distances = np.diff(positions, prepend=0)
    full_steps = np.maximum(distances - 1, 0) // LONGEST_STEP
    last_steps = np.cumsum(full_steps + 1) - 1
    steps = len(positions) + int(full_steps.sum())
    gaps = np.full(steps, LONGEST_STEP, np.uint8)
    gaps[last_steps] = distances - LONGEST_STEP * full_steps
    values = np.zeros(steps, flat.dtype)
    values[last_steps] = flat[positions]
    return gaps, values


def decode(gaps: NDArray[np.uint8], values: Array, size: int) -> Array:
    """The array that `encode` was given, as [size]: the oracle of every reader."""
    flat = np.zeros(size, values.dtype)
    flat[np.cumsum(gaps, dtype=np.int64)] = values
    return flat
