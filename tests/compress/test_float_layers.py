"""Layers that go back to float, and how far each int8 layer is off."""

import numpy as np
import pytest
from image_nets import Residual, float_graph, images
from up_down_graphs import random_inputs, tiny_graphs

from capexport.compress import (
    RECIPES,
    apply_recipe,
    automatic_recipes,
    graph_sensitivity,
    sensitivities,
    with_float_layers,
)
from capexport.compress.split_concat import split_concat
from capexport.ir.evaluate import evaluate
from capexport.ir.graph import Graph
from capexport.ir.passes import run_passes

DYNAMIC, STATIC = RECIPES["dynamic_wi8"], RECIPES["static_wi8_ai8"]
SUMS = 1e-5
"""Relative: linear(concat) and the sum of its parts add in another order."""


@pytest.fixture(params=["encoder", "decoder_step"])
def graph(request: pytest.FixtureRequest) -> Graph:
    graphs = {g.name: run_passes(g) for g in tiny_graphs(sparsity=0.3)}
    return graphs[request.param]


def samples(graph: Graph, count: int = 2) -> list[dict[str, np.ndarray]]:
    return [random_inputs(graph, beams=1, regions=5, seed=seed) for seed in range(count)]


def test_all_layers_float_is_the_float_graph(graph: Graph) -> None:
    small = apply_recipe(graph, DYNAMIC)
    (sample,) = samples(graph, 1)
    layers = sensitivities(graph, small, [sample])
    wanted, got = (evaluate(g, sample) for g in (graph, with_float_layers(graph, small, layers)))
    for name, array in wanted.items():
        np.testing.assert_allclose(got[name], array, rtol=SUMS, atol=SUMS * np.abs(array).max())


def test_no_layer_float_is_the_int8_graph(graph: Graph) -> None:
    small = apply_recipe(graph, DYNAMIC)
    same = with_float_layers(graph, small, ())
    assert same.nodes == small.nodes
    assert same.constants == small.constants


def test_every_int8_layer_is_measured_alone(graph: Graph) -> None:
    """Against the graph with all other layers float, looked at behind that layer."""
    small = apply_recipe(graph, DYNAMIC)
    found = sensitivities(graph, small, samples(graph))
    int8 = {name for name, constant in small.constants.items() if constant.quantization}
    assert set(found) == int8
    exact = split_concat(graph)
    for layer, sensitivity in found.items():
        alone = with_float_layers(graph, small, int8 - {layer})
        error = total = 0.0
        for sample in samples(graph):
            for node in alone.nodes:
                if layer in node.inputs:
                    wanted, got = (evaluate(g, sample, node.outputs) for g in (exact, alone))
                    (name,) = node.outputs
                    error += float(np.square(got[name] - wanted[name]).sum())
                    total += float(np.square(wanted[name]).sum())
        assert sensitivity == pytest.approx(error / total if error else 0.0, rel=1e-3, abs=1e-12)


def test_a_coarser_layer_is_more_sensitive() -> None:
    graph = run_passes(tiny_graphs(sparsity=0.3)[1])
    small = apply_recipe(graph, DYNAMIC)
    before = sensitivities(graph, small, samples(graph))
    layer = next(node.inputs[1] for node in small.nodes if node.op == "linear")
    weight = small.constants[layer]
    rounded = type(weight)(layer, weight.data // 16 * 16, weight.quantization)
    after = sensitivities(graph, small.replace_constants({layer: rounded}), samples(graph))
    assert after.pop(layer) > 10 * before.pop(layer)
    assert after == before


def test_auto_starts_static_where_there_are_convolutions() -> None:
    features, pictures = tiny_graphs()[0], float_graph(Residual)
    assert automatic_recipes(features) == {"encoder": DYNAMIC, "decoder": DYNAMIC}
    assert automatic_recipes(pictures) == {"encoder": STATIC, "decoder": DYNAMIC}
    given = [{"image": image.numpy()} for image in images(10, (17, 23))]
    small = apply_recipe(pictures, STATIC, given[:8])
    assert 0 < graph_sensitivity(pictures, small, given[8:]) < 0.01
    assert graph_sensitivity(pictures, pictures, given[8:]) == 0
