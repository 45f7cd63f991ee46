"""Compact forms of weights: each comes back as its rounding says, and damaged parts are refused."""

from dataclasses import replace
from pathlib import Path

import numpy as np
import pytest
import torch
from hypothesis import given
from hypothesis import strategies as st
from hypothesis.extra import numpy as hnp
from random_checkpoints import random_checkpoint
from torch import Tensor

from capexport.checkpoint import Limits, Storage, read_checkpoint, write_checkpoint
from capexport.checkpoint.capexport_format.compact import compacted, expanded
from capexport.compress.rows import quantize_rows
from capexport.errors import CheckpointError, UnsupportedError
from capexport.ir.graph import Constant

NUMBERS = st.one_of(st.just(0.0), st.just(0.0), st.floats(-8, 8, width=32))
SHAPES = hnp.array_shapes(min_dims=0, max_dims=4, min_side=0, max_side=7)
TENSORS = hnp.arrays(np.float32, SHAPES, elements=NUMBERS).map(torch.from_numpy)
STORAGES: tuple[Storage, ...] = ("float32", "float16", "int8")


def back(stored: dict[str, Tensor]) -> Tensor:
    return expanded(stored, "test", Limits())["w"]


def matrix(rows: int, columns: int, sparsity: float) -> Tensor:
    generator = torch.Generator().manual_seed(0)
    kept = torch.rand(rows, columns, generator=generator) >= sparsity
    return torch.randn(rows, columns, generator=generator) * kept


@given(TENSORS)
def test_float32_changes_nothing(weight: Tensor) -> None:
    assert torch.equal(back(compacted({"w": weight}, "float32")), weight)


@given(TENSORS)
def test_float16_rounds_matrices_and_nothing_else(weight: Tensor) -> None:
    rounded = weight.half().float() if weight.ndim in (2, 4) else weight
    assert torch.equal(back(compacted({"w": weight}, "float16")), rounded)


@given(TENSORS)
def test_int8_is_off_by_half_a_step_at_most(weight: Tensor) -> None:
    read = back(compacted({"w": weight}, "int8"))
    assert read.shape == weight.shape
    assert not read[weight == 0].any()
    if weight.ndim in (2, 4) and weight.numel():
        peak = weight.flatten(1).abs().amax(1)
        error = (read - weight).flatten(1).abs().amax(1)
        # float16, the form of what is mostly zeros, rounds to multiples of 2^-24
        half_a_step = torch.maximum(peak / 254, torch.full_like(peak, 2.0**-25))
        assert (error <= half_a_step * (1 + 1e-4)).all()


@pytest.mark.parametrize("storage", STORAGES)
@pytest.mark.parametrize("sparsity", [0.0, 0.3, 0.6, 0.95, 1.0])
@pytest.mark.parametrize(("rows", "columns"), [(1, 1), (7, 11), (64, 40)])
def test_the_smaller_form_is_taken(
    storage: Storage, sparsity: float, rows: int, columns: int
) -> None:
    weight = matrix(rows, columns, sparsity)
    stored = compacted({"w": weight}, storage)
    floats = 4 if storage == "float32" else 2
    dense = weight.numel() * (1 if storage == "int8" else floats)
    sparse = -(-weight.numel() // 8) + int(weight.count_nonzero()) * floats
    parts = {"w", "w_row_scales"} if storage == "int8" else {"w"}
    if sparse < dense:
        parts = {"w_nonzero_bits", "w_nonzero_values", "w_shape"}
    assert set(stored) == parts
    bytes_of_values = sum(
        t.numel() * t.element_size()
        for name, t in stored.items()
        if not name.endswith(("_shape", "_row_scales"))
    )
    assert bytes_of_values == min(sparse, dense)


def test_bits_are_in_row_order_lowest_first() -> None:
    weight = torch.zeros(3, 6)
    weight[0, 0], weight[1, 3], weight[2, 5] = 1, 2, 3  # elements 0, 9 and 17
    stored = compacted({"w": weight}, "float16")
    assert stored["w_nonzero_bits"].tolist() == [1, 2, 2]
    assert stored["w_nonzero_values"].tolist() == [1, 2, 3]
    assert stored["w_shape"].tolist() == [3, 6]


def test_what_int8_stored_is_exported_without_another_rounding() -> None:
    read = back(compacted({"w": matrix(64, 40, 0.3)}, "int8"))
    exported = quantize_rows(Constant("w", read.numpy()))
    np.testing.assert_array_equal(exported.dequantized(), read.numpy())


def test_a_pruned_model_takes_its_bits_and_values(tmp_path: Path) -> None:
    checkpoint = random_checkpoint("att2in2", sparsity=0.95, rnn_size=256, vocab_size=40)
    write_checkpoint(tmp_path / "c", checkpoint, storage="float16")
    read = read_checkpoint(tmp_path / "c")
    elements = sum(layer.elements for layer in read.layers())
    vectors = 4 * (read.parameters - elements)
    header = 300 * len(read.tensors)
    assert read.bytes_on_disk < elements / 8 + 2 * read.nnz + vectors + header
    assert read.nnz == checkpoint.nnz


def test_beyond_float16_is_refused(tmp_path: Path) -> None:
    weight = torch.full((3, 3), 1e5)
    assert torch.equal(back(compacted({"w": weight}, "float32")), weight)
    for storage in ("float16", "int8"):
        with pytest.raises(UnsupportedError, match="beyond 65504"):
            compacted({"w": weight}, storage)
    checkpoint = random_checkpoint("newfc")
    tensors = {**checkpoint.tensors, "logit.weight": weight}
    with pytest.raises(UnsupportedError):
        write_checkpoint(tmp_path / "c", replace(checkpoint, tensors=tensors), storage="float16")
    assert not (tmp_path / "c").exists()


def test_a_weight_with_the_name_of_a_part_is_refused() -> None:
    with pytest.raises(ValueError, match="name of a part"):
        compacted({"logit_row_scales": torch.ones(2)}, "float32")


SPARSE = {
    "w_nonzero_bits": torch.tensor([0b101, 0], dtype=torch.uint8),
    "w_nonzero_values": torch.tensor([1.0, 2.0]),
    "w_shape": torch.tensor([3, 3]),
}
DENSE = {"w": torch.ones(3, 2, dtype=torch.int8), "w_row_scales": torch.ones(3)}


@pytest.mark.parametrize(
    ("parts", "change", "what"),
    [
        *((SPARSE, {name: None}, "is missing") for name in SPARSE),
        (SPARSE, {"w": torch.ones(3, 3)}, "stored twice"),
        (SPARSE, {"w_row_scales": torch.ones(3)}, "w is missing"),
        (SPARSE, {"w_shape": torch.tensor([-3, -3])}, "the shape is"),
        (SPARSE, {"w_shape": torch.tensor([3.0, 3.0])}, "no row of a few int64"),
        (SPARSE, {"w_shape": torch.tensor([[3, 3]])}, "no row of a few int64"),
        (SPARSE, {"w_shape": torch.ones(9, dtype=torch.int64)}, "no row of a few int64"),
        (SPARSE, {"w_shape": torch.tensor([3, 6])}, "not those of 18 elements"),
        (SPARSE, {"w_shape": torch.tensor([2**62, 2**62])}, "more than"),
        (SPARSE, {"w_nonzero_bits": torch.tensor([5.0, 0.0])}, "not those of 9"),
        (SPARSE, {"w_nonzero_bits": torch.tensor([5, 2], dtype=torch.uint8)}, "beyond the last"),
        (SPARSE, {"w_nonzero_values": torch.ones(3)}, "not one floating-point value"),
        (SPARSE, {"w_nonzero_values": torch.ones(2, dtype=torch.int8)}, "not one floating-point"),
        (SPARSE, {"w_nonzero_values": torch.ones(1, 2)}, "not one floating-point value"),
        (DENSE, {"w_row_scales": None}, "the weight is torch.int8"),
        (DENSE, {"w": None}, "w is missing"),
        (DENSE, {"w": torch.ones(3, 2)}, "the weight is torch.float32"),
        (DENSE, {"w": torch.ones(3, dtype=torch.int8)}, "one float32 a row"),
        (DENSE, {"w_row_scales": torch.ones(2)}, "one float32 a row"),
        (DENSE, {"w_row_scales": torch.ones(3).half()}, "one float32 a row"),
    ],
)
def test_damaged_parts_are_refused(
    parts: dict[str, Tensor], change: dict[str, Tensor | None], what: str
) -> None:
    assert back(parts).shape
    changed = {name: t for name, t in {**parts, **change}.items() if t is not None}
    with pytest.raises(CheckpointError, match=what):
        expanded(changed, "test", Limits())


def test_declared_elements_are_bounded_before_they_are_made() -> None:
    stored = {f"{n}{end}": t for n in "ab" for end, t in compact_zeros(2**20).items()}
    with pytest.raises(CheckpointError, match="more than 1100000 elements"):
        expanded(stored, "test", Limits(elements=1_100_000))


def compact_zeros(elements: int) -> dict[str, Tensor]:
    stored = compacted({"w": torch.zeros(1, elements)}, "float16")
    return {name.removeprefix("w"): tensor for name, tensor in stored.items()}
