"""CKSB blobs of version 3 put together field by field, sound ones and damaged ones."""

import struct

import numpy as np
from numpy.typing import NDArray

Field = tuple[int, int]
"""A number and its length in bits."""

GOLDEN = bytes.fromhex(
    "434b5342 0300 0000 02000000 58020000 09000000 04000000 02000000"  # header as far as version 2
    "03000000 00000000 0000 0000"  # sums of what counts and scales are written as; no floats
    "03 28 c8 ff ff ff 2f 80 81 00000000000000000000000000000000"  # golden_fields(), zeros
)
FLOATS = bytes.fromhex(
    "434b5342 0300 0300 02000000 58020000 0d000000 04000000 02000000"
    "03000000 05000000 9dff f6ff"  # mean code -99, step of the biases 2^-10
)
"""Header of the same with a scale and a bias per row."""
SCALE_CODES, BIAS = (-100, -97), (-0.75, 1.5)


def golden_matrix() -> NDArray[np.int8]:
    weights = np.zeros((2, 600), np.int8)
    weights[0, [0, 255, 599]] = 5, -1, 127
    weights[1, 256] = -127
    return weights


def golden_fields() -> list[Field]:
    """3 and 1 weights, 2 on average: 2 and 1 are written, with k = 0. k of the gaps is 7.

    The last gap of a row is one of 344, or one of 600: 8 bits or 9, 9 bits or 10.
    """
    return [
        (0b011, 3),
        *[(0, 1), (0, 7), (5, 8)],  # gap 0
        *[(0b01, 2), (126, 7), (0xFF, 8)],  # gap 254
        *[(343 - (344 - 256), 8), (1, 1), (127, 8)],  # gap 343
        (0b01, 2),
        *[(256, 9), (0x81, 8)],  # gap 256
    ]


def float_fields() -> list[Field]:
    """The same with floats: -1 and 2 from the mean are 1 and 4, k is 1."""
    fields = golden_fields()
    first, second = [(0, 1), (1, 1)], [(0b011, 3), (0, 1)]
    return [
        *[fields[0], (-768 & 0xFFF, 12), *first, *fields[1:10]],
        *[fields[10], (1536, 12), *second, *fields[11:]],
    ]


def blob_of(fields: list[Field], header: bytes = GOLDEN[:40]) -> bytes:
    """A blob with this stream, whatever sense it makes, and the header but for its length."""
    number = length = 0
    for value, bits in fields:
        number |= value << length
        length += bits
    stream = number.to_bytes(-(-length // 8), "little")
    return header[:16] + struct.pack("<I", len(stream)) + header[20:] + stream + bytes(16)


WITH_FLOATS = blob_of(float_fields(), FLOATS)


def with_fields(first: int, end: int, *fields: Field) -> bytes:
    """The golden blob with others in place of the fields first..end - 1."""
    given = golden_fields()
    return blob_of([*given[:first], *fields, *given[end:]])


def with_float_fields(first: int, end: int, *fields: Field) -> bytes:
    """The same of the blob with floats."""
    given = float_fields()
    return blob_of([*given[:first], *fields, *given[end:]], FLOATS)


def off_the_mean() -> bytes:
    """Codes that are -2 and 1 from what the header says is their mean."""
    fields = float_fields()
    first, second = [(0b01, 2), (1, 1)], [(0b01, 2), (0, 1)]
    return blob_of([*fields[:2], *first, *fields[4:15], *second, *fields[17:]], FLOATS)


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
    "header of an older version": (GOLDEN[:36], "shorter than its header"),
    "cut off": (GOLDEN[:-1], "shorter than its header"),
    "too long": (GOLDEN + b"\0", "longer than its header"),
    "version": (changed(4, 4), "unknown version"),
    "flags": (changed(6, 4), "reserved field"),
    "sum of no scales": (changed(32, 1), "reserved field"),
    "mean of no scales": (changed(37, 1), "reserved field"),
    "no rows": (changed(8, 0), "rows or columns"),
    "no columns": (changed(12, 0, 0), "rows or columns"),
    "too many columns": (changed(12, 0, 0, 1), "rows or columns"),
    "rest of the last byte": (changed(-17, 0xA0, blob=WITH_FLOATS), "padding"),
    "byte behind the stream": (changed(-16, 1), "padding"),
    "last byte": (changed(-1, 1), "padding"),
    "stream that goes on": (blob_of([*golden_fields(), (0, 8)]), "stream of the blob ends"),
    "stream that is too short": (blob_of(golden_fields()[:-1]), "stream of the blob ends"),
    "column": (with_fields(4, 6, (0b01111, 5), (127, 7)), "column"),
    "column far behind the last": (with_fields(4, 6, *announced(65535)), "column"),
    "weight behind the last column": (with_fields(4, 6, (0b01111, 5), (86, 7)), "column"),
    "more weights than columns": (with_fields(0, 1, *announced(601)), "column"),
    "count of a long code": (with_fields(0, 1, *announced(2)), "shorter code"),
    "gap of a long code": (with_fields(1, 3, *announced(0)), "shorter code"),
    "value 0": (with_fields(3, 4, (0, 8)), "weight of 0"),
    "value -128": (with_fields(3, 4, (0x80, 8)), "-128"),
    "number of non-zeros": (changed(20, 5), "number of non-zeros"),
    "impossible number of non-zeros": (changed(20, 0, 0, 1), "number of non-zeros"),
    "rows with weights": (changed(24, 1), "number of rows with weights"),
    "more rows with weights than rows": (changed(24, 3), "number of rows with weights"),
    "scales of no rows": (changed(24, 0, blob=WITH_FLOATS), "number of rows with weights"),
    "sum of counts": (changed(28, 2), "do not add up"),
    "impossible sum of counts": (changed(31, 255), "do not add up"),
    "sum of scales": (
        changed(32, 4, blob=WITH_FLOATS),
        "scales of the blob are out of range or do not add up",
    ),
    "impossible sum of scales": (
        changed(35, 255, blob=WITH_FLOATS),
        "scales of the blob are out of range or do not add up",
    ),
    "mean of scales": (off_the_mean(), "scales of the blob are out of range or do not add up"),
    "scale of a long code": (with_float_fields(2, 4, *announced(1)), "shorter code"),
    "scale beyond float32": (
        with_float_fields(2, 4, *announced(60000)),
        "scales of the blob are out of range",
    ),
    "bias of -2048": (with_float_fields(1, 2, (0x800, 12)), "biases of the blob are out of range"),
    "biases of few steps": (
        with_float_fields(14, 15, (1023, 12)),
        "biases of the blob are out of range",
    ),
    "step of no biases": (changed(38, 1), "biases of the blob are out of range"),
    "step below float32": (
        changed(38, 0x81, 0xFF, blob=WITH_FLOATS),
        "biases of the blob are out of range",
    ),
    "step beyond float32": (
        changed(38, 118, 0, blob=WITH_FLOATS),
        "biases of the blob are out of range",
    ),
}
"""Blob and what the C library says about it."""
