"""A finished .tflite -> nothing, or an error for what a runtime would swallow without a word."""

from typing import Any

from ai_edge_litert import schema_py_generated as schema

from capexport.errors import GraphError
from capexport.writers.tflite.packed_operators import check_packed
from capexport.writers.tflite.versions import Operands, true_version

_ELEMENT_BYTES = {
    schema.TensorType.FLOAT32: 4,
    schema.TensorType.INT32: 4,
    schema.TensorType.INT8: 1,
    schema.TensorType.UINT8: 1,
}


def check_file(data: bytes) -> None:
    """Raise GraphError unless versions and constants of the finished file are right.

    - every operator declares the version that follows from its tensors, read back from the file
    - every dense constant has exactly the bytes of its shape
    - every custom operator is one of the project's own, with inputs that its kernel accepts
    """
    model = schema.ModelT.InitFromObj(schema.Model.GetRootAs(data, 0))
    for subgraph in model.subgraphs:
        for operator in subgraph.operators:
            _check_version(model, subgraph, operator)
            _check_custom(model, subgraph, operator)
        for tensor in subgraph.tensors:
            _check_constant(model, tensor)


def _check_version(model: Any, subgraph: Any, operator: Any) -> None:
    entry = model.operatorCodes[operator.opcodeIndex]
    inputs = [subgraph.tensors[i] for i in operator.inputs if i >= 0]
    outputs = [subgraph.tensors[i] for i in operator.outputs]
    code = max(entry.builtinCode, entry.deprecatedBuiltinCode)
    needed = true_version(code, Operands(inputs, outputs, model.buffers))
    if entry.version != needed:
        raise _error(
            f"operator {code} declares version {entry.version}, needs {needed}", outputs[0]
        )


def _check_custom(model: Any, subgraph: Any, operator: Any) -> None:
    entry = model.operatorCodes[operator.opcodeIndex]
    if entry.builtinCode == schema.BuiltinOperator.CUSTOM:
        check_packed(entry.customCode.decode(), operator, subgraph, model.buffers)


def _check_constant(model: Any, tensor: Any) -> None:
    if tensor.buffer == 0 or tensor.sparsity is not None:
        return
    expected = _ELEMENT_BYTES[tensor.type]
    for length in tensor.shape if tensor.shape is not None else ():
        expected *= int(length)
    data = model.buffers[tensor.buffer].data
    found = 0 if data is None else len(data)
    if found != expected:
        raise _error(
            f"the file holds {found} bytes of a constant, its shape needs {expected}", tensor
        )


def _error(what: str, tensor: Any) -> GraphError:
    name = tensor.name.decode() if isinstance(tensor.name, bytes) else str(tensor.name)
    return GraphError(what, where=name, hint="this is a defect of the writer: report it")
