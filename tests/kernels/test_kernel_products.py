"""Every kernel of the list against numpy: exact integers, over shapes that leave tails."""

import numpy as np
import pytest
from numpy.typing import NDArray

from capexport.errors import RuntimeMissingError
from capexport.kernels import KernelLibrary, PackedMatrix, cksb, load
from capexport.kernels.selftest import random_weights

BATCHES = (1, 2, 3, 4, 5, 6, 7, 8, 36, 49, 70)
SPARSITIES = (0.0, 0.5, 0.8, 0.95, 0.999, 1.0)
SHAPES = [
    (1, 1), (1, 3000), (3000, 1), (2, 2), (13, 127), (15, 63), (16, 64), (17, 65),
    (16, 128), (33, 129), (16, 255), (17, 256), (33, 257), (31, 16), (97, 503), (48, 3000),
]  # fmt: skip


def kernel_names() -> list[str]:
    """The names that the C list gives, so that no kernel can be left out."""
    try:
        return [kernel.name for kernel in load().kernels]
    except RuntimeMissingError:
        return []


@pytest.fixture(params=kernel_names())
def kernel(request: pytest.FixtureRequest, library: KernelLibrary) -> str:
    name: str = request.param
    if not library.kernel(name).supported:
        pytest.skip(f"this CPU cannot run {name}")
    return name


def product(x: NDArray[np.integer], weights: NDArray[np.int8]) -> NDArray[np.float64]:
    """Exact: every sum is below 2^53."""
    return x.astype(np.float64) @ weights.T.astype(np.float64)


def assert_exact(
    library: KernelLibrary, kernel: str, weights: NDArray[np.int8], x: NDArray[np.int8]
) -> None:
    matrix, expected = library.pack(library.weights(weights), kernel), product(x, weights)
    for n in (n for n in BATCHES if n <= len(x)):
        np.testing.assert_array_equal(matrix.run_integer(x[:n]), expected[:n])


@pytest.mark.parametrize("shape", SHAPES, ids=lambda shape: f"{shape[0]}x{shape[1]}")
def test_exact_for_every_sparsity_and_batch(
    library: KernelLibrary, kernel: str, shape: tuple[int, int]
) -> None:
    rng = np.random.default_rng(0)
    x = rng.integers(-128, 128, (max(BATCHES), shape[1])).astype(np.int8)
    for sparsity in SPARSITIES:
        assert_exact(library, kernel, random_weights(rng, *shape, sparsity), x)


def test_empty_rows_and_columns(library: KernelLibrary, kernel: str) -> None:
    rng = np.random.default_rng(1)
    weights = random_weights(rng, 100, 400, 0.5)
    weights[::2], weights[:, 100::2], weights[:, :60] = 0, 0, 0
    assert_exact(library, kernel, weights, rng.integers(-128, 128, (8, 400)).astype(np.int8))


def test_rows_of_very_different_length(library: KernelLibrary, kernel: str) -> None:
    rng = np.random.default_rng(2)
    weights = random_weights(rng, 70, 900, 0.0)
    weights[rng.random(weights.shape) > rng.random((70, 1)) ** 4] = 0
    assert_exact(library, kernel, weights, rng.integers(-128, 128, (8, 900)).astype(np.int8))


@pytest.mark.parametrize(("weight", "value"), [(-127, -128), (127, -128), (-127, 127), (127, 127)])
def test_largest_sums(library: KernelLibrary, kernel: str, weight: int, value: int) -> None:
    weights = np.full((3, 65535), weight, np.int8)
    assert_exact(library, kernel, weights, np.full((8, 65535), value, np.int8))


@pytest.mark.parametrize(("dtype", "zeros"), [(np.int8, (-128, 5, 127)), (np.uint8, (0, 9, 255))])
def test_zero_points(library: KernelLibrary, kernel: str, dtype: type, zeros: tuple[int]) -> None:
    rng, limits = np.random.default_rng(3), np.iinfo(dtype)
    weights = random_weights(rng, 40, 65535, 0.6)
    matrix = library.pack(library.weights(weights), kernel)
    for n in (3, 9, 70):
        x = rng.integers(limits.min, limits.max + 1, (n, 65535)).astype(dtype)
        x[0] = limits.max
        zero = np.resize(np.array(zeros, np.int32), n)
        expected = product(x.astype(np.int32) - zero[:, None], weights)
        np.testing.assert_array_equal(matrix.run_integer(x, zero), expected)


def test_blob_and_matrix_pack_alike(library: KernelLibrary, kernel: str) -> None:
    weights = random_weights(np.random.default_rng(4), 77, 700, 0.97)
    from_matrix = library.pack(library.weights(weights), kernel)
    for version in (1, 2):
        blob = cksb.encode(weights, version=version)
        from_blob = library.pack(library.weights(blob), kernel)
        assert packed_bytes(from_blob) == packed_bytes(from_matrix)


def test_a_scale_may_leave_out_empty_rows(library: KernelLibrary, kernel: str) -> None:
    weights = random_weights(np.random.default_rng(4), 77, 70, 0.98)
    live = weights.any(axis=1)
    assert 0 < live.sum() < 77
    scale = np.where(live, np.arange(77) / 8, 1).astype(np.float32)
    for source in (weights, cksb.encode(weights), cksb.encode(weights, version=1)):
        checked = library.weights(source)
        whole, short = (library.pack(checked, kernel, s) for s in (scale, scale[live]))
        assert packed_bytes(whole) == packed_bytes(short)


def packed_bytes(matrix: PackedMatrix) -> bytes:
    return matrix._packed.tobytes()


def test_empty_weights_take_no_slots(library: KernelLibrary, kernel: str) -> None:
    matrix = library.pack(library.weights(np.zeros((100, 500), np.int8)), kernel)
    assert matrix.slots == 0
    assert not matrix.run_integer(np.ones((2, 500), np.int8)).any()


def in_order(matrix: PackedMatrix) -> bool:
    """The field of the packed header (src/packed.h): lane i is row i."""
    return bool(matrix._packed.view(np.int32)[5])


def test_rows_are_sorted_where_that_gains(library: KernelLibrary, kernel: str) -> None:
    """Rows of like length stay in order; long rows beside empty ones are sorted, in WELL."""
    rng = np.random.default_rng(6)
    alike, unlike = (random_weights(rng, 163, 900, 0.98) for _ in range(2))
    unlike[::2] = 0
    unlike[1::2, :300] = random_weights(rng, 81, 300, 0.5)
    well = library.kernel(kernel).layout == "well"
    for weights, expected in ((alike, True), (unlike, not well)):
        matrix = library.pack(library.weights(weights), kernel)
        assert in_order(matrix) is expected
        x = rng.integers(-128, 128, (5, 900)).astype(np.int8)
        assert_exact(library, kernel, weights, x)


def test_a_packed_matrix_may_be_moved(library: KernelLibrary, kernel: str) -> None:
    rng = np.random.default_rng(5)
    weights, x = random_weights(rng, 50, 90, 0.8), rng.integers(-128, 128, (3, 90)).astype(np.int8)
    matrix = library.pack(library.weights(weights), kernel)
    raw = np.zeros(matrix.size + 64, np.uint8)
    moved = raw[-raw.ctypes.data % 64 :][: matrix.size]
    moved[:], matrix._packed[:] = matrix._packed, 0
    matrix._packed = moved
    np.testing.assert_array_equal(matrix.run_integer(x), product(x, weights))
