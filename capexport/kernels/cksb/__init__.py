"""int8 matrices <-> CKSB, the blob in which sparse weights are stored in a file.

README.md of the folder above describes the format: version 2, a stream of bits, is written;
version 1, bytes, is read as well. The C library decodes the same, see `capexport.kernels.library`.
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
    Header,
    Weights,
    read_header,
)

__all__ = ["VERSION", "Header", "decode", "encode", "read_header", "stored_scale"]

VERSION = 2
ENCODERS: dict[int, Callable[[Weights], bytes]] = {1: byte_form.encode, 2: bit_form.encode}
DECODERS: dict[int, Callable[[Header, bytes], Weights]] = {1: byte_form.decode, 2: bit_form.decode}


def encode(weights: Weights, *, version: int = VERSION) -> bytes:
    """The only CKSB blob of an int8 matrix [rows, columns] in a version, 1 or 2.

    Raises:
        UnsupportedError: no int8 matrix, more than 65535 columns or 2^24 rows, a value of -128, or
            more weights than a blob can address.
    """
    _check(weights)
    return ENCODERS[version](weights)


def decode(blob: bytes) -> Weights:
    """The matrix [rows, columns] of a blob; every rule of the format is checked.

    Version 2 is read bit by bit, 3 seconds for a million weights: for tests. C is what runs files.

    Raises:
        BundleError: the blob is damaged.
    """
    header = read_header(blob)
    return DECODERS[header.version](header, blob)


def stored_scale(weights: Weights, scale: NDArray[np.float32]) -> NDArray[np.float32]:
    """What a file keeps of a scale per row: those of rows with weights; all if there is none."""
    live = weights.any(axis=1)
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
