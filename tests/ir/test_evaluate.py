"""The oracle itself: dynamic quantization against its definition, float operators against torch."""

import numpy as np
import pytest
import torch
from hypothesis import given
from hypothesis import strategies as st
from hypothesis.extra import numpy as hnp

from capexport.errors import GraphError
from capexport.ir.evaluate import evaluate, quantize_rows
from capexport.ir.graph import Constant, Graph, Node, QuantParams
from capexport.ir.ops import DYNAMIC
from capexport.spec.signature import TensorSpec

EPS = float(np.finfo(np.float32).eps)

rows = hnp.arrays(
    np.float32,
    hnp.array_shapes(min_dims=2, max_dims=2, max_side=9),
    elements=st.floats(-1e4, 1e4, width=32),
)


@given(rows)
def test_dynamic_rows_are_within_half_a_step(x: np.ndarray) -> None:
    quantized, scale, zero = quantize_rows(x)
    assert quantized.min() >= -128
    assert quantized.max() <= 127
    # Half a step from rounding the value, half a step from rounding the zero point at the ends.
    error = np.abs((quantized - zero) * scale.astype(np.float64) - x)
    assert (error <= scale * (1 + 300 * EPS)).all()


@given(rows)
def test_zero_is_exact_in_every_row(x: np.ndarray) -> None:
    x[:, 0] = 0
    quantized, _, zero = quantize_rows(x)
    np.testing.assert_array_equal(quantized[:, :1], zero)


def test_a_row_of_zeros_has_scale_one() -> None:
    quantized, scale, zero = quantize_rows(np.zeros((2, 3), np.float32))
    np.testing.assert_array_equal(scale, 1)
    np.testing.assert_array_equal(quantized, np.broadcast_to(zero, (2, 3)))


def linear_graph(constant: Constant, bias: np.ndarray | None, **attributes: object) -> Graph:
    constants = {"w": constant}
    if bias is not None:
        constants["b"] = Constant("b", bias)
    values = {
        "x": TensorSpec("x", ("n", constant.shape[1])),
        "y": TensorSpec("y", ("n", constant.shape[0])),
    }
    inputs = ("x", "w") if bias is None else ("x", "w", "b")
    return Graph(
        "g", ("x",), ("y",), (Node("linear", inputs, ("y",), attributes),), values, constants
    )


def test_dynamic_linear_is_the_product_of_the_rounded_factors() -> None:
    rng = np.random.default_rng(0)
    x = rng.normal(size=(3, 7)).astype(np.float32)
    weight = rng.integers(-127, 128, (5, 7)).astype(np.int8)
    scale = rng.uniform(0.01, 0.1, 5).astype(np.float32)
    bias = rng.normal(size=5).astype(np.float32)
    graph = linear_graph(
        Constant("w", weight, QuantParams(scale)), bias, activations=DYNAMIC, relu=False
    )
    quantized, steps, zero = quantize_rows(x)
    expected = ((quantized - zero) * steps.astype(np.float64)) @ (weight * scale[:, None]).T + bias
    np.testing.assert_allclose(evaluate(graph, {"x": x})["y"], expected, rtol=20 * EPS, atol=1e-5)


def test_dynamic_activations_need_an_int8_weight() -> None:
    graph = linear_graph(
        Constant("w", np.ones((2, 3), np.float32)), None, activations=DYNAMIC, relu=False
    )
    with pytest.raises(GraphError, match="float weight"):
        evaluate(graph, {"x": np.ones((1, 3), np.float32)})


@pytest.mark.parametrize("op", ["relu", "sigmoid", "tanh", "softmax", "log_softmax"])
def test_unary_operators_are_torchs(op: str) -> None:
    x = np.random.default_rng(1).normal(0, 5, (4, 11)).astype(np.float32)
    spec = TensorSpec("x", (4, 11))
    values = {"x": spec, "y": TensorSpec("y", (4, 11))}
    graph = Graph("g", ("x",), ("y",), (Node(op, ("x",), ("y",)),), values, {})
    axis = {"dim": -1} if "softmax" in op else {}
    expected = getattr(torch, op)(torch.from_numpy(x), **axis).numpy()
    np.testing.assert_allclose(evaluate(graph, {"x": x})["y"], expected, rtol=40 * EPS, atol=EPS)
