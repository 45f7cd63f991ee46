"""Layers of files that capexport did not write: what comes out of them with the delegate."""

import platform
from collections.abc import Sequence
from pathlib import Path

import numpy as np
import pytest
from stock_files import NONE, RELU, RELU6, Y_ZERO, Layer, one_layer
from stock_meaning import meaning
from stock_runs import KINDS, Opened, delegated, layer_of, stock, x_of

from capexport.kernels import read_report

SHAPES = ((1, 1), (1, 67), (67, 1), (7, 13), (31, 300), (300, 257))
SPARSITIES = (0.0, 0.5, 0.9, 0.975, 1.0)
BATCHES = (1, 3, 36, 1)
QUANTUM = 1
"""Builtin kernels multiply by an integer and shift, XNNPACK by a float32: a tie may fall apart."""


def assert_exact(layer: Layer, batches: Sequence[int] = BATCHES) -> None:
    """One interpreter for all: a resized graph must be as right as a fresh one."""
    opened = delegated(one_layer(layer))
    for n in batches:
        x = x_of(layer, n)
        (got,) = opened.run(x)
        assert got.shape == (*(x.shape[:-1]), layer.weight.shape[0])
        expected = meaning(layer, x).reshape(got.shape)
        np.testing.assert_array_equal(got, expected, strict=True)


@pytest.mark.parametrize("kind", KINDS, ids="-".join)
@pytest.mark.parametrize("sparsity", SPARSITIES)
@pytest.mark.parametrize(("rows", "columns"), SHAPES)
def test_dense_weights_give_the_oracles_bits(
    rows: int, columns: int, sparsity: float, kind: tuple[str, str]
) -> None:
    assert_exact(layer_of(rows, columns, sparsity, kind))


@pytest.mark.parametrize("stored", ["csr", "densify"])
@pytest.mark.parametrize("kind", KINDS, ids="-".join)
@pytest.mark.parametrize("sparsity", SPARSITIES[:-1])
@pytest.mark.parametrize(("rows", "columns"), SHAPES)
def test_sparse_weights_give_the_oracles_bits(
    rows: int, columns: int, sparsity: float, kind: tuple[str, str], stored: str
) -> None:
    layer = layer_of(rows, columns, sparsity, kind, stored=stored)
    layer.weight[0, 0] = 5  # a constant of no bytes is none for the runtime
    assert_exact(layer)


@pytest.mark.parametrize(
    ("kind", "activation"),
    [(kind, activation) for kind in KINDS for activation in (NONE, RELU)]
    + [(kind, RELU6) for kind in KINDS if kind[1] == "static"],
)
@pytest.mark.parametrize("bias", [False, True])
@pytest.mark.parametrize("per_row", [False, True])
def test_bias_scales_and_activations(
    kind: tuple[str, str], bias: bool, per_row: bool, activation: int
) -> None:
    layer = layer_of(37, 300, 0.9, kind, activation=activation)
    layer.bias = layer.bias if bias or layer.conv else None  # a CONV_2D always has one
    layer.scale = layer.scale if per_row else layer.scale[:1]
    assert_exact(layer)


@pytest.mark.skipif(platform.machine() != "x86_64", reason="docs/decisions/one-arithmetic.md")
@pytest.mark.parametrize("kind", [kind for kind in KINDS if kind[1] == "static"], ids="-".join)
@pytest.mark.parametrize("y_scale", [4.0, 12 / 7, 0.9, 0.02])
def test_the_upper_bound_of_a_relu6_is_that_of_xnnpack(
    kind: tuple[str, str], y_scale: float
) -> None:
    """6 / y scale ends in .5 for the first two, and the zero point is odd."""
    scale = np.full(31, y_scale / 100, np.float32)
    layer = layer_of(31, 300, 0.5, kind, activation=RELU6, y_scale=y_scale, scale=scale)
    x = x_of(layer, 5)
    (ours,), (theirs,) = (f(one_layer(layer)).run(x) for f in (delegated, stock))
    np.testing.assert_array_equal(ours, theirs, strict=True)
    np.testing.assert_array_equal(ours.reshape(-1, 31), meaning(layer, x), strict=True)
    six = min(127, np.rint(6 / y_scale + Y_ZERO))
    assert ours.max() == six


@pytest.mark.skipif(platform.machine() != "x86_64", reason="docs/decisions/one-arithmetic.md")
@pytest.mark.parametrize("kind", KINDS, ids="-".join)
@pytest.mark.parametrize("sparsity", SPARSITIES)
@pytest.mark.parametrize(("rows", "columns"), [(1, 67), (67, 1), (31, 300), (300, 257)])
def test_the_stock_runtime_gives_the_same(
    rows: int, columns: int, sparsity: float, kind: tuple[str, str]
) -> None:
    """Bit for bit as XNNPACK on a CPU with fused multiply-add."""
    layer = layer_of(rows, columns, sparsity, kind)
    ours, theirs = delegated(one_layer(layer)), stock(one_layer(layer))
    for n in (1, 3, 36):
        x = x_of(layer, n)
        np.testing.assert_array_equal(ours.run(x)[0], theirs.run(x)[0], strict=True)


@pytest.mark.parametrize("kind", [("fc", "static"), ("conv", "static")], ids="-".join)
@pytest.mark.parametrize("sparsity", [0.5, 0.9, 0.975])
def test_int8_behind_a_densify_is_within_one_quantum_of_the_builtin_kernel(
    kind: tuple[str, str], sparsity: float
) -> None:
    layer = layer_of(300, 257, sparsity, kind, stored="densify")
    x = x_of(layer, 36)
    (ours,), (theirs,) = (f(one_layer(layer)).run(x) for f in (delegated, stock))
    assert np.abs(ours.astype(int) - theirs).max() <= QUANTUM


def test_compressed_rows_without_a_densify_are_right_only_with_the_delegate() -> None:
    layer = layer_of(37, 300, 0.9, stored="csr")
    x = x_of(layer, 3)
    (wrong,) = stock(one_layer(layer)).run(x)
    assert not np.allclose(wrong, meaning(layer, x), atol=0.5)
    assert_exact(layer)


@pytest.mark.parametrize("kind", KINDS, ids="-".join)
@pytest.mark.parametrize("batches", [(0, 3), (3, 0, 36)])
def test_no_rows_of_x_give_no_rows(kind: tuple[str, str], batches: Sequence[int]) -> None:
    assert_exact(layer_of(31, 300, 0.9, kind), batches)


def test_leading_axes_are_kept_where_the_file_says_so() -> None:
    layer = layer_of(37, 64, 0.9, keep_num_dims=True, x_shape=(1, 1, 64))
    opened = delegated(one_layer(layer))
    for lead in ((1, 1), (3, 7), (1, 36)):
        x = np.random.default_rng(0).normal(size=(*lead, 64)).astype(np.float32)
        (got,) = opened.run(x)
        np.testing.assert_array_equal(got, meaning(layer, x).reshape(*lead, 37), strict=True)


def test_leading_axes_become_one_where_it_does_not() -> None:
    layer = layer_of(37, 64, 0.9, x_shape=(3, 7, 64))
    x = np.random.default_rng(0).normal(size=(3, 7, 64)).astype(np.float32)
    (got,) = delegated(one_layer(layer)).run(x)
    np.testing.assert_array_equal(got, meaning(layer, x), strict=True)


def test_a_row_with_a_nan_is_all_nan_and_spoils_no_other() -> None:
    layer = layer_of(31, 64, 0.9)
    x = x_of(layer, 3)
    x[1, 5] = np.nan
    (got,) = delegated(one_layer(layer)).run(x)
    assert np.isnan(got[1]).all()
    np.testing.assert_array_equal(got[[0, 2]], meaning(layer, x[[0, 2]]))


GOLDEN = Path(__file__).parent / "golden" / "ai_edge_quantizer.npz"
"""A 1x1 CONV_2D and a FULLY_CONNECTED, 90 % zeros, by ai-edge-quantizer 0.10 from random floats."""


@pytest.mark.skipif(platform.machine() != "x86_64", reason="docs/decisions/one-arithmetic.md")
@pytest.mark.parametrize(
    ("recipe", "dtype"), [("dynamic_wi8_afp32", np.float32), ("static_wi8_ai8", np.int8)]
)
def test_files_of_ai_edge_quantizer(recipe: str, dtype: type, tmp_path: Path) -> None:
    with np.load(GOLDEN) as models:
        data = models[recipe].tobytes()
    x = np.random.default_rng(0).normal(0, 40, (1, 6, 1, 96)).astype(dtype)
    opened = Opened(data, {"report": tmp_path / "report"})
    np.testing.assert_array_equal(opened.run(x)[0], stock(data).run(x)[0], strict=True)
    taken = [(line.operator, line.taken) for line in read_report(tmp_path / "report")]
    assert taken == [("CONV_2D", True), ("FULLY_CONNECTED", True)]
