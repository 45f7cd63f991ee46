"""CKSB: golden bytes, and that the Python and the C decoder accept and refuse alike."""

import struct
from collections.abc import Callable
from typing import TypeVar

import cksb_blobs
import numpy as np
import pytest
from cksb_blobs import GOLDEN, WITH_FLOATS, golden_matrix
from hypothesis import given, settings
from hypothesis import strategies as st
from numpy.typing import NDArray

from capexport.errors import BundleError, CapexportError, UnsupportedError
from capexport.kernels import KernelLibrary, cksb
from capexport.kernels.cksb import bit_form, byte_form
from capexport.kernels.cksb.row_floats import codes_of, round_bias, scales_of
from capexport.kernels.selftest import random_weights

Weights = NDArray[np.int8]
T = TypeVar("T")
VERSIONS = (1, 2, 3)
DAMAGED = 3000
BITS_OVER_IDEAL = 0.2
"""Per weight, above what no code of evenly spread weights can be below: Rice codes, row heads."""


def test_golden_bytes(library: KernelLibrary) -> None:
    assert cksb_blobs.blob_of(cksb_blobs.golden_fields()) == GOLDEN
    assert cksb.encode(golden_matrix()) == GOLDEN
    np.testing.assert_array_equal(cksb.decode(GOLDEN).weights, golden_matrix())
    np.testing.assert_array_equal(library.weights(GOLDEN).dense(), golden_matrix())


def test_golden_bytes_with_floats() -> None:
    scale = np.float32(2) ** (np.array(cksb_blobs.SCALE_CODES) / np.float32(16))
    content = cksb.Rows(golden_matrix(), *map(np.float32, (scale, cksb_blobs.BIAS)))
    assert cksb.pack_rows(content) == (WITH_FLOATS, cksb.Rows(content.weights))
    for got, wanted in zip(cksb.decode(WITH_FLOATS), content, strict=True):
        np.testing.assert_array_equal(got, wanted)


@pytest.mark.parametrize("defect", cksb_blobs.DEFECTS)
def test_a_defect_has_its_own_message(library: KernelLibrary, defect: str) -> None:
    blob, message = cksb_blobs.DEFECTS[defect]
    with pytest.raises(CapexportError, match=message):
        library.weights(blob)
    with pytest.raises(BundleError):
        cksb.decode(blob)


@pytest.mark.parametrize("version", VERSIONS)
@settings(max_examples=150, deadline=None)
@given(
    st.integers(1, 12),
    st.sampled_from([1, 2, 254, 255, 256, 257, 510, 511, 512, 1500]),
    st.floats(0, 1),
    st.integers(0, 2**32 - 1),
)
def test_round_trip(
    library: KernelLibrary, version: int, rows: int, columns: int, sparsity: float, seed: int
) -> None:
    weights = random_weights(np.random.default_rng(seed), rows, columns, sparsity)
    check_round_trip(library, weights, version)


def check_round_trip(library: KernelLibrary, weights: Weights, version: int) -> None:
    blob = cksb.encode(weights, version=version)
    np.testing.assert_array_equal(cksb.decode(blob).weights, weights)
    decoded = library.weights(blob)
    np.testing.assert_array_equal(decoded.dense(), weights)
    assert decoded.nnz == np.count_nonzero(weights)
    assert decoded.live_rows == np.count_nonzero(weights.any(axis=1))


@pytest.mark.parametrize("version", VERSIONS)
@pytest.mark.parametrize("distance", [254, 255, 256, 509, 510, 511, 765, 766, 65534])
def test_long_gaps(library: KernelLibrary, distance: int, version: int) -> None:
    weights = np.zeros((3, distance + 1), np.int8)
    weights[[0, 1, 1], [distance, 0, distance]] = 1, 2, 3
    check_round_trip(library, weights, version)


@pytest.mark.parametrize("gap", [22, 23, 24, 25, 60, 4000, 60000])
def test_gaps_far_above_the_mean_of_their_row(library: KernelLibrary, gap: int) -> None:
    """From 24 on the Rice code would have too many ones; all other gaps of the row are 0."""
    weights = np.ones((3, gap + 5000), np.int8)
    weights[1, 100 : 100 + gap] = 0
    check_round_trip(library, weights, version=3)


def test_rows_far_above_the_mean_of_their_counts(library: KernelLibrary) -> None:
    weights = np.zeros((60, 900), np.int8)
    weights[[0, 30], :] = -7
    weights[59, 899] = 127
    check_round_trip(library, weights, version=3)


def test_a_blob_is_about_as_small_as_its_weights_allow() -> None:
    rng, density = np.random.default_rng(0), 0.05
    weights = random_weights(rng, 500, 1000, 1 - density)
    both = density * np.log2(density) + (1 - density) * np.log2(1 - density)
    ideal = 8 - both / density
    bits = 8 * len(cksb.encode(weights)) / np.count_nonzero(weights)
    assert ideal < bits < ideal + BITS_OVER_IDEAL


@pytest.mark.parametrize(("version", "form"), [(1, byte_form), (2, bit_form), (3, bit_form)])
def test_rows_are_encoded_alike_in_chunks(
    monkeypatch: pytest.MonkeyPatch, version: int, form: object
) -> None:
    weights = np.random.default_rng(0).integers(-2, 3, (50, 30)).astype(np.int8)
    weights[20:25] = 0
    whole = cksb.encode(weights, version=version)
    monkeypatch.setattr(form, "CHUNK", 70)
    assert cksb.encode(weights, version=version) == whole


@pytest.mark.parametrize("version", VERSIONS)
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
def test_what_cannot_be_encoded(weights: Weights, version: int) -> None:
    with pytest.raises(UnsupportedError):
        cksb.encode(weights, version=version)


def test_a_stream_that_positions_cannot_address(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(bit_form, "LONGEST_STREAM", 8)
    with pytest.raises(UnsupportedError, match="4 non-zeros"):
        cksb.encode(golden_matrix())


@pytest.mark.parametrize("version", VERSIONS)
def test_damaged_blobs_are_refused_or_read_alike(library: KernelLibrary, version: int) -> None:
    rng = np.random.default_rng(1)
    weights = random_weights(rng, 20, 700, 0.98)
    whole = np.frombuffer(cksb.encode(weights, version=version), np.uint8)
    if version == 3:
        whole = np.frombuffer(cksb.pack_rows(with_floats(weights, rng))[0], np.uint8)
    refused = 0
    for _ in range(DAMAGED):
        damaged = damage(whole, rng)
        expected = outcome(lambda blob: cksb.decode(blob).weights, damaged)
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


def outcome(decode: Callable[[bytes], T], blob: bytes) -> T | None:
    try:
        return decode(blob)
    except CapexportError:
        return None


def test_the_stream_has_one_form_only() -> None:
    """Every other bit is another matrix or none: what is read is written the same again."""
    for golden in (GOLDEN, WITH_FLOATS):
        for bit in range(8 * len(golden)):
            blob = cksb_blobs.changed(bit // 8, golden[bit // 8] ^ 1 << bit % 8, blob=golden)
            content = outcome(cksb.decode, blob)
            assert content is None or cksb.pack_rows(content)[0] == blob


@pytest.mark.parametrize("version", VERSIONS)
def test_sizes_in_a_header_ask_for_no_memory(library: KernelLibrary, version: int) -> None:
    largest = 2**32 - 1
    header = struct.pack("<4sHH8I", b"CKSB", version, 0, 2**24, 65535, largest, *[0] * 5)
    with pytest.raises(BundleError, match="shorter"):
        library.weights(header)
    with pytest.raises(BundleError):
        cksb.decode(header)


def test_the_header_alone_tells_the_shape() -> None:
    header = cksb.read_header(GOLDEN)
    assert (header.rows, header.columns, header.nnz, header.live_rows) == (2, 600, 4, 2)
    with pytest.raises(BundleError, match="64 bytes instead of 65"):
        cksb.read_header(GOLDEN[:-1])


def test_a_file_keeps_the_scales_of_rows_with_weights() -> None:
    weights, scale = np.eye(4, 3, dtype=np.int8), np.arange(3, 7, dtype=np.float32)
    for matrix, stored in ((weights, scale[:3]), (0 * weights, scale)):
        blob, beside = cksb.pack_rows(cksb.Rows(matrix, scale))
        assert blob == cksb.encode(matrix)
        np.testing.assert_array_equal(beside.scale, stored)


def test_embedding_rows(library: KernelLibrary) -> None:
    rng = np.random.default_rng(2)
    weights = random_weights(rng, 30, 300, 0.9)
    weights[::3] = 0
    scale = rng.random(30).astype(np.float32)
    ids = np.array([0, 29, 7, 7, 1])
    expected = weights[ids].astype(np.float32) * scale[ids, None]
    for source in (weights, *(cksb.encode(weights, version=v) for v in VERSIONS)):
        decoded = library.weights(source)
        for given_scale in (scale, scale[weights.any(axis=1)]):
            np.testing.assert_array_equal(decoded.embed(ids, given_scale), expected)
    for wrong in (-1, 30):
        with pytest.raises(CapexportError, match="no row"):
            library.weights(weights).embed(np.array([wrong]), scale)


# ---- scales and biases


def with_floats(weights: Weights, rng: np.random.Generator) -> cksb.Rows:
    """Random ones that a blob can hold."""
    rows = len(weights)
    codes = np.rint(rng.normal(-150, 12, rows)).astype(np.int64)
    return cksb.Rows(weights, scales_of(codes), round_bias(rng.normal(size=rows).astype("f4")))


@settings(max_examples=80, deadline=None)
@given(st.integers(1, 40), st.sampled_from([1, 2, 255, 700]), st.integers(0, 2**32 - 1))
def test_floats_come_back_bit_for_bit(
    library: KernelLibrary, rows: int, columns: int, seed: int
) -> None:
    """From Python's decoder, and from C's as it packs them and looks rows up."""
    rng = np.random.default_rng(seed)
    content = with_floats(random_weights(rng, rows, columns, rng.choice([0.5, 0.99])), rng)
    content.weights[0, 0] = 1
    blob, beside = cksb.pack_rows(content)
    live = content.weights.any(axis=1)
    assert beside == cksb.Rows(content.weights)
    decoded, weights = cksb.decode(blob), library.weights(blob)
    np.testing.assert_array_equal(decoded.scale[live], content.scale[live])
    np.testing.assert_array_equal(decoded.bias, content.bias)
    ids, x = np.arange(rows), rng.normal(size=(3, columns)).astype(np.float32)
    plain = library.weights(content.weights)
    np.testing.assert_array_equal(weights.embed(ids), plain.embed(ids, content.scale))
    kernel = library.choose(rows, columns, weights.nnz, 3, required=True).kernel
    expected = library.pack(plain, kernel, content.scale, content.bias).run(x)
    np.testing.assert_array_equal(library.pack(weights, kernel).run(x), expected)


@pytest.mark.parametrize("code", [-2016, -2015, -1, 0, 15, 16, 2047])
def test_every_octave_of_the_scales(library: KernelLibrary, code: int) -> None:
    """From the lowest normal number to the highest."""
    weights, scale = np.ones((1, 1), np.int8), scales_of(np.array([code]))
    assert scale[0] == pytest.approx(2.0 ** (code / 16), rel=1e-6)
    assert codes_of(scale) == [code]
    blob, _ = cksb.pack_rows(cksb.Rows(weights, scale))
    np.testing.assert_array_equal(library.weights(blob).embed(np.array([0])), scale[None])


@pytest.mark.parametrize("peak", [2.0**-115, 1.0, 0.99999, 2.0**127])
def test_every_step_of_the_biases(library: KernelLibrary, peak: float) -> None:
    exact = np.linspace(-peak, peak, 4095).astype(np.float32)
    bias = round_bias(exact)
    assert np.abs(bias - exact).max() <= peak * 2.0**-11
    blob, beside = cksb.pack_rows(cksb.Rows(np.ones((4095, 1), np.int8), None, bias))
    assert beside.bias is None
    weights = library.weights(blob)
    kernel = library.choose(4095, 1, 4095, 1, required=True).kernel
    y = library.pack(weights, kernel).run(np.zeros((1, 1), np.float32))
    np.testing.assert_array_equal(y[0], bias)


@pytest.mark.parametrize(
    "floats",
    [
        {"scale": np.array([0.3, 1], np.float32)},
        {"scale": np.array([0, 1], np.float32)},
        {"bias": np.array([0.3, 1], np.float32)},
        {"bias": np.zeros(2, np.float32)},
        {"bias": np.array([np.nan, 1], np.float32)},
        {"bias": np.array([2.0**-126, 0], np.float32)},
    ],
)
def test_floats_off_the_grids_stay_beside(floats: dict[str, NDArray[np.float32]]) -> None:
    content = cksb.Rows(golden_matrix(), **floats)
    blob, beside = cksb.pack_rows(content)
    assert blob == GOLDEN
    for got, wanted in zip(beside, content, strict=True):
        np.testing.assert_array_equal(got, wanted)


def test_floats_are_not_given_twice(library: KernelLibrary) -> None:
    weights, ones = library.weights(WITH_FLOATS), np.ones(2, np.float32)
    kernel = library.choose(2, 600, 4, 1, required=True).kernel
    for scale, bias in ((ones, None), (None, ones)):
        with pytest.raises(CapexportError, match="the blob has its own"):
            library.pack(weights, kernel, scale, bias)
