"""Version 1 of CKSB: one byte for the step from a non-zero to the next one, one for its value."""

import numpy as np
from numpy.typing import NDArray

from capexport.kernels.cksb.header import (
    FORBIDDEN_VALUE,
    Header,
    Weights,
    expect,
    round_up,
)

LONGEST_GAP = 255
CHUNK = 4_000_000
"""Weights that are looked at together, so that the index arrays stay small."""


def encode(weights: Weights) -> bytes:
    """The blob of a matrix [rows, columns] whose values and size are in range."""
    rows, columns = weights.shape
    step = max(1, CHUNK // columns)
    parts = [_encode_rows(weights[at : at + step]) for at in range(0, rows, step)]
    counts, gaps, values = (np.concatenate(part) for part in zip(*parts, strict=True))
    header = Header(1, rows, columns, len(gaps), int(np.count_nonzero(values)), 0)
    return header.pack() + b"".join(_padded(part.tobytes()) for part in (counts, gaps, values))


def decode(header: Header, blob: bytes) -> Weights:
    """The matrix of a blob with a sound header.

    Raises:
        BundleError: the blob is damaged.
    """
    counts, gaps, values = _sections(blob, header)
    expect(int(counts.sum(dtype=np.int64)) == header.extent, "the rows do not add up")
    columns = _columns(counts, gaps)
    _check_entries(header, counts, gaps, values, columns)
    weights = np.zeros((header.rows, header.columns), np.int8)
    stored = values != 0
    row = np.repeat(np.arange(header.rows), counts)
    weights[row[stored], columns[stored]] = values[stored]
    return weights


def _padded(section: bytes) -> bytes:
    return section + bytes(round_up(len(section)) - len(section))


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


def _sections(blob: bytes, header: Header) -> tuple[NDArray[np.uint16], NDArray[np.uint8], Weights]:
    """Entries per row, gaps and values, without their padding."""
    at, sections = header.size, []
    for size in (2 * header.rows, header.extent, header.extent):
        sections.append(blob[at : at + size])
        at += round_up(size)
        expect(not any(blob[at - round_up(size) + size : at]), "padding is not zero")
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
    expect(not (columns >= header.columns).any(), "a column is out of range")
    expect(not (values == FORBIDDEN_VALUE).any(), "a weight is -128")
    ends = np.cumsum(counts, dtype=np.int64)[counts > 0]
    first = np.zeros(header.extent + 1, bool)
    first[np.concatenate([[0], ends])] = True
    expect(not ((gaps == 0) & ~first[:-1]).any(), "a gap of 0 inside a row")
    escapes = values == 0
    expect(not (escapes & ((gaps != LONGEST_GAP) | first[1:])).any(), "a zero is no escape")
    expect(header.extent - int(escapes.sum()) == header.nnz, "the number of non-zeros is wrong")
