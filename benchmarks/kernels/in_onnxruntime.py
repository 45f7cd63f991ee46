"""Products inside ONNX Runtime: its own int8 operator, our dense graph, fp32, our operator."""

from collections.abc import Callable, Sequence

import numpy as np
import onnxruntime
from onnx import TensorProto, ValueInfoProto, helper, numpy_helper

from benchmarks.kernels.graphs import float_products, inputs_of, packed_products, products
from capexport.ir.graph import Constant
from capexport.kernels.build import build
from capexport.writers import onnx

Weights = Sequence[Constant]


def rows_int8(weights: Weights, batch: int) -> Callable[[], object]:
    """What capexport writes for dense weights: standard operators, a range per row of x."""
    return _opened(onnx.write(products(weights, batch)), weights, batch)


def fp32(weights: Weights, batch: int) -> Callable[[], object]:
    """MatMul and Add."""
    return _opened(onnx.write(float_products(weights, batch)), weights, batch)


def packed(weights: Weights, batch: int) -> Callable[[], object]:
    """The project's operator."""
    library = str(build(product="onnxruntime"))
    return _opened(onnx.write(packed_products(weights, batch)), weights, batch, library)


def fused_int8(weights: Weights, batch: int) -> Callable[[], object]:
    """DynamicQuantizeMatMul, the fused operator of onnxruntime: one range for all rows of x."""
    nodes, constants, inputs, outputs = [], {}, [], []
    for i, weight in enumerate(weights):
        rows, columns = weight.shape
        assert weight.quantization is not None
        constants[f"w{i}"] = np.ascontiguousarray(weight.data.T)
        constants[f"s{i}"] = weight.quantization.scale
        constants[f"z{i}"] = np.zeros(rows, np.int8)
        constants[f"b{i}"] = np.linspace(-1, 1, rows, dtype=np.float32)
        names = [f"{letter}{i}" for letter in "xwszb"]
        nodes.append(
            helper.make_node("DynamicQuantizeMatMul", names, [f"y{i}"], domain="com.microsoft")
        )
        inputs.append(_value(f"x{i}", batch, columns))
        outputs.append(_value(f"y{i}", batch, rows))
    initializers = [numpy_helper.from_array(array, name) for name, array in constants.items()]
    graph = helper.make_graph(nodes, "fused", inputs, outputs, initializers)
    opsets = [helper.make_opsetid("", 20), helper.make_opsetid("com.microsoft", 1)]
    model = helper.make_model(graph, opset_imports=opsets, ir_version=9)
    return _opened(model.SerializeToString(), weights, batch)


def _value(name: str, *shape: int) -> ValueInfoProto:
    return helper.make_tensor_value_info(name, TensorProto.FLOAT, shape)


def _opened(
    model: bytes, weights: Weights, batch: int, library: str | None = None
) -> Callable[[], object]:
    options = onnxruntime.SessionOptions()
    options.intra_op_num_threads = options.inter_op_num_threads = 1
    if library:
        options.register_custom_ops_library(library)
    session = onnxruntime.InferenceSession(model, options, providers=["CPUExecutionProvider"])
    binding = session.io_binding()
    for i, (weight, x) in enumerate(zip(weights, inputs_of(weights, batch), strict=True)):
        y = np.zeros((batch, weight.shape[0]), np.float32)
        binding.bind_ortvalue_input(f"x{i}", onnxruntime.OrtValue.ortvalue_from_numpy(x))
        binding.bind_ortvalue_output(f"y{i}", onnxruntime.OrtValue.ortvalue_from_numpy(y))
    return lambda: session.run_with_iobinding(binding)
