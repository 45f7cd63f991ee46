"""int8 in, int8 out, and weights in compressed rows: every kernel against numpy."""

import ctypes
from typing import Any

import numpy as np
import pytest
from numpy.typing import NDArray

from capexport.kernels import KernelLibrary, interface
from capexport.kernels.matrix import aligned
from capexport.kernels.selftest import random_weights

Weights = NDArray[np.int8]
BATCHES = (1, 3, 5, 36, 70)
SHAPES = [(1, 1), (1, 67), (67, 1), (19, 31), (100, 1009)]
X_ZERO = -11
RANGES = ((7, -128, 127), (-128, -128, 127), (7, 7, 13), (127, -128, -128))


def compressed(weights: Weights) -> tuple[NDArray[np.int32], NDArray[np.int32], Weights]:
    rows, columns = np.nonzero(weights)
    start = np.searchsorted(rows, np.arange(len(weights) + 1))
    return start.astype(np.int32), columns.astype(np.int32), weights[rows, columns]


def csr_status(library: KernelLibrary, source: Any, shape: tuple[int, int]) -> tuple[str, Any]:
    """Text of the status, and the checked weights; `source` must be kept alive."""
    weights = interface.Weights()
    addresses = [array.ctypes.data for array in source]
    status = library._c.ck_weights_csr(weights, *addresses, len(source[2]), *shape)
    return library._c.ck_status_text(status).decode(), weights


def int8_product(
    library: KernelLibrary,
    weights: Any,
    kernel: int,
    vectors: tuple[NDArray[np.float32], NDArray[np.int32]],
    x: Weights,
    bounds: tuple[int, int, int],
) -> Weights:
    """In two parts, as threads would share it."""
    c, (scale, bias) = library._c, vectors
    plan, work = interface.Plan(), aligned(library._c.ck_work_size(weights))
    assert c.ck_make_plan(weights, kernel, work.ctypes.data, plan) == 0
    memory = aligned(plan.packed_size)
    packed = memory.ctypes.data
    addresses = scale.ctypes.data, bias.ctypes.data, work.ctypes.data
    assert c.ck_pack_int8(weights, plan, *addresses, packed) == 0
    scratch = aligned(c.ck_scratch_size(packed, len(x)))
    y = np.zeros((len(x), weights.rows), np.int8)
    limits = ctypes.byref(interface.Int8Range(*bounds))
    assert c.ck_load_int8(packed, x.ctypes.data, len(x), X_ZERO, scratch.ctypes.data) == 0
    groups = c.ck_groups(packed)
    for part in ((groups // 2, groups), (0, groups // 2)):
        at = scratch.ctypes.data, len(x), *part, limits, y.ctypes.data
        assert c.ck_run_int8_groups(packed, *at) == 0
    return y


@pytest.mark.parametrize("sparsity", [0.0, 0.9, 1.0])
@pytest.mark.parametrize("shape", SHAPES, ids=lambda shape: f"{shape[0]}x{shape[1]}")
def test_int8_results_are_exact(
    library: KernelLibrary, shape: tuple[int, int], sparsity: float
) -> None:
    rng = np.random.default_rng(0)
    weights = random_weights(rng, *shape, sparsity)
    source = compressed(weights)
    scale = rng.uniform(1e-4, 1e-2, shape[0]).astype(np.float32)
    bias = rng.integers(-20000, 20000, shape[0]).astype(np.int32)
    x = rng.integers(-128, 128, (max(BATCHES), shape[1])).astype(np.int8)
    exact = (x.astype(np.int64) - X_ZERO) @ weights.T.astype(np.int64) + bias
    rounded = np.rint(exact.astype(np.float32) * scale)
    _, checked = csr_status(library, source, shape)
    for kernel in (k for k in library.kernels if k.supported):
        for n, bounds in zip(BATCHES * 2, RANGES * 3, strict=False):
            zero, low, high = bounds
            got = int8_product(library, checked, kernel.number, (scale, bias), x[:n], bounds)
            np.testing.assert_array_equal(got, np.clip(rounded[:n] + zero, low, high))


def test_ties_go_to_the_even_neighbour(library: KernelLibrary) -> None:
    weights = np.ones((16, 1), np.int8)
    source = compressed(weights)
    _, checked = csr_status(library, source, (16, 1))
    vectors = np.full(16, 0.5, np.float32), np.arange(16, dtype=np.int32) - 8
    x = np.full((1, 1), X_ZERO, np.int8)
    for kernel in (k for k in library.kernels if k.supported):
        got = int8_product(library, checked, kernel.number, vectors, x, (0, -128, 127))
        assert got[0].tolist() == [-4, -4, -3, -2, -2, -2, -1, 0, 0, 0, 1, 2, 2, 2, 3, 4]


@pytest.mark.parametrize("sparsity", [0.0, 0.8, 0.97, 1.0])
@pytest.mark.parametrize("shape", SHAPES, ids=lambda shape: f"{shape[0]}x{shape[1]}")
def test_compressed_rows_are_the_matrix(
    library: KernelLibrary, shape: tuple[int, int], sparsity: float
) -> None:
    """Stored zeros change nothing."""
    weights = random_weights(np.random.default_rng(1), *shape, sparsity)
    start, column, value = compressed(np.where(weights == 0, 99, weights).astype(np.int8))
    source = start, column, np.where(value == 99, 0, value).astype(np.int8)
    expected = np.where(weights == 99, 0, weights)
    for given in (source, compressed(expected)):
        text, checked = csr_status(library, given, shape)
        assert text == "ok"
        assert checked.nnz == np.count_nonzero(expected)
        assert checked.live_rows == np.count_nonzero(expected.any(1))
        out = np.empty(shape, np.int8)
        index = np.zeros(shape[0] + 1, np.uint32)
        for row in range(shape[0]):
            library._c.ck_read_row(checked, index.ctypes.data, row, out[row].ctypes.data)
        np.testing.assert_array_equal(out, expected)


@pytest.mark.parametrize(
    ("start", "column", "value", "reason"),
    [
        ([1, 1, 2], [0, 1], [1, 1], "do not follow each other"),
        ([0, 1, 1], [0, 1], [1, 1], "do not follow each other"),
        ([0, 3, 2], [0, 1], [1, 1], "do not follow each other"),
        ([0, -1, 2], [0, 1], [1, 1], "do not follow each other"),
        ([0, 1, 2], [0, 3], [1, 1], "out of range or out of order"),
        ([0, 1, 2], [-1, 1], [1, 1], "out of range or out of order"),
        ([0, 2, 2], [1, 1], [1, 1], "out of range or out of order"),
        ([0, 1, 2], [0, 1], [1, -128], "a weight of -128"),
    ],
)
def test_unsound_rows(
    library: KernelLibrary, start: list[int], column: list[int], value: list[int], reason: str
) -> None:
    source = np.array(start, np.int32), np.array(column, np.int32), np.array(value, np.int8)
    assert reason in csr_status(library, source, (2, 3))[0]


def test_a_matrix_for_floats_gives_no_int8_and_the_other_way_round(library: KernelLibrary) -> None:
    matrix = library.pack(library.weights(np.ones((2, 2), np.int8)), "csr_portable")
    packed, scratch = matrix._packed.ctypes.data, matrix._scratch(1).ctypes.data
    y = np.zeros(2, np.float32)
    limits = interface.Int8Range(0, -128, 127)
    status = library._c.ck_run_int8_groups(packed, scratch, 1, 0, 1, limits, y.ctypes.data)
    assert "out of range" in library._c.ck_status_text(status).decode()
