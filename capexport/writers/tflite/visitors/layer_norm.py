"""Layer normalisation: TFLite has no operator for it, XNNPACK takes all of its parts."""

import numpy as np
from ai_edge_litert import schema_py_generated as schema

from capexport.ir.graph import Constant, Node
from capexport.spec.signature import Shape, TensorSpec
from capexport.writers.tflite.lowering import Lowering, visits

Op = schema.BuiltinOperator


@visits("layer_norm")
def _layer_norm(lowering: Lowering, node: Node) -> None:
    x, scale, bias = (lowering.float_tensor(name) for name in node.inputs)
    output, model = node.outputs[0], lowering.model
    full = lowering.graph.shape(output)
    one = (*full[:-1], 1)
    last_axis = model.parameter([len(full) - 1])
    epsilon = np.array(node.attributes["epsilon"], np.float32)
    epsilon_tensor = lowering.stored(Constant(f"epsilon_{epsilon!r}", epsilon))

    def part(name: str, shape: Shape, code: int, options: str | None, *inputs: int) -> int:
        result = model.value(TensorSpec(f"{output}.{name}", shape))
        keep = {"keepDims": True} if code == Op.MEAN else {}
        model.operator(code, list(inputs), [result], options, **keep)
        return result

    mean = part("mean", one, Op.MEAN, "ReducerOptions", x, last_axis)
    centred = part("centred", full, Op.SUB, "SubOptions", x, mean)
    squared = part("squared", full, Op.MUL, "MulOptions", centred, centred)
    variance = part("variance", one, Op.MEAN, "ReducerOptions", squared, last_axis)
    shifted = part("shifted", one, Op.ADD, "AddOptions", variance, epsilon_tensor)
    inverse = part("inverse", one, Op.RSQRT, None, shifted)
    unit = part("unit", full, Op.MUL, "MulOptions", centred, inverse)
    scaled = part("scaled", full, Op.MUL, "MulOptions", unit, scale)
    model.operator(Op.ADD, [scaled, bias], [lowering.tensor(output)], "AddOptions")
