"""Linear layers, with float activations or with activations made int8 row by row."""

from capexport.errors import GraphError
from capexport.ir.graph import Node
from capexport.ir.ops import DYNAMIC, FLOAT
from capexport.writers.onnx.emitter import Step
from capexport.writers.onnx.lowering import Lowering
from capexport.writers.onnx.registry import visits
from capexport.writers.onnx.visitors.dynamic_int8 import int8_linear
from capexport.writers.onnx.visitors.packed import packed_constant, packed_linear


@visits("linear")
def _linear(lowering: Lowering, node: Node) -> None:
    if weight := packed_constant(lowering, node.inputs[1]):
        packed_linear(lowering, node, weight)
    else:
        _standard_linear(lowering, node)


def _standard_linear(lowering: Lowering, node: Node) -> None:
    """MatMul and Add, never Gemm: weight quantizers of onnxruntime skip a Gemm silently."""
    value, steps = PRODUCTS[_activations(node)](lowering, node)
    relu = [Step("Relu")] if node.attributes["relu"] else []
    lowering.emitter.chain(value, (*steps, *relu), node.outputs[0])


def _float_linear(lowering: Lowering, node: Node) -> tuple[str, list[Step]]:
    """An int8 weight is made float when the session is created, not in every step."""
    x, weight, *bias = node.inputs
    add = [Step("Add", (lowering.read(name),)) for name in bias]
    return lowering.read(x), [Step("MatMul", (lowering.read_transposed(weight),)), *add]


PRODUCTS = {FLOAT: _float_linear, DYNAMIC: int8_linear}


def _activations(node: Node) -> str:
    activations: str = node.attributes["activations"]
    if activations not in PRODUCTS:
        raise GraphError(
            f"there are no {activations!r} activations",
            where=f"linear -> {node.outputs[0]}",
            hint=f"one of {', '.join(PRODUCTS)}",
        )
    return activations
