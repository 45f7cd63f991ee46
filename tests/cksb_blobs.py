"""CKSB blobs of version 2 put together field by field, sound ones and damaged ones."""

import struct

import numpy as np
from numpy.typing import NDArray

Field = tuple[int, int]
"""A number and its length in bits."""

GOLDEN = bytes.fromhex(
    "434b5342 0200 0000 02000000 58020000 0a000000 04000000 02000000 00000000"  # header
    "05 28 c8 ff bf eb 9f 01 04 02 0000000000000000"  # the stream of golden_fields, zeros
)


def golden_matrix() -> NDArray[np.int8]:
    weights = np.zeros((2, 600), np.int8)
    weights[0, [0, 255, 599]] = 5, -1, 127
    weights[1, 256] = -127
    return weights


def golden_fields() -> list[Field]:
    """4 weights in 2 rows: k is 1 for counts; 597 zeros in 4 gaps, 599 in 2: k is 7, then 8."""
    count_of_3, count_of_1 = [(0b01, 2), (1, 1)], [(0, 1), (1, 1)]
    return [
        *count_of_3,
        *[(0, 1), (0, 7), (5, 8)],  # gap 0
        *[(0b01, 2), (126, 7), (0xFF, 8)],  # gap 254
        *[(0b011, 3), (87, 7), (127, 8)],  # gap 343
        *count_of_1,
        *[(0b01, 2), (0, 8), (0x81, 8)],  # gap 256
    ]


def blob_of(
    fields: list[Field], *, rows: int = 2, columns: int = 600, nnz: int = 4, live: int = 2
) -> bytes:
    """A blob with this stream, whatever sense it makes."""
    number = length = 0
    for value, bits in fields:
        number |= value << length
        length += bits
    stream = number.to_bytes(-(-length // 8), "little")
    header = struct.pack("<4sHH6I", b"CKSB", 2, 0, rows, columns, len(stream), nnz, live, 0)
    return header + stream + bytes(8)


def with_fields(first: int, end: int, *fields: Field) -> bytes:
    """The golden blob with others in place of the fields first..end - 1."""
    given = golden_fields()
    return blob_of([*given[:first], *fields, *given[end:]])


def announced(number: int) -> list[Field]:
    """The code of a number for which a Rice code would be too long."""
    return [(2**24 - 1, 24), (number, 16)]


def changed(at: int, *values: int, blob: bytes = GOLDEN) -> bytes:
    """A blob with other bytes."""
    damaged = bytearray(blob)
    at %= len(blob)
    damaged[at : at + len(values)] = bytes(values)
    return bytes(damaged)


DEFECTS = {
    "no magic": (b"CKSA" + GOLDEN[4:], "does not start with CKSB"),
    "empty": (b"", "does not start with CKSB"),
    "header only in part": (GOLDEN[:20], "shorter than its header"),
    "cut off": (GOLDEN[:-1], "shorter than its header"),
    "too long": (GOLDEN + b"\0", "longer than its header"),
    "version": (changed(4, 3), "unknown version"),
    "flags": (changed(6, 1), "reserved field"),
    "reserved": (changed(31, 1), "reserved field"),
    "no rows": (changed(8, 0), "rows or columns"),
    "no columns": (changed(12, 0, 0), "rows or columns"),
    "too many columns": (changed(12, 0, 0, 1), "rows or columns"),
    "rest of the last byte": (changed(-9, 0x82), "padding"),
    "byte behind the stream": (changed(-8, 1), "padding"),
    "last byte": (changed(-1, 1), "padding"),
    "stream that goes on": (blob_of([*golden_fields(), (0, 8)]), "stream of the blob ends"),
    "stream that is too short": (blob_of(golden_fields()[:-1]), "stream of the blob ends"),
    "column": (with_fields(9, 10, (88, 7)), "column"),
    "column far behind the last": (with_fields(8, 10, *announced(65535)), "column"),
    "more weights than columns": (with_fields(0, 2, *announced(601)), "column"),
    "count of a long code": (with_fields(0, 2, *announced(3)), "shorter code"),
    "gap of a long code": (with_fields(2, 4, *announced(0)), "shorter code"),
    "value 0": (with_fields(4, 5, (0, 8)), "weight of 0"),
    "value -128": (with_fields(4, 5, (0x80, 8)), "-128"),
    "number of non-zeros": (changed(20, 5), "number of non-zeros"),
    "impossible number of non-zeros": (changed(20, 0, 0, 1), "number of non-zeros"),
    "rows with weights": (changed(24, 1), "number of rows with weights"),
}
"""Blob and what the C library says about it."""
