"""CKSB version 2, which files of earlier releases hold: golden bytes, and every kind of damage."""

import struct

import numpy as np
import pytest
from cksb_blobs import Field, announced, changed, golden_matrix

from capexport.errors import BundleError, CapexportError
from capexport.kernels import KernelLibrary, cksb

GOLDEN = bytes.fromhex(
    "434b5342 0200 0000 02000000 58020000 0a000000 04000000 02000000 00000000"  # header
    "05 28 c8 ff bf eb 9f 01 04 02 0000000000000000"  # the stream of golden_fields, zeros
)


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


DEFECTS = {
    "cut off": (GOLDEN[:-1], "shorter than its header"),
    "too long": (GOLDEN + b"\0", "longer than its header"),
    "flags": (changed(6, 1, blob=GOLDEN), "reserved field"),
    "reserved": (changed(31, 1, blob=GOLDEN), "reserved field"),
    "rest of the last byte": (changed(-9, 0x82, blob=GOLDEN), "padding"),
    "byte behind the stream": (changed(-8, 1, blob=GOLDEN), "padding"),
    "stream that goes on": (blob_of([*golden_fields(), (0, 8)]), "stream of the blob ends"),
    "stream that is too short": (blob_of(golden_fields()[:-1]), "stream of the blob ends"),
    "last gap": (with_fields(9, 10, (88, 7)), "column"),
    "more weights than columns": (with_fields(0, 2, *announced(601)), "column"),
    "count of a long code": (with_fields(0, 2, *announced(3)), "shorter code"),
    "value 0": (with_fields(4, 5, (0, 8)), "weight of 0"),
    "number of non-zeros": (changed(20, 5, blob=GOLDEN), "number of non-zeros"),
    "rows with weights": (changed(24, 1, blob=GOLDEN), "number of rows with weights"),
}


def test_golden_bytes(library: KernelLibrary) -> None:
    assert blob_of(golden_fields()) == GOLDEN
    assert cksb.encode(golden_matrix(), version=2) == GOLDEN
    np.testing.assert_array_equal(cksb.decode(GOLDEN).weights, golden_matrix())
    np.testing.assert_array_equal(library.weights(GOLDEN).dense(), golden_matrix())


@pytest.mark.parametrize("defect", DEFECTS)
def test_a_defect_has_its_own_message(library: KernelLibrary, defect: str) -> None:
    blob, message = DEFECTS[defect]
    with pytest.raises(CapexportError, match=message):
        library.weights(blob)
    with pytest.raises(BundleError):
        cksb.decode(blob)
