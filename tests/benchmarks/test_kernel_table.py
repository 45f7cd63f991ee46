"""benchmarks/kernels at a small size: every form runs, and losses are told apart."""

import sys

import numpy as np
import pytest

from benchmarks.kernels import bare, table
from benchmarks.kernels.layers import copies_of, uniform
from benchmarks.kernels.timing import Times, largest_cache


@pytest.mark.parametrize("zeros", [0.8, 0.975])
def test_a_mask_has_no_fewer_zeros_than_asked_for(zeros: float) -> None:
    weight = uniform(33, 65, zeros, 1)
    asked = zeros * weight.data.size
    assert asked <= weight.data.size - weight.nnz < asked + 1


def test_copies_differ_and_keep_their_zeros() -> None:
    copies = copies_of(uniform(8, 50, 0.9, 1), 3)
    assert len({copy.data.tobytes() for copy in copies}) == 3
    assert {copy.nnz for copy in copies} == {40}


def test_a_ratio_is_the_median_of_the_rounds() -> None:
    times = Times({"a": np.array([2.0, 90.0, 6.0]), "b": np.array([1.0, 9.0, 2.0])})
    assert times.ratio("a", "b") == 3.0
    assert times.fastest(["a", "b"]) == "b"
    assert largest_cache() > 1 << 14


def test_losses_are_told_apart(capsys: pytest.CaptureFixture[str]) -> None:
    """At five beams and .80 zeros: packed in the file, not by the rule for five; and .70 dense."""
    weights = tuple(uniform(300, 200, zeros, 1) for zeros in (0.8, 0.7))
    ratios = {
        "LiteRT int8": [0.9, 0.5],
        "ORT fused int8": [3.0, 2.0],
        "ORT int8 per row": [1.0, 4.0],
    }
    table.print_losses([table.Result(table.Case("w", weights, 5, 3), 1.0, ratios)])
    shown = capsys.readouterr().out
    assert "in a packed file: 1\n- LiteRT w N=5 0.800: 0.90\n" in shown
    assert "for N as well: 0\n" in shown
    assert "left dense by the rule: 1\n- LiteRT w N=5 0.700: 0.50\n" in shown
    assert "although packed is not slower: 1\n" in shown


@pytest.mark.parametrize("arguments", [[], ["--cold"]], ids=["hot", "cold"])
def test_the_table_has_every_form(
    arguments: list[str], monkeypatch: pytest.MonkeyPatch, capsys: pytest.CaptureFixture[str]
) -> None:
    small = ["--shapes", "64x80", "--batches", "1,36", "--sparsities", ".9", "--budget", "0"]
    monkeypatch.setattr(sys, "argv", ["table", *small, *arguments])
    monkeypatch.setattr(table, "COLD_WEIGHTS", 2 * 64 * 80)
    table.main()
    rows = [line.split(" | ") for line in capsys.readouterr().out.splitlines() if "64x80" in line]
    forms = [float(cell.strip(" |")) for row in rows[:2] for cell in row[3:]]
    assert len(forms) == 2 * (len(table.DENSE) + 1)
    assert min(forms) > 0


def test_every_kernel_of_the_cpu_is_timed(
    monkeypatch: pytest.MonkeyPatch, capsys: pytest.CaptureFixture[str]
) -> None:
    small = ["--shapes", "64x80", "--batches", "3", "--sparsities", ".9"]
    monkeypatch.setattr(sys, "argv", ["bare", *small])
    bare.main()
    assert "| 64x80 | 0.9 | 3 | " in capsys.readouterr().out
