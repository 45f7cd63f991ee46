"""Non-zeros counted before and after, and matrices that would be stored twice."""

from dataclasses import replace

import numpy as np
import pytest
from up_down_graphs import tiny_graphs

from capexport.compress import RECIPES, apply_recipe, count_nonzeros, refuse_copies
from capexport.errors import GraphError
from capexport.ir.graph import Constant, Graph

WITHOUT_IMAGES = [recipe for recipe in RECIPES.values() if not recipe.static]


@pytest.mark.parametrize("recipe", WITHOUT_IMAGES, ids=str)
def test_no_non_zero_is_lost_uncounted(recipe: object) -> None:
    for graph in tiny_graphs():
        small = apply_recipe(graph, recipe)
        counts = count_nonzeros(graph, small)
        assert counts["nnz"] == sum(c.nnz for c in matrices(graph))
        assert counts["rounded_to_zero"] == counts["nnz"] - sum(c.nnz for c in matrices(small))


def test_what_rounding_takes_is_counted() -> None:
    graph, recipe = tiny_graphs()[0], RECIPES["dynamic_wi8"]
    weight = matrices(graph)[0]
    data = weight.data.copy()
    row = np.flatnonzero(data.any(1))[0]
    data[row, np.flatnonzero(data[row] == 0)[0]] = 1e-9
    finer = graph.replace_constants({weight.name: replace(weight, data=data)})
    plain, counts = (count_nonzeros(g, apply_recipe(g, recipe)) for g in (graph, finer))
    assert counts["nnz"] == plain["nnz"] + 1
    assert counts["rounded_to_zero"] == plain["rounded_to_zero"] + 1


def test_zeros_that_become_numbers_are_an_error() -> None:
    graph = tiny_graphs()[0]
    name = matrices(graph)[0].name
    filled = Constant(name, np.ones_like(graph.constants[name].data))
    with pytest.raises(GraphError, match="turned zeros into numbers"):
        count_nonzeros(graph, graph.replace_constants({name: filled}))


@pytest.mark.parametrize("recipe", WITHOUT_IMAGES, ids=str)
def test_the_two_graphs_share_no_matrix(recipe: object) -> None:
    refuse_copies(apply_recipe(graph, recipe) for graph in tiny_graphs())


@pytest.mark.parametrize("recipe", WITHOUT_IMAGES, ids=str)
def test_one_matrix_in_both_graphs_is_an_error(recipe: object) -> None:
    encoder, step = tiny_graphs()
    shared = matrices(encoder)[0]
    both = encoder, with_matrix(step, shared.data)
    if recipe.weight_bits is not None:
        encoder = apply_recipe(encoder, recipe)
        both = encoder, step.replace_constants({"table": encoder.constants[shared.name]})
    with pytest.raises(GraphError, match="two matrices of the bundle are equal") as caught:
        refuse_copies(both)
    assert "encoder: " in caught.value.where
    assert "decoder_step: " in caught.value.where


def test_matrices_of_zeros_are_no_copies() -> None:
    encoder, step = tiny_graphs()
    zeros = np.zeros((3, 3), np.float32)
    refuse_copies((with_matrix(encoder, zeros), with_matrix(step, zeros)))


def matrices(graph: Graph) -> list[Constant]:
    return [constant for constant in graph.constants.values() if constant.data.ndim == 2]


def with_matrix(graph: Graph, data: np.ndarray) -> Graph:
    return graph.replace_constants({"table": Constant("table", data)})
