"""What values occur in a tensor while a model runs on calibration inputs."""

import math

import numpy as np

from capexport.ir.graph import Array

BINS = 4096
_LEAST_LIMIT = 2.0**-60


class Histogram:
    """Counts over [-limit, limit), in one pass: the limit doubles when a larger number comes."""

    def __init__(self) -> None:
        self.counts = np.zeros(BINS, np.int64)
        self.limit = _LEAST_LIMIT
        self.low, self.high = 0.0, 0.0

    def add(self, values: Array) -> None:
        """Count finite numbers."""
        self._include(float(values.min(initial=0)), float(values.max(initial=0)))
        places = (values.ravel() + np.float32(self.limit)) * np.float32(BINS / 2 / self.limit)
        self.counts += np.bincount(np.minimum(places.astype(np.int64), BINS - 1), minlength=BINS)

    def merge(self, other: "Histogram") -> None:
        """Count what another histogram has counted."""
        self._include(other.low, other.high)
        while other.limit < self.limit:
            other._double()
        while self.limit < other.limit:
            self._double()
        self.counts = self.counts + other.counts

    @property
    def centers(self) -> Array:
        """The number in the middle of each bin."""
        return (np.arange(BINS) + 0.5) * (2 * self.limit / BINS) - self.limit

    def _include(self, low: float, high: float) -> None:
        self.low, self.high = min(self.low, low), max(self.high, high)
        peak = max(-self.low, self.high)
        if not self.counts.any() and peak > self.limit:
            self.limit = 2.0 ** math.frexp(peak)[1]
        while self.limit < peak:
            self._double()

    def _double(self) -> None:
        pairs = self.counts.reshape(-1, 2).sum(1)
        self.counts = np.pad(pairs, BINS // 4)
        self.limit *= 2
