"""Small IR graphs for the tests of the ONNX writer, and their files held against the oracle."""

from collections.abc import Mapping, Sequence
from pathlib import Path
from typing import NamedTuple

import numpy as np
import onnx
import onnxruntime

from capexport.ir.evaluate import evaluate
from capexport.ir.graph import Array, Constant, Graph, Node, QuantParams
from capexport.ir.ops import infer_shapes
from capexport.spec.signature import Shape, TensorSpec
from capexport.writers.onnx import write


class Tolerance(NamedTuple):
    """|got - expected| <= absolute + relative * |expected|."""

    relative: float
    absolute: float


EPS = float(np.finfo(np.float32).eps)
EXACT = Tolerance(0, 0)


def build_graph(
    inputs: Sequence[TensorSpec], constants: Sequence[Constant], nodes: Sequence[Node]
) -> Graph:
    """A graph of these nodes; its outputs are what the last node writes."""
    values = {spec.name: spec for spec in inputs}
    shapes: dict[str, Shape] = {spec.name: spec.shape for spec in inputs}
    shapes |= {constant.name: constant.shape for constant in constants}
    for node in nodes:
        inferred = infer_shapes(node, [shapes[name] for name in node.inputs if name])
        for name, shape in zip(node.outputs, inferred, strict=True):
            shapes[name], values[name] = shape, TensorSpec(name, shape)
    return Graph(
        name="small",
        inputs=tuple(spec.name for spec in inputs),
        outputs=nodes[-1].outputs,
        nodes=tuple(nodes),
        values=values,
        constants={constant.name: constant for constant in constants},
    )


def run_model(model: bytes, inputs: Mapping[str, Array]) -> dict[str, Array]:
    session = onnxruntime.InferenceSession(model, providers=["CPUExecutionProvider"])
    names = [output.name for output in session.get_outputs()]
    return dict(zip(names, session.run(names, dict(inputs)), strict=True))


def check_agreement(graph: Graph, inputs: Mapping[str, Array], tolerance: Tolerance) -> None:
    """The written file passes the checker and computes what the graph means."""
    model = write(graph)
    onnx.checker.check_model(onnx.load_from_string(model), full_check=True)
    expected, got = evaluate(graph, inputs), run_model(model, inputs)
    assert list(got) == list(graph.outputs)
    for name, array in expected.items():
        assert_close(got[name], array, tolerance)


def assert_close(got: Array, expected: Array, tolerance: Tolerance) -> None:
    assert got.shape == expected.shape
    relative, absolute = tolerance
    np.testing.assert_allclose(got, expected, rtol=relative, atol=absolute)


def optimized_ops(model: bytes, folder: Path) -> list[str]:
    """Operators that are left when onnxruntime has prepared a session."""
    options = onnxruntime.SessionOptions()
    options.optimized_model_filepath = str(folder / "optimized.onnx")
    options.log_severity_level = 3  # it warns that such a file is for this machine only
    onnxruntime.InferenceSession(model, options, providers=["CPUExecutionProvider"])
    return [node.op_type for node in onnx.load(folder / "optimized.onnx").graph.node]


def quantized(
    name: str, shape: tuple[int, ...], *, axis: int = 0, zeros: float = 0.5, sparse: bool = False
) -> Constant:
    """A random int8 constant; `zeros` is the fraction of its elements that are zero."""
    rng = np.random.default_rng(len(name) + sum(shape))
    data = rng.integers(-127, 128, shape).astype(np.int8)
    data[rng.random(shape) < zeros] = 0
    scale = rng.uniform(1e-3, 1e-2, shape[axis]).astype(np.float32)
    return Constant(name, data, QuantParams(scale, axis), sparse)


def normal(*shape: int, seed: int = 0) -> Array:
    return np.random.default_rng(seed).standard_normal(shape).astype(np.float32)
