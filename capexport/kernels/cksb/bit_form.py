"""Version 2 of CKSB: a stream of bits, for each non-zero a Rice code of the gap, and its value."""

import numpy as np
from numpy.typing import NDArray

from capexport.errors import UnsupportedError
from capexport.kernels.cksb.bit_stream import MOST_ONES, BitReader, BitWriter, Codes
from capexport.kernels.cksb.header import (
    FORBIDDEN_VALUE,
    GUARD,
    LONGEST_STREAM,
    SIZE,
    Header,
    Weights,
    expect,
)

CHUNK = 1_000_000
"""Weights that are looked at together, so that the index arrays stay small."""
VALUE_BITS = 8
Numbers = NDArray[np.int64]


def rice_parameter(total: int, numbers: int) -> int:
    """The k for codes of `numbers` numbers that add up to `total`: 2^k is their mean, rounded."""
    return max(0, (total // numbers).bit_length() - 1)


def encode(weights: Weights) -> bytes:
    """The blob of a matrix [rows, columns] whose values and size are in range.

    Raises:
        UnsupportedError: the stream would be too long.
    """
    rows, columns = weights.shape
    nnz = int(np.count_nonzero(weights))
    live = int(np.count_nonzero(weights.any(axis=1)))
    step, writer = max(1, CHUNK // columns), BitWriter()
    for at in range(0, rows, step):
        writer.append(_codes(weights[at : at + step], rice_parameter(nnz, rows)))
    stream = writer.bytes()
    if len(stream) > LONGEST_STREAM:
        raise UnsupportedError(
            f"{nnz} non-zeros do not fit into one CKSB blob",
            where="sparse weights",
            hint="store the weight dense",
        )
    return Header(2, rows, columns, len(stream), nnz, live).pack() + stream + bytes(GUARD)


def decode(header: Header, blob: bytes) -> Weights:
    """The matrix of a blob with a sound header.

    Raises:
        BundleError: the blob is damaged.
    """
    reader = BitReader(blob[SIZE:], 8 * header.extent)
    parameter = rice_parameter(header.nnz, header.rows)
    weights = np.zeros((header.rows, header.columns), np.int8)
    nnz = live = 0
    for row in weights:
        count = reader.rice(parameter)
        expect(count <= header.columns, "a column is out of range")
        _decode_row(reader, count, row)
        nnz, live = nnz + count, live + (count > 0)
    expect(nnz == header.nnz, "the number of non-zeros is wrong")
    expect(live == header.live_rows, "the number of rows with weights is wrong")
    reader.expect_end()
    return weights


# ---- writing ----


def _codes(weights: Weights, count_parameter: int) -> Codes:
    """Of some rows: the number of their weights, then gap and value of each."""
    columns = weights.shape[1]
    row, column = np.nonzero(weights)
    counts = weights.astype(bool).sum(axis=1)
    starts = np.cumsum(counts) - counts
    gaps = _rice(_gaps(row, column), _rice_parameters(columns - counts, counts + 1)[row])
    values = weights[row, column].view(np.uint8).astype(np.uint64)
    heads = _rice(counts, np.full(len(counts), count_parameter))
    return Codes(
        np.insert(gaps.bits | values << gaps.lengths, starts, heads.bits),
        np.insert(gaps.lengths + np.uint64(VALUE_BITS), starts, heads.lengths),
    )


def _gaps(row: Numbers, column: Numbers) -> Numbers:
    """Zeros before each non-zero, since the one before it in its row."""
    gaps = np.diff(column, prepend=-1) - 1
    first = np.diff(row, prepend=-1) != 0
    return np.where(first, column, gaps)


def _rice_parameters(totals: Numbers, numbers: Numbers) -> Numbers:
    bit_length = np.frexp(totals // numbers)[1].astype(np.int64)
    parameters: Numbers = np.maximum(0, bit_length - 1)
    return parameters


def _rice(numbers: Numbers, parameters: Numbers) -> Codes:
    """Ones, a zero and the low bits; numbers of too many ones are announced and written plain."""
    high, one = numbers >> parameters, np.uint64(1)
    ones = np.minimum(high, MOST_ONES).astype(np.uint64)
    low = (numbers - (high << parameters)).astype(np.uint64)
    plain = high >= MOST_ONES
    tail = np.where(plain, numbers.astype(np.uint64), low << one)
    lengths = np.where(plain, MOST_ONES + 16, high + 1 + parameters).astype(np.uint64)
    return Codes(((one << ones) - one) | tail << ones, lengths)


# ---- reading ----


def _decode_row(reader: BitReader, count: int, row: Weights) -> None:
    parameter = rice_parameter(len(row) - count, count + 1)
    column = -1
    for _ in range(count):
        column += 1 + reader.rice(parameter)
        value = reader.bits(VALUE_BITS)
        expect(column < len(row), "a column is out of range")
        expect(value != 0, "a weight of 0 is stored")
        expect(value != FORBIDDEN_VALUE & 0xFF, "a weight is -128")
        row[column] = value - 256 if value > 127 else value
