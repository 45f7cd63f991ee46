"""Products inside LiteRT: dense int8 and int4 by XNNPACK, sparse by the project's delegate."""

from collections.abc import Callable, Sequence
from typing import Any

import flatbuffers
import numpy as np
from ai_edge_litert import schema_py_generated as schema
from ai_edge_litert.interpreter import Interpreter, load_delegate

from benchmarks.kernels.graphs import inputs_of, packed_products, products
from capexport.ir.graph import Array, Constant
from capexport.kernels import litert_delegate
from capexport.kernels.build import build
from capexport.writers import tflite
from capexport.writers.tflite.model import AlignedBuffer

Weights = Sequence[Constant]
FULL_INT8_VERSION = 4
"""Of FULLY_CONNECTED."""
X_SCALE, Y_SCALE, ZERO_POINT = 0.03, 0.5, -11
"""Of full int8: results stay well inside the range."""


def int8(weights: Weights, batch: int) -> Callable[[], object]:
    """Per-channel int8, activations quantized per row: XNNPACK's qd8."""
    return _opened(tflite.write(products(weights, batch)), weights, batch)


def int4(weights: Weights, batch: int) -> Callable[[], object]:
    """Per-channel int4, activations as above."""
    return _opened(_to_int4(tflite.write(products(weights, batch))), weights, batch)


def full_int8(weights: Weights, batch: int) -> Callable[[], object]:
    """int8 in and out, with zero points: XNNPACK's qs8."""
    return _opened(_to_full_int8(tflite.write(products(weights, batch))), weights, batch)


def claimed_int8(weights: Weights, batch: int) -> Callable[[], object]:
    """The file of `int8`, with the delegate taking what its rule takes."""
    model = tflite.write(products(weights, batch))
    return _opened(model, weights, batch, [load_delegate(*litert_delegate())])


def claimed_full_int8(weights: Weights, batch: int) -> Callable[[], object]:
    """The file of `full_int8`, likewise."""
    model = _to_full_int8(tflite.write(products(weights, batch)))
    return _opened(model, weights, batch, [load_delegate(*litert_delegate())])


def packed(weights: Weights, batch: int) -> Callable[[], object]:
    """The project's operator."""
    model = tflite.write(packed_products(weights, batch))
    return _opened(model, weights, batch, [load_delegate(str(build(product="litert")))])


def _opened(
    model: bytes, weights: Weights, batch: int, delegates: list[Any] | None = None
) -> Callable[[], object]:
    interpreter = Interpreter(model_content=model, num_threads=1, experimental_delegates=delegates)
    interpreter.allocate_tensors()
    places = interpreter.get_input_details()
    for place, x in zip(places, inputs_of(weights, batch), strict=True):
        quantized = np.clip(np.rint(x / X_SCALE), -128, 127)
        interpreter.set_tensor(
            place["index"], quantized.astype(np.int8) if place["dtype"] == np.int8 else x
        )
    invoke: Callable[[], object] = interpreter.invoke
    return invoke


def _to_int4(data: bytes) -> bytes:
    """The same file with its int8 constants cut down to four bits, two in a byte, low one first."""
    model = schema.ModelT.InitFromPackedBuf(data, 0)
    for tensor in model.subgraphs[0].tensors:
        buffer = model.buffers[tensor.buffer]
        if tensor.type == schema.TensorType.INT8:
            values = (buffer.data.view(np.int8) >> 4).reshape(-1, 2) & 15
            tensor.type = schema.TensorType.INT4
            buffer.data = (values[:, 0] | values[:, 1] << 4).astype(np.uint8)
    return _serialized(model, len(data))


def _to_full_int8(data: bytes) -> bytes:
    """The same file with int8 in place of every float: inputs, outputs and, in int32, biases."""
    model = schema.ModelT.InitFromPackedBuf(data, 0)
    tensors = {tensor.name.decode(): tensor for tensor in model.subgraphs[0].tensors}
    for name, tensor in tensors.items():
        if name.startswith("b"):
            scale = X_SCALE * tensors["w" + name[1:]].quantization.scale
            bias = model.buffers[tensor.buffer]
            bias.data = np.rint(bias.data.view(np.float32) / scale).astype(np.int32).view(np.uint8)
            tensor.type, tensor.quantization = schema.TensorType.INT32, _affine(scale, 0)
        elif tensor.type == schema.TensorType.FLOAT32:
            scale = np.array([X_SCALE if name.startswith("x") else Y_SCALE])
            tensor.type, tensor.quantization = schema.TensorType.INT8, _affine(scale, ZERO_POINT)
    for code in model.operatorCodes:
        code.version = FULL_INT8_VERSION
    return _serialized(model, len(data))


def _affine(scale: Array, zero_point: int) -> Any:
    parameters = schema.QuantizationParametersT()
    parameters.scale = scale.astype(np.float32)
    parameters.zeroPoint = np.full(len(scale), zero_point, np.int64)
    return parameters


def _serialized(model: Any, size: int) -> bytes:
    model.buffers = [AlignedBuffer(buffer.data) for buffer in model.buffers]
    builder = flatbuffers.Builder(size + (1 << 20))
    builder.Finish(model.Pack(builder), b"TFL3")
    return bytes(builder.Output())
