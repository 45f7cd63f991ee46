"""Products inside LiteRT: dense int8 and int4 by XNNPACK, sparse by the project's delegate."""

from collections.abc import Callable, Sequence
from typing import Any

import flatbuffers
import numpy as np
from ai_edge_litert import schema_py_generated as schema
from ai_edge_litert.interpreter import Interpreter, load_delegate

from benchmarks.kernels.graphs import inputs_of, packed_products, products
from capexport.ir.graph import Constant
from capexport.kernels.build import build
from capexport.writers import tflite
from capexport.writers.tflite.model import AlignedBuffer

Weights = Sequence[Constant]


def int8(weights: Weights, batch: int) -> Callable[[], object]:
    """Per-channel int8, activations quantized per row: XNNPACK's qd8."""
    return _opened(tflite.write(products(weights, batch)), weights, batch)


def int4(weights: Weights, batch: int) -> Callable[[], object]:
    """Per-channel int4, activations as above."""
    return _opened(_to_int4(tflite.write(products(weights, batch))), weights, batch)


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
        interpreter.set_tensor(place["index"], x)
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
    model.buffers = [AlignedBuffer(buffer.data) for buffer in model.buffers]
    builder = flatbuffers.Builder(len(data) + (1 << 20))
    builder.Finish(model.Pack(builder), b"TFL3")
    return bytes(builder.Output())
