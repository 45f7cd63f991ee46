"""Image operators as files of their own, in LiteRT and onnxruntime, against the numpy oracle."""

import numpy as np
import onnxruntime
import pytest
from image_operators import CONVOLUTIONS, FLOAT_IMAGE_CASES, convolution
from litert_files import open_file, run
from one_op import AXES, Case

from capexport.errors import UnsupportedError
from capexport.ir.evaluate import evaluate
from capexport.ir.graph import Graph
from capexport.writers import onnx, tflite

TOLERANCE = 300 * float(np.finfo(np.float32).eps)
"""Relative to the largest output: sums of up to 147 products in another order."""


def in_litert(graph: Graph, inputs: dict[str, np.ndarray]) -> dict[str, np.ndarray]:
    return run(open_file(tflite.write(graph)), inputs)


def in_onnxruntime(graph: Graph, inputs: dict[str, np.ndarray]) -> dict[str, np.ndarray]:
    session = onnxruntime.InferenceSession(onnx.write(graph), providers=["CPUExecutionProvider"])
    return dict(zip(graph.outputs, session.run(list(graph.outputs), inputs), strict=True))


@pytest.mark.parametrize("execute", [in_litert, in_onnxruntime])
@pytest.mark.parametrize("case", FLOAT_IMAGE_CASES, ids=str)
def test_operator(case: Case, execute) -> None:
    graph = case.graph()
    for axes in AXES if "regions" in str(case) else AXES[:1]:
        inputs = case.inputs(axes)
        got = execute(graph, inputs)
        for name, array in evaluate(graph, inputs).items():
            bound = TOLERANCE * max(1.0, float(np.abs(array).max()))
            np.testing.assert_allclose(got[name], array, rtol=0, atol=bound)


def operators(graph: Graph) -> list[str]:
    interpreter = open_file(tflite.write(graph))
    interpreter.allocate_tensors()
    return [op["op_name"] for op in interpreter._get_ops_details() if op["op_name"] != "DELEGATE"]


@pytest.mark.parametrize(
    ("height", "padding", "explicit"),
    [
        (8, (0, 1), False),  # SAME of an even size
        (7, (1, 1), False),  # SAME of an odd one
        (8, (0, 0), False),  # VALID
        (8, (1, 1), True),
        (7, (2, 1), True),
        (7, (0, 1), False),  # no window reaches the end
    ],
)
def test_only_what_tflite_has_no_name_for_is_padded_apart(
    height: int, padding: tuple[int, int], explicit: bool
) -> None:
    graph = convolution((height, height), (3, 8), (3, 3), 2, (padding, padding)).graph()
    found = operators(graph)
    assert ("PAD" in found) is explicit
    assert "CONV_2D" in found


def test_every_convolution_case_is_one_convolution() -> None:
    for case in CONVOLUTIONS[:20]:
        found = operators(case.graph())
        assert sum(name in ("CONV_2D", "DEPTHWISE_CONV_2D") for name in found) == 1
        assert "RELU6" not in found


def test_an_average_that_tflite_cannot_pad_is_refused() -> None:
    attributes = {"window": (3, 3), "stride": (2, 2), "padding": ((1, 0), (0, 0))}
    case = Case("avg_pool2d", ((1, 5, 8, 8),), {**attributes, "channel_axis": 1})
    with pytest.raises(UnsupportedError, match="does not count its padding"):
        tflite.write(case.graph())
    onnx.write(case.graph())
