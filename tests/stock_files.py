"""Files as other tools write them: one int8 layer of TFLite's own operators, stored in every way.

Made through the schema's object API and not by capexport's writer, which refuses some of these.
"""

from dataclasses import dataclass, field
from typing import Any

import flatbuffers
import numpy as np
from ai_edge_litert import schema_py_generated as schema
from numpy.typing import NDArray

from capexport.writers.tflite import csr
from capexport.writers.tflite.model import AlignedBuffer

Op, Type = schema.BuiltinOperator, schema.TensorType
NONE, RELU, RELU_N1_TO_1, RELU6, TANH = range(5)
X_SCALE, X_ZERO, Y_SCALE, Y_ZERO = 0.03, -11, 0.9, 7
OMITTED = -1


@dataclass
class Layer:
    """One FULLY_CONNECTED or 1x1 CONV_2D.

    Args:
        weight: int8 [m, k].
        scale: float32 [m], or [1] for one scale of all rows.
        bias: float32 [m], or None.
        static: int8 in and out; else float32 in and out ("hybrid").
        conv: CONV_2D; else FULLY_CONNECTED.
        stored: "dense", "csr" (compressed rows, read directly) or "densify" (with a DENSIFY).
        x_shape: without it [1, k], or [1, 1, 1, k] for a CONV_2D.
        version: of the operator; None for the one that the TFLite converter writes.
        y_scale: of int8 results.
        options: members of the operator's table that differ from the defaults.
    """

    weight: NDArray[np.int8]
    scale: NDArray[np.float32]
    bias: NDArray[np.float32] | None = None
    static: bool = False
    conv: bool = False
    stored: str = "dense"
    x_shape: tuple[int, ...] | None = None
    activation: int = NONE
    y_scale: float = Y_SCALE
    keep_num_dims: bool = False
    version: int | None = None
    options: dict[str, Any] = field(default_factory=dict)

    @property
    def quantized_bias(self) -> NDArray[np.int32] | None:
        """int32 [m], in units of the products, as a static layer stores it."""
        if self.bias is None:
            return None
        units = np.broadcast_to(self.scale, self.bias.shape) * np.float32(X_SCALE)
        return np.rint(self.bias / units).astype(np.int32)

    def true_version(self) -> int:
        """As LiteRT's op_version.cc has it; 8 for sparse weights, see writers/tflite."""
        if self.version is not None:
            return self.version
        if self.conv:
            return 3 if self.static else 5 if len(self.scale) > 1 else 2
        if self.stored != "dense":
            return 8
        return 4 if self.static else 12 if len(self.scale) > 1 else 3


class StockFile:
    """A .tflite under construction, of layers and of operators between them."""

    def __init__(self) -> None:
        self.tensors: list[Any] = []
        self.buffers: list[Any] = [schema.BufferT()]
        self.operators: list[Any] = []
        self._codes: dict[tuple[int, int, str], int] = {}

    def tensor(
        self,
        name: str,
        shape: tuple[int, ...],
        kind: int,
        data: NDArray[Any] | None = None,
        quantization: Any = None,
    ) -> int:
        tensor = schema.TensorT()
        tensor.name, tensor.shape, tensor.type = name, np.array(shape, np.int32), kind
        tensor.quantization, tensor.buffer = quantization, 0
        if data is not None:
            self.buffers.append(AlignedBuffer(np.ascontiguousarray(data)))
            tensor.buffer = len(self.buffers) - 1
        self.tensors.append(tensor)
        return len(self.tensors) - 1

    def custom_operator(self, name: str, inputs: list[int], output: int, options: bytes) -> None:
        self.operator(Op.CUSTOM, inputs, output, custom=name)
        self.operators[-1].customOptions = np.frombuffer(options, np.uint8)

    def operator(
        self,
        code: int,
        inputs: list[int],
        output: int,
        *,
        version: int = 1,
        custom: str = "",
        options: Any = None,
    ) -> None:
        operator = schema.OperatorT()
        operator.inputs, operator.outputs = np.array(inputs, np.int32), np.array([output], np.int32)
        operator.opcodeIndex = self._codes.setdefault((code, version, custom), len(self._codes))
        if options is not None:
            name = type(options).__name__.removesuffix("T")
            operator.builtinOptionsType = getattr(schema.BuiltinOptions, name)
            operator.builtinOptions = options
        self.operators.append(operator)

    def layer(self, layer: Layer, x: int, name: str = "") -> int:
        """Appends the layer and returns its output."""
        y_shape = _output_shape(layer, tuple(int(d) for d in self.tensors[x].shape))
        kind = Type.INT8 if layer.static else Type.FLOAT32
        y = self.tensor(f"y{name}", y_shape, kind, None, static_y(layer))
        inputs = [x, self._weight(layer, name), self._bias(layer, name)]
        code = Op.CONV_2D if layer.conv else Op.FULLY_CONNECTED
        options = schema.Conv2DOptionsT() if layer.conv else schema.FullyConnectedOptionsT()
        options.fusedActivationFunction = layer.activation
        if layer.conv:
            options.strideW = options.strideH = 1
        else:
            options.keepNumDims = layer.keep_num_dims
        for member, value in layer.options.items():
            assert hasattr(options, member)
            setattr(options, member, value)
        self.operator(code, inputs, y, version=layer.true_version(), options=options)
        return y

    def _weight(self, layer: Layer, name: str) -> int:
        m, k = layer.weight.shape
        shape = (m, 1, 1, k) if layer.conv else (m, k)
        quantization = quantized(layer.scale)
        if layer.stored == "dense":
            return self.tensor(f"w{name}", shape, Type.INT8, layer.weight, quantization)
        values, sparsity = csr.encode(layer.weight)
        if layer.conv:
            rows, columns = sparsity.dimMetadata
            sparsity.traversalOrder = np.arange(4, dtype=np.int32)
            sparsity.dimMetadata = [rows, csr._dense(1), csr._dense(1), columns]
        sparse = self.tensor(f"w{name}", shape, Type.INT8, values, quantization)
        self.tensors[sparse].sparsity = sparsity
        return self.densify(sparse, name) if layer.stored == "densify" else sparse

    def densify(self, sparse: int, name: str) -> int:
        source = self.tensors[sparse]
        dense = self.tensor(f"dense{name}", source.shape, Type.INT8, None, source.quantization)
        self.operator(Op.DENSIFY, [sparse], dense, options=schema.DensifyOptionsT())
        return dense

    def _bias(self, layer: Layer, name: str) -> int:
        if layer.bias is None:
            return OMITTED
        if not layer.static:
            return self.tensor(f"b{name}", layer.bias.shape, Type.FLOAT32, layer.bias)
        quantization = quantized(layer.scale * np.float32(X_SCALE))
        data = layer.quantized_bias
        return self.tensor(f"b{name}", layer.bias.shape, Type.INT32, data, quantization)

    def serialize(self, inputs: list[int], outputs: list[int]) -> bytes:
        subgraph, model = schema.SubGraphT(), schema.ModelT()
        subgraph.tensors, subgraph.operators = self.tensors, self.operators
        subgraph.inputs = np.array(inputs, np.int32)
        subgraph.outputs = np.array(outputs, np.int32)
        model.version, model.subgraphs, model.buffers = 3, [subgraph], self.buffers
        model.operatorCodes = []
        for builtin, version, custom in self._codes:
            code = schema.OperatorCodeT()
            code.builtinCode, code.deprecatedBuiltinCode = builtin, min(builtin, 127)
            code.version, code.customCode = version, custom or None
            model.operatorCodes.append(code)
        builder = flatbuffers.Builder(1 << 20)
        builder.Finish(model.Pack(builder), b"TFL3")
        return bytes(builder.Output())


def quantized(scale: NDArray[np.float32] | float, zero: int = 0, axis: int = 0) -> Any:
    """QuantizationParametersT with the same zero point for every scale."""
    parameters = schema.QuantizationParametersT()
    parameters.scale = np.atleast_1d(np.asarray(scale, np.float32))
    parameters.zeroPoint = np.full(len(parameters.scale), zero, np.int64)
    parameters.quantizedDimension = axis
    return parameters


def static_y(layer: Layer) -> Any:
    return quantized(layer.y_scale, Y_ZERO) if layer.static else None


def _output_shape(layer: Layer, x: tuple[int, ...]) -> tuple[int, ...]:
    m, k = layer.weight.shape
    if layer.conv or layer.keep_num_dims:
        return (*x[:-1], m)
    return (int(np.prod(x)) // k, m)


def one_layer(layer: Layer) -> bytes:
    """A file with one input `x` and this layer."""
    file = StockFile()
    k = layer.weight.shape[1]
    shape = layer.x_shape or ((1, 1, 1, k) if layer.conv else (1, k))
    kind, quantization = (
        (Type.INT8, quantized(X_SCALE, X_ZERO)) if layer.static else (Type.FLOAT32, None)
    )
    x = file.tensor("x", shape, kind, None, quantization)
    return file.serialize([x], [file.layer(layer, x)])
