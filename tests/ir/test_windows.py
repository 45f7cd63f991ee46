"""Convolution and pooling in numpy against torch; shapes that do not fit are refused."""

import numpy as np
import pytest
import torch
from image_operators import CONVOLUTIONS, POOLS, convolution, pool
from one_op import Case
from torch.nn import functional as F

from capexport.errors import GraphError
from capexport.ir.evaluate import evaluate
from capexport.ir.graph import Graph

TOLERANCE = 1e-5
"""Sums of up to 147 products near 1, in another order."""


def padded(x: torch.Tensor, padding: tuple, value: float = 0.0) -> torch.Tensor:
    (top, bottom), (left, right) = padding
    return F.pad(x, (left, right, top, bottom), value=value)


def constants(graph: Graph) -> list[torch.Tensor]:
    return [torch.from_numpy(constant.data) for constant in graph.constants.values()]


@pytest.mark.parametrize("case", CONVOLUTIONS, ids=str)
def test_convolution(case: Case) -> None:
    graph, inputs, a = case.graph(), case.inputs({}), case.attributes
    x = padded(torch.from_numpy(inputs["x0"]), a["padding"])
    y = F.conv2d(x, *constants(graph), stride=a["stride"], groups=a["groups"])
    y = {"none": lambda y: y, "relu": F.relu, "relu6": F.relu6}[a["activation"]](y)
    got = evaluate(graph, inputs)["y0"]
    np.testing.assert_allclose(
        got, y.numpy(), rtol=0, atol=TOLERANCE * max(1, float(y.abs().max()))
    )


@pytest.mark.parametrize("case", POOLS, ids=str)
def test_pool(case: Case) -> None:
    inputs, a = case.inputs({}), case.attributes
    x = torch.from_numpy(inputs["x0"])
    if case.op == "max_pool2d":
        y = F.max_pool2d(padded(x, a["padding"], -np.inf), a["window"], a["stride"])
    else:
        total = F.avg_pool2d(padded(x, a["padding"]), a["window"], a["stride"])
        y = total / F.avg_pool2d(padded(torch.ones_like(x), a["padding"]), a["window"], a["stride"])
    np.testing.assert_allclose(evaluate(case.graph(), inputs)["y0"], y.numpy(), rtol=0, atol=1e-6)


@pytest.mark.parametrize(
    "case",
    [
        convolution((2, 5), (3, 4), (3, 3)),  # the window does not fit
        convolution((5, 5), (6, 4), (3, 3), groups=3),  # 4 outputs in 3 groups
        convolution((5, 5), (3, 4), (3, 3), 0),
        convolution((5, 5), (3, 4), (3, 3), 1, ((-1, 0), (0, 0))),
        Case(
            "conv2d", ((1, 5, 5, 3), (4, 3, 1, 1)), convolution((5, 5), (3, 4), (1, 1)).attributes
        ),
        pool("max_pool2d", (5, 5), 2, 1, ((2, 0), (0, 0))),  # a window of nothing but padding
        Case("max_pool2d", ((1, 3, "regions", 5),), pool("max_pool2d", (5, 5), 2, 1).attributes),
        Case("reshape", ((1, 6),), {"shape": (5,)}),
        Case("reshape", (("beams", "regions"),), {"shape": ("beams", 1, "regions")}),
        Case("transpose", ((2, 3),), {"order": (0, 0)}),
        Case("pad", (("regions", 3),), {"padding": ((1, 0), (0, 0)), "value": 0.0}),
    ],
    ids=str,
)
def test_what_does_not_fit_is_refused(case: Case) -> None:
    with pytest.raises(GraphError):
        case.graph()
