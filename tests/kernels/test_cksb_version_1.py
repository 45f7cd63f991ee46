"""CKSB version 1, which files of earlier releases hold: golden bytes, and every kind of damage."""

import numpy as np
import pytest
from cksb_blobs import golden_matrix

from capexport.errors import BundleError, CapexportError
from capexport.kernels import KernelLibrary, cksb

GOLDEN = bytes.fromhex(
    "434b5342 0100 0000 02000000 58020000 06000000 04000000 0000000000000000"  # header
    "0400 0200 000000000000000000000000"  # entries: 4 in row 0, 2 in row 1
    "00 ff ff 59 ff 01 00000000000000000000"  # gaps: 0, 255, escape, 89 | escape, 1
    "05 ff 00 7f 00 81 00000000000000000000"  # values
)
COUNTS, GAPS, VALUES = 32, 48, 64


def changed(at: int, *values: int) -> bytes:
    blob = bytearray(GOLDEN)
    blob[at : at + len(values)] = bytes(values)
    return bytes(blob)


DEFECTS = {
    "cut off": (GOLDEN[:-16], "shorter"),
    "too long": (GOLDEN + bytes(16), "longer"),
    "flags": (changed(6, 1), "reserved"),
    "reserved": (changed(24, 1), "reserved"),
    "reserved, last byte": (changed(31, 1), "reserved"),
    "no rows": (changed(8, 0), "rows or columns"),
    "too many columns": (changed(12, 0, 0, 1), "rows or columns"),
    "padding of the counts": (changed(COUNTS + 4, 1), "padding"),
    "padding of the gaps": (changed(GAPS + 15, 1), "padding"),
    "padding of the values": (changed(VALUES + 15, 1), "padding"),
    "counts too high": (changed(COUNTS + 2, 3), "do not add up"),
    "counts too low": (changed(COUNTS + 2, 1), "escape"),
    "rows that end early": (changed(COUNTS, 2, 0, 0, 0), "do not add up"),
    "column": (changed(GAPS + 3, 90), "column"),
    "value": (changed(VALUES, 0x80), "-128"),
    "gap": (changed(GAPS + 1, 0), "gap of 0"),
    "zero that is no escape": (changed(VALUES + 1, 0, 0, 0), "escape"),
    "escape with a short gap": (changed(GAPS + 2, 254), "escape"),
    "escape at the end": (changed(VALUES + 5, 0), "escape"),
    "number of non-zeros": (changed(20, 5), "non-zeros"),
}


def test_golden_bytes(library: KernelLibrary) -> None:
    assert cksb.encode(golden_matrix(), version=1) == GOLDEN
    np.testing.assert_array_equal(cksb.decode(GOLDEN).weights, golden_matrix())
    np.testing.assert_array_equal(library.weights(GOLDEN).dense(), golden_matrix())


@pytest.mark.parametrize("defect", DEFECTS)
def test_a_defect_has_its_own_message(library: KernelLibrary, defect: str) -> None:
    blob, message = DEFECTS[defect]
    with pytest.raises(CapexportError, match=message):
        library.weights(blob)
    with pytest.raises(BundleError):
        cksb.decode(blob)
