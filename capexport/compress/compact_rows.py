"""Very sparse weights: scales and biases that the packed form stores in a few bits.

A row of five non-zeros takes 9 bytes, its scale and bias in float32 8 more. They are put on the
grids of `capexport.kernels.cksb.row_floats`, whatever the form of storage: one recipe has one
arithmetic. docs/decisions/packed.md has what that costs and where the limit comes from.
"""

import numpy as np

from capexport.ir.graph import Array
from capexport.kernels.cksb.row_floats import STEPS_PER_OCTAVE, codes_from, scales_of

LEAST_ZEROS = 0.99
"""Share of zeros from which a matrix has such rows."""
LEAST_ROWS = 192
"""Fewer save less than a kilobyte, 5.5 bytes each: no precision is given away for that."""
SEARCHED_NNZ = 256
"""A row with more non-zeros takes the finest scale: the errors average out, no scale is better."""


def has_compact_rows(weight: Array) -> bool:
    """Whether a float or int8 weight is a matrix with enough zeros and rows."""
    zeros = 1 - int(np.count_nonzero(weight)) / max(weight.size, 1)
    return weight.ndim == 2 and len(weight) >= LEAST_ROWS and zeros >= LEAST_ZEROS


def compact_scales(weight: Array, peak: Array, most_steps: int) -> Array:
    """The scale of the grid with the least squared error for each row: float32 [rows].

    Of the sixteen with most_steps / 2 to most_steps steps up to the row's peak.

    Args:
        weight: float32 [rows, columns].
        peak: largest magnitude of each row, a normal number; anything for a row of zeros.
    """
    finest = codes_from((peak / np.float32(most_steps + 0.5)).astype(np.float32))
    best, least = finest.copy(), np.full(len(weight), np.inf)
    searched = np.count_nonzero(weight, 1) <= SEARCHED_NNZ
    rows, columns = np.nonzero(weight)
    values = weight[rows, columns]
    for step in range(STEPS_PER_OCTAVE):
        scale = scales_of(finest + step)[rows]
        error = values - np.rint(values / scale) * scale
        total = np.bincount(rows, np.square(error, dtype=np.float64), len(weight))
        better = (total < least) & (searched | (step == 0))
        best[better], least[better] = (finest + step)[better], total[better]
    return scales_of(best)
