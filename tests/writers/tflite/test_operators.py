"""Every operator as a file of its own, in LiteRT, against the numpy oracle."""

import numpy as np
import pytest
from litert_files import open_file, run
from one_op import AXES, FLOAT_CASES, WEIGHT_CASES, Case

from capexport.compress import choose_storage
from capexport.ir.evaluate import evaluate
from capexport.ir.ops import OPS
from capexport.writers.tflite import write
from capexport.writers.tflite.visitors import VISITORS

TOLERANCE = 300 * float(np.finfo(np.float32).eps)
"""Relative to the largest output: sums of up to 300 products in another order."""


def assert_same(case: Case, weights: str) -> None:
    graph = choose_storage(case.graph(), weights)
    interpreter = open_file(write(graph))
    for axes in AXES:  # one interpreter: a resized graph must be as right as a fresh one
        inputs = case.inputs(axes)
        expected, got = evaluate(graph, inputs), run(interpreter, inputs)
        assert set(got) == set(expected)
        for name, array in expected.items():
            bound = TOLERANCE * max(1.0, float(np.abs(array).max()))
            np.testing.assert_allclose(got[name], array, rtol=0, atol=bound)


def test_every_operator_has_a_visitor() -> None:
    assert set(VISITORS) == set(OPS)


@pytest.mark.parametrize("case", FLOAT_CASES, ids=str)
def test_float_operator(case: Case) -> None:
    assert_same(case, "dense")


@pytest.mark.parametrize("weights", ["dense", "stock-sparse"])
@pytest.mark.parametrize("case", WEIGHT_CASES, ids=str)
def test_weight_operator(case: Case, weights: str) -> None:
    assert_same(case, weights)
