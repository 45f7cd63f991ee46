"""int8 matrices <-> CKSB, the blob in which sparse weights are stored in a file.

One byte per step from a non-zero to the next one of its row, and its value; the format is described
in README.md. The C library decodes the same bytes, see `capexport.kernels.loader`.
"""

import struct
from dataclasses import dataclass

import numpy as np
from numpy.typing import NDArray

from capexport.errors import BundleError, UnsupportedError

MAGIC, VERSION = b"CKSB", 1
HEADER = struct.Struct("<4sHHIIIIQ")
ALIGNMENT = 16
LONGEST_GAP = 255
MAXIMUM_ROWS, MAXIMUM_COLUMNS = 2**24, 65535
FORBIDDEN_VALUE = -128

CHUNK = 4_000_000
"""Weights that are looked at together, so that the index arrays stay small."""

Weights = NDArray[np.int8]


def encode(weights: Weights) -> bytes:
    """The only CKSB blob of an int8 matrix [rows, columns].

    Raises:
        UnsupportedError: no int8 matrix, more than 65535 columns or 2^24 rows, or a value of -128.
    """
    _check(weights)
    rows, columns = weights.shape
    step = max(1, CHUNK // columns)
    parts = [_encode_rows(weights[at : at + step]) for at in range(0, rows, step)]
    counts, gaps, values = (np.concatenate(part) for part in zip(*parts, strict=True))
    nnz = int(np.count_nonzero(values))
    header = HEADER.pack(MAGIC, VERSION, 0, rows, columns, len(gaps), nnz, 0)
    return header + b"".join(_padded(part.tobytes()) for part in (counts, gaps, values))


def decode(blob: bytes) -> Weights:
    """The matrix [rows, columns] of a blob; every rule of the format is checked.

    Raises:
        BundleError: the blob is damaged.
    """
    header = _read_header(blob)
    counts, gaps, values = _sections(blob, header)
    _expect(int(counts.sum(dtype=np.int64)) == header.entries, "the rows do not add up")
    columns = _columns(counts, gaps)
    _check_entries(header, counts, gaps, values, columns)
    weights = np.zeros((header.rows, header.columns), np.int8)
    stored = values != 0
    row = np.repeat(np.arange(header.rows), counts)
    weights[row[stored], columns[stored]] = values[stored]
    return weights


@dataclass(frozen=True)
class Header:
    """What the first 32 bytes say."""

    rows: int
    columns: int
    entries: int
    nnz: int

    @property
    def blob_size(self) -> int:
        return HEADER.size + _round_up(2 * self.rows) + 2 * _round_up(self.entries)


def _round_up(size: int) -> int:
    return -(-size // ALIGNMENT) * ALIGNMENT


def _padded(section: bytes) -> bytes:
    return section + bytes(_round_up(len(section)) - len(section))


# ---- writing ----


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


def _encode_rows(weights: Weights) -> tuple[NDArray[np.uint16], NDArray[np.uint8], Weights]:
    """Entries per row, gaps and values of some rows."""
    rows, columns = weights.shape
    positions = np.flatnonzero(weights != 0)
    row, column = np.divmod(positions.astype(np.int32), np.int32(columns))
    distances = np.diff(column, prepend=np.int32(0))
    starts = np.flatnonzero(np.diff(row, prepend=np.int32(-1)))
    distances[starts] = column[starts]
    escapes = np.maximum(distances - 1, 0) // LONGEST_GAP
    entry = np.cumsum(escapes + 1, dtype=np.int64) - 1
    total = int(entry[-1]) + 1 if len(entry) else 0
    gaps = np.full(total, LONGEST_GAP, np.uint8)
    gaps[entry] = distances - LONGEST_GAP * escapes
    values = np.zeros(total, np.int8)
    values[entry] = weights.ravel()[positions]
    counts = np.bincount(row, escapes + 1, rows).astype(np.uint16)
    return counts, gaps, values


# ---- reading ----


def _expect(condition: bool, what: str) -> None:
    if not condition:
        raise BundleError(
            f"damaged sparse weights: {what}",
            where="CKSB blob",
            hint="copy or export the bundle again",
        )


def _read_header(blob: bytes) -> Header:
    _expect(blob[:4] == MAGIC, "they do not start with CKSB")
    _expect(len(blob) >= HEADER.size, "they are shorter than their header")
    _, version, flags, rows, columns, entries, nnz, reserved = HEADER.unpack_from(blob)
    _expect(version == VERSION, f"version {version} is unknown")
    _expect(flags == 0 and reserved == 0, "a reserved field is not zero")
    fits = 1 <= rows <= MAXIMUM_ROWS and 1 <= columns <= MAXIMUM_COLUMNS
    _expect(fits, f"{rows} x {columns} is out of range")
    header = Header(rows, columns, entries, nnz)
    _expect(len(blob) == header.blob_size, f"{len(blob)} bytes instead of {header.blob_size}")
    return header


def _sections(blob: bytes, header: Header) -> tuple[NDArray[np.uint16], NDArray[np.uint8], Weights]:
    """Entries per row, gaps and values, without their padding."""
    at, sections = HEADER.size, []
    for size in (2 * header.rows, header.entries, header.entries):
        sections.append(blob[at : at + size])
        at += _round_up(size)
        _expect(not any(blob[at - _round_up(size) + size : at]), "padding is not zero")
    counts, gaps, values = sections
    return np.frombuffer(counts, "<u2"), np.frombuffer(gaps, "u1"), np.frombuffer(values, "i1")


def _columns(counts: NDArray[np.uint16], gaps: NDArray[np.uint8]) -> NDArray[np.int64]:
    """Column of every entry, escapes too: the sum of the row's gaps so far."""
    sums = np.concatenate([[0], np.cumsum(gaps, dtype=np.int64)])
    before_row = sums[np.cumsum(counts, dtype=np.int64) - counts]
    columns: NDArray[np.int64] = sums[1:] - np.repeat(before_row, counts)
    return columns


def _check_entries(
    header: Header,
    counts: NDArray[np.uint16],
    gaps: NDArray[np.uint8],
    values: Weights,
    columns: NDArray[np.int64],
) -> None:
    _expect(not (columns >= header.columns).any(), "a column is out of range")
    _expect(not (values == FORBIDDEN_VALUE).any(), "a weight is -128")
    ends = np.cumsum(counts, dtype=np.int64)[counts > 0]
    first = np.zeros(header.entries + 1, bool)
    first[np.concatenate([[0], ends])] = True
    _expect(not ((gaps == 0) & ~first[:-1]).any(), "a gap of 0 inside a row")
    escapes = values == 0
    _expect(not (escapes & ((gaps != LONGEST_GAP) | first[1:])).any(), "a zero is no escape")
    _expect(header.entries - int(escapes.sum()) == header.nnz, "the number of non-zeros is wrong")
