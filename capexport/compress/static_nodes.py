"""Which nodes of an encoder run in static int8, and which of their values share one scale."""

from collections.abc import Iterable

from capexport.ir.graph import Graph, Node

_BETWEEN = frozenset(
    {
        *("add", "sub", "mul", "relu", "relu6", "max_pool2d", "avg_pool2d", "mean"),
        *("concat", "pad", "reshape", "transpose"),
    }
)
_AFTER = frozenset({"add", "relu", "relu6", "concat"})
_ONE_SCALE = frozenset({"max_pool2d", "avg_pool2d", "concat", "pad", "reshape", "transpose"})
"""TFLite has no rescaling in these."""
_ACTIVATIONS = ("relu", "relu6")


def static_nodes(graph: Graph, largest: int | None = None) -> dict[str, Node]:
    """Nodes that compute in int8, by the value they write.

    Convolutions that read no image of more than `largest` rows or columns, and that no convolution
    of a larger one depends on; what lies between them; and the additions, activations and
    concatenations that read nothing but int8 behind the last ones. Everything else reads and writes
    floats: averaging or projecting features is little work and better done on floats, as is all
    that follows (the residual additions of a transformer), and for hard-swish XNNPACK has no int8
    form.
    """
    convolutions = _int8_convolutions(graph, largest)
    before, after = _upstream(graph, convolutions), _downstream(graph, convolutions)
    static: dict[str, Node] = {}
    for node in graph.nodes:
        between = node.outputs[0] in before
        inside = node.op in (_BETWEEN if between else _AFTER)
        reads = {name for name in node.inputs if name not in graph.constants}
        known = reads <= (after if between else static.keys())
        joins = inside and reads and known and _has_int8_form(graph, node)
        if node.outputs[0] in convolutions or joins:
            static[node.outputs[0]] = node
    return static


def image_sides(graph: Graph) -> list[int]:
    """What `largest` can be to make a difference: rows or columns, the largest first."""
    sides = sorted({*_sides(graph).values()}, reverse=True)
    return [side for side in sides if _int8_convolutions(graph, side)]


def _int8_convolutions(graph: Graph, largest: int | None) -> set[str]:
    """What they write."""
    sides = _sides(graph)
    if largest is None:
        return set(sides)
    large = {written for written, side in sides.items() if side > largest}
    return sides.keys() - _upstream(graph, large)


def _sides(graph: Graph) -> dict[str, int]:
    """Rows or columns, whichever are more, that each convolution reads, by what it writes."""
    reads = {n.outputs[0]: graph.shape(n.inputs[0]) for n in graph.nodes if n.op == "conv2d"}
    return {written: max(int(side) for side in shape[2:]) for written, shape in reads.items()}


def _upstream(graph: Graph, values: set[str]) -> set[str]:
    """The values, and all that they depend on."""
    needed = set(values)
    for node in reversed(graph.nodes):
        if needed.intersection(node.outputs):
            needed.update(node.inputs)
    return needed


def _downstream(graph: Graph, values: set[str]) -> set[str]:
    """The values, and all that depend on them."""
    written = set(values)
    for node in graph.nodes:
        if written.intersection(node.inputs):
            written.update(node.outputs)
    return written


def _has_int8_form(graph: Graph, node: Node) -> bool:
    """Not where a constant, with a scale of its own, would need another's; nor other padding."""
    if node.op in _ONE_SCALE and any(name in graph.constants for name in node.inputs):
        return False
    return node.op != "pad" or bool(node.attributes["value"] == 0)


def absorbed_activations(graph: Graph, static: dict[str, Node]) -> dict[str, str]:
    """Value before an activation -> value after it, where int8 needs no operator for it.

    The range of a value after relu starts at 0 and after relu6 ends at 6 or below, so that
    whoever writes it in int8 saturates to just that.
    """
    absorbed = {}
    for node in static.values():
        before = node.inputs[0]
        writer = static.get(before)
        if node.op not in _ACTIVATIONS or writer is None or writer.op in _ONE_SCALE:
            continue
        if before not in graph.outputs and len(graph.users(before)) == 1:
            absorbed[before] = node.outputs[0]
    return absorbed


def equal_values(static: dict[str, Node]) -> list[set[str]]:
    """Groups of values that must have one scale and zero point."""
    return _joined({*n.inputs, *n.outputs} for n in static.values() if n.op in _ONE_SCALE)


def added_values(graph: Graph, static: dict[str, Node], absorbed: dict[str, str]) -> list[set[str]]:
    """Groups of values that are added to each other, or have one scale with those that are.

    Of one scale, whole steps are added: nothing is rounded, and all runtimes agree. Not so a sum
    with a constant.
    """
    sums = [
        {*n.inputs, absorbed.get(n.outputs[0], n.outputs[0])}
        for n in static.values()
        if n.op in ("add", "sub") and not graph.constants.keys() & set(n.inputs)
    ]
    groups = _joined([*equal_values(static), *sums])
    return [group for group in groups if any(one <= group for one in sums)]


def _joined(sets: Iterable[set[str]]) -> list[set[str]]:
    """Sets that share an element are one."""
    groups: list[set[str]] = []
    for one in sets:
        touching = [group for group in groups if group & one]
        groups = [group for group in groups if not group & one]
        groups.append(one.union(*touching))
    return groups
