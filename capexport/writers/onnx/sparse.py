"""A sparse weight as gaps and values, and the standard operators that rebuild it dense.

onnxruntime runs these operators once, when it creates the session: this makes the file small,
neither the memory nor the time of a step.
"""

import numpy as np
from onnx import numpy_helper

from capexport.ir.gap_code import encode
from capexport.ir.graph import Array
from capexport.writers.onnx.emitter import Emitter, Step, cast


def write_gap_coded(emitter: Emitter, name: str, data: Array) -> str:
    """Store `data`, any shape, in row-major order; the node that completes it writes `name`.

    Raises:
        UnsupportedError: more than 2^31 elements.
    """
    gaps, values = encode(data)
    stored_gaps = emitter.initializer(emitter.fresh(f"{name}.gaps"), gaps)
    stored_values = emitter.initializer(emitter.fresh(f"{name}.values"), values)
    positions = emitter.fresh(f"{name}.positions")
    first_axis = emitter.scalar(0, np.int32)
    emitter.chain(stored_gaps, (cast(np.int32), Step("CumSum", (first_axis,))), positions)
    size = emitter.shared(np.array([data.size], np.int64))
    zero = numpy_helper.from_array(np.zeros(1, data.dtype))
    zeros = emitter.value("ConstantOfShape", (size,), f"{name}.zeros", value=zero)
    shape = emitter.shared(np.array(data.shape, np.int64))
    scatter = Step("ScatterElements", (positions, stored_values), {"axis": 0})
    emitter.chain(zeros, (scatter, Step("Reshape", (shape,))), name)
    return name
