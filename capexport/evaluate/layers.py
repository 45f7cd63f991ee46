"""A captioner, a recipe and images -> how far each layer's output moves when it becomes int8."""

from collections.abc import Collection, Iterable, Iterator, Mapping
from dataclasses import dataclass, field
from types import MappingProxyType
from typing import Any

import numpy as np

from capexport.captioner import Captioner
from capexport.capture import capture_graphs
from capexport.compress import Recipe, apply_recipe, image_samples, with_float_layers
from capexport.ir.evaluate import evaluate
from capexport.ir.graph import Array, Graph, Node, TensorQuantization
from capexport.ir.passes import run_passes
from capexport.ir.static_int8 import Quantized
from capexport.runtime import initial_states, next_states
from capexport.spec.signature import LOG_PROBS, TOKEN

Tensors = Mapping[str, Array]
_WEIGHT = {"linear": 1, "conv2d": 1, "embedding": 0}
"""Which input of a layer is its weight."""


@dataclass
class LayerError:
    """Differences of one layer's output over all samples, and the size of what differs."""

    graph: str
    layer: str
    op: str
    max_abs_error: float = 0.0
    _errors: list[float] = field(default_factory=list)
    _values: list[float] = field(default_factory=list)

    def add(self, wanted: Array, got: Array) -> None:
        error = np.abs(got - wanted)
        self.max_abs_error = max(self.max_abs_error, float(error.max(initial=0)))
        self._errors.append(float(error.mean()))
        self._values.append(float(np.abs(wanted).mean()))

    def report(self) -> dict[str, Any]:
        return {
            "graph": self.graph,
            "layer": self.layer,
            "op": self.op,
            "max_abs_error": self.max_abs_error,
            "mean_abs_error": float(np.mean(self._errors)),
            "mean_abs_value": float(np.mean(self._values)),
        }


def layer_errors(
    captioner: Captioner,
    recipes: Mapping[str, Recipe],
    inputs: Iterable[Tensors],
    calibration: Iterable[Array] = (),
    float_layers: Mapping[str, Collection[str]] = MappingProxyType({}),
) -> list[dict[str, Any]]:
    """Errors of linears, convolutions and embeddings, in the order in which they run.

    Both graphs get the same inputs: the decoder step those of the float captioner's greedy caption.
    Within a graph errors go on from layer to layer, as they do in a runtime.

    Args:
        recipes: of "encoder" and "decoder".
        inputs: the encoder's by name, one mapping an image.
        calibration: pictures for a static recipe.
        float_layers: by graph, what the recipe auto left float.

    Returns:
        `{"graph", "layer", "op", "max_abs_error", "mean_abs_error", "mean_abs_value"}` each, a
        layer being named by its weight.
    """
    images = list(inputs)
    encoder, step = (run_passes(graph) for graph in capture_graphs(captioner))
    steps = [sample for image in images for sample in greedy_steps(captioner, encoder, step, image)]
    pictures = image_samples(encoder, calibration)

    def small(graph: Graph, recipe: Recipe, samples: Iterable[Tensors] = ()) -> Graph:
        layers = float_layers.get(graph.name, ())
        return with_float_layers(graph, apply_recipe(graph, recipe, samples), layers)

    return [
        *compare_layers(encoder, small(encoder, recipes["encoder"], pictures), images),
        *compare_layers(step, small(step, recipes["decoder"]), steps),
    ]


def compare_layers(before: Graph, after: Graph, samples: Iterable[Tensors]) -> list[dict[str, Any]]:
    """The same for one graph; `after` is `before` with a recipe applied."""
    layers = [
        (counterpart, LayerError(before.name, node.inputs[_WEIGHT[node.op]], node.op))
        for node in before.nodes
        if node.op in _WEIGHT and (counterpart := _counterpart(before, after, node))
    ]
    for sample in samples:
        wanted = evaluate(before, sample, {value for (value, _), _ in layers})
        got = evaluate(after, sample, {value for (_, value), _ in layers})
        for (value, small), error in layers:
            error.add(wanted[value], _real(got[small], after.quantization.get(small)))
    return [error.report() for _, error in layers]


def _counterpart(before: Graph, after: Graph, node: Node) -> tuple[str, str] | None:
    """The layer's output and what stands for it afterwards: itself, its int8 form, or that of the
    activation that saturation absorbed; what such a layer writes before what is converted."""
    output, writers = node.outputs[0], after.producers()
    following = [value for user in before.users(output) for value in user.outputs]
    found = [
        (value, name)
        for value in (output, *following)
        for name in (f"{value}.int8", value)
        if name in after.values
    ]
    written = [pair for pair in found if writers[pair[1]].op == node.op]
    return next(iter(written + found), None)


def _real(numbers: Array, meaning: TensorQuantization | None) -> Array:
    return numbers if meaning is None else Quantized(numbers, meaning).dequantized()


def greedy_steps(
    captioner: Captioner, encoder: Graph, step: Graph, image: Tensors
) -> Iterator[dict[str, Array]]:
    """What the decoder step reads along the greedy caption of one image."""
    signature, rule = captioner.signature, captioner.decoding
    encoded = evaluate(encoder, image)
    memory = {spec.name: encoded[spec.name] for spec in signature.memory}
    states = initial_states(signature.states, 1, encoded)
    token = rule.bos
    for _ in range(rule.max_length):
        sample = {TOKEN: np.array([token], np.int32), **states, **memory}
        yield sample
        outputs = evaluate(step, sample)
        token = int(outputs[LOG_PROBS][0].argmax())
        if token == rule.eos:
            return
        states = next_states(signature.states, states, outputs)
