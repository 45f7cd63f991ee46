"""Equal weights -> one constant."""

import hashlib
from dataclasses import replace

from capexport.ir.graph import Array, Constant, Graph


def share_constants(graph: Graph) -> Graph:
    """Store equal float constants once (tied embedding and logit, shared layers).

    The first name wins. Runs before quantization, which would have to agree on both readers.
    """
    first: dict[tuple[str, tuple[int, ...], bytes], str] = {}
    renamed: dict[str, str] = {}
    kept: dict[str, Constant] = {}
    for name, constant in graph.constants.items():
        original = first.setdefault(_fingerprint(constant.data), name)
        renamed[name] = original
        if original == name:
            kept[name] = constant
    nodes = tuple(
        replace(node, inputs=tuple(renamed.get(name, name) for name in node.inputs))
        for node in graph.nodes
    )
    return replace(graph, nodes=nodes, constants=kept)


def _fingerprint(array: Array) -> tuple[str, tuple[int, ...], bytes]:
    digest = hashlib.sha256(array.tobytes()).digest()
    return array.dtype.str, array.shape, digest
