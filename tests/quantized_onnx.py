"""Unchanged files of onnxruntime.quantization.quantize_dynamic, with and without our provider."""

from pathlib import Path
from typing import Any

import onnx
import onnxruntime
from onnx import TensorProto, helper, numpy_helper
from onnxruntime.quantization import QuantType, quantize_dynamic

from capexport.ir.graph import Array
from capexport.kernels.build import build

PROVIDER = "CapexportSparse"


def quantized(
    weights: dict[str, Array],
    folder: Path,
    weight_type: QuantType = QuantType.QInt8,
    **options: Any,
) -> bytes:
    """A chain of x @ w, one node per float weight [k, m] by its name, quantized by the tool."""
    names = ["x", *(f"{name}_out" for name in list(weights)[:-1]), "y"]
    nodes = [
        helper.make_node("MatMul", [names[i], name], [names[i + 1]], name)
        for i, name in enumerate(weights)
    ]
    first, *_, last = [*weights.values()] * 2
    graph = helper.make_graph(
        nodes,
        "chain",
        [helper.make_tensor_value_info("x", TensorProto.FLOAT, ["n", first.shape[0]])],
        [helper.make_tensor_value_info("y", TensorProto.FLOAT, ["n", last.shape[1]])],
        [numpy_helper.from_array(array, name) for name, array in weights.items()],
    )
    model = helper.make_model(graph, opset_imports=[helper.make_opsetid("", 17)], ir_version=9)
    source, target = folder / "float.onnx", folder / "int8.onnx"
    onnx.save(model, source)
    quantize_dynamic(source, target, weight_type=weight_type, **options)
    return target.read_bytes()


def devices() -> list[Any]:
    """Those of our provider, which is registered when it is first asked for."""
    found = [d for d in onnxruntime.get_ep_devices() if d.ep_name == PROVIDER]
    if not found:
        library = str(build(product="onnxruntime"))
        onnxruntime.register_execution_provider_library("capexport", library)
        found = [d for d in onnxruntime.get_ep_devices() if d.ep_name == PROVIDER]
    return found[:1]


def open_sparse(model: bytes, options: Any = None, **provider_options: str) -> Any:
    """A session with our provider before the CPU's, which alone must not pass for it."""
    options = options or session_options()
    options.add_provider_for_devices(devices(), provider_options)
    return onnxruntime.InferenceSession(model, options, enable_fallback=0)


def open_stock(model: bytes) -> Any:
    return onnxruntime.InferenceSession(
        model, session_options(), providers=["CPUExecutionProvider"]
    )


def session_options() -> Any:
    options = onnxruntime.SessionOptions()
    options.intra_op_num_threads = 1
    return options
