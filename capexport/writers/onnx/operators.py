"""A finished .onnx -> how many operators of each kind it has."""

from collections import Counter

import onnx


def count_operators(data: bytes) -> dict[str, int]:
    """Operators by name, our own with their domain."""
    nodes = onnx.load_model_from_string(data).graph.node
    return dict(Counter(f"{n.domain}.{n.op_type}" if n.domain else n.op_type for n in nodes))
