"""int8 weights: error bounds, zeros, grids that must not move."""

import numpy as np
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st
from hypothesis.extra import numpy as hnp

from capexport.compress import RECIPES, apply_recipe, parse_recipes
from capexport.compress.compact_rows import LEAST_ROWS, LEAST_ZEROS
from capexport.compress.rows import PEAK, quantize_rows
from capexport.errors import GraphError, InputError
from capexport.ir.graph import Constant, Graph, Node
from capexport.ir.ops import DYNAMIC, FLOAT
from capexport.kernels.cksb.row_floats import codes_from, codes_of, round_bias, scales_of
from capexport.spec.signature import TensorSpec

matrices = hnp.arrays(
    np.float32,
    hnp.array_shapes(min_dims=2, max_dims=2, max_side=20),
    elements=st.one_of(st.just(0.0), st.floats(-8, 8, width=32, allow_subnormal=False)),
)


@given(matrices)
def test_error_is_at_most_half_a_step_and_zeros_stay(weight: np.ndarray) -> None:
    quantized = quantize_rows(Constant("w", weight))
    scale = quantized.quantization.scale[:, None]
    assert np.abs(quantized.data).max() <= PEAK
    assert (quantized.data[weight == 0] == 0).all()
    assert (np.abs(quantized.dequantized() - weight) <= scale * (0.5 + 1e-4)).all()


@settings(max_examples=50)
@given(st.integers(0, 2**32 - 1), st.integers(1, PEAK), st.floats(2**-13, 8, width=32))
def test_a_row_on_an_int8_grid_is_kept_bit_for_bit(seed: int, peak: int, step: float) -> None:
    rng = np.random.default_rng(seed)
    steps = rng.integers(-peak, peak + 1, (4, 30)) * (rng.random((4, 30)) < 0.4)
    steps[:, 0] = peak
    weight = steps.astype(np.float32) * np.float32(step)
    quantized = quantize_rows(Constant("w", weight))
    np.testing.assert_array_equal(quantized.dequantized(), weight)


@pytest.mark.parametrize("rows", [1, 7])
def test_empty_rows_get_scale_one(rows: int) -> None:
    quantized = quantize_rows(Constant("w", np.zeros((rows, 5), np.float32)))
    np.testing.assert_array_equal(quantized.quantization.scale, 1)
    assert quantized.nnz == 0


def test_an_infinite_weight_is_refused() -> None:
    with pytest.raises(GraphError, match="not a finite number"):
        quantize_rows(Constant("w", np.array([[1, np.inf]], np.float32)))


# ---- very sparse weights


def sparse(rows: int, columns: int, zeros: float, seed: int = 0) -> np.ndarray:
    rng = np.random.default_rng(seed)
    kept = rng.random((rows, columns)) >= zeros
    return (rng.normal(size=(rows, columns)) * kept).astype(np.float32)


@pytest.mark.parametrize("shape", [(192, 1009), (211, 509), (300, 257), (192, 60000)])
def test_very_sparse_rows_have_scales_on_the_logarithmic_grid(shape: tuple[int, int]) -> None:
    """And the finest of an octave for long rows, none worse than half a step off."""
    weight = sparse(*shape, zeros=0.993)
    weight[0, 0] = 1
    quantized = quantize_rows(Constant("w", weight))
    live, scale = weight.any(axis=1), quantized.quantization.scale
    codes = codes_of(scale[live])
    assert codes is not None
    assert (scale[~live] == 1).all()
    peak = np.abs(weight).max(axis=1)[live] / scale[live]
    assert (peak > PEAK / 2).all()
    assert (peak <= PEAK + 0.5).all()
    steps = np.abs(quantized.data).max(axis=1)[live]
    assert (steps <= PEAK).all()
    assert (np.abs(quantized.dequantized() - weight) <= scale[:, None] * (0.5 + 1e-4)).all()
    assert (quantized.data[weight == 0] == 0).all()
    if shape[1] == 60000:
        assert (peak > PEAK / 2 ** (1 / 16) - 1).all()


def test_the_scale_of_a_very_sparse_row_is_the_best_of_its_octave() -> None:
    weight = sparse(LEAST_ROWS, 300, zeros=0.993)
    quantized = quantize_rows(Constant("w", weight))
    for row, kept in zip(weight, quantized.dequantized(), strict=True):
        codes = codes_from(np.array([np.abs(row).max(initial=1e-3) / (PEAK + 0.5)], np.float32))
        errors = [
            np.square(row - np.rint(row / scale) * scale).sum()
            for scale in scales_of(codes + np.arange(16))
        ]
        assert np.square(row - kept).sum() == pytest.approx(min(errors), rel=1e-3, abs=1e-12)


@pytest.mark.parametrize(
    ("share", "rows"),
    [(LEAST_ZEROS - 0.005, 200), (LEAST_ZEROS, 200), (LEAST_ZEROS, LEAST_ROWS - 1)],
)
def test_the_limits_of_zeros_and_rows_decide(share: float, rows: int) -> None:
    weight = np.zeros((rows, 200), np.float32)
    count = round((1 - share) * weight.size)
    weight.reshape(-1)[:count] = np.random.default_rng(0).normal(size=count)
    scale = quantize_rows(Constant("w", weight)).quantization.scale
    compact = share >= LEAST_ZEROS and rows >= LEAST_ROWS
    assert (codes_of(scale[:1]) is not None) == compact


def test_a_very_sparse_matrix_that_was_trained_on_a_grid_keeps_it() -> None:
    rng = np.random.default_rng(0)
    steps = rng.integers(-PEAK, PEAK + 1, (200, 600)) * (rng.random((200, 600)) < 0.008)
    steps[:, 0] = PEAK
    weight = steps.astype(np.float32) * rng.uniform(0.01, 0.03, (200, 1)).astype(np.float32)
    quantized = quantize_rows(Constant("w", weight))
    np.testing.assert_array_equal(quantized.dequantized(), weight)


@pytest.mark.parametrize("recipe", ["dynamic_wi8", "weight_only_wi8", "fp32"])
def test_biases_of_very_sparse_weights_have_twelve_bits(recipe: str) -> None:
    """Those of others stay, as does everything without a recipe."""
    bias = np.random.default_rng(0).normal(size=200).astype(np.float32)
    nodes = (
        Node("linear", ("x", "sparse", "b0"), ("y",), {"activations": FLOAT, "relu": False}),
        Node("linear", ("x", "dense", "b1"), ("z",), {"activations": FLOAT, "relu": False}),
    )
    arrays = {"sparse": sparse(200, 300, 0.993), "dense": sparse(200, 300, 0.5)}
    constants = {n: Constant(n, a) for n, a in {**arrays, "b0": bias, "b1": bias}.items()}
    specs = [TensorSpec("x", ("n", 300)), TensorSpec("y", ("n", 200)), TensorSpec("z", ("n", 200))]
    graph = Graph("g", ("x",), ("y", "z"), nodes, {s.name: s for s in specs}, constants)
    small = apply_recipe(graph, RECIPES[recipe])
    expected = bias if recipe == "fp32" else round_bias(bias)
    np.testing.assert_array_equal(small.constants["b0"].data, expected)
    np.testing.assert_array_equal(small.constants["b1"].data, bias)


# ---- graphs


def small_graph() -> Graph:
    nodes = (
        Node("embedding", ("table", "token"), ("e",)),
        Node("linear", ("e", "w", "b"), ("y",), {"activations": FLOAT, "relu": False}),
        Node("mul", ("y", "v"), ("z",)),
    )
    ones = {"table": (4, 3), "w": (2, 3), "b": (2,), "v": (2,)}
    constants = {n: Constant(n, np.ones(s, np.float32)) for n, s in ones.items()}
    specs = [TensorSpec("token", ("n",), "int32"), TensorSpec("e", ("n", 3))]
    specs += [TensorSpec("y", ("n", 2)), TensorSpec("z", ("n", 2))]
    return Graph("g", ("token",), ("z",), nodes, {s.name: s for s in specs}, constants)


def test_recipes_take_matrices_of_linears_and_embeddings_only() -> None:
    graph = apply_recipe(small_graph(), RECIPES["dynamic_wi8"])
    assert {n: c.dtype for n, c in graph.constants.items()} == {
        "table": "int8",
        "w": "int8",
        "b": "float32",
        "v": "float32",
    }
    assert graph.nodes[1].attributes["activations"] == DYNAMIC


def test_weight_only_leaves_activations_float() -> None:
    graph = apply_recipe(small_graph(), RECIPES["weight_only_wi8"])
    assert graph.constants["w"].dtype == "int8"
    assert graph.nodes[1].attributes["activations"] == FLOAT


def test_fp32_changes_nothing() -> None:
    graph = small_graph()
    assert apply_recipe(graph, RECIPES["fp32"]) is graph


def test_recipes_may_differ_per_part() -> None:
    both = parse_recipes("encoder=fp32,decoder=dynamic_wi8")
    assert {part: recipe.name for part, recipe in both.items()} == {
        "encoder": "fp32",
        "decoder": "dynamic_wi8",
    }


@pytest.mark.parametrize(
    "text",
    [
        "int8",
        "encoder=fp32",
        "encoder=fp32,decoder=int8",
        "encoder=fp32,decoder=fp32,dynamic_wi8",
        "encoder=fp32,encoder=dynamic_wi8,decoder=fp32",
        "encoder=fp32,decoder=fp32,",
        "",
    ],
)
def test_unknown_recipes_are_refused(text: str) -> None:
    with pytest.raises(InputError):
        parse_recipes(text)
