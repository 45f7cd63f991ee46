"""The first 32 bytes of a CKSB blob <-> Header, checked against the size of the blob."""

import struct
from dataclasses import dataclass

import numpy as np
from numpy.typing import NDArray

from capexport.errors import BundleError

Weights = NDArray[np.int8]

MAGIC = b"CKSB"
LAYOUT = struct.Struct("<4sHHIIIIII")
SIZE = LAYOUT.size
MAXIMUM_ROWS, MAXIMUM_COLUMNS = 2**24, 65535
FORBIDDEN_VALUE = -128

ALIGNMENT = 16
"""Bytes, of the sections of version 1."""
GUARD = 8
"""Zero bytes behind the stream of version 2, so that a decoder may always load eight."""
LONGEST_STREAM = 2**29 - 64
"""Bytes: positions in bits fit 32 bits."""


@dataclass(frozen=True)
class Header:
    """What the header says.

    Args:
        version: 1 or 2.
        rows, columns, nnz: of the matrix.
        extent: version 1: entries, which are non-zeros and escapes; version 2: bytes of the stream.
        live_rows: rows with at least one non-zero; version 1 does not say, and has 0.
    """

    version: int
    rows: int
    columns: int
    extent: int
    nnz: int
    live_rows: int

    @property
    def blob_size(self) -> int:
        if self.version == 1:
            return SIZE + round_up(2 * self.rows) + 2 * round_up(self.extent)
        return SIZE + self.extent + GUARD

    def pack(self) -> bytes:
        """The 32 bytes."""
        numbers = self.rows, self.columns, self.extent, self.nnz, self.live_rows
        return LAYOUT.pack(MAGIC, self.version, 0, *numbers, 0)


def read_header(blob: bytes) -> Header:
    """The header of a blob that is as long as it should be; what follows is not looked at.

    Raises:
        BundleError: the blob is damaged.
    """
    expect(blob[:4] == MAGIC, "they do not start with CKSB")
    expect(len(blob) >= SIZE, "they are shorter than their header")
    _, version, flags, *numbers, reserved = LAYOUT.unpack_from(blob)
    expect(version in (1, 2), f"version {version} is unknown")
    header = Header(version, *numbers)
    expect(flags == 0 and reserved == 0, "a reserved field is not zero")
    fits = 1 <= header.rows <= MAXIMUM_ROWS and 1 <= header.columns <= MAXIMUM_COLUMNS
    expect(fits, f"{header.rows} x {header.columns} is out of range")
    expect(len(blob) == header.blob_size, f"{len(blob)} bytes instead of {header.blob_size}")
    if version == 1:
        expect(header.live_rows == 0, "a reserved field is not zero")
    else:
        expect(header.extent <= LONGEST_STREAM, "the stream is too long")
        expect(header.nnz <= header.rows * header.columns, "the number of non-zeros is wrong")
    return header


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
