"""Packed weights: one node of capexport's own operators, which run a CKSB blob as it is.

The operators are those of `capexport/kernels/adapters/onnxruntime`, domain `capexport`, version 1.
"""

from capexport.errors import GraphError
from capexport.ir.graph import Constant, Node
from capexport.ir.ops import DYNAMIC
from capexport.writers.onnx.lowering import Lowering
from capexport.writers.packed_weights import NO_BIAS

DOMAIN = "capexport"
MATMUL = "SparseInt8MatMul"
GATHER = "SparseInt8Gather"


def packed_constant(lowering: Lowering, name: str) -> Constant | None:
    """The constant `name` if it is stored packed."""
    constant = lowering.graph.constants.get(name)
    return constant if constant is not None and constant.packed else None


def packed_linear(lowering: Lowering, node: Node, weight: Constant) -> None:
    """One node for the linear: activations to int8, product, scale, bias and relu.

    Raises:
        GraphError: the weight has no scale per row, the bias is computed, or the activations stay
            float.
        UnsupportedError: the weight cannot be stored as CKSB.
    """
    if node.attributes["activations"] != DYNAMIC:
        raise _error(node, f"float activations meet the packed weight {weight.name!r}")
    x = lowering.read(node.inputs[0])
    blob, scale, has_bias = lowering.constants.packed(weight.name)
    inputs = [x, blob, scale, _bias(lowering, node, has_bias)]
    relu = int(node.attributes["relu"])
    lowering.emitter.node(MATMUL, inputs, node.outputs, domain=DOMAIN, relu=relu)


def packed_embedding(lowering: Lowering, node: Node, table: Constant) -> None:
    """One node for the lookup; only the rows read become float.

    Raises:
        GraphError: the table has no scale per row.
        UnsupportedError: the table cannot be stored as CKSB.
    """
    blob, scale, _ = lowering.constants.packed(table.name)
    inputs = [lowering.read(node.inputs[1]), blob, scale]
    lowering.emitter.node(GATHER, inputs, node.outputs, domain=DOMAIN)


def _bias(lowering: Lowering, node: Node, is_packed: bool) -> str:
    """A float per row; one 0 for none or one that is in the blob."""
    bias = node.inputs[2:]
    if bias and bias[0] not in lowering.graph.constants:
        raise _error(node, f"the bias {bias[0]!r} of a packed weight is no constant")
    if bias and not is_packed:
        return lowering.read(bias[0])
    return lowering.emitter.shared(NO_BIAS)


def _error(node: Node, what: str) -> GraphError:
    return GraphError(
        what,
        where=f"{node.op} -> {node.outputs[0]}",
        hint="mark packed weights with capexport.compress.choose_storage",
    )
