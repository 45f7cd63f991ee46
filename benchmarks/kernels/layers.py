"""Shapes and masks of the table: uniform random ones, and those of a checkpoint."""

from math import ceil
from pathlib import Path
from typing import NamedTuple

import numpy as np

from capexport.captioner import build_captioner
from capexport.capture import capture_graphs
from capexport.checkpoint import read_checkpoint
from capexport.compress import RECIPES, apply_recipe
from capexport.ir.graph import Constant, QuantParams
from capexport.ir.ops import DYNAMIC
from capexport.ir.passes import run_passes

SHAPES = (
    (4000, 3000),
    (10000, 1000),
    (2048, 512),
    (1000, 2048),
    (3000, 144),
    (512, 512),
    (576, 240),
)
"""Rows and columns: large LSTM, logits, and what small captioners are made of."""
BATCHES = (1, 2, 3, 4, 5, 36, 49)
"""Rows of x: beams, and regions of an image."""
SPARSITIES = (0.80, 0.90, 0.95, 0.975)


class Layer(NamedTuple):
    """An int8 weight of a checkpoint and the axis that its rows of x stand for."""

    weight: Constant
    axis: str


def uniform(rows: int, columns: int, zeros: float, seed: int) -> Constant:
    """An int8 weight with at least that share of zeros, each place as likely as any other."""
    rng = np.random.default_rng(seed)
    data = rng.integers(1, 128, (rows, columns), np.int8)
    data *= rng.choice(np.array([-1, 1], np.int8), data.shape)
    order = rng.random(data.shape)
    data *= order >= np.partition(order, pruned := ceil(zeros * data.size), axis=None)[pruned]
    return Constant("w", data, QuantParams(rng.uniform(0.001, 0.01, rows).astype(np.float32)))


def copies_of(weight: Constant, count: int) -> list[Constant]:
    """Different weights of the same shape and number of zeros; the first is `weight` itself.

    Different, because onnxruntime would store equal ones once.
    """
    rolled = (np.roll(weight.data, 7 * i, axis=1) for i in range(count))
    return [Constant("w", np.ascontiguousarray(data), weight.quantization) for data in rolled]


def layers_of(checkpoint: Path) -> list[Layer]:
    """The weights that a dynamic int8 export of a checkpoint multiplies with."""
    found = []
    for graph in capture_graphs(build_captioner(read_checkpoint(checkpoint))):
        small = apply_recipe(run_passes(graph), RECIPES["dynamic_wi8"])
        for node in small.nodes:
            if node.op == "linear" and node.attributes["activations"] == DYNAMIC:
                axis = next((d for d in small.shape(node.inputs[0]) if isinstance(d, str)), "")
                found.append(Layer(small.constants[node.inputs[1]], axis))
    return found
