"""Layers with random weights, and files of them in LiteRT, with the delegate or without."""

from itertools import product
from pathlib import Path
from typing import Any

import numpy as np
from ai_edge_litert.interpreter import Interpreter, load_delegate
from numpy.typing import NDArray
from stock_files import Layer

from capexport.kernels import LayerReport, litert_delegate, read_report
from capexport.kernels.selftest import random_weights

Array = NDArray[Any]
KINDS = tuple(product(("fc", "conv"), ("hybrid", "static")))


def layer_of(
    rows: int, columns: int, sparsity: float, kind: tuple[str, str] = KINDS[0], **fields: Any
) -> Layer:
    rng = np.random.default_rng(rows + columns)
    scale = rng.uniform(0.001, 0.01, rows).astype(np.float32)
    bias = rng.normal(0, 3, rows).astype(np.float32)
    weight = random_weights(rng, rows, columns, sparsity)
    given = {"scale": scale, "bias": bias, "conv": kind[0] == "conv", "static": kind[1] == "static"}
    return Layer(weight, **{**given, **fields})


def x_of(layer: Layer, n: int, seed: int = 0) -> Array:
    """n rows, for a CONV_2D as many pixels."""
    rng = np.random.default_rng(seed)
    columns = layer.weight.shape[1]
    shape = (1, n, 1, columns) if layer.conv else (n, columns)
    if layer.static:
        return rng.integers(-128, 128, shape).astype(np.int8)
    return rng.normal(0, 2, shape).astype(np.float32)


class Opened:
    """A file in LiteRT, with the delegate or without."""

    def __init__(self, data: bytes, options: dict[str, Any] | None) -> None:
        delegates = None if options is None else [load_delegate(*litert_delegate(**options))]
        self._interpreter = Interpreter(
            model_content=data, num_threads=1, experimental_delegates=delegates
        )

    def run(self, x: Array) -> list[Array]:
        place = self._interpreter.get_input_details()[0]["index"]
        self._interpreter.resize_tensor_input(place, x.shape)
        self._interpreter.allocate_tensors()
        self._interpreter.set_tensor(place, x)
        self._interpreter.invoke()
        places = [output["index"] for output in self._interpreter.get_output_details()]
        return [self._interpreter.get_tensor(place).copy() for place in places]

    def elements(self, name: str) -> int:
        details = self._interpreter.get_tensor_details()
        return int(np.prod(next(d["shape"] for d in details if d["name"] == name)))


def stock(data: bytes) -> Opened:
    return Opened(data, None)


def delegated(data: bytes, **options: Any) -> Opened:
    return Opened(data, {"take": "all", **options})


def report_of(data: bytes, path: Path, x: Array | None = None, **options: Any) -> list[LayerReport]:
    opened = Opened(data, {"report": path, **options})
    if x is not None:
        opened.run(x)
    return list(read_report(path))
