"""Errors of layers: none where nothing changed, and found where something was broken."""

from dataclasses import replace

import numpy as np
import pytest
from image_nets import NETS, Residual, float_graph, images
from torch import nn
from up_down_graphs import random_inputs, tiny_captioner, tiny_graphs

from capexport.compress import RECIPES, apply_recipe
from capexport.evaluate.layers import compare_layers, layer_errors
from capexport.ir.graph import Graph
from capexport.ir.passes import run_passes

FP32, DYNAMIC, STATIC = (RECIPES[n] for n in ("fp32", "dynamic_wi8", "static_wi8_ai8"))
SIZE = (17, 23)


def encoder_inputs(count: int) -> list[dict[str, np.ndarray]]:
    encoder, _ = tiny_graphs()
    return [random_inputs(encoder, beams=1, regions=5, seed=seed) for seed in range(count)]


def layer_names(graph: Graph) -> list[str]:
    places = {"linear": 1, "conv2d": 1, "embedding": 0}
    return [node.inputs[places[node.op]] for node in graph.nodes if node.op in places]


def test_a_float_recipe_has_no_error() -> None:
    found = layer_errors(tiny_captioner(), {"encoder": FP32, "decoder": FP32}, encoder_inputs(1))
    assert all(layer["max_abs_error"] == 0 for layer in found)


def test_every_layer_of_both_graphs_is_listed_once_in_order() -> None:
    found = layer_errors(
        tiny_captioner(), {"encoder": DYNAMIC, "decoder": DYNAMIC}, encoder_inputs(2)
    )
    for graph in map(run_passes, tiny_graphs()):
        listed = [layer["layer"] for layer in found if layer["graph"] == graph.name]
        assert listed == layer_names(graph)
    assert any(layer["mean_abs_error"] > 0 for layer in found)
    for layer in found:  # rows of one or two weights may lie on a grid
        assert layer["mean_abs_error"] <= layer["max_abs_error"]
        assert layer["mean_abs_error"] <= 0.1 * layer["mean_abs_value"]


def test_an_embedding_is_off_by_half_a_step_of_its_row() -> None:
    _, step = (run_passes(graph) for graph in tiny_graphs(sparsity=0.0))
    sample = random_inputs(step, beams=1, regions=5)
    found = compare_layers(step, apply_recipe(step, DYNAMIC), [sample])
    (layer,) = (layer for layer in found if layer["op"] == "embedding")
    row = step.constants[layer["layer"]].data[sample["token"][0]]
    assert 0 < layer["max_abs_error"] <= np.abs(row).max() / 127 / 2 * (1 + 1e-3)
    assert layer["mean_abs_value"] == pytest.approx(np.abs(row).mean())


@pytest.mark.parametrize("kind", NETS)
def test_convolutions_are_compared_whatever_int8_absorbed(kind: type[nn.Module]) -> None:
    graph = float_graph(kind, SIZE)
    samples = [{"image": image.numpy()} for image in images(10, SIZE)]
    found = compare_layers(graph, apply_recipe(graph, STATIC, samples[:8]), samples[8:])
    assert [layer["layer"] for layer in found] == layer_names(graph)
    for layer in found:
        assert 0 < layer["mean_abs_error"] < 0.1 * layer["mean_abs_value"]


@pytest.mark.parametrize("broken", range(5))
def test_the_first_layer_with_a_large_error_is_the_broken_one(broken: int) -> None:
    graph = float_graph(Residual, SIZE)
    samples = [{"image": image.numpy()} for image in images(9, SIZE)]
    small = apply_recipe(graph, STATIC, samples[:8])
    weight = small.constants[layer_names(graph)[broken]]
    assert weight.quantization is not None
    halved = replace(weight.quantization, scale=weight.quantization.scale / 2)
    damaged = small.replace_constants({weight.name: replace(weight, quantization=halved)})
    before, after = (compare_layers(graph, g, samples[8:]) for g in (small, damaged))
    changed = [
        number
        for number, (one, other) in enumerate(zip(before, after, strict=True))
        if other["mean_abs_error"] > 3 * one["mean_abs_error"]
    ]
    assert changed[0] == broken
