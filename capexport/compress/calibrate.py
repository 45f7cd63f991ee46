"""A float graph and calibration inputs -> what occurs in its values."""

from collections.abc import Collection, Iterable, Iterator, Mapping
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


def image_samples(graph: Graph, images: Iterable[Array]) -> Iterator[dict[str, Array]]:
    """Inputs of an encoder graph from images, one after the other.

    Args:
        graph: has one input, the image.
        images: uint8, of the input's shape.

    Raises:
        InputError: the graph takes something else than an image, or an image does not fit.
    """
    name, *others = graph.inputs
    spec = graph.values[name]
    for number, image in enumerate(images, 1):
        if others or spec.dtype != "uint8":
            raise InputError(
                "the encoder takes features, no image to calibrate with",
                where=f"graph {graph.name}, inputs {', '.join(graph.inputs)}",
                hint="static int8 is for image encoders",
            )
        if image.dtype != np.uint8 or image.shape != spec.shape:
            raise InputError(
                f"a calibration image is {image.dtype} {image.shape}, not uint8 {spec.shape}",
                where=f"image {number}",
                hint="resize and crop it as the encoder's image specification says",
            )
        yield {name: image}


def _watch(observed: Observed, array: Array, where: str) -> None:
    if not np.isfinite(array).all():
        raise InputError("a value is not a finite number", where=where, hint="leave that image out")
    observed.histogram.add(array)
    if array.ndim == 4:
        observed.mean = observed.mean + array.mean((0, 2, 3), dtype=np.float64)
