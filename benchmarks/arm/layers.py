"""One linear layer in the real runtimes on an emulated Arm core: dense int8 against packed weights.

python -m benchmarks.arm.layers CACHE [--core cortex-a72]    prints Markdown tables

Guest instructions per run, never time; see README.md.
"""

import argparse
import tempfile
from collections.abc import Iterator
from dataclasses import dataclass, replace
from pathlib import Path

import numpy as np
from onnx import TensorProto, helper, numpy_helper

from benchmarks.arm.emulator import Array, Emulator, Job, Run
from capexport.bench.devices.arm_cores import CORES, Core
from capexport.ir.evaluate import evaluate
from capexport.ir.graph import Constant, Graph, Node, QuantParams
from capexport.ir.ops import DYNAMIC
from capexport.spec.signature import TensorSpec
from capexport.writers import onnx, tflite

SHAPES = ((4000, 3000, 1), (512, 512, 1), (3000, 144, 1), (4000, 3000, 3))
SPARSITIES = (0.8, 0.9, 0.95, 0.975)
DETAIL = 2
"""Index of the sparsity whose instructions are told apart."""
WRITERS = {"litert": tflite.write, "onnxruntime": onnx.write}
DENSE_TOLERANCE = 1e-6
"""Relative to the largest output. On cores with dot product LiteRT's dense kernels multiply both
scales first and do not fuse the bias; on any ONNX Runtime's Reciprocal is not correctly rounded."""
FUSED_TOLERANCE = 0.02
"""Likewise. DynamicQuantizeMatMul has one range for the whole batch."""
STAGES = {
    "quantize x": ("ck_take", "take_rows", "quantize", "ck_quantize", "ck_measure"),
    "product": ("ck_product", "sums"),
    "scale, bias": ("ck_finish",),
}
"""Beginnings of the names of our functions."""
OTHERS = ("rest of ours", "runtime", "Python")
PYTHON = "python3"


@dataclass(frozen=True)
class Layer:
    """int8 weights [rows, columns], `sparsity` of them zero, for `batch` rows of x."""

    rows: int
    columns: int
    batch: int
    sparsity: float

    def graph(self) -> Graph:
        rng = np.random.default_rng(self.rows + self.columns)
        shape = (self.rows, self.columns)
        kept = rng.random(shape, np.float32) >= self.sparsity
        weights = (
            rng.integers(1, 128, shape, np.int8)
            * rng.choice(np.array([-1, 1], np.int8), shape)
            * kept
        )
        scale = rng.uniform(0.001, 0.01, self.rows).astype(np.float32)
        bias = rng.normal(size=self.rows).astype(np.float32)
        x, y = TensorSpec("x", ("beams", self.columns)), TensorSpec("y", ("beams", self.rows))
        linear = Node("linear", ("x", "w", "b"), ("y",), {"activations": DYNAMIC, "relu": False})
        constants = {"w": Constant("w", weights, QuantParams(scale)), "b": Constant("b", bias)}
        return Graph("layer", ("x",), ("y",), (linear,), {"x": x, "y": y}, constants)

    def inputs(self) -> dict[str, Array]:
        shape = (self.batch, self.columns)
        return {"x": np.random.default_rng(1).normal(size=shape).astype(np.float32)}


@dataclass(frozen=True, eq=False)
class Contender:
    """A way to run a layer, and how far its outputs may be from the oracle's."""

    name: str
    layer: Layer
    job: Job
    tolerance: float


def fused(graph: Graph) -> bytes:
    """The layer as ONNX Runtime's own fused operator for dynamic int8."""
    weight = graph.constants["w"]
    assert weight.quantization is not None
    arrays = {
        "w": np.ascontiguousarray(weight.data.T),
        "scale": weight.quantization.scale,
        "zero": np.zeros(len(weight.data), np.int8),
        "b": graph.constants["b"].data,
    }
    node = helper.make_node("DynamicQuantizeMatMul", ["x", *arrays], ["y"], domain="com.microsoft")
    tensors = [numpy_helper.from_array(array, name) for name, array in arrays.items()]
    values = [
        helper.make_tensor_value_info(name, TensorProto.FLOAT, list(graph.values[name].shape))
        for name in "xy"
    ]
    body = helper.make_graph([node], "layer", values[:1], values[1:], tensors)
    opsets = [helper.make_opsetid("", 20), helper.make_opsetid("com.microsoft", 1)]
    model: bytes = helper.make_model(body, opset_imports=opsets, ir_version=9).SerializeToString()
    return model


def packed(graph: Graph) -> Graph:
    return graph.replace_constants({"w": replace(graph.constants["w"], packed=True)})


def dense_forms(layer: Layer) -> Iterator[Contender]:
    """What they cost does not depend on the values of the weights."""
    graph, inputs = layer.graph(), layer.inputs()
    for runtime, write in WRITERS.items():
        yield Contender(runtime, layer, Job(runtime, write(graph), False, inputs), DENSE_TOLERANCE)
    job = Job("onnxruntime", fused(graph), False, inputs)
    yield Contender("onnxruntime, DynamicQuantizeMatMul", layer, job, FUSED_TOLERANCE)


def packed_forms(layer: Layer) -> Iterator[Contender]:
    graph, inputs = packed(layer.graph()), layer.inputs()
    for runtime, write in WRITERS.items():
        yield Contender(runtime, layer, Job(runtime, write(graph), True, inputs), 0.0)


def check(contender: Contender, run: Run) -> None:
    """Raise AssertionError unless the outputs are the oracle's within the tolerance."""
    expected = evaluate(contender.layer.graph(), contender.layer.inputs())["y"]
    limit = contender.tolerance * np.abs(expected).max()
    np.testing.assert_allclose(run.outputs["y"], expected, rtol=0, atol=limit)


@dataclass(frozen=True, eq=False)
class Measured:
    """One shape: dense runs by form, packed runs by runtime in the order of SPARSITIES."""

    title: tuple[str, int]
    dense: dict[str, Run]
    packed: dict[str, list[Run]]


def measure(emulator: Emulator, core: Core, shape: tuple[int, int, int]) -> Measured:
    layers = [Layer(*shape, sparsity) for sparsity in SPARSITIES]
    dense = list(dense_forms(layers[0]))
    forms = [*dense, *(form for layer in layers for form in packed_forms(layer))]
    with tempfile.TemporaryDirectory() as folder:
        runs = emulator.run(core, [form.job for form in forms], Path(folder))
    for form, run in zip(forms, runs, strict=True):
        check(form, run)
    rows, columns, batch = shape
    return Measured(
        (f"{rows}x{columns}", batch),
        {form.name: run for form, run in zip(dense, runs, strict=False)},
        {runtime: runs[len(dense) + i :: len(WRITERS)] for i, runtime in enumerate(WRITERS)},
    )


def print_ratios(measured: Measured) -> None:
    """A row of the table for each dense form."""
    for name, dense in measured.dense.items():
        cells = [ratio(dense, run) for run in measured.packed[name.split(",")[0]]]
        print_row(name, *measured.title, thousands(dense.instructions), *cells)


def ratio(dense: Run, run: Run) -> str:
    bare = compiled(dense) / compiled(run)
    return f"**{dense.instructions / run.instructions:.2f}** ({bare:.2f})"


def compiled(run: Run) -> float:
    """Instructions outside the Python interpreter, which an app does not have."""
    return run.instructions - stages(run)["Python"]


def stages(run: Run) -> dict[str, float]:
    """Instructions of one run by what they are for."""
    found = dict.fromkeys([*STAGES, *OTHERS], 0.0)
    for (file, function), count in run.places.items():
        if file.startswith(PYTHON):
            found["Python"] += count
        elif function is None:
            found["runtime"] += count
        else:
            begins = (name for name, starts in STAGES.items() if function.startswith(starts))
            found[next(begins, "rest of ours")] += count
    return found


def print_stages(measured: Measured) -> None:
    """A row for LiteRT with the sparsity at DETAIL."""
    parts = stages(measured.packed["litert"][DETAIL])
    print_row(*measured.title, *map(thousands, parts.values()))


def thousands(count: float) -> str:
    return f"{count / 1e3:.1f}"


def print_head(*cells: object) -> None:
    print_row(*cells)
    print_row(*["---"] * len(cells))


def print_row(*cells: object) -> None:
    print(f"| {' | '.join(map(str, cells))} |", flush=True)


def main() -> None:
    parser = argparse.ArgumentParser(description=__doc__.splitlines()[0])
    parser.add_argument("cache", type=Path)
    parser.add_argument("--core", choices=CORES, default="cortex-a76")
    given = parser.parse_args()
    emulator = Emulator(given.cache)
    print(
        f"emulated-counts, {given.core}: thousands of guest instructions per run of the dense form,"
    )
    print("and how many times fewer packed weights take (without the Python interpreter's)\n")
    print_head("dense form", "layer", "N", "dense", *(f"{s:.1%} zeros" for s in SPARSITIES))
    measurements = []
    for shape in SHAPES:
        measurements.append(measure(emulator, CORES[given.core], shape))
        print_ratios(measurements[-1])
    print(f"\nWhat packed weights with {SPARSITIES[DETAIL]:.0%} zeros take in LiteRT, thousands:\n")
    print_head("layer", "N", *STAGES, *OTHERS)
    for measured in measurements:
        print_stages(measured)


if __name__ == "__main__":
    main()
