"""Files that capexport did not write: which layers the delegate takes, and what comes of them."""

import dataclasses
import platform
from collections.abc import Sequence
from itertools import product
from pathlib import Path
from typing import Any

import numpy as np
import pytest
from ai_edge_litert import schema_py_generated as schema
from ai_edge_litert.interpreter import Interpreter, load_delegate
from numpy.typing import NDArray
from stock_files import (
    NONE,
    RELU,
    RELU6,
    RELU_N1_TO_1,
    X_SCALE,
    X_ZERO,
    Layer,
    StockFile,
    Type,
    one_layer,
    quantized,
)
from stock_meaning import meaning

from capexport.errors import InputError
from capexport.kernels import LayerReport, litert_delegate, read_report
from capexport.kernels.selftest import random_weights

Array = NDArray[Any]
SHAPES = ((1, 1), (1, 67), (67, 1), (7, 13), (31, 300), (300, 257))
SPARSITIES = (0.0, 0.5, 0.9, 0.975, 1.0)
BATCHES = (1, 3, 36, 1)
KINDS = tuple(product(("fc", "conv"), ("hybrid", "static")))
QUANTUM = 1
"""Builtin kernels multiply by an integer and shift, XNNPACK by a float32: a tie may fall apart."""


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


def assert_exact(layer: Layer, batches: Sequence[int] = BATCHES) -> None:
    """One interpreter for all: a resized graph must be as right as a fresh one."""
    opened = delegated(one_layer(layer))
    for n in batches:
        x = x_of(layer, n)
        (got,) = opened.run(x)
        assert got.shape == (*(x.shape[:-1]), layer.weight.shape[0])
        expected = meaning(layer, x).reshape(got.shape)
        np.testing.assert_array_equal(got, expected, strict=True)


# ---- what comes out


@pytest.mark.parametrize("kind", KINDS, ids="-".join)
@pytest.mark.parametrize("sparsity", SPARSITIES)
@pytest.mark.parametrize(("rows", "columns"), SHAPES)
def test_dense_weights_give_the_oracles_bits(
    rows: int, columns: int, sparsity: float, kind: tuple[str, str]
) -> None:
    assert_exact(layer_of(rows, columns, sparsity, kind))


@pytest.mark.parametrize("stored", ["csr", "densify"])
@pytest.mark.parametrize("kind", KINDS, ids="-".join)
@pytest.mark.parametrize("sparsity", SPARSITIES[:-1])
@pytest.mark.parametrize(("rows", "columns"), SHAPES)
def test_sparse_weights_give_the_oracles_bits(
    rows: int, columns: int, sparsity: float, kind: tuple[str, str], stored: str
) -> None:
    layer = layer_of(rows, columns, sparsity, kind, stored=stored)
    layer.weight[0, 0] = 5  # a constant of no bytes is none for the runtime
    assert_exact(layer)


@pytest.mark.parametrize(
    ("kind", "activation"),
    [(kind, activation) for kind in KINDS for activation in (NONE, RELU)]
    + [(kind, RELU6) for kind in KINDS if kind[1] == "static"],
)
@pytest.mark.parametrize("bias", [False, True])
@pytest.mark.parametrize("per_row", [False, True])
def test_bias_scales_and_activations(
    kind: tuple[str, str], bias: bool, per_row: bool, activation: int
) -> None:
    layer = layer_of(37, 300, 0.9, kind, activation=activation)
    layer.bias = layer.bias if bias or layer.conv else None  # a CONV_2D always has one
    layer.scale = layer.scale if per_row else layer.scale[:1]
    assert_exact(layer)


@pytest.mark.skipif(platform.machine() != "x86_64", reason="docs/decisions/one-arithmetic.md")
@pytest.mark.parametrize("kind", KINDS, ids="-".join)
@pytest.mark.parametrize("sparsity", SPARSITIES)
@pytest.mark.parametrize(("rows", "columns"), [(1, 67), (67, 1), (31, 300), (300, 257)])
def test_the_stock_runtime_gives_the_same(
    rows: int, columns: int, sparsity: float, kind: tuple[str, str]
) -> None:
    """Bit for bit as XNNPACK on a CPU with fused multiply-add."""
    layer = layer_of(rows, columns, sparsity, kind)
    ours, theirs = delegated(one_layer(layer)), stock(one_layer(layer))
    for n in (1, 3, 36):
        x = x_of(layer, n)
        np.testing.assert_array_equal(ours.run(x)[0], theirs.run(x)[0], strict=True)


@pytest.mark.parametrize("kind", [("fc", "static"), ("conv", "static")], ids="-".join)
@pytest.mark.parametrize("sparsity", [0.5, 0.9, 0.975])
def test_int8_behind_a_densify_is_within_one_quantum_of_the_builtin_kernel(
    kind: tuple[str, str], sparsity: float
) -> None:
    layer = layer_of(300, 257, sparsity, kind, stored="densify")
    x = x_of(layer, 36)
    (ours,), (theirs,) = (f(one_layer(layer)).run(x) for f in (delegated, stock))
    assert np.abs(ours.astype(int) - theirs).max() <= QUANTUM


def test_compressed_rows_without_a_densify_are_right_only_with_the_delegate() -> None:
    layer = layer_of(37, 300, 0.9, stored="csr")
    x = x_of(layer, 3)
    (wrong,) = stock(one_layer(layer)).run(x)
    assert not np.allclose(wrong, meaning(layer, x), atol=0.5)
    assert_exact(layer)


def test_leading_axes_are_kept_where_the_file_says_so() -> None:
    layer = layer_of(37, 64, 0.9, keep_num_dims=True, x_shape=(1, 1, 64))
    opened = delegated(one_layer(layer))
    for lead in ((1, 1), (3, 7), (1, 36)):
        x = np.random.default_rng(0).normal(size=(*lead, 64)).astype(np.float32)
        (got,) = opened.run(x)
        np.testing.assert_array_equal(got, meaning(layer, x).reshape(*lead, 37), strict=True)


def test_leading_axes_become_one_where_it_does_not() -> None:
    layer = layer_of(37, 64, 0.9, x_shape=(3, 7, 64))
    x = np.random.default_rng(0).normal(size=(3, 7, 64)).astype(np.float32)
    (got,) = delegated(one_layer(layer)).run(x)
    np.testing.assert_array_equal(got, meaning(layer, x), strict=True)


def test_a_row_with_a_nan_is_all_nan_and_spoils_no_other() -> None:
    layer = layer_of(31, 64, 0.9)
    x = x_of(layer, 3)
    x[1, 5] = np.nan
    (got,) = delegated(one_layer(layer)).run(x)
    assert np.isnan(got[1]).all()
    np.testing.assert_array_equal(got[[0, 2]], meaning(layer, x[[0, 2]]))


# ---- several layers


def chain(layers: Sequence[Layer], *, between: int | None = None) -> bytes:
    """Each layer reads the one before, or `between` (an operator without options) of it."""
    file = StockFile()
    first = layers[0]
    value = file.tensor(
        "x",
        (1, first.weight.shape[1]),
        Type.INT8 if first.static else Type.FLOAT32,
        None,
        quantized(X_SCALE, X_ZERO) if first.static else None,
    )
    outputs = []
    for i, layer in enumerate(layers):
        value = file.layer(layer, value, str(i))
        if layer.static:  # what follows reads it as the first layer reads x
            file.tensors[value].quantization = quantized(X_SCALE, X_ZERO)
        outputs.append(value)
        if between is not None:
            shape, kind = file.tensors[value].shape, file.tensors[value].type
            source, value = value, file.tensor(f"between{i}", shape, kind)
            file.operator(between, [source], value)
    return file.serialize([0], outputs)


@pytest.mark.parametrize("stored", ["dense", "csr", "densify"])
@pytest.mark.parametrize("between", [None, schema.BuiltinOperator.TANH])
def test_layers_one_behind_the_other(stored: str, between: int | None, tmp_path: Path) -> None:
    """DENSIFYs have no inputs: the runtime runs all of them in the first partition."""
    shapes = ((64, 40), (37, 64), (9, 37))
    layers = [layer_of(*shape, 0.9, stored=stored) for shape in shapes]
    data, path = chain(layers, between=between), tmp_path / "report"
    opened = delegated(data, report=path)
    for n in (3, 50, 1):
        x = x_of(layers[0], n)
        for layer, got in zip(layers, opened.run(x), strict=True):
            np.testing.assert_array_equal(got, meaning(layer, x), strict=True)
            x = got if between is None else np.tanh(got)
            if between is not None:
                break  # XNNPACK's tanh is not numpy's
    assert all(line.taken for line in read_report(path))
    if stored == "densify":
        assert [opened.elements(f"dense{i}") for i in range(3)] == [0, 0, 0]


def test_int8_values_between_layers_need_no_memory_of_the_runtime() -> None:
    layers = [layer_of(*shape, 0.9, ("fc", "static")) for shape in ((64, 40), (37, 64))]
    data = chain(layers)
    x = x_of(layers[0], 5)
    for ours, theirs in zip(delegated(data).run(x), stock(data).run(x), strict=True):
        np.testing.assert_array_equal(ours, theirs, strict=True)


def shared_densify(second: Layer | None) -> tuple[bytes, Layer]:
    """One DENSIFY, read by a layer and by `second` or a CAST."""
    file = StockFile()
    first = layer_of(37, 300, 0.9, stored="csr")
    x = file.tensor("x", (1, 300), Type.FLOAT32)
    dense = file.densify(file._weight(first, "0"), "0")
    outputs = []
    for i, layer in enumerate((first, second)):
        if layer is None:
            y = file.tensor("real", (37, 300), Type.FLOAT32)
            file.operator(schema.BuiltinOperator.CAST, [dense], y)
        else:
            y = file.layer(layer, x, str(i))
            file.operators[-1].inputs[1] = dense
        outputs.append(y)
    return file.serialize([x], outputs), first


def test_all_readers_of_a_densify_are_taken(tmp_path: Path) -> None:
    second = layer_of(37, 300, 0.9, stored="csr", activation=RELU)
    data, first = shared_densify(second)
    x = x_of(first, 3)
    for layer, got in zip((first, second), delegated(data).run(x), strict=True):
        np.testing.assert_array_equal(got, meaning(layer, x), strict=True)


@pytest.mark.parametrize("other", ["activation", "operator"])
def test_or_none_of_them(other: str, tmp_path: Path) -> None:
    relu = layer_of(37, 300, 0.9, stored="csr", activation=RELU_N1_TO_1)
    data, first = shared_densify(relu if other == "activation" else None)
    x, path = x_of(first, 3), tmp_path / "report"
    ours, theirs = delegated(data, report=path).run(x), stock(data).run(x)
    for ours_y, theirs_y in zip(ours, theirs, strict=True):
        np.testing.assert_array_equal(ours_y, theirs_y)
    assert "another reader of the same DENSIFY is left" in [r.outcome for r in read_report(path)]
    assert not any(line.taken for line in read_report(path))


# ---- what is taken


def test_the_rule_decides_by_zeros_and_rows(tmp_path: Path) -> None:
    sparse, fuller = (layer_of(512, 512, s) for s in (0.95, 0.5))
    path = tmp_path / "report"
    (taken,) = report_of(one_layer(sparse), path, x_of(sparse, 1))
    assert taken.taken
    (left,) = report_of(one_layer(fuller), path)
    assert (left.outcome, left.bytes) == ("dense is faster with so few zeros", 0)
    assert (left.rows, left.columns, left.stored) == (512, 512, "dense")
    assert left.nonzeros == np.count_nonzero(fuller.weight)


def test_rows_of_x_may_be_told(tmp_path: Path) -> None:
    """The shape in the file says 1, where an axis is open."""
    layer, path = layer_of(512, 512, 0.82), tmp_path / "report"
    outcomes = [report_of(one_layer(layer), path, x_of(layer, 1), rows_of_x=n) for n in (1, 100)]
    assert [len(lines) for lines in outcomes] == [1, 1]
    assert outcomes[0][0].taken
    assert outcomes[1][0].rows_of_x == 100
    assert not outcomes[1][0].taken


def test_packed_only(tmp_path: Path) -> None:
    layer = layer_of(512, 512, 0.95)
    (line,) = report_of(one_layer(layer), tmp_path / "report", take="packed")
    assert line.outcome == "only packed layers were asked for"


def with_128(layer: Layer) -> Layer:
    layer.weight[3, 3] = -128
    return layer


LEFT = {
    "its activation is not computed": layer_of(37, 300, 0.9, activation=RELU6),
    "a weight of -128; weights are -127..127": with_128(layer_of(37, 300, 0.9)),
    "an unknown version of the operator": layer_of(37, 300, 0.9, version=13),
    "the kernel has strides": layer_of(37, 300, 0.9, KINDS[3], options={"strideW": 2}),
    "the kernel is dilated": layer_of(37, 300, 0.9, KINDS[3], options={"dilationHFactor": 2}),
    "the last axis of the input is not that of the weights": layer_of(
        37, 300, 0.9, x_shape=(1, 3, 100)
    ),
}


@pytest.mark.parametrize("reason", LEFT)
def test_what_is_left_and_why(reason: str, tmp_path: Path) -> None:
    layer = LEFT[reason]
    (line,) = report_of(one_layer(layer), tmp_path / "report", take="all")
    assert line.outcome == reason
    assert line.operator == ("CONV_2D" if layer.conv else "FULLY_CONNECTED")
    assert not line.taken


@pytest.mark.parametrize("reason", [r for r in LEFT if "version" not in r])
def test_what_is_left_runs_as_without_the_delegate(reason: str) -> None:
    layer = LEFT[reason]
    x = x_of(layer, 1).reshape(layer.x_shape or x_of(layer, 1).shape)
    np.testing.assert_array_equal(
        delegated(one_layer(layer)).run(x)[0], stock(one_layer(layer)).run(x)[0]
    )


def sparse_file(change: Any) -> bytes:
    """Compressed rows [7, 13] read directly, spoilt by `change` before they are written."""
    file = StockFile()
    x = file.tensor("x", (1, 13), Type.FLOAT32)
    y = file.layer(layer_of(7, 13, 0.5, stored="csr"), x)
    weight = next(t for t in file.tensors if t.name == "w")
    change(weight)
    return file.serialize([x], [y])


def set_indices(values: Sequence[int]) -> Any:
    def change(weight: Any) -> None:
        indices = weight.sparsity.dimMetadata[1].arrayIndices.values
        indices[: len(values)] = values

    return change


def set_segments(place: int, value: int) -> Any:
    def change(weight: Any) -> None:
        weight.sparsity.dimMetadata[1].arraySegments.values[place] = value

    return change


def reorder(weight: Any) -> None:
    weight.sparsity.traversalOrder = np.array([1, 0], np.int32)


def set_zero_point(weight: Any) -> None:
    weight.quantization.zeroPoint[0] = 3


def set_scale(value: float) -> Any:
    def change(weight: Any) -> None:
        weight.quantization.scale[0] = value

    return change


@pytest.mark.parametrize(
    ("change", "reason"),
    [
        (set_indices([13]), "out of range or out of order"),
        (set_indices([5, 5]), "out of range or out of order"),
        (set_segments(0, 1), "do not follow each other"),
        (set_segments(7, 3), "do not follow each other"),
        (set_segments(3, 200), "do not follow each other"),
        (reorder, "in another way than compressed rows"),
        (set_zero_point, "the weights have a zero point"),
        (set_scale(0.0), "a scale is not a positive number"),
        (set_scale(float("nan")), "a scale is not a positive number"),
        (set_scale(float("inf")), "a scale is not a positive number"),
    ],
)
def test_unsound_weights_are_left(change: Any, reason: str, tmp_path: Path) -> None:
    """The delegate reads nothing past their end, and leaves the file to the runtime."""
    (line,) = report_of(sparse_file(change), tmp_path / "report", take="all")
    assert reason in line.outcome


# ---- threads and the report


@pytest.mark.parametrize("kind", KINDS, ids="-".join)
@pytest.mark.parametrize("rows", [16, 512, 513, 3001])
def test_every_number_of_threads_gives_the_same_bits(rows: int, kind: tuple[str, str]) -> None:
    layer = layer_of(rows, 300, 0.9, kind)
    data = one_layer(layer)
    several = [delegated(data, threads=threads) for threads in (1, 2, 4)]
    for n in (1, 3, 36):
        expected = meaning(layer, x_of(layer, n))
        for opened in several:
            np.testing.assert_array_equal(
                opened.run(x_of(layer, n))[0].reshape(expected.shape), expected
            )


def test_threads_lose_no_part_of_many_products() -> None:
    """Products one right after the other: workers are late, asleep, or still inside."""
    layer = layer_of(3001, 64, 0.9)
    opened = delegated(one_layer(layer), threads=4)
    inputs = [x_of(layer, 1, seed) for seed in range(8)]
    expected = [meaning(layer, x) for x in inputs]
    for i in range(400):
        np.testing.assert_array_equal(opened.run(inputs[i % 8])[0], expected[i % 8])


def test_each_packing_has_a_line(tmp_path: Path) -> None:
    layer, path = layer_of(4000, 2100, 0.985), tmp_path / "report"
    opened = delegated(one_layer(layer), report=path)
    for n in (1, 2, 3):
        opened.run(x_of(layer, n))
    lines = read_report(path)
    assert len(lines) == 1, "the same form serves one to three rows"
    assert lines[0].rows_of_x == 1
    assert lines[0].weights == "w"
    assert 0 < lines[0].bytes < layer.weight.size


def test_a_name_cannot_break_the_report(tmp_path: Path) -> None:
    file = StockFile()
    x = file.tensor("x", (1, 13), Type.FLOAT32)
    y = file.layer(dataclasses.replace(layer_of(7, 13, 0.9)), x, "\tz\nä")
    (line,) = report_of(file.serialize([x], [y]), tmp_path / "report", np.ones((1, 13), np.float32))
    assert line.weights == "w?z?ä"


@pytest.mark.parametrize("content", [None, "", "node\n", "a\tb\n1\t2\n"])
def test_what_is_no_report(content: str | None, tmp_path: Path) -> None:
    path = tmp_path / "report"
    if content is not None:
        path.write_text(content)
    with pytest.raises(InputError, match="no report of the LiteRT delegate"):
        read_report(path)


# ---- files of another tool

GOLDEN = Path(__file__).parent / "golden" / "ai_edge_quantizer.npz"
"""A 1x1 CONV_2D and a FULLY_CONNECTED, 90 % zeros, by ai-edge-quantizer 0.10 from random floats."""


@pytest.mark.skipif(platform.machine() != "x86_64", reason="docs/decisions/one-arithmetic.md")
@pytest.mark.parametrize(
    ("recipe", "dtype"), [("dynamic_wi8_afp32", np.float32), ("static_wi8_ai8", np.int8)]
)
def test_files_of_ai_edge_quantizer(recipe: str, dtype: type, tmp_path: Path) -> None:
    with np.load(GOLDEN) as models:
        data = models[recipe].tobytes()
    x = np.random.default_rng(0).normal(0, 40, (1, 6, 1, 96)).astype(dtype)
    opened = Opened(data, {"report": tmp_path / "report"})
    np.testing.assert_array_equal(opened.run(x)[0], stock(data).run(x)[0], strict=True)
    taken = [(line.operator, line.taken) for line in read_report(tmp_path / "report")]
    assert taken == [("CONV_2D", True), ("FULLY_CONNECTED", True)]
