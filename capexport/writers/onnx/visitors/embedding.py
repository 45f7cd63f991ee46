"""Rows of a table by their numbers; an int8 table stays int8, only the rows read become float."""

import numpy as np

from capexport.ir.graph import Array, Node
from capexport.writers.onnx.constants import broadcast_scale
from capexport.writers.onnx.emitter import Step, cast
from capexport.writers.onnx.lowering import Lowering
from capexport.writers.onnx.registry import visits
from capexport.writers.onnx.visitors.packed import packed_constant, packed_embedding


@visits("embedding")
def _embedding(lowering: Lowering, node: Node) -> None:
    table, ids = node.inputs
    constant = lowering.graph.constants.get(table)
    scale = broadcast_scale(constant) if constant else None
    if packed := packed_constant(lowering, table):
        packed_embedding(lowering, node, packed)
    elif scale is not None:
        _from_int8_table(lowering, node, scale)
    else:
        lowering.emitter.node("Gather", (lowering.read(table), ids), node.outputs, axis=0)


def _from_int8_table(lowering: Lowering, node: Node, scale: Array) -> None:
    (table, ids), output = node.inputs, node.outputs[0]
    gather = Step("Gather", (ids,), {"axis": 0})
    multiply = Step("Mul", (_scale_of_rows(lowering, node, scale),))
    stored = lowering.constants.stored(table)
    lowering.emitter.chain(stored, (gather, cast(np.float32), multiply), output)


def _scale_of_rows(lowering: Lowering, node: Node, scale: Array) -> str:
    """Scales of the table's rows are looked up like the rows; those of other axes fit every row."""
    (table, ids), output = node.inputs, node.outputs[0]
    if scale.shape[0] == 1:
        return lowering.constants.derived(table, "columns_scale", scale[0])
    stored = lowering.constants.derived(table, "rows_scale", scale)
    return lowering.emitter.value("Gather", (stored, ids), f"{output}.scale", axis=0)
