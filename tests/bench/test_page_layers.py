"""The page's times by operator: beside the zeros of matrices, and no names where none are known."""

from dataclasses import replace
from typing import Any

import pytest
from bench.reports import COUNTED, REPORT, TIMED
from bench.test_page import HOSTILE, headings, parsed, part
from bench.test_page_plots import drawing

from capexport.bench.page.layers import MOST_KINDS, NAMELESS
from capexport.bench.report import Report

NAME = "operators of 1: litert, ms"


def timed(*operators: dict[str, Any]) -> Report:
    whole = {"call_ms": 4.0, "calls": 31, "operators": list(operators)}
    return replace(TIMED, layers_ms={"decoder_step": whole})


def other(name: str, ms: float) -> dict[str, Any]:
    return {"name": "", "operator": name, "p50_ms": ms, "share": 0.1}


def test_times_lie_beside_zeros() -> None:
    page = parsed(TIMED)
    assert "Time by layer" in headings(part(page, "measured-host"))
    matrix, rest = drawing(page, NAME).every("rect")
    widths = [float(one.attributes["width"] or "") for one in (matrix, rest)]
    assert widths[0] / widths[1] == pytest.approx(3, abs=0.01)
    assert [one.attributes["class"] for one in (matrix, rest)] == ["c0", "c1"]
    words = drawing(page, NAME).words
    assert "90.0% zeros, 75%" in words
    assert "encoder: a call takes 4 ms with the profiler, 2 without" in words
    assert "Add (ND)" not in words  # kinds without types and layouts
    (row,) = [row for row in page.every("tr") if "SparseInt8MatMul" in row.words]
    cells = [cell.words for cell in row.children if not isinstance(cell, str)]
    expected = ["att", "SparseInt8MatMul", "att_embed.weight", "90.0%", "1.500", "75.0%"]
    assert cells == ["encoder", *expected]


def test_xnnpacks_layers_are_said_not_to_be_known() -> None:
    assert NAMELESS in parsed(TIMED).words
    assert NAMELESS not in parsed(timed(other("Add", 1.0))).words


def test_what_was_not_timed_is_not_drawn() -> None:
    for report in (REPORT, COUNTED):
        assert "Time by layer" not in parsed(report).words


def test_many_kinds_are_few_bars_and_all_of_their_time() -> None:
    operators = [other(f"Kind{i}", 1.0 + i) for i in range(MOST_KINDS + 3)] * 2
    bars = [*drawing(parsed(timed(*operators)), NAME).every("rect")]
    assert len(bars) == MOST_KINDS + 1
    shown = [float(title.words.split(": ")[1]) for bar in bars for title in bar.every("title")]
    assert sum(shown) == pytest.approx(sum(one["p50_ms"] for one in operators))
    assert shown[:2] == [18.0, 16.0]
    assert "3 other kinds" in drawing(parsed(timed(*operators)), NAME).words


def test_names_are_only_text() -> None:
    page = parsed(timed({**other(HOSTILE, 1.0), "name": HOSTILE, "layer": HOSTILE}))
    assert not [*page.every("script")]
