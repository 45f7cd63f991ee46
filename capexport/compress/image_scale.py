"""uint8 image, cast, scaled and shifted by numbers -> the image itself, with scale and zero point.

What a convolution then reads are the pixels, exactly. A zero point must be a whole number: what is
missing to it, half a pixel's step at most, is the same everywhere and goes into the bias of the
convolution. Only where the image is padded with zeros that is not exact, by that half step.
"""

from collections.abc import Mapping
from dataclasses import dataclass
from typing import Any

import numpy as np

from capexport.ir.graph import Graph, Node, TensorQuantization


@dataclass(frozen=True)
class ImageScale:
    """A float value that is scale * (pixel - zero point) + offset of an input.

    Args:
        input: the graph's uint8 input.
        meaning: scale and zero point of its pixels.
        offset: what the zero point leaves, at most half a scale.
        transposes: (value, attributes) of the transposes on the way, in order.
    """

    input: str
    meaning: TensorQuantization
    offset: float
    transposes: tuple[tuple[str, Mapping[str, Any]], ...]


def image_scales(graph: Graph, static: Mapping[str, Node]) -> dict[str, ImageScale]:
    """Float values that static convolutions read straight from an image, by name."""
    found = {}
    for node in static.values():
        name = node.inputs[0]
        only_convolutions = all(user.op == "conv2d" for user in graph.users(name))
        if only_convolutions and (image := _image_scale(graph, name)):
            found[name] = image
    return found


def _image_scale(graph: Graph, name: str) -> ImageScale | None:
    """Walk back to the input, composing y = factor * x + shift; None if anything else is there."""
    producers, factor, shift, transposes = graph.producers(), 1.0, 0.0, []
    while (node := producers.get(name)) is not None:
        if node.op == "transpose":
            transposes.append((name, node.attributes))
        elif node.op != "cast":
            number = _number(graph, node)
            if number is None:
                return None
            if node.op == "mul":
                factor *= number
            else:
                shift += factor * (number if node.op == "add" else -number)
        name = node.inputs[0]
    zero = round(-shift / factor) if factor > 0 else -1
    if name not in graph.inputs or graph.dtype(name) != "uint8" or not 0 <= zero <= 255:
        return None
    scale = float(np.float32(factor))
    meaning = TensorQuantization(scale, zero)
    return ImageScale(name, meaning, shift + factor * zero, tuple(reversed(transposes)))


def _number(graph: Graph, node: Node) -> float | None:
    """The constant of an addition, subtraction or product with one number."""
    if node.op not in ("add", "sub", "mul") or node.inputs[0] in graph.constants:
        return None
    constant = graph.constants.get(node.inputs[1])
    return float(constant.data) if constant is not None and constant.data.size == 1 else None
