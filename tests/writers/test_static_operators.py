"""Each int8 operator between its borders, in both runtimes, against the oracle: one step apart."""

import numpy as np
import onnxruntime
import pytest
from litert_files import open_file, run

from capexport.ir.evaluate import evaluate
from capexport.ir.graph import Array, Constant, Graph, Node, QuantParams, TensorQuantization
from capexport.ir.ops import infer_shapes
from capexport.spec.signature import TensorSpec
from capexport.writers import onnx, tflite

ONE_STEP = 1.001
"""Of the output's scale; the float32 in which it is measured rounds too."""
FEW, SIXTHS = 0.02, 1 / 6
"""Most of the numbers that may be one step apart. A mean of six is a tie one time in six, which
LiteRT rounds away from zero and onnxruntime to the even step."""
WIDE = TensorQuantization(0.0371, -9)
POSITIVE = TensorQuantization(0.0213, -128)
NARROW = TensorQuantization(0.0119, 31)
WINDOW = {"window": (3, 2), "stride": (2, 1), "channel_axis": 1}
CASES = {
    "add": ("add", [WIDE, POSITIVE], NARROW, {}),
    "add saturating": ("add", [POSITIVE, POSITIVE], NARROW, {}),
    "sub": ("sub", [WIDE, POSITIVE], WIDE, {}),
    "mul": ("mul", [WIDE, POSITIVE], WIDE, {}),
    "mul rescaled by more than 1": (
        "mul",
        [TensorQuantization(0.5, 3), TensorQuantization(0.25, -7)],
        TensorQuantization(0.1, 0),
        {},
    ),
    "relu": ("relu", [WIDE], POSITIVE, {}),
    "relu6": ("relu6", [WIDE], TensorQuantization(6 / 255, -128), {}),
    "mean": ("mean", [WIDE], NARROW, {"axes": (2, 3), "keep": True}),
    "max_pool2d": ("max_pool2d", [WIDE], WIDE, {**WINDOW, "padding": ((0, 0), (0, 0))}),
    "max_pool2d padded": ("max_pool2d", [WIDE], WIDE, {**WINDOW, "padding": ((2, 1), (1, 0))}),
    "avg_pool2d": ("avg_pool2d", [WIDE], WIDE, {**WINDOW, "padding": ((0, 0), (0, 0))}),
    "concat": ("concat", [WIDE, WIDE, WIDE], WIDE, {"axis": 1}),
    "pad": ("pad", [WIDE], WIDE, {"padding": ((0, 0), (0, 0), (1, 2), (0, 1)), "value": 0.0}),
    "reshape": ("reshape", [WIDE], WIDE, {"shape": (1, 35, 13, 1)}),
    "transpose": ("transpose", [WIDE], WIDE, {"order": (0, 3, 1, 2)}),
}
SHAPE = (1, 5, 7, 13)


def static_graph(name: str) -> Graph:
    op, meanings, result, attributes = CASES[name]
    inputs = [f"x{i}" for i in range(len(meanings))]
    node = Node(op, tuple(f"{x}.int8" for x in inputs), ("y.int8",), attributes)
    (shape,) = infer_shapes(node, [SHAPE] * len(inputs))
    nodes = [*(Node("quantize", (x,), (f"{x}.int8",)) for x in inputs), node]
    nodes.append(Node("dequantize", ("y.int8",), ("y",)))
    values = {x: TensorSpec(x, SHAPE) for x in inputs}
    values |= {f"{x}.int8": TensorSpec(f"{x}.int8", SHAPE, "int8") for x in inputs}
    values |= {"y.int8": TensorSpec("y.int8", shape, "int8"), "y": TensorSpec("y", shape)}
    quantization = {f"{x}.int8": meaning for x, meaning in zip(inputs, meanings, strict=True)}
    return Graph(
        op, tuple(inputs), ("y",), tuple(nodes), values, {}, {**quantization, "y.int8": result}
    )


def check(graph: Graph, step: float, most_apart: float) -> None:
    rng = np.random.default_rng(3)
    inputs: dict[str, Array] = {
        name: rng.normal(0, 2, SHAPE).astype(np.float32) for name in graph.inputs
    }
    expected = evaluate(graph, inputs)["y"]
    session = onnxruntime.InferenceSession(onnx.write(graph), providers=["CPUExecutionProvider"])
    for got in (run(open_file(tflite.write(graph)), inputs)["y"], session.run(["y"], inputs)[0]):
        np.testing.assert_allclose(got, expected, rtol=0, atol=ONE_STEP * step)
        assert np.count_nonzero(np.abs(got - expected) > step / 2) <= most_apart * got.size


@pytest.mark.parametrize("name", CASES)
def test_operator(name: str) -> None:
    check(static_graph(name), CASES[name][2].scale, SIXTHS if name == "avg_pool2d" else FEW)


@pytest.mark.parametrize("op", ["add", "mul"])
def test_operator_with_a_constant(op: str) -> None:
    graph = static_graph(f"{op}")
    constant = Constant("c", np.array([127], np.int8), QuantParams(np.array([3 / 127], np.float32)))
    nodes = (
        Node("quantize", ("x0",), ("x0.int8",)),
        Node(op, ("x0.int8", "c"), ("y.int8",)),
        Node("dequantize", ("y.int8",), ("y",)),
    )
    values = {name: spec for name, spec in graph.values.items() if not name.startswith("x1")}
    quantization = {name: graph.quantization[name] for name in ("x0.int8", "y.int8")}
    small = Graph(op, ("x0",), ("y",), nodes, values, {"c": constant}, quantization)
    check(small, quantization["y.int8"].scale, FEW)
