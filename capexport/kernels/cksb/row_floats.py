"""Scale and bias of a row in few bits: scales on a logarithmic grid, biases on a linear one.

Version 3 of the blob stores what lies on these grids with the rows; `capexport.compress` puts the
scales and biases of very sparse weights there. C has the same numbers in `row_floats.h`.
"""

import numpy as np
from numpy.typing import NDArray

Vector = NDArray[np.float32]
Numbers = NDArray[np.int64]

STEPS_PER_OCTAVE = 16
_OCTAVE = np.array([2 ** (step / STEPS_PER_OCTAVE) for step in range(16)], np.float32)
LOWEST_CODE, HIGHEST_CODE = -126 * STEPS_PER_OCTAVE, 128 * STEPS_PER_OCTAVE - 1
"""Of the normal float32 numbers."""
BIAS_PEAK = 2047
"""Most steps from 0: 12 bits with the sign."""
_BIAS_BITS = 11
LOWEST_EXPONENT, HIGHEST_EXPONENT = -126, 128 - _BIAS_BITS
"""Of steps: they and the peak are normal float32 numbers."""


def scales_of(codes: Numbers) -> Vector:
    """2^(code / 16), rounded to float32 within an octave: exact doubles from octave to octave."""
    scales: Vector = np.ldexp(_OCTAVE[codes % STEPS_PER_OCTAVE], codes // STEPS_PER_OCTAVE)
    return scales


def codes_from(least: Vector) -> Numbers:
    """Code of the lowest scale of the grid that is not below each of `least`, positive normal."""
    mantissa, exponent = np.frexp(least)
    step = np.searchsorted(_OCTAVE, 2 * mantissa)
    codes: Numbers = (exponent.astype(np.int64) - 1) * STEPS_PER_OCTAVE + step
    return codes


def codes_of(scale: Vector) -> Numbers | None:
    """The codes of scales that all lie on the grid; None if one does not."""
    if not ((scale >= np.finfo(np.float32).tiny) & np.isfinite(scale)).all():
        return None
    codes = codes_from(scale)
    return codes if (scales_of(codes) == scale).all() else None


def round_bias(bias: Vector) -> Vector:
    """The nearest multiples of a power of two, of which the peak is 1024 to 2047: float32 [rows].

    The error is at most 2^-11 of the peak (the peak itself may lose twice that), what a half
    precision number of the peak's size has.
    """
    if (exponent := _exponent(bias)) is None:
        return bias
    steps = np.rint(np.ldexp(bias, -exponent)).clip(-BIAS_PEAK, BIAS_PEAK)
    rounded: Vector = np.ldexp(steps, exponent).astype(np.float32) + np.float32(0)  # and no -0
    return rounded


def bias_steps(bias: Vector) -> tuple[Numbers, int] | None:
    """Steps -2047..2047 and the exponent of the step; None for a bias that is not on such a grid.

    One of nothing but zeros is on none: it need not be stored.
    """
    exponent = _exponent(bias)
    if exponent is None or not (round_bias(bias) == bias).all():
        return None
    return np.rint(np.ldexp(bias, -exponent)).astype(np.int64), exponent


def bias_of(steps: Numbers, exponent: int) -> Vector:
    """The real numbers, exact."""
    return np.ldexp(steps.astype(np.float32), exponent)


def _exponent(bias: Vector) -> int | None:
    peak = np.abs(bias).max(initial=0)
    exponent = int(np.frexp(peak)[1]) - _BIAS_BITS
    return exponent if 0 < peak < np.inf and exponent >= LOWEST_EXPONENT else None
