"""Float in, float out: bit for bit what the graph's own numpy meaning says."""

from concurrent.futures import ThreadPoolExecutor

import numpy as np
import pytest
from numpy.typing import NDArray

from capexport.ir.evaluate import quantize_rows
from capexport.kernels import KernelLibrary
from capexport.kernels.selftest import random_weights

Floats = NDArray[np.float32]
BATCHES = (1, 3, 5, 9, 36, 70)
TINY = np.finfo(np.float32).tiny
SHAPES = [(1, 1), (19, 31), (37, 300), (100, 1009)]


def kernels_here(library: KernelLibrary) -> list[str]:
    return [kernel.name for kernel in library.kernels if kernel.supported]


def linear(x: Floats, weights: NDArray[np.int8], scale: Floats, bias: Floats) -> Floats:
    """As capexport.ir.evaluate: scale and bias of the weights are one fused multiply-add."""
    quantized, x_scale, zero = quantize_rows(x)
    exact = (quantized - zero).astype(np.int64) @ weights.T.astype(np.int64)
    scaled = (exact.astype(np.float32) * x_scale).astype(np.float64)
    return (scaled * scale + bias).astype(np.float32)


def vectors(rng: np.random.Generator, rows: int) -> tuple[Floats, Floats]:
    return rng.random(rows, np.float32) * 0.01, rng.standard_normal(rows, np.float32)


@pytest.mark.parametrize("shape", SHAPES, ids=lambda shape: f"{shape[0]}x{shape[1]}")
@pytest.mark.parametrize("relu", [False, True])
def test_bits_of_the_oracle(library: KernelLibrary, shape: tuple[int, int], relu: bool) -> None:
    rng = np.random.default_rng(0)
    weights = random_weights(rng, *shape, 0.9)
    scale, bias = vectors(rng, shape[0])
    x = rng.standard_normal((max(BATCHES), shape[1]), np.float32) * 3 + 1
    expected = linear(x, weights, scale, bias)
    expected = np.maximum(expected, np.float32(0)) if relu else expected
    for name in kernels_here(library):
        matrix = library.pack(library.weights(weights), name, scale, bias)
        for n in BATCHES:
            np.testing.assert_array_equal(matrix.run(x[:n], relu=relu), expected[:n])


@pytest.mark.parametrize("columns", [1, 7, 8, 9, 15, 31, 32, 33, 255, 256, 257, 1000])
def test_quantized_values(library: KernelLibrary, columns: int) -> None:
    """With the identity as weights the result shows each quantized value."""
    rng = np.random.default_rng(columns)
    rows = [
        rng.standard_normal(columns),
        rng.random(columns) + 5,
        -rng.random(columns) - 5,
        np.zeros(columns),
        np.linspace(-1, 1, columns),
        rng.standard_normal(columns) * 1e30,
        rng.standard_normal(columns) * 1e-30,
        np.full(columns, TINY / 4),
        np.full(columns, -TINY * 255),
        np.full(columns, np.finfo(np.float32).max),
        np.arange(columns) - 0.5,
    ]
    x = np.array(rows, np.float32)
    quantized, scale, zero = quantize_rows(x)
    expected = (quantized - zero).astype(np.float32) * scale
    identity = library.weights(np.eye(columns, dtype=np.int8))
    for name in kernels_here(library):
        np.testing.assert_array_equal(library.pack(identity, name).run(x), expected)


@pytest.mark.parametrize("bad", [np.nan, np.inf, -np.inf])
@pytest.mark.parametrize("relu", [False, True])
def test_what_is_not_finite_spoils_its_row_only(
    library: KernelLibrary, bad: float, relu: bool
) -> None:
    rng = np.random.default_rng(1)
    weights = random_weights(rng, 40, 100, 0.9)
    weights[3] = 0
    for name in kernels_here(library):
        matrix = library.pack(library.weights(weights), name)
        for place in (0, 5, 98, 99):
            x = rng.standard_normal((7, 100), np.float32)
            good = matrix.run(x, relu=relu)
            x[4, place] = bad
            y = matrix.run(x, relu=relu)
            assert np.isnan(y[4]).all()
            rest = np.arange(7) != 4
            np.testing.assert_array_equal(y[rest], good[rest])


def test_parts_give_the_whole(library: KernelLibrary) -> None:
    rng = np.random.default_rng(2)
    weights = random_weights(rng, 333, 200, 0.9)
    scale, bias = vectors(rng, 333)
    for name in kernels_here(library):
        matrix = library.pack(library.weights(weights), name, scale, bias)
        for n in (1, 5, 70):
            x = rng.standard_normal((n, 200), np.float32)
            whole = matrix.run(x)
            for parts in (1, 2, 7, 50):
                np.testing.assert_array_equal(matrix.run_in_parts(x, parts), whole)


def test_threads_share_a_matrix(library: KernelLibrary) -> None:
    rng = np.random.default_rng(3)
    weights = random_weights(rng, 500, 400, 0.9)
    inputs = [rng.standard_normal((1 + i % 9, 400), np.float32) for i in range(40)]
    for name in kernels_here(library):
        matrix = library.pack(library.weights(weights), name)
        alone = [matrix.run(x) for x in inputs]
        with ThreadPoolExecutor(4) as pool:
            for y, expected in zip(pool.map(matrix.run, inputs * 3), alone * 3, strict=True):
                np.testing.assert_array_equal(y, expected)
