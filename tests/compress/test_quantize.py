"""int8 weights: error bounds, zeros, grids that must not move."""

import numpy as np
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st
from hypothesis.extra import numpy as hnp

from capexport.compress import RECIPES, apply_recipe, parse_recipes
from capexport.compress.rows import PEAK, quantize_rows
from capexport.errors import GraphError, InputError
from capexport.ir.graph import Constant, Graph, Node
from capexport.ir.ops import DYNAMIC, FLOAT
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
