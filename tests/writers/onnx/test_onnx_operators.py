"""Every operator alone, as onnxruntime computes its file, against the numpy meaning."""

import numpy as np
import pytest
from image_operators import FLOAT_IMAGE_CASES

from capexport.ir.graph import Array, Constant, Node
from capexport.ir.ops import OPS
from capexport.spec.signature import Shape, TensorSpec
from capexport.writers.onnx import registered
from tests.writers.onnx.small_graphs import (
    EPS,
    EXACT,
    Tolerance,
    build_graph,
    check_agreement,
    normal,
    quantized,
)

FUNCTION = Tolerance(16 * EPS, 4 * EPS)
"""exp and tanh are polynomials in onnxruntime, good to a few units in the last place."""
POSITIVE = ("log", "sqrt")
"""Operators whose inputs are positive."""
REDUCTION = Tolerance(64 * EPS, 64 * EPS)
"""Sums of up to 64 numbers about 1 in another order."""


def sample(shape: Shape, seed: int, beams: int) -> Array:
    symbols = {"beams": beams, "regions": 7}
    return normal(*(symbols[n] if isinstance(n, str) else n for n in shape), seed=seed)


CASES = [
    ("add", [("beams", 3), ("beams", 3)], {}, EXACT),
    ("add", [("beams", "regions", 7), ("beams", 1, 7)], {}, EXACT),
    ("sub", [("beams", 1), (13,)], {}, EXACT),
    ("mul", [(1, "regions", 11), ("beams", 1, 11)], {}, EXACT),
    ("div", [("beams", 7), ("beams", 1)], {}, EXACT),
    ("maximum", [("beams", 7), (7,)], {}, EXACT),
    ("abs", [("beams", 7)], {}, EXACT),
    ("log", [("regions", "regions", 3)], {}, FUNCTION),
    ("sqrt", [("beams", 1)], {}, EXACT),
    ("sin", [("regions", "regions", 3)], {}, FUNCTION),
    ("cos", [("beams", 31)], {}, FUNCTION),
    ("relu", [("beams", 13)], {}, EXACT),
    ("sigmoid", [("beams", 17)], {}, FUNCTION),
    ("tanh", [("beams", 17)], {}, FUNCTION),
    ("gelu", [("beams", 31)], {"approximate": False}, FUNCTION),
    ("gelu", [("beams", 31)], {"approximate": True}, FUNCTION),
    ("softmax", [("beams", "regions")], {}, REDUCTION),
    ("softmax", [("beams", 1)], {}, REDUCTION),
    ("log_softmax", [("beams", 61)], {}, REDUCTION),
    ("matmul", [("beams", 1, "regions"), (1, "regions", 13)], {}, REDUCTION),
    ("matmul", [("beams", 5), (5, 1)], {}, REDUCTION),
    ("sum", [("beams", "regions", 3)], {"axis": 1}, REDUCTION),
    ("sum", [("beams", "regions", 3)], {"axis": 2}, REDUCTION),
    ("matmul", [("beams", 2, 6), ("beams", 5, 6)], {"transposed": True}, REDUCTION),
    ("matmul", [(2, "beams", 6), (2, "regions", 6)], {"transposed": True}, REDUCTION),
    ("mean", [("beams", "regions", 3)], {"axes": (2,), "keep": True}, REDUCTION),
    ("mean", [("beams", 3)], {"axes": (1,), "keep": False}, REDUCTION),
    ("layer_norm", [("beams", 17), (17,), (17,)], {"epsilon": 1e-5}, REDUCTION),
    ("layer_norm", [("beams", 1), (1,), (1,)], {"epsilon": 1e-5}, REDUCTION),
    ("slice", [("beams", 3, 7)], {"axis": 2, "start": 2, "stop": 7}, EXACT),
    ("slice", [("beams", 3, 7)], {"axis": 1, "start": 0, "stop": 1}, EXACT),
    ("reshape", [("beams", 12)], {"shape": ("beams", 3, 1, 4)}, EXACT),
    ("reshape", [(3, "regions", 4)], {"shape": (12, "regions")}, EXACT),
    ("transpose", [("beams", 3, 5)], {"order": (1, 0, 2)}, EXACT),
    ("transpose", [("regions", "regions", 3)], {"order": (2, 0, 1)}, EXACT),
    ("concat", [("beams", 3), ("beams", 1), ("beams", 7)], {"axis": 1}, EXACT),
    ("concat", [("beams", 3)], {"axis": 1}, EXACT),
    ("split", [("beams", 12)], {"axis": 1, "parts": 4}, EXACT),
    ("split", [("beams", 5)], {"axis": 1, "parts": 1}, EXACT),
    ("unsqueeze", [("beams", 3)], {"axis": 1}, EXACT),
    ("unsqueeze", [("beams", 3)], {"axis": 2}, EXACT),
]


@pytest.mark.parametrize("beams", [1, 5])
@pytest.mark.parametrize(("op", "shapes", "attributes", "tolerance"), CASES)
def test_operator(
    op: str,
    shapes: list[Shape],
    attributes: dict[str, int],
    tolerance: Tolerance,
    beams: int,
) -> None:
    specs = [TensorSpec(f"x{i}", shape) for i, shape in enumerate(shapes)]
    outputs = tuple(f"y{i}" for i in range(attributes.get("parts", 1)))
    node = Node(op, tuple(spec.name for spec in specs), outputs, attributes)
    inputs = {spec.name: sample(spec.shape, i, beams) for i, spec in enumerate(specs)}
    if op in POSITIVE:
        inputs = {name: np.abs(array) for name, array in inputs.items()}
    check_agreement(build_graph(specs, [], [node]), inputs, tolerance)


@pytest.mark.parametrize("sparse", [False, True])
@pytest.mark.parametrize("axis", [None, 0, 1])
@pytest.mark.parametrize("ids", [[0], [6, 0, 3, 6, 2]])
def test_embedding(axis: int | None, sparse: bool, ids: list[int]) -> None:
    table = quantized("table", (7, 5), axis=axis or 0, sparse=sparse)
    if axis is None:
        table = Constant("table", table.dequantized(), sparse=sparse)
    graph = build_graph(
        [TensorSpec("token", ("beams",), "int32")],
        [table],
        [Node("embedding", ("table", "token"), ("rows",))],
    )
    check_agreement(graph, {"token": np.array(ids, np.int32)}, EXACT)


def test_a_quantized_constant_reads_as_real_numbers() -> None:
    graph = build_graph(
        [TensorSpec("x", ("beams", 3))],
        [quantized("offset", (1, 3), axis=1)],
        [Node("add", ("x", "offset"), ("y",))],
    )
    check_agreement(graph, {"x": sample(("beams", 3), 0, 5)}, EXACT)


def test_every_operator_of_the_table_has_a_visitor() -> None:
    assert registered() == set(OPS)


def test_every_operator_of_the_table_is_tested_here_or_elsewhere() -> None:
    elsewhere = {
        "embedding",
        "linear",
        "quantize",
        "dequantize",
        *(case.op for case in FLOAT_IMAGE_CASES),
    }
    assert {case[0] for case in CASES} | elsewhere == set(OPS)
