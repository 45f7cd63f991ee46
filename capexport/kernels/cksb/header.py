"""The first bytes of a CKSB blob <-> Header, checked against the size of the blob."""

import struct
from dataclasses import dataclass, replace
from typing import NamedTuple

import numpy as np
from numpy.typing import NDArray

from capexport.errors import BundleError
from capexport.kernels.cksb.row_floats import HIGHEST_EXPONENT, LOWEST_EXPONENT, Vector

Weights = NDArray[np.int8]

MAGIC = b"CKSB"
_LAYOUT = struct.Struct("<4sHHIIIIII")
_LAYOUT_3 = struct.Struct("<4sHHIIIIIIIhh")
HAS_SCALE, HAS_BIAS = 1, 2
"""Flags of version 3."""
MAXIMUM_ROWS, MAXIMUM_COLUMNS = 2**24, 65535
MOST_ROWS_WITH_SCALE = 2**19
"""So that the sum of their codes fits 32 bits."""
FORBIDDEN_VALUE = -128

LONGEST_NUMBER = 2**16 - 1
"""Of a code."""
ALIGNMENT = 16
"""Bytes, of the sections of version 1."""
GUARD = {2: 8, 3: 16}
"""Zero bytes behind the stream, so that a decoder may load eight, and all of a row's head."""
LONGEST_STREAM = 2**29 - 64
"""Bytes: positions in bits fit 32 bits."""


class Rows(NamedTuple):
    """What a blob holds: int8 [rows, columns], and one float32 per row if they are in it."""

    weights: Weights
    scale: Vector | None = None
    bias: Vector | None = None


@dataclass(frozen=True)
class Header:
    """What the header says.

    Args:
        version: 1, 2 or 3.
        rows, columns, nnz: of the matrix.
        extent: version 1: entries, which are non-zeros and escapes; else bytes of the stream.
        live_rows: rows with at least one non-zero; version 1 does not say, and has 0.
        flags: version 3: HAS_SCALE, HAS_BIAS.
        folded_counts: version 3: sum of what stands for the rows' numbers of weights.
        folded_codes: the same for the codes of the scales.
        mean_code: mean of these codes, rounded down.
        bias_exponent: of the step of the biases.
    """

    version: int
    rows: int
    columns: int
    extent: int
    nnz: int
    live_rows: int
    flags: int = 0
    folded_counts: int = 0
    folded_codes: int = 0
    mean_code: int = 0
    bias_exponent: int = 0

    @property
    def size(self) -> int:
        """Bytes of the header itself."""
        return (_LAYOUT_3 if self.version == 3 else _LAYOUT).size

    @property
    def blob_size(self) -> int:
        if self.version == 1:
            return self.size + round_up(2 * self.rows) + 2 * round_up(self.extent)
        return self.size + self.extent + GUARD[self.version]

    @property
    def has_scale(self) -> bool:
        return bool(self.flags & HAS_SCALE)

    @property
    def has_bias(self) -> bool:
        return bool(self.flags & HAS_BIAS)

    def pack(self) -> bytes:
        """Its bytes."""
        numbers = self.rows, self.columns, self.extent, self.nnz, self.live_rows
        if self.version < 3:
            return _LAYOUT.pack(MAGIC, self.version, 0, *numbers, 0)
        more = self.folded_counts, self.folded_codes, self.mean_code, self.bias_exponent
        return _LAYOUT_3.pack(MAGIC, self.version, self.flags, *numbers, *more)


def read_header(blob: bytes) -> Header:
    """The header of a blob that is as long as it should be; what follows is not looked at.

    Raises:
        BundleError: the blob is damaged.
    """
    expect(blob[:4] == MAGIC, "they do not start with CKSB")
    expect(len(blob) >= _LAYOUT.size, "they are shorter than their header")
    header = _read(blob)
    fits = 1 <= header.rows <= MAXIMUM_ROWS and 1 <= header.columns <= MAXIMUM_COLUMNS
    expect(fits, f"{header.rows} x {header.columns} is out of range")
    expect(len(blob) == header.blob_size, f"{len(blob)} bytes instead of {header.blob_size}")
    if header.version == 1:
        expect(header.live_rows == 0, "a reserved field is not zero")
    else:
        expect(header.extent <= LONGEST_STREAM, "the stream is too long")
        expect(header.nnz <= header.rows * header.columns, "the number of non-zeros is wrong")
    if header.version == 3:
        _check_row_heads(header)
    return header


def _read(blob: bytes) -> Header:
    _, version, flags, *numbers, reserved = _LAYOUT.unpack_from(blob)
    expect(version in (1, 2, 3), f"version {version} is unknown")
    if version < 3:
        expect(flags == 0 and reserved == 0, "a reserved field is not zero")
        return Header(version, *numbers)
    expect(len(blob) >= _LAYOUT_3.size, "they are shorter than their header")
    expect(flags & ~(HAS_SCALE | HAS_BIAS) == 0, "a reserved field is not zero")
    counts, codes, mean, exponent = _LAYOUT_3.unpack_from(blob)[8:]
    return replace(
        Header(version, *numbers),
        flags=flags,
        folded_counts=counts,
        folded_codes=codes,
        mean_code=mean,
        bias_exponent=exponent,
    )


def _check_row_heads(header: Header) -> None:
    counts_fit = header.folded_counts // LONGEST_NUMBER <= header.rows
    codes_fit = header.folded_codes // LONGEST_NUMBER <= header.live_rows
    expect(counts_fit and codes_fit, "the rows do not add up")
    expect(header.live_rows <= header.rows, "the number of rows with weights is wrong")
    if header.has_scale:
        expect(header.live_rows > 0, "the number of rows with weights is wrong")
    else:
        expect(header.folded_codes == header.mean_code == 0, "a reserved field is not zero")
    low, high = (LOWEST_EXPONENT, HIGHEST_EXPONENT) if header.has_bias else (0, 0)
    expect(low <= header.bias_exponent <= high, "the biases are out of range")


def expect(condition: bool, what: str) -> None:
    """Raise BundleError, saying `what` is wrong, unless the condition holds."""
    if not condition:
        raise BundleError(
            f"damaged sparse weights: {what}",
            where="CKSB blob",
            hint="copy or export the bundle again",
        )


def round_up(size: int) -> int:
    """To a multiple of ALIGNMENT."""
    return -(-size // ALIGNMENT) * ALIGNMENT
