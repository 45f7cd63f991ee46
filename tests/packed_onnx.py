"""Models of capexport's own ONNX operators, and sessions with the library that runs them."""

from collections.abc import Mapping
from typing import Any

import onnx
import onnxruntime
from onnx import TensorProto, helper, numpy_helper

from capexport.ir.graph import Array
from capexport.kernels.build import build

DOMAIN = "capexport"
INPUT_TYPES = {
    "weight": TensorProto.UINT8,
    "scale": TensorProto.FLOAT,
    "bias": TensorProto.FLOAT,
}


def open_packed(model: bytes, threads: int = 1) -> Any:
    """A session; `threads` share the work of one call."""
    options = onnxruntime.SessionOptions()
    options.intra_op_num_threads = threads
    options.log_severity_level = 4  # what the tests provoke is raised as well
    options.register_custom_ops_library(str(build(product="onnxruntime")))
    return onnxruntime.InferenceSession(model, options, providers=["CPUExecutionProvider"])


def run(session: Any, inputs: Mapping[str, Array]) -> Array:
    """The one output."""
    (output,) = session.run(None, dict(inputs))
    return output


def one_node(
    op: str, first: int, constants: Mapping[str, Array | None], **attributes: int
) -> bytes:
    """A model of one node, "layer": input x of element type `first` and of any shape, then
    constants. One that is None becomes an input of the session instead."""
    values = {"x": first}
    values |= {name: INPUT_TYPES[name] for name, array in constants.items() if array is None}
    graph = helper.make_graph(
        [helper.make_node(op, ["x", *constants], ["y"], "layer", domain=DOMAIN, **attributes)],
        "one_node",
        [helper.make_tensor_value_info(name, kind, None) for name, kind in values.items()],
        [helper.make_tensor_value_info("y", TensorProto.FLOAT, None)],
        [numpy_helper.from_array(a, name) for name, a in constants.items() if a is not None],
    )
    opsets = [helper.make_opsetid("", 20), helper.make_opsetid(DOMAIN, 1)]
    model: onnx.ModelProto = helper.make_model(graph, opset_imports=opsets, ir_version=9)
    serialized: bytes = model.SerializeToString()
    return serialized
