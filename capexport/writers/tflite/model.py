"""A .tflite under construction: tensors, aligned buffers, operators with their true version."""

from collections.abc import Sequence
from typing import Any, NamedTuple

import flatbuffers
import numpy as np
from ai_edge_litert import schema_py_generated as schema
from numpy.typing import ArrayLike

from capexport.ir.graph import Array, Constant, TensorQuantization
from capexport.spec.signature import Shape, TensorSpec
from capexport.writers.tflite import csr
from capexport.writers.tflite.versions import SPARSE_FULLY_CONNECTED, Operands, true_version

TYPES = {
    "float32": schema.TensorType.FLOAT32,
    "int32": schema.TensorType.INT32,
    "int8": schema.TensorType.INT8,
    "uint8": schema.TensorType.UINT8,
}
ALIGNMENT = 64
"""Bytes. XNNPACK and the custom operators of LiteRT 2.x read constants in place."""
SIGNATURE = "serving_default"
OMITTED = -1


class OperatorCode(NamedTuple):
    """What operators of one kind share in the file; `custom` names those that are not TFLite's."""

    builtin: int
    version: int
    custom: str = ""


class AlignedBuffer(schema.BufferT):  # type: ignore[misc]  # the generated module is untyped
    """A constant's bytes at a multiple of ALIGNMENT; the generated class would align to 1."""

    def Pack(self, builder: Any) -> Any:
        if self.data is None:
            return super().Pack(builder)
        raw = self.data.tobytes()
        builder.StartVector(1, len(raw), ALIGNMENT)
        builder.head -= len(raw)
        builder.Bytes[builder.head : builder.head + len(raw)] = raw
        data = builder.EndVector()
        schema.BufferStart(builder)
        schema.BufferAddData(builder, data)
        return schema.BufferEnd(builder)


class SharingBuilder(flatbuffers.Builder):  # type: ignore[misc]  # untyped package
    """Stores equal vectors once: the format wants an int64 zero point for every row of a weight."""

    def __init__(self, size: int) -> None:
        super().__init__(size)
        self._vectors: dict[tuple[str, bytes], int] = {}

    def CreateNumpyVector(self, x: Array) -> int:
        key = x.dtype.str, x.tobytes()
        if key not in self._vectors:
            self._vectors[key] = super().CreateNumpyVector(x)
        return self._vectors[key]


class TfliteModel:
    """One subgraph with one signature. Tensors are handled by their index."""

    def __init__(self, name: str) -> None:
        self._name = name
        self._tensors: list[Any] = []
        self._buffers: list[Any] = [schema.BufferT()]  # by convention buffer 0 is empty
        self._operators: list[Any] = []
        self._codes: dict[OperatorCode, int] = {}
        self._shared: dict[tuple[str, tuple[int, ...], bytes], int] = {}

    # ------------------------------------------------------------ tensors
    def value(self, spec: TensorSpec, meaning: TensorQuantization | None = None) -> int:
        """A tensor that is computed or given; named axes become -1 in its shape signature."""
        index = self._tensor(spec.name, spec.shape, spec.dtype)
        if meaning is not None:
            self._tensors[index].quantization = _affine([meaning.scale], [meaning.zero_point], 0)
        return index

    def constant(self, constant: Constant) -> int:
        """A weight, stored dense; int8 keeps its scale per channel."""
        index = self._tensor(constant.name, constant.shape, constant.dtype)
        self._tensors[index].quantization = _quantization(constant)
        self._tensors[index].buffer = self._buffer(constant.data)
        return index

    def sparse_constant(self, constant: Constant) -> int:
        """The same, stored as compressed sparse rows."""
        values, sparsity = csr.encode(constant.data)
        index = self._tensor(constant.name + ".csr", constant.shape, constant.dtype)
        tensor = self._tensors[index]
        tensor.quantization, tensor.sparsity = _quantization(constant), sparsity
        tensor.buffer = self._buffer(values)
        return index

    def like(self, index: int, name: str, dtype: str) -> int:
        """A computed tensor of another tensor's shape; int8 also takes its quantization."""
        source = self._tensors[index]
        new = self._tensor(name, tuple(int(d) for d in source.shape), dtype)
        if dtype == "int8":
            self._tensors[new].quantization = source.quantization
        return new

    def fill(self, index: int, number: float) -> int:
        """One number of another tensor's type; of an int8 tensor, its lowest if that is lower."""
        source = self._tensors[index]
        is_int8 = source.type == schema.TensorType.INT8
        array = np.array(max(number, -128), np.int8) if is_int8 else np.array(number, np.float32)
        fill = self._tensor(f"{source.name}.fill", (), array.dtype.name)
        self._tensors[fill].quantization = source.quantization
        self._tensors[fill].buffer = self._buffer(array)
        return fill

    def parameter(self, numbers: int | Sequence[int] | Sequence[Sequence[int]]) -> int:
        """A small int32 constant that an operator takes as an input (axes); equal ones are one."""
        array = np.asarray(numbers, np.int32)
        key = (array.dtype.str, array.shape, array.tobytes())
        if key not in self._shared:
            index = self._tensor(f"parameter_{len(self._shared)}", array.shape, "int32")
            self._tensors[index].buffer = self._buffer(array)
            self._shared[key] = index
        return self._shared[key]

    def _tensor(self, name: str, shape: Shape, dtype: str) -> int:
        tensor = schema.TensorT()
        tensor.name, tensor.type, tensor.buffer, tensor.hasRank = name, TYPES[dtype], 0, True
        tensor.shape = np.array([1 if isinstance(d, str) else d for d in shape], np.int32)
        if any(isinstance(d, str) for d in shape):
            signature = [-1 if isinstance(d, str) else d for d in shape]
            tensor.shapeSignature = np.array(signature, np.int32)
        self._tensors.append(tensor)
        return len(self._tensors) - 1

    def _buffer(self, array: Array) -> int:
        self._buffers.append(AlignedBuffer(np.ascontiguousarray(array)))
        return len(self._buffers) - 1

    # ------------------------------------------------------------ operators
    def operator(
        self,
        code: int,
        inputs: Sequence[int],
        outputs: Sequence[int],
        options: str | None = None,
        **fields: Any,
    ) -> None:
        """Append an operator; `options` names its table in the schema, `fields` are its members."""
        given = [self._tensors[i] for i in inputs if i != OMITTED]
        operands = Operands(given, [self._tensors[i] for i in outputs], self._buffers)
        version = true_version(code, operands)
        operator = self._operator(OperatorCode(code, version), inputs, outputs)
        if options is not None:
            operator.builtinOptionsType = getattr(schema.BuiltinOptions, options)
            operator.builtinOptions = getattr(schema, options + "T")(**fields)

    def custom_operator(
        self, name: str, inputs: Sequence[int], outputs: Sequence[int], options: bytes = b""
    ) -> None:
        """Append an operator that a delegate must bring."""
        code = OperatorCode(schema.BuiltinOperator.CUSTOM, 1, name)
        operator = self._operator(code, inputs, outputs)
        operator.customOptions = np.frombuffer(options, np.uint8)

    def _operator(self, code: OperatorCode, inputs: Sequence[int], outputs: Sequence[int]) -> Any:
        operator = schema.OperatorT()
        operator.inputs = np.array(inputs, np.int32)
        operator.outputs = np.array(outputs, np.int32)
        operator.opcodeIndex = self._codes.setdefault(code, len(self._codes))
        self._operators.append(operator)
        return operator

    @property
    def has_sparse_int8_linear(self) -> bool:
        sparse = OperatorCode(schema.BuiltinOperator.FULLY_CONNECTED, SPARSE_FULLY_CONNECTED)
        return {sparse, OperatorCode(schema.BuiltinOperator.DENSIFY, 1)} <= set(self._codes)

    @property
    def has_int8_embedding(self) -> bool:
        return OperatorCode(schema.BuiltinOperator.EMBEDDING_LOOKUP, 4) in self._codes

    # ------------------------------------------------------------ file
    def serialize(self, inputs: dict[str, int], outputs: dict[str, int]) -> bytes:
        """The finished file; `inputs` and `outputs` are the signature's names and tensors."""
        subgraph = schema.SubGraphT()
        subgraph.name, subgraph.tensors, subgraph.operators = (
            self._name,
            self._tensors,
            self._operators,
        )
        subgraph.inputs = np.array(list(inputs.values()), np.int32)
        subgraph.outputs = np.array(list(outputs.values()), np.int32)
        signature = schema.SignatureDefT()
        signature.signatureKey, signature.subgraphIndex = SIGNATURE, 0
        signature.inputs = [_tensor_map(name, index) for name, index in inputs.items()]
        signature.outputs = [_tensor_map(name, index) for name, index in outputs.items()]
        model = schema.ModelT()
        model.version, model.description = 3, "capexport"
        model.buffers = self._buffers
        model.operatorCodes = [_operator_code(code) for code in self._codes]
        model.subgraphs, model.signatureDefs = [subgraph], [signature]
        size = sum(buffer.data.nbytes for buffer in self._buffers if buffer.data is not None)
        builder = SharingBuilder(size + size // 8 + (1 << 20))
        builder.Finish(model.Pack(builder), b"TFL3")
        return bytes(builder.Output())


def _quantization(constant: Constant) -> Any:
    if constant.quantization is None:
        return None
    scale = constant.quantization.scale
    return _affine(scale, np.zeros(len(scale)), constant.quantization.axis)


def _affine(scale: ArrayLike, zero_point: ArrayLike, axis: int) -> Any:
    parameters = schema.QuantizationParametersT()
    parameters.scale = np.asarray(scale, np.float32)
    parameters.zeroPoint = np.asarray(zero_point, np.int64)
    parameters.quantizedDimension = axis
    return parameters


def _operator_code(code: OperatorCode) -> Any:
    entry = schema.OperatorCodeT()
    entry.builtinCode, entry.deprecatedBuiltinCode = code.builtin, min(code.builtin, 127)
    entry.version, entry.customCode = code.version, code.custom or None
    return entry


def _tensor_map(name: str, index: int) -> Any:
    entry = schema.TensorMapT()
    entry.name, entry.tensorIndex = name, index
    return entry
