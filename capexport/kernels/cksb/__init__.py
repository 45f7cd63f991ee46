"""int8 matrices <-> CKSB, the blob in which sparse weights are stored in a file.

README.md of the folder above describes the format: version 3, a stream of bits, is written;
versions 1 and 2 are read as well. The C library decodes the same, see `capexport.kernels.library`.
"""

from collections.abc import Callable

import numpy as np
from numpy.typing import NDArray

from capexport.errors import UnsupportedError
from capexport.kernels.cksb import bit_form, byte_form
from capexport.kernels.cksb.header import (
    FORBIDDEN_VALUE,
    MAXIMUM_COLUMNS,
    MAXIMUM_ROWS,
    MOST_ROWS_WITH_SCALE,
    Header,
    Rows,
    Weights,
    read_header,
)
from capexport.kernels.cksb.row_floats import Vector, bias_steps, codes_of

__all__ = ["VERSION", "Header", "Rows", "decode", "encode", "pack_rows", "read_header"]

VERSION = 3
ENCODERS: dict[int, Callable[[Rows], bytes]] = {
    1: lambda rows: byte_form.encode(rows.weights),
    2: lambda rows: bit_form.encode(rows, 2),
    3: lambda rows: bit_form.encode(rows, 3),
}


def encode(weights: Weights, *, version: int = VERSION) -> bytes:
    """The only CKSB blob of an int8 matrix [rows, columns] in a version, 1 to 3, without floats.

    Raises:
        UnsupportedError: no int8 matrix, more than 65535 columns or 2^24 rows, a value of -128, or
            more weights than a blob can address.
    """
    _check(weights)
    return ENCODERS[version](Rows(weights))


def pack_rows(rows: Rows) -> tuple[bytes, Rows]:
    """A blob, and the floats that a file has to store beside it: None for those that are inside.

    A scale or a bias that lies on the grids of `row_floats` is stored in the blob. Of another scale
    the rows without weights are left out (unless all are).

    Args:
        rows: scale and bias float32 [rows], a bias of None for none.

    Raises:
        UnsupportedError: as `encode` does.
    """
    _check(rows.weights)
    live = np.asarray(rows.weights.any(axis=1))
    scale_fits = rows.scale is not None and _fits(rows.scale[live])
    bias_fits = rows.bias is not None and bias_steps(rows.bias) is not None
    inside = rows._replace(
        scale=rows.scale if scale_fits else None, bias=rows.bias if bias_fits else None
    )
    beside = rows._replace(
        scale=None if scale_fits or rows.scale is None else _stored(rows.scale, live),
        bias=None if bias_fits else rows.bias,
    )
    return bit_form.encode(inside, VERSION), beside


def decode(blob: bytes) -> Rows:
    """The matrix [rows, columns] of a blob and its floats; every rule of the format is checked.

    Versions 2 and 3 are read bit by bit, 3 seconds for a million weights: for tests. C is what runs
    files.

    Raises:
        BundleError: the blob is damaged.
    """
    header = read_header(blob)
    if header.version == 1:
        return Rows(byte_form.decode(header, blob))
    return bit_form.decode(header, blob)


def _fits(live_scale: Vector) -> bool:
    in_range = 0 < len(live_scale) <= MOST_ROWS_WITH_SCALE
    return in_range and codes_of(live_scale) is not None


def _stored(scale: Vector, live: NDArray[np.bool_]) -> Vector:
    return scale[live] if live.any() else scale


def _check(weights: Weights) -> None:
    shape = weights.shape
    fits = len(shape) == 2 and 1 <= shape[0] <= MAXIMUM_ROWS and 1 <= shape[1] <= MAXIMUM_COLUMNS
    if weights.dtype != np.int8 or not fits:
        raise UnsupportedError(
            f"{weights.dtype} weights of shape {list(shape)} cannot be stored as CKSB",
            where="sparse weights",
            hint=f"int8, two axes, 1 to {MAXIMUM_COLUMNS} columns; store others dense",
        )
    if weights.min() == FORBIDDEN_VALUE:
        raise UnsupportedError(
            "a weight of -128 cannot be stored as CKSB",
            where="sparse weights",
            hint="quantize symmetrically, to -127..127",
        )
