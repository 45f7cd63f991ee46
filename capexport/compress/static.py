"""A float encoder and calibration inputs -> convolutions and what lies between them in int8."""

from collections.abc import Iterable, Mapping
from dataclasses import replace

import numpy as np

from capexport.compress import ranges
from capexport.compress.calibrate import Observed, calibrate
from capexport.compress.convolution_weights import quantize_convolution
from capexport.compress.image_scale import ImageScale, image_scales
from capexport.compress.static_nodes import (
    absorbed_activations,
    added_values,
    equal_values,
    static_nodes,
)
from capexport.errors import UnsupportedError
from capexport.ir.graph import (
    Array,
    Constant,
    Graph,
    Node,
    QuantParams,
    TensorQuantization,
)
from capexport.ir.ops import NONE
from capexport.ir.passes.drop_unread import drop_unread
from capexport.spec.signature import TensorSpec


def apply_static(
    graph: Graph,
    samples: Iterable[Mapping[str, Array]],
    method: str = ranges.DEFAULT,
    *,
    largest: int | None = None,
    correct_bias: bool = True,
) -> Graph:
    """The graph with int8 convolutions; linears and embeddings stay as they are.

    Args:
        samples: calibration inputs by name.
        method: of `ranges.RANGES`.
        largest: as a recipe's.
        correct_bias: make up for the mean error of rounded weights.

    Raises:
        UnsupportedError: there is no convolution.
        InputError: the samples are none, or not fit.
    """
    static = static_nodes(graph, largest)
    if not static:
        raise _nothing_static(graph, largest)
    values = {name for node in static.values() for name in (*node.inputs, *node.outputs)}
    observed = calibrate(graph, samples, sorted(values - set(graph.constants)))
    meanings = _meanings(static, observed, method)
    for group in added_values(graph, static, absorbed_activations(graph, static)):
        meanings.update(_of_one_scale(meanings, group))
    means = {name: np.asarray(value.mean) for name, value in observed.items() if correct_bias}
    return _Rewriting(graph, static, meanings, means).graph()


def _nothing_static(graph: Graph, largest: int | None) -> UnsupportedError:
    if largest is not None and static_nodes(graph):
        return UnsupportedError(
            f"every convolution of the {graph.name} comes before one that reads an image of more "
            f"than {largest} rows or columns, or reads one itself",
            where=f"graph {graph.name}, recipe static_wi8_ai8@{largest}",
            hint="give a larger number behind @, or leave it out",
        )
    return UnsupportedError(
        f"the {graph.name} has no convolution that could be static int8",
        where=f"graph {graph.name}, recipe static_wi8_ai8",
        hint="it is for image encoders: --recipe encoder=static_wi8_ai8,decoder=dynamic_wi8",
    )


def _meanings(
    static: dict[str, Node], observed: dict[str, Observed], method: str
) -> dict[str, TensorQuantization]:
    """Scale and zero point of every value, chosen once for those that share them."""
    histograms = {name: value.histogram for name, value in observed.items()}
    for group in equal_values(static):
        first, *others = (histograms[name] for name in sorted(group))
        for other in others:
            first.merge(other)
        histograms.update(dict.fromkeys(group, first))
    choose = ranges.RANGES[method]
    return {name: ranges.quantization(choose(h)) for name, h in histograms.items()}


def _of_one_scale(
    meanings: dict[str, TensorQuantization], group: set[str]
) -> dict[str, TensorQuantization]:
    """The coarsest scale for all, each with a zero point of its own."""
    scale = max(meanings[name].scale for name in group)
    return {name: ranges.coarser(meanings[name], scale) for name in group}


class _Rewriting:
    """The new nodes so far, and the int8 form of each value that has one."""

    def __init__(
        self,
        graph: Graph,
        static: dict[str, Node],
        meanings: dict[str, TensorQuantization],
        means: dict[str, Array],
    ) -> None:
        self._old, self._static = graph, static
        self._meanings, self._means = meanings, means
        self._absorbed = absorbed_activations(graph, static)
        self._images = image_scales(graph, static)
        self._nodes: list[Node] = []
        self._values = dict(graph.values)
        self._constants = dict(graph.constants)
        self._quantization: dict[str, TensorQuantization] = {}
        self._int8: dict[str, str] = {}

    def graph(self) -> Graph:
        skipped = {after: before for before, after in self._absorbed.items()}
        for node in self._old.nodes:
            if node.outputs[0] in skipped:
                continue
            if node.outputs[0] in self._static:
                self._add_static(node)
            else:
                self._nodes.append(node)
        new = replace(
            self._old,
            nodes=tuple(self._nodes),
            values=self._values,
            constants=self._constants,
            quantization=self._quantization,
        )
        return drop_unread(new)

    def _add_static(self, node: Node) -> None:
        output = self._absorbed.get(node.outputs[0], node.outputs[0])
        attributes = dict(node.attributes)
        if node.op == "conv2d":
            attributes["activation"] = NONE  # the range of the output saturates to it
            inputs = self._convolution(node, output)
        else:
            inputs = tuple(self._operand(name) for name in node.inputs)
        name = self._declare(output, self._meanings[output])
        self._nodes.append(Node(node.op, inputs, (name,), attributes))
        self._nodes.append(Node("dequantize", (name,), (output,)))  # dropped if nothing reads it

    def _convolution(self, node: Node, output: str) -> tuple[str, ...]:
        x, weight, *bias = node.inputs
        int8 = self._operand(x)
        image = self._images.get(x)
        new_weight, new_bias = quantize_convolution(
            replace(self._old.constants[weight], name=f"{weight}.{output}"),
            self._old.constants[bias[0]].data if bias else None,
            self._quantization[int8],
            self._meanings[output],
            mean=self._means.get(x),
            offset=image.offset if image else 0.0,
            groups=node.attributes["groups"],
        )
        if len(self._old.users(weight)) == 1:
            new_weight = replace(new_weight, name=weight)
        self._constants.update({c.name: c for c in (new_weight, new_bias)})
        return int8, new_weight.name, new_bias.name

    def _operand(self, name: str) -> str:
        """int8 form of a value or constant."""
        if name in self._constants:
            return self._constant(self._constants[name])
        if name not in self._int8:
            if name in self._images:
                self._quantize_image(name, self._images[name])
            else:
                quantized = self._declare(name, self._meanings[name])
                self._nodes.append(Node("quantize", (name,), (quantized,)))
        return self._int8[name]

    def _quantize_image(self, name: str, image: ImageScale) -> None:
        """The pixels as they are, with a scale in place of arithmetic."""
        self._quantization[image.input] = image.meaning
        signed = TensorQuantization(image.meaning.scale, image.meaning.zero_point - 128)
        source, step = image.input, "quantize"
        for value, attributes in ((image.input, {}), *image.transposes):
            written = self._declare(value, signed)
            self._nodes.append(Node(step, (source,), (written,), attributes))
            source, step = written, "transpose"
        self._int8[name] = source

    def _declare(self, value: str, meaning: TensorQuantization) -> str:
        name = f"{value}.int8"
        self._values[name] = TensorSpec(name, self._old.shape(value), "int8")
        self._quantization[name] = meaning
        self._int8[value] = name
        return name

    def _constant(self, constant: Constant) -> str:
        """Symmetric int8, one scale for all of it."""
        name = f"{constant.name}.int8"
        data = np.atleast_1d(constant.data)
        scale = np.float32(np.abs(data).max(initial=0) / 127) or np.float32(1)
        steps = np.rint(data / scale).astype(np.int8)
        self._constants[name] = Constant(name, steps, QuantParams(np.array([scale])))
        return name
