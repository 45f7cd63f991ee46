"""A float graph and calibration inputs -> what occurs in its values."""

from collections.abc import Collection, Iterable, Mapping
from dataclasses import dataclass, field

import numpy as np

from capexport.compress.histogram import Histogram
from capexport.errors import InputError
from capexport.ir.evaluate import evaluate
from capexport.ir.graph import Array, Graph


@dataclass
class Observed:
    """One value over all calibration inputs.

    Args:
        histogram: of its numbers.
        mean: of each channel of an image [n, c, h, w], summed over the inputs.
    """

    histogram: Histogram = field(default_factory=Histogram)
    mean: Array | float = 0.0


def calibrate(
    graph: Graph, samples: Iterable[Mapping[str, Array]], values: Collection[str]
) -> dict[str, Observed]:
    """Run the graph in numpy on every sample and watch some of its values.

    Args:
        graph: with float activations, channels first.
        samples: inputs of the graph by name, as `evaluate` takes them.
        values: names of float values.

    Raises:
        InputError: there is no sample, or one makes a value that is not finite.
    """
    observed = {name: Observed() for name in values}
    count = 0
    for count, sample in enumerate(samples, 1):
        for name, array in evaluate(graph, sample, values).items():
            _watch(observed[name], array, f"sample {count}, value {name}")
    if not count:
        raise InputError(
            "there is nothing to calibrate with",
            where=f"graph {graph.name}",
            hint="give some typical images: --calibration FOLDER",
        )
    for value in observed.values():
        value.mean = value.mean / count
    return observed


def _watch(observed: Observed, array: Array, where: str) -> None:
    if not np.isfinite(array).all():
        raise InputError("a value is not a finite number", where=where, hint="leave that image out")
    observed.histogram.add(array)
    if array.ndim == 4:
        observed.mean = observed.mean + array.mean((0, 2, 3), dtype=np.float64)
