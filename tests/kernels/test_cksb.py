"""CKSB: golden bytes, and that the Python and the C decoder accept and refuse alike."""

import struct

import numpy as np
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st
from numpy.typing import NDArray

from capexport.errors import BundleError, CapexportError, UnsupportedError
from capexport.kernels import KernelLibrary, cksb

GOLDEN = bytes.fromhex(
    "434b5342 0100 0000 02000000 58020000 06000000 04000000 0000000000000000"  # header
    "0400 0200 000000000000000000000000"  # entries: 4 in row 0, 2 in row 1
    "00 ff ff 59 ff 01 00000000000000000000"  # gaps: 0, 255, escape, 89 | escape, 1
    "05 ff 00 7f 00 81 00000000000000000000"  # values
)
COUNTS, GAPS, VALUES = 32, 48, 64
DAMAGED = 3000


def golden_matrix() -> NDArray[np.int8]:
    weights = np.zeros((2, 600), np.int8)
    weights[0, [0, 255, 599]] = 5, -1, 127
    weights[1, 256] = -127
    return weights


def changed(at: int, *values: int) -> bytes:
    blob = bytearray(GOLDEN)
    blob[at : at + len(values)] = bytes(values)
    return bytes(blob)


DEFECTS = {
    "no magic": (b"CKSA" + GOLDEN[4:], "does not start with CKSB"),
    "empty": (b"", "does not start with CKSB"),
    "header only in part": (GOLDEN[:20], "shorter"),
    "cut off": (GOLDEN[:-16], "shorter"),
    "too long": (GOLDEN + bytes(16), "longer"),
    "version": (changed(4, 2), "version"),
    "flags": (changed(6, 1), "reserved"),
    "reserved": (changed(31, 1), "reserved"),
    "no rows": (changed(8, 0), "rows or columns"),
    "no columns": (changed(12, 0, 0), "rows or columns"),
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
    assert cksb.encode(golden_matrix()) == GOLDEN
    np.testing.assert_array_equal(cksb.decode(GOLDEN), golden_matrix())
    np.testing.assert_array_equal(library.weights(GOLDEN).dense(), golden_matrix())


@pytest.mark.parametrize("defect", DEFECTS)
def test_a_defect_has_its_own_message(library: KernelLibrary, defect: str) -> None:
    blob, message = DEFECTS[defect]
    with pytest.raises(CapexportError, match=message):
        library.weights(blob)
    with pytest.raises(BundleError):
        cksb.decode(blob)


@settings(max_examples=150, deadline=None)
@given(
    st.integers(1, 40),
    st.sampled_from([1, 2, 254, 255, 256, 257, 510, 511, 512, 1500]),
    st.floats(0, 1),
    st.integers(0, 2**32 - 1),
)
def test_round_trip(
    library: KernelLibrary, rows: int, columns: int, sparsity: float, seed: int
) -> None:
    rng = np.random.default_rng(seed)
    weights = rng.integers(-127, 128, (rows, columns)).astype(np.int8)
    weights[rng.random(weights.shape) < sparsity] = 0
    blob = cksb.encode(weights)
    np.testing.assert_array_equal(cksb.decode(blob), weights)
    decoded = library.weights(blob)
    np.testing.assert_array_equal(decoded.dense(), weights)
    assert decoded.nnz == np.count_nonzero(weights)


@pytest.mark.parametrize("distance", [254, 255, 256, 509, 510, 511, 765, 766, 65534])
def test_long_gaps(library: KernelLibrary, distance: int) -> None:
    weights = np.zeros((3, distance + 1), np.int8)
    weights[[0, 1, 1], [distance, 0, distance]] = 1, 2, 3
    blob = cksb.encode(weights)
    np.testing.assert_array_equal(library.weights(blob).dense(), weights)
    np.testing.assert_array_equal(cksb.decode(blob), weights)


def test_rows_are_encoded_alike_in_chunks(monkeypatch: pytest.MonkeyPatch) -> None:
    weights = np.random.default_rng(0).integers(-2, 3, (50, 30)).astype(np.int8)
    whole = cksb.encode(weights)
    monkeypatch.setattr(cksb, "CHUNK", 70)
    assert cksb.encode(weights) == whole


@pytest.mark.parametrize(
    "weights",
    [
        np.zeros((2, 2), np.int16),
        np.zeros(4, np.int8),
        np.zeros((1, 65536), np.int8),
        np.zeros((0, 4), np.int8),
        np.full((2, 2), -128, np.int8),
    ],
)
def test_what_cannot_be_encoded(weights: NDArray[np.int8]) -> None:
    with pytest.raises(UnsupportedError):
        cksb.encode(weights)


def test_damaged_blobs_are_refused_or_read_alike(library: KernelLibrary) -> None:
    rng = np.random.default_rng(1)
    weights = rng.integers(-127, 128, (20, 700)).astype(np.int8)
    weights[rng.random(weights.shape) < 0.98] = 0
    whole, refused = np.frombuffer(cksb.encode(weights), np.uint8), 0
    for _ in range(DAMAGED):
        damaged = damage(whole, rng)
        expected = outcome(cksb.decode, damaged)
        got = outcome(lambda blob: library.weights(blob).dense(), damaged)
        assert (expected is None) == (got is None)
        if expected is None:
            refused += 1
        else:
            np.testing.assert_array_equal(got, expected)
    assert DAMAGED / 4 < refused < DAMAGED


def damage(blob: NDArray[np.uint8], rng: np.random.Generator) -> bytes:
    damaged = blob.copy()
    for at in rng.integers(blob.size, size=rng.integers(1, 4)):
        damaged[at] = rng.integers(256)
    end = rng.integers(blob.size) if rng.random() < 0.05 else blob.size
    return damaged[:end].tobytes()


def outcome(decode, blob):
    try:
        return decode(blob)
    except CapexportError:
        return None


def test_sizes_in_a_header_ask_for_no_memory(library: KernelLibrary) -> None:
    header = struct.pack("<4sHHIIIIQ", b"CKSB", 1, 0, 2**24, 65535, 2**32 - 1, 0, 0)
    with pytest.raises(BundleError, match="shorter"):
        library.weights(header)
    with pytest.raises(BundleError):
        cksb.decode(header)


def test_embedding_rows(library: KernelLibrary) -> None:
    rng = np.random.default_rng(2)
    weights = rng.integers(-127, 128, (30, 300)).astype(np.int8)
    weights[rng.random(weights.shape) < 0.9] = 0
    weights[::3] = 0
    scale = rng.random(30).astype(np.float32)
    ids = np.array([0, 29, 7, 7, 1])
    expected = weights[ids].astype(np.float32) * scale[ids, None]
    for source in (weights, cksb.encode(weights)):
        np.testing.assert_array_equal(library.weights(source).embed(ids, scale), expected)
    for wrong in (-1, 30):
        with pytest.raises(CapexportError, match="no row"):
            library.weights(weights).embed(np.array([wrong]), scale)
