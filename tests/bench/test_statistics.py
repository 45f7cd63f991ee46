"""Percentiles, intervals and drift against plain definitions and simulated processes."""

import math
import statistics

import numpy as np
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from capexport.bench.statistics import CONFIDENCE, bootstrapped_medians, summarize

TIMES = st.lists(st.lists(st.floats(0.001, 1000), min_size=1, max_size=40), min_size=1, max_size=4)


def percentile(values: list[float], q: float) -> float:
    """The definition: linear between the two neighbours of (n - 1) q / 100."""
    ordered, place = sorted(values), (len(values) - 1) * q / 100
    below, above = ordered[math.floor(place)], ordered[math.ceil(place)]
    return below + (above - below) * (place - math.floor(place))


@given(TIMES)
@settings(max_examples=60, deadline=None)
def test_percentiles_are_those_of_the_definition(rounds: list[list[float]]) -> None:
    every = [ms for one in rounds for ms in one]
    got = summarize(rounds)
    assert got.count == len(every)
    for q, value in ((50, got.p50), (90, got.p90), (99, got.p99)):
        assert value == pytest.approx(percentile(every, q))
    # Batches are medians of some samples: the interval never leaves what was seen.
    assert min(every) <= got.low <= got.high <= max(every)


def test_one_value_has_no_spread() -> None:
    got = summarize([[2.0] * 20] * 3)
    assert (got.low, got.high, got.outliers, got.drift, got.spread) == (2.0, 2.0, 0.0, 0.0, 0.0)


@pytest.mark.parametrize("rounds", [[], [[]], [[1.0], []]])
def test_nothing_has_no_summary(rounds: list[list[float]]) -> None:
    with pytest.raises(ValueError, match="no samples"):
        summarize(rounds)


def test_the_interval_of_equal_rounds_holds_the_true_median() -> None:
    """Nominally 95 % of 200 simulated measurements, at least 90 % with so few rounds."""
    rng = np.random.default_rng(0)
    held = 0
    for _ in range(200):
        got = summarize((5 + rng.lognormal(size=(5, 30))).tolist())
        held += got.low <= 6 <= got.high
    assert held >= 180


def test_rounds_that_differ_widen_the_interval() -> None:
    rng = np.random.default_rng(1)
    noise = 0.01 * rng.standard_normal((3, 60))
    steps = np.array([[1.0], [2.0], [3.0]])
    alike, apart = summarize((1 + noise).tolist()), summarize((steps + noise).tolist())
    assert alike.high - alike.low < 0.02
    assert apart.high - apart.low > 1
    assert apart.spread == pytest.approx(2, abs=0.1)


def test_a_seed_gives_one_result_and_another_another() -> None:
    rounds = np.random.default_rng(2).random((3, 50)).tolist()
    first, again, other = (bootstrapped_medians(rounds, seed) for seed in (0, 0, 1))
    assert np.array_equal(first, again)
    assert not np.array_equal(first, other)


def test_outliers_are_counted() -> None:
    samples = [1.0, 1.1, 0.9, 1.05, 0.95] * 19 + [9.0] * 5
    assert summarize([samples]).outliers == pytest.approx(0.05)


@pytest.mark.parametrize("slope", [-0.5, 0.0, 0.5])
def test_drift_is_the_change_within_a_round(slope: float) -> None:
    rise = [1 + slope * i / 89 for i in range(90)]
    expected = statistics.median(rise[-30:]) / statistics.median(rise[:30]) - 1
    assert summarize([rise, rise]).drift == pytest.approx(expected)


def test_the_confidence_is_what_the_readers_are_told() -> None:
    assert CONFIDENCE == 0.95
