"""Image operators over awkward sizes (1, primes, both parities of a stride, tails, groups)."""

from itertools import product
from typing import Any

from one_op import Case

from capexport.ir.ops import NONE, RELU, RELU6

NONE_AROUND = ((0, 0), (0, 0))


def convolution(
    size: tuple[int, int],
    channels: tuple[int, int],
    window: tuple[int, int],
    stride: int = 1,
    padding: Any = NONE_AROUND,
    *,
    groups: int = 1,
    activation: str = NONE,
    bias: bool = True,
    recipe: str = "fp32",
) -> Case:
    inputs, outputs = channels
    shapes = ((1, inputs, *size), (outputs, inputs // groups, *window), (outputs,))
    attributes = {
        "stride": (stride, stride),
        "padding": padding,
        "groups": groups,
        "activation": activation,
        "channel_axis": 1,
    }
    if bias:
        return Case("conv2d", shapes, attributes, {1: 0.0, 2: 0.0}, recipe)
    return Case("conv2d", shapes[:2], attributes, {1: 0.0}, recipe)


def pool(
    op: str, size: tuple[int, int], window: int, stride: int, padding: Any = NONE_AROUND
) -> Case:
    attributes = {"window": (window, window), "stride": (stride, stride), "padding": padding}
    return Case(op, ((1, 5, *size),), {**attributes, "channel_axis": 1})


CONVOLUTIONS = (
    convolution((1, 1), (1, 1), (1, 1)),
    convolution((7, 5), (3, 13), (1, 1), bias=False),
    convolution((7, 7), (3, 5), (1, 1), 2),
    convolution((9, 1), (2, 3), (3, 1), 1, ((1, 1), (0, 0))),
    convolution((11, 13), (4, 6), (5, 3), 1, ((2, 2), (1, 1)), activation=RELU),
    convolution((6, 7), (6, 4), (3, 3), 1, ((1, 1), (1, 1)), groups=2, activation=RELU6),
    convolution((7, 6), (6, 9), (3, 3), 2, ((1, 1), (1, 1)), groups=3),
    convolution((17, 13), (3, 7), (7, 7), 2, ((3, 3), (3, 3))),
    # as TensorFlow's SAME, and as nothing that TFLite has a name for
    *(
        convolution((height, 8), (3, 8), (3, 3), 2, (before_after, (0, 1)))
        for height, before_after in product((7, 8), ((0, 1), (1, 1), (1, 0), (0, 0), (2, 3)))
    ),
    # depthwise, one output per channel and three
    *(
        convolution(
            (size, 9), (channels, outputs), (3, 3), stride, ((1, 1), (1, 1)), groups=channels
        )
        for size, stride, (channels, outputs) in product((1, 7, 8), (1, 2), ((5, 5), (3, 9)))
    ),
)
WEIGHT_ONLY_CONVOLUTIONS = (
    convolution((7, 6), (3, 8), (3, 3), 2, ((1, 1), (1, 1)), recipe="weight_only_wi8"),
    convolution((7, 6), (5, 5), (3, 3), groups=5, recipe="weight_only_wi8"),
)
POOLS = (
    *(
        pool("max_pool2d", (size, 11), 3, 2, (ends, (1, 1)))
        for size, ends in product((7, 8), ((0, 0), (0, 1), (1, 1)))
    ),
    pool("max_pool2d", (1, 1), 1, 1),
    pool("max_pool2d", (5, 7), 3, 1, ((1, 1), (1, 1))),
    pool("avg_pool2d", (5, 7), 3, 1, ((1, 1), (1, 1))),
    pool("avg_pool2d", (8, 6), 2, 2),
    pool("avg_pool2d", (7, 7), 2, 2, ((0, 1), (0, 1))),
)
OTHERS = (
    Case("relu6", ((1, 3, 5, 7),)),
    Case("hard_swish", ((1, 3, 5, 7),)),
    Case("cast", ((1, 3, 5, 7),)),
    Case("mean", ((1, 3, 5, 7),), {"axes": (2, 3), "keep": True}),
    Case("mean", ((1, 3, 5, 7),), {"axes": (2, 3), "keep": False}),
    Case("mean", (("regions", 6),), {"axes": (1,), "keep": True}),
    Case("pad", ((1, 3, 5, 7),), {"padding": ((0, 0), (0, 0), (1, 2), (0, 3)), "value": 0.0}),
    Case("pad", ((1, 3, 5, 7),), {"padding": ((0, 0), (0, 0), (0, 0), (2, 0)), "value": -1.5}),
    Case("reshape", ((1, 3, 5, 7),), {"shape": (15, 7)}),
    Case("reshape", (("regions", 6),), {"shape": (2, "regions", 3)}),
    Case("transpose", ((2, 3, 5, 7),), {"order": (0, 2, 3, 1)}),
    Case("transpose", ((2, 3, 5),), {"order": (2, 0, 1)}),
)
FLOAT_IMAGE_CASES = (*CONVOLUTIONS, *WEIGHT_ONLY_CONVOLUTIONS, *POOLS, *OTHERS)
