"""A linear's weight and its rows of x -> whether sparse kernels beat a runtime's dense int8."""

from math import inf, prod
from typing import NamedTuple

from capexport.ir.graph import Constant
from capexport.spec.signature import Shape

ROWS_OF_X = {"beams": 5, "regions": 36}
"""What an axis is taken to be long, since one form has to be chosen for all lengths. Packed gains
more with fewer beams, so what wins with five wins with one to four."""
FEW_COLUMNS = 64
"""Below, dense is faster."""
FEW_WEIGHTS = 16_384
"""Below, a product of few columns takes a microsecond at most in either form; packed takes fewer
bytes."""


class _Rule(NamedTuple):
    """From which share of zeros weights win, of fewer columns and numbers than the limits."""

    batch_up_to: float
    columns_below: float
    size_below: float
    least_zeros: float


_NEVER = 2.0
_RULES = (
    _Rule(3, 192, inf, 0.85),
    _Rule(3, inf, inf, 0.80),
    _Rule(5, 192, inf, 0.88),
    _Rule(5, 256, inf, 0.85),
    _Rule(5, inf, 11_000_000, 0.80),
    _Rule(5, inf, inf, 0.85),
    _Rule(inf, 192, 48_000, 0.90),
    _Rule(inf, 192, inf, _NEVER),
    _Rule(inf, 256, inf, 0.92),
    _Rule(inf, inf, inf, 0.88),
)
"""The first line that fits decides. A file runs on every CPU, so these are the lines of AVX-512 in
`capexport/kernels/src/choose.c`: those of Arm are lower. docs/decisions/dispatch.md says why."""


def rows_of_x(shape: Shape) -> int:
    """How many rows a linear's x of this shape is taken to have."""
    return prod(ROWS_OF_X.get(d, 1) if isinstance(d, str) else d for d in shape[:-1])


def is_faster_packed(weight: Constant, batch: int) -> bool:
    """Whether a weight [rows, columns] that meets `batch` rows of x is packed."""
    columns, size = weight.shape[1], weight.data.size
    if columns < FEW_COLUMNS:
        return size < FEW_WEIGHTS
    return 1 - weight.nnz / size >= least_zeros(columns, size, batch)


def least_zeros(columns: int, size: int, batch: int) -> float:
    """Share of zeros from which packed is ahead; above 1: never.

    Args:
        columns: from FEW_COLUMNS up.
        size: of the weight, zeros included.
    """
    return next(
        rule.least_zeros
        for rule in _RULES
        if batch <= rule.batch_up_to and columns < rule.columns_below and size < rule.size_below
    )
