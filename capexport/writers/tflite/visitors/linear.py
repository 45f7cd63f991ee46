"""Weights: FULLY_CONNECTED and EMBEDDING_LOOKUP, float or int8, dense or sparse.

Packed weights go to operators of the project's own, see packed.py.
"""

from ai_edge_litert import schema_py_generated as schema

from capexport.errors import GraphError
from capexport.ir.graph import Constant, Node
from capexport.ir.ops import DYNAMIC
from capexport.writers.tflite.lowering import Lowering, visits
from capexport.writers.tflite.model import OMITTED
from capexport.writers.tflite.visitors import packed

Op = schema.BuiltinOperator
Activation = schema.ActivationFunctionType


@visits("linear")
def _linear(lowering: Lowering, node: Node) -> None:
    x, weight, *bias = node.inputs
    constant = lowering.graph.constants.get(weight)
    if constant is None:
        raise GraphError(
            "the weight of a linear is computed",
            where=f"{lowering.graph.name}: {node.outputs[0]}",
            hint="use matmul for a product of two values",
        )
    if constant.packed:
        packed.sparse_linear(lowering, node)
        return
    dynamic = node.attributes["activations"] == DYNAMIC
    inputs = [
        lowering.tensor(x),
        _weight_tensor(lowering, constant, dynamic),
        lowering.float_tensor(bias[0]) if bias else OMITTED,
    ]
    relu = node.attributes["relu"]
    lowering.model.operator(
        Op.FULLY_CONNECTED,
        inputs,
        [lowering.tensor(node.outputs[0])],
        "FullyConnectedOptions",
        fusedActivationFunction=Activation.RELU if relu else Activation.NONE,
        keepNumDims=len(lowering.graph.shape(x)) > 2,
        asymmetricQuantizeInputs=dynamic,
    )


def _weight_tensor(lowering: Lowering, constant: Constant, dynamic: bool) -> int:
    if dynamic:
        return lowering.tensor(constant.name)
    if constant.sparse and constant.quantization is None:
        return lowering.direct_sparse(constant.name)
    return lowering.float_tensor(constant.name)


@visits("embedding")
def _embedding(lowering: Lowering, node: Node) -> None:
    table, ids = node.inputs
    if table in lowering.graph.constants and lowering.graph.constants[table].packed:
        packed.sparse_embedding(lowering, node)
        return
    inputs = [lowering.tensor(ids), lowering.tensor(table)]
    lowering.model.operator(Op.EMBEDDING_LOOKUP, inputs, [lowering.tensor(node.outputs[0])])
