"""Float rows -> symmetric int8 per row: a zero stays a zero, an int8 grid stays as it is."""

import numpy as np

from capexport.compress.compact_rows import SEARCHED_NNZ, compact_scales, has_compact_rows
from capexport.errors import GraphError
from capexport.ir.graph import Array, Constant, QuantParams

PEAK = 127
"""Largest magnitude. -128 is never used: Arm kernels add two products in 16 bits, and two of
-128 * -128 overflow them."""
FOREIGN_PEAK = 128
"""Largest magnitude of grids that others made. Their -128 becomes -127, nothing else moves."""
_GRID_ERROR = 4 * float(np.finfo(np.float32).eps)
"""Relative to the row's peak: quantum, product and quotient of a float32 grid round once each."""
_PROBE = 16
"""Non-zeros per row that a grid must fit before the whole row is looked at."""
_TELLING_NNZ = 3
"""Two non-zeros may lie on a grid by chance."""


def quantize_rows(constant: Constant) -> Constant:
    """float32 [rows, ...] -> int8 with a float32 scale per row (output of a convolution).

    scale = max|w| / n. A row that already lies on an int8 grid keeps it, so that weights trained on
    it do not move. Otherwise n is from 64 to 127, whichever rounds the row with the least squared
    error: a pruned row has so few values that they can be made to fall close to the steps. A very
    sparse matrix none of whose rows lies on a grid has the scales of `compact_scales`.

    Raises:
        GraphError: a value is not finite.
    """
    weight = constant.data.reshape(len(constant.data), -1)
    peak = np.abs(weight).max(1, initial=0).astype(np.float32)
    if not np.isfinite(peak).all():
        raise GraphError(
            "a weight is not a finite number", where=constant.name, hint="repair the checkpoint"
        )
    scale = _scales(constant.data, weight, peak)
    data = np.rint(weight / scale[:, None]).clip(-PEAK, PEAK).astype(np.int8)
    data = data.reshape(constant.shape)
    return Constant(constant.name, data, QuantParams(scale, axis=0), constant.sparse)


def _scales(stored: Array, weight: Array, peak: Array) -> Array:
    step = (peak / np.float32(PEAK)).astype(np.float32)
    usable = step >= np.finfo(np.float32).tiny  # not so in a row of zeros
    some_peak = np.where(usable, peak, 1).astype(np.float32)
    on_grid = usable & _may_lie_on_grid(weight, peak)
    if has_compact_rows(stored) and not _is_trained_on_grid(weight, peak, on_grid):
        return np.where(usable, compact_scales(weight, some_peak, PEAK), 1).astype(np.float32)
    scale = np.where(usable, peak / _best_steps(weight, some_peak), 1).astype(np.float32)
    for row in np.flatnonzero(on_grid):
        scale[row] = _grid_scale(weight[row][weight[row] != 0], peak[row]) or scale[row]
    return scale


def _is_trained_on_grid(weight: Array, peak: Array, on_grid: Array) -> bool:
    telling = np.flatnonzero(on_grid & (np.count_nonzero(weight, 1) >= _TELLING_NNZ))
    return any(_grid_scale(weight[row][weight[row] != 0], peak[row]) for row in telling)


def _best_steps(weight: Array, peak: Array) -> Array:
    """Steps from 0 to each row's peak, 64 to 127, with the least squared error: float32 [rows]."""
    best = np.full(len(weight), PEAK, np.float32)
    counts = np.count_nonzero(weight, 1)
    rows, columns = np.nonzero(weight * ((counts > 0) & (counts <= SEARCHED_NNZ))[:, None])
    relative = weight[rows, columns] / peak[rows]
    least = np.full(len(weight), np.inf)
    for n in range(PEAK, PEAK // 2, -1):
        error = (relative * n - np.rint(relative * n)) / n
        total = np.bincount(rows, error * error, len(weight))
        better = total < least
        best[better], least[better] = n, total[better]
    return best


def _grid_scale(values: Array, peak: np.float32) -> np.float32 | None:
    """Step of the coarsest int8 grid that holds every value, or None where there is no grid.

    Of peak / n and its float32 neighbours it takes the one that gives most values back bit for bit.
    """
    relative = values / peak
    n = next((n for n in range(1, FOREIGN_PEAK + 1) if _fits(relative, n).all()), None)
    if n is None or np.rint(relative.max() * n) > PEAK:
        return None
    step = np.float32(peak / np.float32(n))
    below, above = (np.nextafter(step, np.float32(end)) for end in (0, np.inf))
    steps = np.rint(relative * n).astype(np.float32)
    exact = [np.count_nonzero(steps * scale == values) for scale in (step, below, above)]
    return (step, below, above)[int(np.argmax(exact))]


def _may_lie_on_grid(weight: Array, peak: Array) -> Array:
    """Rows whose first few non-zeros fit some grid; random rows practically never do."""
    probes = np.zeros((len(weight), _PROBE), np.float32)
    for row in np.flatnonzero(peak >= np.finfo(np.float32).tiny):
        values = weight[row][np.flatnonzero(weight[row])[:_PROBE]]
        probes[row, : len(values)] = values / peak[row]
    fits = np.zeros(len(weight), bool)
    for n in range(1, FOREIGN_PEAK + 1):
        fits |= _fits(probes, n).all(1)
    return fits


def _fits(relative: Array, n: int) -> Array:
    """Whether values in -1..1 are multiples of 1 / n, up to float32 rounding."""
    multiples = relative * np.float32(n)
    return np.abs(multiples - np.rint(multiples)) <= _GRID_ERROR * n
