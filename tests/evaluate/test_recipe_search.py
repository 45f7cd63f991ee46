"""Which layers go back to float: the most sensitive ones, and no more than the budget needs."""

import math

import numpy as np
import pytest
import torch
from hypothesis import given
from hypothesis import strategies as st
from image_nets import captured, cells, images
from torch import nn
from up_down_graphs import random_inputs, tiny_captioner, tiny_graphs

from capexport.compress import RECIPES, apply_recipe
from capexport.errors import InputError
from capexport.evaluate.recipe_search import (
    Budget,
    Unit,
    check_validation,
    choose_float_layers,
    fewest,
    float_units,
    mixed,
)
from capexport.ir.graph import Graph
from capexport.ir.passes import run_passes

FLOATS = [run_passes(graph) for graph in tiny_graphs(sparsity=0.3)]
SMALLS = [apply_recipe(graph, RECIPES["dynamic_wi8"]) for graph in FLOATS]


def no_pictures(side: int) -> Graph:
    raise AssertionError(f"there are no images, let alone of {side} rows")


def int8_layers(graphs: list[Graph]) -> set[str]:
    return {c.name for graph in graphs for c in graph.constants.values() if c.quantization}


@pytest.fixture(scope="module")
def units() -> list[Unit]:
    inputs = [random_inputs(FLOATS[0], beams=1, regions=5)]
    return float_units(tiny_captioner(0.3), FLOATS, SMALLS, inputs)


def test_every_layer_is_a_unit(units: list[Unit]) -> None:
    assert {layer for unit in units for layer in unit.layers} == int8_layers(SMALLS)
    assert all(len(unit.layers) == 1 for unit in units)


@pytest.mark.parametrize("needed", [0, 1, 2, 3, 5, 100])
def test_the_most_sensitive_go_until_the_budget_is_kept(units: list[Unit], needed: int) -> None:
    """A judge to whom each int8 layer but the `needed` most sensitive costs nothing."""
    ranked = sorted(units, key=lambda u: (-u.sensitivity, u.graph, u.layers))
    costly = {layer for unit in ranked[:needed] for layer in unit.layers}

    def judge(graphs: list[Graph]) -> np.ndarray:
        cost = 0.5 * len(int8_layers(graphs) & costly)
        return np.array([4 - cost, 2 - cost])

    graphs, found = choose_float_layers(
        FLOATS, SMALLS, units, judge, Budget.parse("0.1"), no_pictures
    )
    assert int8_layers(graphs) == int8_layers(SMALLS) - costly
    assert found["cider"]["float"] == found["cider"]["chosen"] == 3
    assert found["cider"]["int8"] == 3 - 0.5 * len(costly)
    assert len(found["float"]) == len(costly)
    assert len(found["float"]) + len(found["int8"]) == len(units)
    assert (found["difference"], found["standard_error"], found["images"]) == (0, 0, 2)


@pytest.mark.parametrize(("bearable", "chosen"), [(9, 9), (5, 5), (1, None)])
def test_an_encoder_keeps_its_small_images_in_int8_if_the_budget_allows(
    bearable: int, chosen: int | None
) -> None:
    """Convolutions that read 17, 9, 5 and 3 rows, and a judge who bears int8 over so many."""

    class Halving(nn.Module):
        def __init__(self) -> None:
            super().__init__()
            torch.manual_seed(0)
            self.layers = nn.Sequential(*(nn.Conv2d(3, 3, 3, 2, 1) for _ in range(4)))

        def forward(self, image: torch.Tensor) -> torch.Tensor:
            return cells(self.layers(image.float().permute(0, 3, 1, 2)))

    before = run_passes(captured(Halving(), (17, 13)))
    samples = [{"image": image.numpy()} for image in images(4, (17, 13))]
    static = RECIPES["static_wi8_ai8"]
    floats = [before, FLOATS[1]]
    smalls = [apply_recipe(before, static, samples), SMALLS[1]]

    def reads(graph: Graph) -> list[int]:
        """Rows that int8 convolutions read."""
        found = [node.inputs[0] for node in graph.nodes if node.op == "conv2d"]
        return [graph.shape(name)[2] for name in found if graph.dtype(name) == "int8"]

    def judge(graphs: list[Graph]) -> np.ndarray:
        return np.array([max(reads(graphs[0]), default=0) <= bearable], np.float64)

    graphs, found = choose_float_layers(
        floats,
        smalls,
        [Unit("encoder", (), 1.0)],
        judge,
        Budget.parse("0.5%"),
        lambda side: apply_recipe(before, static.of_images_within(side), samples),
    )
    assert found["largest"] == chosen
    assert max(reads(graphs[0]), default=None) == chosen
    assert found["cider"] == {"float": 1, "int8": 0, "chosen": 1}
    assert int8_layers(graphs[1:]) == int8_layers(SMALLS[1:])


def test_a_whole_graph_goes_back_as_it_was() -> None:
    graphs = mixed(FLOATS, SMALLS, [Unit("encoder", (), 1.0)])
    assert graphs[0] is FLOATS[0]
    assert int8_layers(graphs) == int8_layers(SMALLS[1:])


@given(st.integers(1, 60), st.integers(0, 60))
def test_fewest_finds_the_threshold(total: int, threshold: int) -> None:
    tried: list[int] = []

    def passes(count: int) -> bool:
        tried.append(count)
        return count >= threshold

    assert fewest(total, passes) == min(threshold, total)
    assert len(tried) <= 2 * math.log2(total + 1) + 2


def test_budgets() -> None:
    assert Budget.parse("0.5%").most(3.4) == pytest.approx(0.017)
    assert Budget.parse("0.01").most(3.4) == 0.01
    for text in ("", "%", "-1%", "few", "nan", "inf"):
        with pytest.raises(InputError, match="no drop of CIDEr-D"):
            Budget.parse(text)


def test_auto_and_captioned_images_belong_together() -> None:
    with pytest.raises(InputError, match="there are none"):
        check_validation("auto", None)
    check_validation("fp32", None)
