"""Samples of several rounds -> percentiles, an interval, outliers and drift."""

from collections.abc import Sequence
from dataclasses import dataclass
from typing import Any

import numpy as np
from numpy.typing import NDArray

Floats = NDArray[np.float64]
Rounds = Sequence[Sequence[float]]
"""Samples in the order in which they were taken, by round."""

BATCHES = 10
"""Batches of consecutive samples that a round is cut into, as neighbours are not independent."""
RESAMPLES = 2000
CONFIDENCE = 0.95
OUTLIER_DEVIATIONS = 5.0
MAD_TO_SIGMA = 1.4826
"""Median absolute deviation -> standard deviation of a normal distribution."""


@dataclass(frozen=True)
class Summary:
    """What is said of one quantity; all times in the unit of the samples.

    Args:
        count: samples.
        p50, p90, p99: percentiles, interpolated between neighbours.
        low, high: the 95 % interval of the median, see `bootstrapped_medians`.
        outliers: share of samples further above the median than five robust deviations.
        drift: median of a round's last third / of its first third - 1, in the median round.
        spread: largest median of a round / smallest - 1.
    """

    count: int
    p50: float
    p90: float
    p99: float
    low: float
    high: float
    outliers: float
    drift: float
    spread: float


def summarize(rounds: Rounds) -> Summary:
    """The summary of at least one sample; an empty round is a ValueError."""
    parts = [np.asarray(samples, np.float64) for samples in rounds]
    if not parts or any(part.size == 0 for part in parts):
        raise ValueError("a round has no samples")
    every = np.concatenate(parts)
    p50, p90, p99 = (float(np.percentile(every, q)) for q in (50, 90, 99))
    tail = 100 * (1 - CONFIDENCE) / 2
    low, high = np.percentile(bootstrapped_medians(rounds), (tail, 100 - tail))
    deviation = MAD_TO_SIGMA * float(np.median(np.abs(every - p50)))
    medians = [float(np.median(part)) for part in parts]
    return Summary(
        count=int(every.size),
        p50=p50,
        p90=p90,
        p99=p99,
        low=float(low),
        high=float(high),
        outliers=float(np.mean(every > p50 + OUTLIER_DEVIATIONS * deviation)),
        drift=float(np.median([_drift(part) for part in parts])),
        spread=max(medians) / min(medians) - 1 if min(medians) > 0 else 0.0,
    )


def bootstrapped_medians(rounds: Rounds, seed: int = 0) -> Floats:
    """RESAMPLES medians of what could have been measured instead.

    Each draws rounds with replacement, and from each of those its batches with replacement (Efron
    and Tibshirani 1993, chapter 8); the value is the median of the batches' medians. Rounds and not
    samples are what repeats: a process has one placement in memory, and neighbours share a clock.
    """
    batches = [_batch_medians(samples) for samples in rounds]
    width = max(len(one) for one in batches)
    rng: Any = np.random.default_rng(seed)
    chosen = rng.integers(len(batches), size=(RESAMPLES, len(batches)))
    places = rng.random((RESAMPLES, len(batches), width))
    table = np.full((len(batches), width), np.nan)
    for row, one in enumerate(batches):
        table[row, : len(one)] = one
    lengths = np.array([len(one) for one in batches])[chosen]
    drawn = table[chosen[..., np.newaxis], (places * lengths[..., np.newaxis]).astype(int)]
    medians: Floats = np.median(drawn.reshape(RESAMPLES, -1), axis=1)
    return medians


def _batch_medians(samples: Sequence[float]) -> list[float]:
    parts = np.array_split(np.asarray(samples, np.float64), min(BATCHES, len(samples)))
    return [float(np.median(part)) for part in parts]


def _drift(samples: Floats) -> float:
    third = max(len(samples) // 3, 1)
    first, last = float(np.median(samples[:third])), float(np.median(samples[-third:]))
    return last / first - 1 if first > 0 else 0.0
