"""Versions 2 and 3 of CKSB: a stream of bits, for each non-zero the code of a gap, and its value.

In version 3 a row's last gap is one of those that are left, and scales and biases may be inside.
"""

import numpy as np
from numpy.typing import NDArray

from capexport.errors import UnsupportedError
from capexport.kernels.cksb.bit_stream import BitReader, BitWriter, Codes
from capexport.kernels.cksb.header import (
    FORBIDDEN_VALUE,
    GUARD,
    LONGEST_STREAM,
    Header,
    Rows,
    Weights,
    expect,
)
from capexport.kernels.cksb.rice import bounded, rice, rice_parameter, rice_parameters
from capexport.kernels.cksb.row_floats import bias_of, scales_of
from capexport.kernels.cksb.row_heads import RowHeadReader, RowHeads, flags_of

CHUNK = 1_000_000
"""Weights that are looked at together, so that the index arrays stay small."""
VALUE_BITS = 8
Numbers = NDArray[np.int64]


def encode(content: Rows, version: int) -> bytes:
    """The blob of a matrix [rows, columns] whose values and size are in range.

    Args:
        content: with floats on their grids, or none; version 2 has no room for any.
        version: 2 or 3.

    Raises:
        UnsupportedError: the stream would be too long.
    """
    weights = content.weights
    rows, columns = weights.shape
    heads, writer = RowHeads(content, version), BitWriter()
    step = max(1, CHUNK // columns)
    for at in range(0, rows, step):
        writer.append(_codes(weights[at : at + step], heads, at, version))
    stream, nnz = writer.bytes(), int(heads.counts.sum())
    if len(stream) > LONGEST_STREAM:
        raise UnsupportedError(
            f"{nnz} non-zeros do not fit into one CKSB blob",
            where="sparse weights",
            hint="store the weight dense",
        )
    live = int(np.count_nonzero(heads.counts))
    sizes = rows, columns, len(stream), nnz, live
    header = Header(version, *sizes, flags_of(content), **heads.numbers)
    return header.pack() + stream + bytes(GUARD[version])


def decode(header: Header, blob: bytes) -> Rows:
    """What a blob with a sound header holds.

    Raises:
        BundleError: the blob is damaged.
    """
    reader = BitReader(blob[header.size :], 8 * header.extent)
    heads = RowHeadReader(header, reader)
    weights = np.zeros((header.rows, header.columns), np.int8)
    codes, steps = np.zeros((2, header.rows), np.int64)
    for at, row in enumerate(weights):
        count, codes[at], steps[at] = heads.read()
        _decode_row(reader, count, row, header.version)
    heads.expect_sums()
    reader.expect_end()
    return Rows(
        weights,
        scales_of(codes) if header.has_scale else None,
        bias_of(steps, header.bias_exponent) if header.has_bias else None,
    )


def _codes(weights: Weights, heads: RowHeads, first: int, version: int) -> Codes:
    """Of some rows: the head of each, then gap and value of each of its weights."""
    row, column = np.nonzero(weights)
    counts = heads.counts[first : first + len(weights)]
    starts = np.cumsum(counts) - counts
    gaps = _gap_codes(row, column, counts, weights.shape[1], version)
    values = weights[row, column].view(np.uint8).astype(np.uint64)
    before = heads.of_rows(first, first + len(weights))
    places = np.repeat(starts, heads.fields)
    return Codes(
        np.insert(gaps.bits | values << gaps.lengths, places, before.bits),
        np.insert(gaps.lengths + np.uint64(VALUE_BITS), places, before.lengths),
    )


def _gap_codes(row: Numbers, column: Numbers, counts: Numbers, columns: int, version: int) -> Codes:
    """Of the zeros before each non-zero, since the one before it in its row."""
    first = np.diff(row, prepend=-1) != 0
    before = np.where(first, -1, np.concatenate([[-1], column])[:-1])
    gaps = column - before - 1
    codes = rice(gaps, rice_parameters(columns - counts, counts + 1)[row])
    if version == 2:
        return codes
    last = np.diff(row, append=len(counts)) != 0
    ends = bounded(gaps[last], (columns - 1 - before)[last])
    codes.bits[last], codes.lengths[last] = ends
    return codes


def _decode_row(reader: BitReader, count: int, row: Weights, version: int) -> None:
    parameter = rice_parameter(len(row) - count, count + 1)
    column = -1
    for left in range(count, 0, -1):
        free = len(row) - 1 - column
        expect(free > 0, "a column is out of range")
        is_bounded = version == 3 and left == 1
        column += 1 + (reader.bounded(free) if is_bounded else reader.rice(parameter))
        value = reader.bits(VALUE_BITS)
        expect(column < len(row), "a column is out of range")
        expect(value != 0, "a weight of 0 is stored")
        expect(value != FORBIDDEN_VALUE & 0xFF, "a weight is -128")
        row[column] = value - 256 if value > 127 else value
