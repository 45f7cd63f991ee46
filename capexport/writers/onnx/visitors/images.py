"""Windows over images [n, c, h, w]: Conv, MaxPool, AveragePool, all with their padding inside."""

from typing import Any

from capexport.errors import GraphError
from capexport.ir.graph import Node
from capexport.ir.ops import NONE, RELU6
from capexport.ir.windows import CHANNELS_FIRST
from capexport.writers.onnx.emitter import Step
from capexport.writers.onnx.lowering import Lowering
from capexport.writers.onnx.registry import visits


@visits("conv2d")
def _conv2d(lowering: Lowering, node: Node) -> None:
    x, *others = (lowering.read(name) for name in node.inputs)
    attributes = {**_window(node), "group": node.attributes["groups"]}
    steps = [Step("Conv", tuple(others), attributes), *_activation(lowering, node)]
    lowering.emitter.chain(x, steps, node.outputs[0])


def _activation(lowering: Lowering, node: Node) -> list[Step]:
    activation = node.attributes["activation"]
    if activation == NONE:
        return []
    if activation == RELU6:
        return [Step("Clip", (lowering.emitter.scalar(0), lowering.emitter.scalar(6)))]
    return [Step("Relu")]


@visits("max_pool2d")
def _max_pool2d(lowering: Lowering, node: Node) -> None:
    attributes = {**_window(node), "kernel_shape": node.attributes["window"]}
    lowering.emitter.node("MaxPool", (lowering.read(node.inputs[0]),), node.outputs, **attributes)


@visits("avg_pool2d")
def _avg_pool2d(lowering: Lowering, node: Node) -> None:
    attributes = {**_window(node), "kernel_shape": node.attributes["window"]}
    x = lowering.read(node.inputs[0])
    lowering.emitter.node("AveragePool", (x,), node.outputs, count_include_pad=0, **attributes)


def _window(node: Node) -> dict[str, Any]:
    if node.attributes["channel_axis"] != CHANNELS_FIRST:
        raise GraphError(
            "windows over channels last",
            where=node.outputs[0],
            hint="give the writer the graph as captured",
        )
    (top, bottom), (left, right) = node.attributes["padding"]
    return {"strides": node.attributes["stride"], "pads": (top, left, bottom, right)}
