"""Weights -> a graph that multiplies each with rows of its own, in the forms that are compared."""

from collections.abc import Sequence
from dataclasses import replace

import numpy as np

from capexport.ir.graph import Array, Constant, Graph, Node
from capexport.ir.ops import DYNAMIC, FLOAT
from capexport.spec.signature import TensorSpec


def products(weights: Sequence[Constant], batch: int, *, activations: str = DYNAMIC) -> Graph:
    """One linear with a bias per weight, x<i> [batch, k] -> y<i> [batch, m]; nothing is shared."""
    numbers = range(len(weights))
    values, constants = {}, {}
    for i, weight in enumerate(weights):
        rows, columns = weight.shape
        values[f"x{i}"] = TensorSpec(f"x{i}", (batch, columns))
        values[f"y{i}"] = TensorSpec(f"y{i}", (batch, rows))
        constants[f"w{i}"] = replace(weight, name=f"w{i}")
        constants[f"b{i}"] = Constant(f"b{i}", np.linspace(-1, 1, rows, dtype=np.float32))
    attributes = {"activations": activations, "relu": False}
    nodes = [Node("linear", (f"x{i}", f"w{i}", f"b{i}"), (f"y{i}",), attributes) for i in numbers]
    names = [tuple(f"{letter}{i}" for i in numbers) for letter in "xy"]
    return Graph("products", names[0], names[1], tuple(nodes), values, constants)


def float_products(weights: Sequence[Constant], batch: int) -> Graph:
    """The same in float32."""
    plain = [Constant(weight.name, weight.dequantized()) for weight in weights]
    return products(plain, batch, activations=FLOAT)


def packed_products(weights: Sequence[Constant], batch: int) -> Graph:
    """The same with the project's sparse kernels."""
    return products([replace(weight, packed=True) for weight in weights], batch)


def inputs_of(weights: Sequence[Constant], batch: int) -> list[Array]:
    """Rows of x for each weight, float32 [batch, k]."""
    rng = np.random.default_rng(0)
    return [rng.normal(size=(batch, w.shape[1])).astype(np.float32) for w in weights]
