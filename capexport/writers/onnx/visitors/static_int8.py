"""The borders of static int8: floats or pixels into it, floats out of it."""

from capexport.ir.graph import Node
from capexport.writers.onnx.lowering import Lowering, affine
from capexport.writers.onnx.registry import visits


@visits("quantize")
def _quantize(lowering: Lowering, node: Node) -> None:
    """Pixels of the same scale and zero point are the same uint8 numbers already."""
    x, y = node.inputs[0], node.outputs[0]
    if x in lowering.graph.quantization and affine(lowering, x) == affine(lowering, y):
        lowering.emitter.node("Identity", (x,), (y,))
        return
    inputs = (lowering.read(x), *affine(lowering, y))
    lowering.emitter.node("QuantizeLinear", inputs, (y,))


@visits("dequantize")
def _dequantize(lowering: Lowering, node: Node) -> None:
    inputs = (node.inputs[0], *affine(lowering, node.inputs[0]))
    lowering.emitter.node("DequantizeLinear", inputs, node.outputs)
