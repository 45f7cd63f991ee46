"""Operators that TFLite has under the same meaning, with nothing but values as inputs."""

from ai_edge_litert import schema_py_generated as schema

from capexport.ir.graph import Node
from capexport.writers.tflite.lowering import VISITORS, Lowering, Visitor, visits

Op = schema.BuiltinOperator


def _plain(code: int, options: str | None = None, **fields: object) -> Visitor:
    """An operator that takes the node's inputs as they are."""

    def visitor(lowering: Lowering, node: Node) -> None:
        inputs = [lowering.operand(node, name) for name in node.inputs]
        outputs = [lowering.tensor(name) for name in node.outputs]
        lowering.model.operator(code, inputs, outputs, options, **fields)

    return visitor


VISITORS["add"] = _plain(Op.ADD, "AddOptions")
VISITORS["sub"] = _plain(Op.SUB, "SubOptions")
VISITORS["mul"] = _plain(Op.MUL, "MulOptions")
VISITORS["div"] = _plain(Op.DIV, "DivOptions")
VISITORS["maximum"] = _plain(Op.MAXIMUM, "MaximumMinimumOptions")
VISITORS["abs"] = _plain(Op.ABS, "AbsOptions")
VISITORS["log"] = _plain(Op.LOG)
VISITORS["sqrt"] = _plain(Op.SQRT)
VISITORS["sin"] = _plain(Op.SIN)
VISITORS["cos"] = _plain(Op.COS, "CosOptions")
VISITORS["relu"] = _plain(Op.RELU)
VISITORS["relu6"] = _plain(Op.RELU6)
VISITORS["hard_swish"] = _plain(Op.HARD_SWISH, "HardSwishOptions")
VISITORS["cast"] = _plain(Op.CAST)
VISITORS["quantize"] = _plain(Op.QUANTIZE, "QuantizeOptions")
VISITORS["dequantize"] = _plain(Op.DEQUANTIZE, "DequantizeOptions")
VISITORS["sigmoid"] = _plain(Op.LOGISTIC)
VISITORS["tanh"] = _plain(Op.TANH)
VISITORS["softmax"] = _plain(Op.SOFTMAX, "SoftmaxOptions", beta=1.0)
VISITORS["log_softmax"] = _plain(Op.LOG_SOFTMAX, "LogSoftmaxOptions")


@visits("gelu")
def _gelu(lowering: Lowering, node: Node) -> None:
    _plain(Op.GELU, "GeluOptions", approximate=node.attributes["approximate"])(lowering, node)


@visits("matmul")
def _matmul(lowering: Lowering, node: Node) -> None:
    transposed = node.attributes.get("transposed", False)
    _plain(Op.BATCH_MATMUL, "BatchMatMulOptions", adjY=transposed)(lowering, node)
