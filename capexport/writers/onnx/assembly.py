"""The frame of an ONNX model: declares inputs and outputs, sends each IR node to its visitor."""

from dataclasses import replace

import numpy as np
import onnx
from onnx import helper

from capexport.errors import GraphError, UnsupportedError
from capexport.ir.graph import Graph, Node
from capexport.ir.ops import check_shapes
from capexport.spec.signature import TensorSpec
from capexport.writers.onnx.constants import ConstantStore
from capexport.writers.onnx.emitter import Emitter
from capexport.writers.onnx.lowering import Lowering, affine
from capexport.writers.onnx.visitors import VISITORS

OPSET = 20
OWN_OPSET = 1
"""Version of every operator set that is not ONNX's own."""
IR_VERSION = 9  # the oldest that may hold opset 20


def write(graph: Graph) -> bytes:
    """The ONNX file of a graph; the same graph always gives the same bytes.

    Inputs and outputs keep their names, named axes stay open under their names.

    Raises:
        GraphError: the graph breaks an invariant, or an output is nothing but a constant.
        UnsupportedError: an operator has no visitor, or the file would pass 2 GB.
    """
    check_shapes(graph)
    _check_outputs(graph)
    emitter = Emitter({*graph.values, *graph.inputs, *graph.constants})
    lowering = Lowering(graph, emitter, ConstantStore(graph, emitter))
    for node in graph.nodes:
        if node.op not in VISITORS:
            raise UnsupportedError(
                f"operator {node.op!r} cannot be written as ONNX",
                where=f"graph {graph.name}, {', '.join(node.outputs)}",
                hint="export to the other format only",
            )
        _visit(lowering, node)
    serialized: bytes = _model(graph, emitter).SerializeToString(deterministic=True)
    return serialized


def _visit(lowering: Lowering, node: Node) -> None:
    """An int8 node is a float one between DequantizeLinear and QuantizeLinear, which are fused."""
    output = node.outputs[0]
    if output not in lowering.graph.quantization or node.op == "quantize":
        VISITORS[node.op](lowering, node)
        return
    real = lowering.emitter.fresh(f"{output}.exact")
    VISITORS[node.op](replace(lowering, static=True), replace(node, outputs=(real,)))
    lowering.emitter.node("QuantizeLinear", (real, *affine(lowering, output)), (output,))


def _check_outputs(graph: Graph) -> None:
    if constant := sorted(set(graph.outputs) & set(graph.constants)):
        raise GraphError(
            f"outputs {constant} are constants",
            where=f"graph {graph.name}",
            hint="this is a defect: report the model",
        )


def _model(graph: Graph, emitter: Emitter) -> onnx.ModelProto:
    frame = helper.make_graph(
        emitter.nodes,
        graph.name,
        [_value_info(graph.values[name], name) for name in graph.inputs],
        [_value_info(graph.values[name], name) for name in graph.outputs],
        emitter.initializers,
    )
    return helper.make_model(
        frame,
        opset_imports=[helper.make_opsetid("", OPSET), *_own_operators(emitter)],
        ir_version=IR_VERSION,
        producer_name="capexport",
    )


def _own_operators(emitter: Emitter) -> list[onnx.OperatorSetIdProto]:
    """Declared by the files that need them only: by this a runtime sees what to load."""
    domains = sorted({node.domain for node in emitter.nodes} - {""})
    return [helper.make_opsetid(domain, OWN_OPSET) for domain in domains]


def _value_info(spec: TensorSpec, name: str) -> onnx.ValueInfoProto:
    dtype = helper.np_dtype_to_tensor_dtype(np.dtype(spec.dtype))
    return helper.make_tensor_value_info(name, dtype, spec.shape)
