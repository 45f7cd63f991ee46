"""Which layers of other files the delegate takes, alone and together, and why it leaves others."""

from collections.abc import Sequence
from pathlib import Path
from typing import Any

import numpy as np
import pytest
from ai_edge_litert import schema_py_generated as schema
from stock_files import (
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
from stock_runs import KINDS, delegated, layer_of, report_of, stock, x_of

from capexport.kernels import read_report
from capexport.writers.tflite.model import AlignedBuffer


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


def densified_to(layer: Layer, change: Any) -> bytes:
    """The layer behind a DENSIFY whose output `change` spoils."""
    file = StockFile()
    x = file.tensor("x", (1, layer.weight.shape[1]), Type.FLOAT32)
    y = file.layer(layer, x)
    change(next(t for t in file.tensors if t.name == "dense"))
    return file.serialize([x], [y])


def test_the_scale_is_that_of_what_the_layer_reads() -> None:
    """A DENSIFY's output has a scale of its own, and no runtime looks at that of its input."""
    stored, read = (layer_of(37, 300, 0.9, stored="densify") for _ in range(2))
    read.scale = stored.scale * np.float32(3)

    def change(dense: Any) -> None:
        dense.quantization = quantized(read.scale)

    x = x_of(read, 3)
    (got,) = delegated(densified_to(stored, change)).run(x)
    np.testing.assert_array_equal(got, meaning(read, x), strict=True)


def test_a_densify_that_gives_another_shape_is_left(tmp_path: Path) -> None:
    def change(dense: Any) -> None:
        dense.shape = np.array([300, 37], np.int32)

    one_scale = np.array([0.01], np.float32)
    data = densified_to(layer_of(37, 300, 0.9, stored="densify", scale=one_scale), change)
    (line,) = report_of(data, tmp_path / "report", take="all")
    assert line.outcome == "the DENSIFY gives another type or shape than it reads"


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
    """The delegate reads nothing past their end; the runtime, which would, is not let do it."""
    with pytest.raises(RuntimeError, match=f"cannot be taken from it: .*{reason}"):
        delegated(sparse_file(change), report=tmp_path / "report")
    (line,) = read_report(tmp_path / "report")
    assert reason in line.outcome


@pytest.mark.parametrize(
    ("layer", "options", "reason"),
    [
        (layer_of(37, 300, 0.9, stored="csr"), {"take": "packed"}, "only packed layers were"),
        (layer_of(37, 300, 0.9, stored="csr", activation=RELU6), {}, "its activation is not"),
        (with_128(layer_of(37, 300, 0.9, stored="csr")), {}, "a weight of -128"),
    ],
)
def test_compressed_rows_that_are_not_taken_are_an_error(
    layer: Layer, options: dict[str, Any], reason: str
) -> None:
    """Every stock runtime would take them for dense rows, silently."""
    with pytest.raises(RuntimeError, match=f"node 0 reads w in compressed rows.*{reason}"):
        delegated(one_layer(layer), **options)


def blocks(version: int) -> bytes:
    """[16, 32], half of its blocks of 1x16, read directly by a FULLY_CONNECTED."""
    file = StockFile()
    layer = layer_of(16, 32, 0.0, stored="csr", version=version)
    x = file.tensor("x", (1, 32), Type.FLOAT32)
    y = file.layer(layer, x)
    weight = next(t for t in file.tensors if t.name == "w")
    file.buffers[weight.buffer] = AlignedBuffer(layer.weight[:, :16].copy())
    weight.sparsity = block_sparsity()
    return file.serialize([x], [y])


def block_sparsity() -> Any:
    """In each row the first of two blocks."""
    sparsity = schema.SparsityParametersT()
    sparsity.traversalOrder, sparsity.blockMap = np.arange(3), np.array([1])
    rows, columns, inside = (schema.DimensionMetadataT() for _ in range(3))
    rows.denseSize, inside.denseSize = 16, 16
    columns.format = schema.DimensionType.SPARSE_CSR
    columns.arraySegmentsType = columns.arrayIndicesType = schema.SparseIndexVector.Int32Vector
    columns.arraySegments, columns.arrayIndices = (schema.Int32VectorT() for _ in range(2))
    columns.arraySegments.values = np.arange(17, dtype=np.int32)
    columns.arrayIndices.values = np.zeros(16, np.int32)
    sparsity.dimMetadata = [rows, columns, inside]
    return sparsity


def test_blocks_are_left_to_the_kernel_that_the_runtime_has_for_them(tmp_path: Path) -> None:
    (line,) = report_of(blocks(8), tmp_path / "report", take="all")
    assert line.outcome == "sparse in another way than compressed rows"


def test_blocks_that_the_runtime_would_misread_are_an_error() -> None:
    with pytest.raises(RuntimeError, match="sparse in another way"):
        delegated(blocks(12))
