"""One way for the TFLite tests to run a file: LiteRT with its default delegate."""

from collections.abc import Mapping

import numpy as np
from ai_edge_litert.interpreter import Interpreter


def open_file(data: bytes) -> Interpreter:
    return Interpreter(model_content=data, num_threads=1)


def run(interpreter: Interpreter, inputs: Mapping[str, np.ndarray]) -> dict[str, np.ndarray]:
    """Resize, allocate, set and invoke by signature name."""
    names = interpreter.get_signature_list()["serving_default"]
    signature = interpreter._get_full_signature_list()["serving_default"]
    for name in names["inputs"]:
        interpreter.resize_tensor_input(signature["inputs"][name], inputs[name].shape, strict=True)
    interpreter.allocate_tensors()
    for name in names["inputs"]:
        interpreter.set_tensor(signature["inputs"][name], inputs[name])
    interpreter.invoke()
    return {
        name: interpreter.get_tensor(signature["outputs"][name]).copy() for name in names["outputs"]
    }


def partitions(interpreter: Interpreter) -> int:
    """Pieces of the graph that XNNPACK took."""
    return sum(op["op_name"] == "DELEGATE" for op in interpreter._get_ops_details())
