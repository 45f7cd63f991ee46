"""A transformer's table of sines is stored by its shape and comes back; odd shapes are refused."""

import math
from collections.abc import Mapping
from dataclasses import replace
from pathlib import Path

import pytest
import torch
from random_checkpoints import random_checkpoint
from torch import Tensor
from transformer_checkpoints import trainers_table

from capexport.checkpoint import (
    LONGEST_CAPTION,
    Limits,
    Storage,
    read_checkpoint,
    sine_table,
    write_checkpoint,
)
from capexport.checkpoint.capexport_format.compact import MOST_SINES, compacted, expanded
from capexport.checkpoint.capexport_format.places import ANGLE_ERROR
from capexport.errors import CheckpointError

NAME = "model.tgt_embed.1.pe"
ROWS = 5000


def stored(table: Tensor, storage: Storage) -> dict[str, Tensor]:
    return compacted({NAME: table}, storage)


def back(parts: Mapping[str, Tensor], limits: Limits | None = None) -> Tensor:
    return expanded(parts, "test", limits or Limits())[NAME]


@pytest.mark.parametrize(("rows", "width"), [(1, 1), (1, 2), (2, 1), (7, 5), (31, 8)])
def test_each_number_is_a_sine_or_a_cosine(rows: int, width: int) -> None:
    table = sine_table(rows, width)
    assert table.shape == (1, rows, width)
    for row in range(rows):
        for column in range(width):
            angle = row / 10_000 ** ((column - column % 2) / width)
            expected = math.cos(angle) if column % 2 else math.sin(angle)
            assert float(table[0, row, column]) == pytest.approx(expected, rel=1e-7, abs=1e-9)


@pytest.mark.parametrize("storage", ["float32", "float16", "int8"])
@pytest.mark.parametrize(("rows", "width"), [(1, 1), (1, 2), (7, 5), (ROWS, 128)])
def test_a_computed_table_is_its_shape(rows: int, width: int, storage: Storage) -> None:
    parts = stored(sine_table(rows, width), storage)
    assert {name: t.tolist() for name, t in parts.items()} == {
        NAME + "_sine_table": [1, rows, width]
    }
    assert torch.equal(back(parts), sine_table(rows, width))


@pytest.mark.parametrize("width", [2, 16, 128, 512])
def test_a_trainers_table_is_computed_but_where_nothing_may_change(width: int) -> None:
    table = trainers_table(width)
    assert torch.equal(back(stored(table, "float32")), table)
    read = back(stored(table, "float16"))
    assert set(stored(table, "float16")) == {NAME + "_sine_table"}
    rounding = torch.finfo(torch.float16).eps / 4  # half a step just below 1
    used = slice(LONGEST_CAPTION)
    torch.testing.assert_close(read[:, used], table[:, used], rtol=0, atol=rounding)


@pytest.mark.parametrize("place", [(0, 0, 0), (0, 3, 1), (0, 4, 4)])
def test_any_other_table_is_stored(place: tuple[int, int, int]) -> None:
    table = sine_table(5, 5)
    table[place] += 2 * ANGLE_ERROR * (place[1] + 1)
    assert torch.equal(back(stored(table, "int8")), table)
    assert set(stored(table, "int8")) == {NAME}
    lookalike = {"x": sine_table(5, 5), NAME: torch.zeros(2, 5, 5)}
    assert set(compacted(lookalike, "int8")) == set(lookalike)


def test_a_checkpoint_is_smaller_by_its_table(tmp_path: Path) -> None:
    checkpoint = random_checkpoint("transformer")
    (name,) = [name for name in checkpoint.tensors if name.endswith(".pe")]
    _, rows, width = checkpoint.tensors[name].shape
    tabled = replace(checkpoint, tensors={**checkpoint.tensors, name: sine_table(rows, width)})
    write_checkpoint(tmp_path / "whole", checkpoint)
    write_checkpoint(tmp_path / "c", tabled)
    whole, read = read_checkpoint(tmp_path / "whole"), read_checkpoint(tmp_path / "c")
    assert torch.equal(read.tensors[name], tabled.tensors[name])
    assert whole.bytes_on_disk - read.bytes_on_disk > 4 * rows * width - 200
    assert (read.parameters, set(read.tensors)) == (whole.parameters, set(whole.tensors))


@pytest.mark.parametrize(
    ("shape", "what"),
    [
        (torch.tensor([1, 2**40, 128]), "no table of sines"),
        (torch.tensor([1, 2**62, 2**62]), "no table of sines"),
        (torch.tensor([1, MOST_SINES + 1, 1]), "no table of sines"),
        (torch.tensor([1, 0, 8]), "no table of sines"),
        (torch.tensor([2, 4, 8]), "no table of sines"),
        (torch.tensor([4, 8]), "no table of sines"),
        (torch.tensor([-1, 4, -8]), "the shape is"),
        (torch.tensor([1.0, 4.0, 8.0]), "no row of a few int64"),
        (torch.ones(9, dtype=torch.int64), "no row of a few int64"),
    ],
)
def test_a_shape_that_asks_for_too_much_or_for_nothing_is_refused(shape: Tensor, what: str) -> None:
    with pytest.raises(CheckpointError, match=what):
        back({NAME + "_sine_table": shape})


def test_many_tables_are_bounded_together() -> None:
    shape = torch.tensor([1, 100, 100])
    tables = {f"{n}.pe_sine_table": shape for n in range(3)}
    assert len(expanded(tables, "test", Limits(elements=30_000))) == 3
    with pytest.raises(CheckpointError, match="more than 29999 elements"):
        expanded(tables, "test", Limits(elements=29_999))


@pytest.mark.parametrize("storage", ["float32", "float16"])
def test_a_table_that_is_stored_as_well_is_refused(storage: Storage) -> None:
    twice = compacted({NAME: torch.zeros(8, 8) if storage == "float16" else torch.ones(3)}, storage)
    for parts in (twice, dict(reversed(twice.items()))):
        with pytest.raises(CheckpointError, match="stored twice"):
            back({**parts, NAME + "_sine_table": torch.tensor([1, 4, 8])})
