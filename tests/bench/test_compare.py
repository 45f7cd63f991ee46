"""A ratio is only called a difference when it is more than noise."""

from dataclasses import replace

import numpy as np
import pytest
from bench.reports import COUNTED, REPORT

from capexport.bench.compare import compare, differences, fell_short
from capexport.bench.report import Report
from capexport.bench.statistics import Rounds
from capexport.errors import InputError


def rounds(median: float, noise: float, seed: int) -> Rounds:
    rng = np.random.default_rng(seed)
    return (median * (1 + noise * rng.standard_normal((3, 40)))).tolist()


def measured(median: float, noise: float = 0.02, seed: int = 0) -> Report:
    return replace(REPORT, latency_ms={"caption": rounds(median, noise, seed)})


def counted(instructions: int) -> Report:
    return replace(COUNTED, counts={"encoder": {"instructions": instructions, "sdot": 7}})


@pytest.mark.parametrize(
    ("after", "noise", "verdict"),
    [(10.0, 0.02, "same"), (11.0, 0.02, "more"), (9.0, 0.02, "less"), (11.0, 0.9, "same")],
)
def test_verdicts_of_times(after: float, noise: float, verdict: str) -> None:
    (got, *_) = compare(measured(10.0, noise), measured(after, noise, seed=1))
    assert (got.section, got.name, got.verdict) == ("latency_ms", "caption", verdict)
    assert got.low <= got.ratio <= got.high


def test_equal_processes_are_seldom_told_apart() -> None:
    """About one in twenty may be: that is what 95 % means. With three rounds it is a bit more."""
    pairs = [compare(measured(10, seed=2 * i), measured(10, seed=2 * i + 1))[0] for i in range(60)]
    assert sum(one.verdict != "same" for one in pairs) <= 9


@pytest.mark.parametrize(
    ("after", "verdict"),
    [(100_000, "same"), (100_200, "same"), (101_000, "more"), (90_000, "less")],
)
def test_counts_have_hardly_any_noise(after: int, verdict: str) -> None:
    found = {one.name: one for one in compare(counted(100_000), counted(after))}
    assert found["encoder.instructions"].verdict == verdict
    assert found["encoder.sdot"].verdict == "same"


def test_kinds_are_never_mixed() -> None:
    with pytest.raises(InputError, match="one report is measured-host, the other emulated-counts"):
        compare(REPORT, COUNTED)


def test_only_what_both_have_is_compared() -> None:
    other = replace(REPORT, memory={}, footprint_bytes={"model": 11, "runtime": 5})
    names = {f"{one.section}.{one.name}" for one in compare(REPORT, other)}
    assert "footprint_bytes.model" in names
    assert not any("memory" in name or "runtime" in name for name in names)


def test_what_grew_too_much() -> None:
    slower = compare(measured(10.0), measured(11.0, seed=1))
    assert [one.name for one in fell_short(slower, 1.05)] == ["caption"]
    assert fell_short(slower, 1.2) == []
    noisy = compare(measured(10.0, 0.9), measured(11.0, 0.9, seed=1))
    assert fell_short(noisy, 1.05) == []
    assert [one.name for one in fell_short(compare(counted(100), counted(110)), 1.05)] == [
        "encoder.instructions"
    ]


def test_memory_and_files_do_not_fail_a_gate() -> None:
    grown = replace(REPORT, memory={"peak_rss_kib": 200}, footprint_bytes={"model": 20})
    assert fell_short(compare(REPORT, grown), 1.05) == []


def test_what_is_not_the_same_is_said() -> None:
    other = replace(REPORT, settings={**REPORT.settings, "threads": 2}, doubts=("too hot",))
    assert differences(REPORT, other) == [
        "threads: 1 and 2",
        "the second report is not valid: too hot",
    ]
    assert differences(REPORT, REPORT) == []
